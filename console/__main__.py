"""``python -m console``: settings, stores and application put together, and the server that runs them."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from console.app import create_app
from console.metrics import Timed
from console.server import ConsoleServer, listen
from console.settings import ConsoleSettings
from process.health import HealthServer
from process.pulse import Pulse
from process.run import run
from stores.access import LiveValues
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from threading import Event


def main() -> int:
    """Run until stopped; 2 where a person must change something first."""
    return run(ConsoleSettings, _run)


def _run(settings: ConsoleSettings, stop: Event) -> bool:
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
    pulse = Pulse(settings.data, "console", time.monotonic) if settings.data else None
    try:
        with HealthServer(settings.metrics, timed.health, timed):
            structlog.get_logger().info("listening", address=settings.listen)
            ConsoleServer(timed, live, pulse, stop).run(sockets=[listening])
    finally:
        store.close()
        records.dispose()
    return True


if __name__ == "__main__":
    sys.exit(main())
