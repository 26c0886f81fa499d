"""``python -m analytics``: settings, stores and registry put together, and the watch that runs on them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from analytics.audit_watch import AuditWatch
from analytics.backup_watch import BackupWatch
from analytics.estate_watch import EstateWatch
from analytics.heartbeat import Heartbeat
from analytics.metrics import Rounds
from analytics.settings import AnalyticsSettings
from facility.errors import ConfigError
from facility.so_many import so_many
from facility.status import LONGEST_STILL_S, ServerProcess
from process.health import HealthServer, note_file
from process.pulse import Pulse
from process.run import run
from stores.readings import open_readings, place_of
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller, this_instance

if TYPE_CHECKING:
    from threading import Event


def main() -> int:
    """Run until SIGTERM or SIGINT (0), or until a person must change something (2).

    It is ended wherever it is: everything that is written is written whole, and is found again at the next start.
    """
    return run(AnalyticsSettings, _run, is_broken_off=True)


def _run(settings: AnalyticsSettings, stop: Event) -> bool:
    records = open_records(settings.records)
    store = open_readings(settings.store, Registry(records))
    board = StatusBoard(records)
    _check_store(settings, board)
    rounds = Rounds(time.monotonic)
    pulse = Pulse(settings.data, "analytics", time.monotonic)
    watch = EstateWatch(settings, store, records, pulse)
    audit_watch = AuditWatch(Audit(records), stop, settings.audit_checkpoints)
    heartbeat = Heartbeat(settings.heartbeat, settings.heartbeat_method, settings.heartbeat_s, board.overview, stop)
    teller = Teller(
        board,
        this_instance(ServerProcess.ANALYTICS, settings.data.absolute()),
        heartbeat.beside(BackupWatch(settings.data, settings.backup).beside(audit_watch.beside(watch.status))),
        moves=lambda: pulse.still_s() < LONGEST_STILL_S[ServerProcess.ANALYTICS],
    )
    note = note_file(settings.data, "analytics")
    with audit_watch, heartbeat, teller, HealthServer(settings.metrics, teller.health, rounds, note=note):
        watch.run(rounds, stop)
    return True


def _check_store(settings: AnalyticsSettings, board: StatusBoard) -> None:
    """Raise ``ConfigError`` where ingest stores elsewhere: figures of this store would be of no use to anybody."""
    place = place_of(settings.store)
    other, readings = board.stored_elsewhere(place)
    if readings and not settings.leave_stored:
        raise ConfigError(
            f"ingest has stored {so_many(readings, 'reading')} in {other}, and METERHOUSE_STORE names {place}:"
            " name that, bring them over with 'meterhouse store migrate', or say METERHOUSE_LEAVE_STORED=yes"
        )


if __name__ == "__main__":
    sys.exit(main())
