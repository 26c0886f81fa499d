"""The loop of ingest: it takes in what agents say, follows the registry, and does what people ask for."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from facility.batch_id import log_context
from facility.errors import ConfigError, StoreUnavailable
from facility.system_alarm import SystemAlarm
from ingest.gate import Gate
from stores.readings.series import count_series

if TYPE_CHECKING:
    from threading import Event

    from ingest.parts import Parts
    from stores.records.registry import Registry

REGISTRY_EVERY_S = 2.0
TAKE_WAIT_S = 0.25
PAUSE_S = 0.5
ESTATE_EVERY_S = 0.5

log = structlog.get_logger()


def wait_for_estate(registry: Registry, stop: Event) -> bool:
    """Return once there is an estate; False if ``stop`` came first."""
    is_logged = False
    while not registry.version():
        if not is_logged:
            log.info("waiting_for_estate", hint="run meterhouse site apply FILE")
            is_logged = True
        if stop.wait(ESTATE_EVERY_S):
            return False
    return not stop.is_set()


def run_parts(parts: Parts, registry: Registry, stop: Event) -> bool:
    """Run until told to stop; False if one of the threads broke."""
    intake, version, looked_at_s = parts.intake, registry.version(), time.monotonic()
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
                _check(parts)
                if time.monotonic() - looked_at_s >= REGISTRY_EVERY_S:
                    looked_at_s = time.monotonic()
                    version = follow_registry(parts, registry, version)
                    _run_errands(parts, stop)
            except (ConfigError, MemoryError):
                raise
            except Exception as error:
                names = intake.in_hand()
                with bound_contextvars(**log_context(names)):
                    log.exception("unexpected_error")
                    intake.recover(error, stop)
                if not names:  # it lies in no message, which would be out of the way now
                    stop.wait(PAUSE_S)
        return True
    finally:
        stop.set()
        parts.housekeeping.soundness.close()
        writing.join()
        intake.subscriber.stop()


def _check(parts: Parts) -> None:
    """Raise ``ConfigError`` where the broker does not let us in at all: told before we end, for that is all we can."""
    try:
        parts.intake.subscriber.check()
    except ConfigError as error:
        parts.status.alarm(SystemAlarm.BROKER_REFUSES, str(error))
        raise


def follow_registry(parts: Parts, registry: Registry, version: int) -> int:
    """Take up a changed estate. Records that cannot be reached now change nothing: the estate we know holds."""
    try:
        newest = registry.version()
        if newest != version:
            estate = registry.load()
            parts.doorway.gate = Gate(estate)
            parts.status.note_series(count_series(estate))
            log.info("estate_reloaded", version=newest)
    except StoreUnavailable:
        return version
    return newest


def _run_errands(parts: Parts, stop: Event) -> None:
    """Do what people asked for. Records that cannot be reached now are asked later."""
    with suppress(StoreUnavailable):
        parts.errand_runner.turn(time.monotonic(), stop)
