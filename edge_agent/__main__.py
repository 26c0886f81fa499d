"""``python -m edge_agent``: settings → extract → parts → run until told to stop."""

from __future__ import annotations

import secrets
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.clock import ReadingClock
from edge_agent.health import AgentHealth
from edge_agent.life import live
from edge_agent.outbox.file import lock_outbox
from edge_agent.settings import EdgeSettings
from facility.errors import ConfigError
from facility.status import AGENT
from process.health import HealthServer, note_file
from process.pulse import Pulse
from process.run import run

if TYPE_CHECKING:
    from threading import Event

    from edge_agent.agent import EdgeAgent


def main() -> int:
    """Run one agent; the exit code says whether a person must change something (2) or it broke (1)."""
    return run(EdgeSettings, _run)


def _run(settings: EdgeSettings, stop: Event) -> bool:
    agent, pulse = build(settings), Pulse(settings.data, AGENT, time.monotonic)
    with HealthServer("", AgentHealth(agent, settings.data, time.monotonic), note=note_file(settings.data, AGENT)):
        return live(agent, pulse, stop)


def build(settings: EdgeSettings) -> EdgeAgent:
    """The agent that the settings describe. Raises ``ConfigError`` before anything connects."""
    _prepare_folder(settings.data)
    # Imported only now, for it takes most of a second: a second agent on this outbox is refused at once, above.
    from device_profiles import load_profiles  # noqa: PLC0415
    from edge_agent.agent import EdgeAgent  # noqa: PLC0415
    from edge_agent.extract import read_extract  # noqa: PLC0415

    profiles = load_profiles(settings.profiles)
    return EdgeAgent(
        settings,
        read_extract(settings.site, settings.agent, profiles),
        profiles,
        clock=ReadingClock(
            lambda: time.time_ns() // 1_000_000, lambda: time.monotonic_ns() // 1_000_000, settings.clock
        ),
        boot=_boot_id(),
        monotonic=time.monotonic,
        version=version("meterhouse"),
    )


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be made: {error.strerror}") from None
    lock_outbox(folder / "outbox.db").release()  # the agent takes it for good


def _boot_id() -> str:
    """What tells this run of the monotonic clock from all others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)


if __name__ == "__main__":
    sys.exit(main())
