"""Start the console: settings, stores, application, server."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
import uvicorn
from pydantic import ValidationError

from console.app import create_app
from console.metrics import Timed
from console.settings import ConsoleSettings
from facility.errors import ConfigError
from stores.access import LiveValues
from stores.metrics import serve_metrics
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

GRACE_S = 2
TICKS_A_BEAT = 10


class ConsoleServer(uvicorn.Server):
    """A server whose live streams end as soon as it is asked to stop."""

    def __init__(self, config: uvicorn.Config, live: LiveValues, timed: Timed, pulse: Path | None) -> None:
        """``pulse`` is touched every second while requests can be answered."""
        super().__init__(config)
        self._live, self._timed, self._pulse = live, timed, pulse

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second by the loop that answers requests: while it stands still, the pulse does."""
        self._timed.move()
        if self._pulse and counter % TICKS_A_BEAT == 0:
            with suppress(OSError):  # a full disk: then nothing is expected of us
                self._pulse.touch()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let go of the streams first, and end well: uvicorn would raise the signal again and end with its number."""
        del sig, frame
        self._live.end()
        self.force_exit, self.should_exit = self.should_exit, True


def main() -> int:
    """Run until stopped; 2 where a person must change something first."""
    os.umask(0o077)  # what is kept here is graded data and secrets: for our own account alone
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        return serve()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one sentence for the person at the terminal
        return 2


def serve() -> int:
    """Put the parts together and serve."""
    settings = read_settings()
    listening = listen(*settings.address)
    records = open_records(settings.records)
    store = open_readings(settings.store, Registry(records))
    live = LiveValues(store)
    app = create_app(
        store,
        records,
        lambda: datetime.now(UTC),
        hosts=settings.host_names,
        session_s=round(settings.session_hours * 3600),
        live=live,
        data=settings.data,
    )
    timed = Timed(app, time.monotonic)
    config = uvicorn.Config(
        timed, log_level=logging.WARNING, access_log=False, timeout_graceful_shutdown=GRACE_S, server_header=False
    )
    server = ConsoleServer(config, live, timed, settings.data / "console.pulse" if settings.data else None)
    structlog.get_logger("console").info("listening", address=settings.listen)
    end_metrics = serve_metrics(settings.metrics, timed)
    try:
        server.run(sockets=[listening])
    finally:
        end_metrics()
        store.close()
        records.dispose()
    return 0


def read_settings() -> ConsoleSettings:
    """Settings from the environment. Raises ``ConfigError`` that names the variable."""
    try:
        return ConsoleSettings()
    except ValidationError as error:
        lines = (f"METERHOUSE_{str(e['loc'][0]).upper()}: {e['msg'][0].lower()}{e['msg'][1:]}" for e in error.errors())
        raise ConfigError(*lines) from None


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ``ConfigError`` where the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"cannot listen on {host}:{port} ({error.strerror}): set METERHOUSE_LISTEN to another port"
        ) from None
    return listening


if __name__ == "__main__":
    sys.exit(main())
