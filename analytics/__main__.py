"""``python -m analytics``: settings, stores and registry put together, and the watch that runs on them."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analytics.audit_watch import AuditWatch
from analytics.backup_watch import BackupWatch
from analytics.dispatch.dispatcher import Dispatcher
from analytics.dispatch.order_hook import OrderHook
from analytics.estate_watch import EstateWatch
from analytics.heartbeat import Heartbeat
from analytics.letters.clerk import Clerk
from analytics.letters.couriers import read_couriers
from analytics.letters.post_office import PostOffice
from analytics.metrics import Rounds
from analytics.settings import AnalyticsSettings
from facility.errors import ConfigError
from facility.levels import Level
from facility.so_many import so_many
from facility.status import LONGEST_STILL_S, ServerProcess
from process.health import HealthServer, note_file
from process.pulse import Pulse
from process.run import run
from stores.access import kept_rights
from stores.access.important import ReadTrail
from stores.access.shown_copy import with_copy
from stores.readings import open_readings, place_of
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.letters.contacts import Contacts
from stores.records.letters.letters import Letters
from stores.records.letters.take_links import TakeLinks
from stores.records.orders.order_telling import OrderTelling
from stores.records.people import People
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller, this_instance

if TYPE_CHECKING:
    from threading import Event

    from sqlalchemy.engine import Engine

    from stores.readings.port import ReadingStore


def main() -> int:
    """Run until SIGTERM or SIGINT (0), or until a person must change something (2).

    It is ended wherever it is: everything that is written is written whole, and is found again at the next start.
    """
    return run(AnalyticsSettings, _run, is_broken_off=True)


def _run(settings: AnalyticsSettings, stop: Event) -> bool:
    records = open_records(settings.records)
    store = _store(settings, Registry(records))
    board = StatusBoard(records)
    _check_store(settings, board)
    rounds = Rounds(time.monotonic)
    pulse = Pulse(settings.data, "analytics", time.monotonic)
    watch = EstateWatch(settings, store, records, pulse)
    audit_watch = AuditWatch(Audit(records), stop, settings.audit_checkpoints)
    heartbeat = Heartbeat(settings.heartbeat, settings.heartbeat_method, settings.heartbeat_s, board.overview, stop)
    clerk, couriers = _clerk(settings, records), read_couriers(settings.notify)
    contacts = Contacts(records)
    post_office = PostOffice(Letters(records), contacts, clerk, couriers, utc_now, rounds)
    rights_of = kept_rights(records, utc_now)
    dispatcher = Dispatcher(records, clerk, contacts, list(couriers), rights_of, utc_now, rounds)
    hook = OrderHook(settings.orders_hook, OrderTelling(records), rounds)
    teller = Teller(
        board,
        this_instance(ServerProcess.ANALYTICS, settings.data.absolute()),
        hook.beside(
            post_office.beside(
                heartbeat.beside(BackupWatch(settings.data, settings.backup).beside(audit_watch.beside(watch.status)))
            )
        ),
        moves=lambda: pulse.still_s() < LONGEST_STILL_S[ServerProcess.ANALYTICS],
    )
    note = note_file(settings.data, "analytics")
    health = HealthServer(settings.metrics, teller.health, rounds, note=note)
    with audit_watch, heartbeat, post_office, dispatcher, hook, teller, health:
        watch.run(rounds, stop)
    return True


def _store(settings: AnalyticsSettings, registry: Registry) -> ReadingStore:
    store = open_readings(settings.store, registry)
    if not settings.shown_store:
        return store
    if place_of(settings.shown_store) == place_of(settings.store):
        raise ConfigError("METERHOUSE_SHOWN_STORE names the store itself: what Grafana shows has a database of its own")
    copy = open_readings(settings.shown_store, registry)
    return with_copy(store, copy, registry, Level.INTERNAL, settings.data / "shown.json")


def _clerk(settings: AnalyticsSettings, records: Engine) -> Clerk:
    return Clerk(
        Registry(records),
        People(records),
        kept_rights(records, utc_now),
        links=TakeLinks(records),
        trail=ReadTrail(Audit(records), utc_now),
        console=settings.console_url.rstrip("/"),
        language=settings.language,
        daily_at=datetime.strptime(settings.daily_at, "%H:%M").time(),  # noqa: DTZ007 - a time of day
    )


def _check_store(settings: AnalyticsSettings, board: StatusBoard) -> None:
    """Raise ``ConfigError`` where ingest stores elsewhere: figures of this store would be of no use to anybody."""
    place = place_of(settings.store)
    other, readings = board.stored_elsewhere(place)
    if readings and not settings.leave_stored:
        raise ConfigError(
            f"ingest has stored {so_many(readings, 'reading')} in {other}, and METERHOUSE_STORE names {place}:"
            " name that, bring them over with 'meterhouse store migrate', or say METERHOUSE_LEAVE_STORED=yes"
        )


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
