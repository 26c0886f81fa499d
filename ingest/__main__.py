"""``python -m ingest``: settings, registry, stores and broker put together, and the loop that runs them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import structlog

from facility.broker_address import broker_address
from facility.errors import StoreDamaged
from facility.status import LONGEST_STILL_S, ServerProcess
from ingest.broker_check import check_broker
from ingest.confirmed import check_same_store, note_store, noted_store
from ingest.gate import Gate
from ingest.metrics import IngestMetrics
from ingest.parts import Around, Files, put_together
from ingest.settings import IngestSettings
from ingest.soundness import MendsItself
from ingest.status import IngestStatus
from ingest.subscriber import Subscriber
from ingest.worker import run_parts, wait_for_estate
from process.health import HealthServer, note_file
from process.pulse import Pulse
from process.run import run
from stores.readings import mend_readings, open_readings, place_of
from stores.readings.series import count_series
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.imports.book import Imports
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller, this_instance

if TYPE_CHECKING:
    from threading import Event

    from stores.readings.port import ReadingStore

log = structlog.get_logger()


def main() -> int:
    """Run until SIGTERM or SIGINT (0), until a person must change something (2), or until a part breaks (1)."""
    return run(IngestSettings, _run)


def _run(settings: IngestSettings, stop: Event) -> bool:
    """Put the parts together and run them; False if one of them broke."""
    subscriber = Subscriber(broker_address(settings.broker))
    engine = open_records(settings.records)
    registry = Registry(engine)
    store = _open_store(settings, registry)
    _check_store(settings, store)  # before anything is told: what was told of the other store holds
    status, pulse = IngestStatus(time.monotonic, settings.series_budget), Pulse(settings.data, "ingest", time.monotonic)
    teller = Teller(
        StatusBoard(engine),
        this_instance(ServerProcess.INGEST, settings.data.absolute()),
        lambda: status.as_status(subscriber.waiting),
        moves=lambda: pulse.still_s() < LONGEST_STILL_S[ServerProcess.INGEST],
        agents=status.agents,
    )
    is_well = True
    with teller:
        is_safe = settings.broker_rights == "trusted" or check_broker(subscriber.address, stop)
        if is_safe and wait_for_estate(registry, stop):
            estate = registry.load()
            files = Files(settings.data)
            kept = Quarantine(engine), Errands(engine), Imports(engine)
            around = Around(store, *kept, subscriber, status, pulse, time.monotonic, _now_ms)
            parts = put_together(files, Gate(estate), around)
            place = place_of(settings.store)
            status.begin(place, note_store(files.watermarks, settings.data, place), count_series(estate))
            metrics = IngestMetrics(teller.overview, parts.motion.still_s)
            with HealthServer(settings.metrics, teller.health, metrics, note=note_file(settings.data, "ingest")):
                is_well = run_parts(parts, registry, stop)
            files.close()
        if not is_well:
            teller.stop(in_good_order=False)
    store.close()
    engine.dispose()
    return is_well


def _open_store(settings: IngestSettings, registry: Registry) -> ReadingStore:
    """The store; a file of ours that is too damaged to be opened is mended first, from what can be read of it."""
    try:
        return open_readings(settings.store, registry)
    except StoreDamaged as error:
        if noted_store(settings.data).store != place_of(settings.store):
            raise  # nobody says that it is ours
        kept = mend_readings(settings.store, _now_ms())
        log.error("store_mended", error=str(error), readings=kept.readings, kept_as=kept.kept_as)  # noqa: TRY400 - of the disk
        return open_readings(settings.store, registry)


def _check_store(settings: IngestSettings, store: ReadingStore) -> None:
    """Raise ``ConfigError`` where readings lie in another store. A file that was only moved is the one we know."""
    noted = noted_store(settings.data)
    if isinstance(store, MendsItself) and store.cursor() >= noted.reached > 0:
        return
    check_same_store(noted, place_of(settings.store), leaves=settings.leave_stored)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
