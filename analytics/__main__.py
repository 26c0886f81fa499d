"""Analytics as a process: settings, stores and registry put together, and the loop that keeps watch."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import structlog
from pydantic import ValidationError

from analytics.live import Watch
from analytics.metrics import Rounds
from analytics.notices import Notices, listen
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from analytics.settings import Settings
from analytics.window import watched_points
from facility.broker_address import broker_address
from facility.errors import ConfigError
from stores.metrics import serve_metrics
from stores.readings import open_readings
from stores.records.accounts import Accounts
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.recomputations import Recomputations
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import Client
    from sqlalchemy import Engine

    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore

WAIT_S = 1.0

log = structlog.get_logger()


def main() -> int:
    """Run until SIGTERM or SIGINT (0), or until a person must change something (2)."""
    os.umask(0o077)  # what is kept here is graded data and secrets: for our own account alone
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        settings = _settings()
        records = open_records(settings.records)
        run(settings, open_readings(settings.store, Registry(records)), records)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _leave(*_: object) -> NoReturn:
    """End at once: everything that is written is written whole, and is found again at the next start."""
    sys.exit(0)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        missing = ", ".join(f"METERHOUSE_{str(part['loc'][0]).upper()}: {part['msg']}" for part in error.errors())
        raise ConfigError(f"analytics cannot start: {missing}") from None


def run(settings: Settings, store: ReadingStore, records: Engine) -> NoReturn:
    """Wait for the estate, then watch it; begin anew when the estate changes."""
    registry, version, watch, client, rounds = Registry(records), 0, None, None, Rounds(time.monotonic)
    serve_metrics(settings.metrics, rounds)
    while True:
        try:
            newest = registry.version()
            if newest and newest != version:
                version, catalogue = newest, registry.load()
                notices = Notices(watched_points(catalogue))
                client = hear(settings, catalogue.site.id, notices, client)
                watch = _watch(settings, store, records, catalogue, notices, partial(_is_at, registry, version))
                log.info("watching", site=catalogue.site.id, version=version)
            if watch:
                watch.tick(time.time_ns() // 1_000_000)
                with suppress(OSError):  # a full disk: then nothing more is expected of us than before
                    (settings.data / "analytics.pulse").touch()
            rounds.end_well()
        except ConfigError:
            raise
        except Exception:
            rounds.fail()
            log.exception("analytics_failed")
        time.sleep(settings.tick_s if watch else WAIT_S)


def hear(settings: Settings, site: str, notices: Notices, before: Client | None) -> Client | None:
    """Listen to ingest where a broker is named, in place of an earlier listener."""
    if before is not None:
        before.disconnect()
        before.loop_stop()
    return listen(broker_address(settings.broker), site, notices) if settings.broker else None


def _is_at(registry: Registry, version: int) -> bool:
    return registry.version() == version


def _watch(
    settings: Settings,
    store: ReadingStore,
    records: Engine,
    catalogue: Catalogue,
    notices: Notices,
    is_current: Callable[[], bool],
) -> Watch:
    rollups = RollupWriter(store, catalogue, Accounts(records))
    again = Recompute(store, rollups, catalogue, Recomputations(records), is_current)
    return Watch(
        store,
        rollups,
        Casebook(records),
        catalogue,
        settings.data,
        step_days=settings.step_days,
        notices=notices,
        again=again,
    )


if __name__ == "__main__":
    sys.exit(main())
