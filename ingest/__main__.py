"""Ingest as a process: settings, registry, stores and broker put together, and the loop that runs them."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from threading import Event
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError, StoreUnavailable
from ingest.accepted import Announcer
from ingest.acknowledger import Acknowledger
from ingest.figures import Figures
from ingest.gate import Gate
from ingest.intake import Intake
from ingest.pipeline import Pipeline
from ingest.settings import broker_address, load_settings
from ingest.subscriber import Subscriber
from ingest.watermarks import Watermarks
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.quarantine import Quarantine
from stores.records.registry import Registry

if TYPE_CHECKING:
    from ingest.settings import Settings

REGISTRY_EVERY_S = 2.0
TAKE_WAIT_S = 0.25
PAUSE_S = 0.5

log = structlog.get_logger()


def main() -> int:
    """Run until SIGTERM or SIGINT (0), or until a person must change something (2)."""
    os.umask(0o077)  # what is kept here is graded data and secrets: for our own account alone
    _set_up_logging()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        _compose(load_settings(), stop)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _compose(settings: Settings, stop: Event) -> None:
    subscriber = Subscriber(broker_address(settings.broker))
    store = open_readings(settings.store)
    engine = open_records(settings.records)
    registry = Registry(engine)
    watermarks = Watermarks(settings.data / "ingest.db")
    if _wait_for_estate(registry, stop):
        figures = Figures(settings.data / "ingest.json", time.monotonic)
        figures.count(watermarks.totals())
        intake = Intake(
            subscriber=subscriber,
            pipeline=Pipeline(Gate(registry.load()), watermarks),
            store=store,
            quarantine=Quarantine(engine),
            watermarks=watermarks,
            acknowledger=Acknowledger(watermarks, subscriber.publish),
            announcer=Announcer(subscriber.publish),
            figures=figures,
            clock_ms=lambda: time.time_ns() // 1_000_000,
        )
        _run(intake, registry, stop)
    watermarks.close()
    store.close()
    engine.dispose()


def _wait_for_estate(registry: Registry, stop: Event) -> bool:
    told = False
    while not registry.version():
        if not told:
            log.info("waiting_for_estate", hint="run meterhouse site apply FILE")
            told = True
        if stop.wait(0.5):
            return False
    return not stop.is_set()


def _run(intake: Intake, registry: Registry, stop: Event) -> None:
    version, looked_at_s = registry.version(), time.monotonic()
    intake.subscriber.start()
    try:
        while not stop.is_set():
            try:
                intake.take_in(TAKE_WAIT_S, stop)
                intake.figures.write(intake.subscriber.waiting)
                intake.subscriber.check()
                if time.monotonic() - looked_at_s >= REGISTRY_EVERY_S:
                    looked_at_s = time.monotonic()
                    version = _follow_registry(intake, registry, version)
            except (ConfigError, MemoryError):
                raise
            except Exception as error:
                log.exception("unexpected_error")
                intake.recover(error)
                stop.wait(PAUSE_S)
    finally:
        intake.subscriber.stop()
        intake.figures.write_now(intake.subscriber.waiting)


def _follow_registry(intake: Intake, registry: Registry, version: int) -> int:
    """Take up a changed estate. Records that cannot be reached now change nothing: the estate we know holds."""
    try:
        newest = registry.version()
        if newest != version:
            intake.pipeline.gate = Gate(registry.load())
            log.info("estate_reloaded", version=newest)
    except StoreUnavailable:
        return version
    return newest


def _set_up_logging() -> None:
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


if __name__ == "__main__":
    sys.exit(main())
