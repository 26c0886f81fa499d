"""``python -m edge_agent``: settings → extract → parts → run until told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from edge_agent.clock import Clock
from edge_agent.outbox.file import FileLock
from edge_agent.settings import load_settings
from facility.errors import ConfigError

if TYPE_CHECKING:
    from edge_agent.agent import Agent
    from edge_agent.settings import Settings

CONFIG_EXIT = 2
TICK_S = 0.25
LONGEST_STILL_S = 120.0
"""A slow device with many blocks may take a minute; a thread that takes longer hangs."""


def main() -> int:
    """Run one agent; the exit code says whether a person must change something (2) or it broke (1)."""
    os.umask(0o077)  # what is kept here is graded data and secrets: for our own account alone
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # silence on a bus is told once, by the poller
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        settings = load_settings()
        _set_up_logging(settings.log_level)
        agent = build(settings)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIG_EXIT
    pulse = agent.outbox.path.with_name("edge.pulse")  # while it is touched, the supervisor lets us be
    try:
        agent.start()
        while agent.is_alive() and not stop.wait(TICK_S):
            agent.tick()
            if agent.still_s() < LONGEST_STILL_S:
                with contextlib.suppress(OSError):  # on a full disk nothing is expected of us
                    pulse.touch()
        is_well = agent.is_alive()
    finally:
        agent.stop()  # else its threads would go on without anybody who can end them
    return 0 if is_well else 1


def build(settings: Settings) -> Agent:
    """The agent that the settings describe. Raises ``ConfigError`` before anything connects."""
    _prepare_folder(settings)
    # Only now, for they take most of a second: another agent on this outbox is told off at once.
    from device_profiles import load_profiles  # noqa: PLC0415
    from edge_agent.agent import Agent  # noqa: PLC0415
    from facility.documents.site import load_site  # noqa: PLC0415

    profiles = load_profiles()
    try:
        text = settings.site.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{settings.site}: cannot be read: {error.strerror}") from None
    catalogue = load_site(text, str(settings.site), profiles)
    if settings.agent not in catalogue.agent:
        raise ConfigError(
            f"{settings.site}: no agent '{settings.agent}' (allowed: {', '.join(catalogue.agent) or 'none'})"
        )
    return Agent(
        settings,
        catalogue.part_for(settings.agent),
        profiles,
        clock=Clock(lambda: time.time_ns() // 1_000_000, lambda: time.monotonic_ns() // 1_000_000, settings.clock),
        boot=_boot_id(),
        monotonic=time.monotonic,
        version=version("meterhouse"),
    )


def _prepare_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the data folder {settings.data} cannot be made: {error.strerror}") from None
    FileLock(settings.data / "outbox.db").release()  # the agent takes it for good


def _set_up_logging(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def _boot_id() -> str:
    """What tells this run of the monotonic clock from all others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)


if __name__ == "__main__":
    sys.exit(main())
