"""Ingest as a process: settings, registry, stores and broker put together, and the loop that runs them."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from facility.batch_id import log_context
from facility.broker_address import broker_address
from facility.errors import ConfigError, StoreUnavailable
from ingest.gate import Gate
from ingest.metrics import IngestMetrics
from ingest.parts import Parts
from ingest.settings import load_settings
from ingest.subscriber import Subscriber
from stores.metrics import serve_metrics
from stores.readings import open_readings, place_of
from stores.readings.series import count_series
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.intake import Intake
    from ingest.settings import Settings

REGISTRY_EVERY_S = 2.0
TAKE_WAIT_S = 0.25
PAUSE_S = 0.5

log = structlog.get_logger()


def main() -> int:
    """Run until SIGTERM or SIGINT (0), until a person must change something (2), or until a part breaks (1)."""
    os.umask(0o077)  # what is kept here is graded data and secrets: for our own account alone
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings()
        _set_up_logging(settings.log_level)
        return 0 if _compose(settings, stop) else 1
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StoreUnavailable as error:  # at the start, for example on a full disk: the supervisor tries again
        sys.stderr.write(f"{error}\n")
        return 1


def _compose(settings: Settings, stop: Event) -> bool:
    """Put the parts together and run them; False if one of them broke."""
    subscriber = Subscriber(broker_address(settings.broker))
    engine = open_records(settings.records)
    registry = Registry(engine)
    store = open_readings(settings.store, registry)
    is_well = True
    if _wait_for_estate(registry, stop):
        estate = registry.load()
        parts = Parts(
            settings.data,
            Gate(estate),
            store,
            Quarantine(engine),
            Errands(engine),
            subscriber,
            time.monotonic,
            now_ms,
            series_budget=settings.series_budget,
        )
        parts.figures.note_store(place_of(settings.store))
        parts.figures.note_series(count_series(estate))
        intake = parts.intake()
        end_metrics = _tell_metrics(settings, parts, intake)
        is_well = _run(parts, intake, registry, stop)
        end_metrics()
        parts.close()
    store.close()
    engine.dispose()
    return is_well


def _tell_metrics(settings: Settings, parts: Parts, intake: Intake) -> Callable[[], None]:
    """Answer ``/metrics`` where that is wanted; returns what ends it."""
    writer = parts.store_writer
    metrics = IngestMetrics(
        lambda: parts.figures.as_tree(intake.subscriber.waiting), lambda: time.monotonic() - writer.moved_s
    )
    return serve_metrics(settings.metrics, metrics)


def now_ms() -> int:
    """The time of day."""
    return time.time_ns() // 1_000_000


def _wait_for_estate(registry: Registry, stop: Event) -> bool:
    told = False
    while not registry.version():
        if not told:
            log.info("waiting_for_estate", hint="run meterhouse site apply FILE")
            told = True
        if stop.wait(0.5):
            return False
    return not stop.is_set()


def _run(parts: Parts, intake: Intake, registry: Registry, stop: Event) -> bool:
    version, looked_at_s = registry.version(), time.monotonic()
    writing = Thread(target=parts.store_writer.run, args=(stop,), name="store-writer")
    writing.start()
    intake.subscriber.start()
    try:
        while not stop.is_set():
            if not (writing.is_alive() and intake.subscriber.is_alive):
                log.error("thread_died", writer=writing.is_alive(), broker=intake.subscriber.is_alive)
                return False
            try:
                intake.take_in(TAKE_WAIT_S, stop)
                intake.figures.write(intake.subscriber.waiting)
                intake.subscriber.check()
                if time.monotonic() - looked_at_s >= REGISTRY_EVERY_S:
                    looked_at_s = time.monotonic()
                    version = _follow_registry(parts, intake, registry, version)
                    _run_errands(parts, stop)
            except (ConfigError, MemoryError):
                raise
            except Exception as error:
                with bound_contextvars(**log_context(intake.in_hand())):
                    log.exception("unexpected_error")
                    intake.recover(error, stop)
                stop.wait(PAUSE_S)
        return True
    finally:
        stop.set()
        writing.join()
        intake.subscriber.stop()
        intake.figures.write_now(intake.subscriber.waiting)


def _follow_registry(parts: Parts, intake: Intake, registry: Registry, version: int) -> int:
    """Take up a changed estate. Records that cannot be reached now change nothing: the estate we know holds."""
    try:
        newest = registry.version()
        if newest != version:
            estate = registry.load()
            parts.gate = intake.pipeline.gate = Gate(estate)
            parts.figures.note_series(count_series(estate))
            log.info("estate_reloaded", version=newest)
    except StoreUnavailable:
        return version
    return newest


def _run_errands(parts: Parts, stop: Event) -> None:
    """Do what people asked for. Records that cannot be reached now are asked later."""
    with suppress(StoreUnavailable):
        parts.errand_runner.turn(time.monotonic(), stop)


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


if __name__ == "__main__":
    sys.exit(main())
