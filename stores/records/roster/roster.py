"""The roster as it is kept: workers, shifts and days off. Each change is in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.order import Skill
from facility.so_many import so_many
from stores.records import tables
from stores.records.accounts.account_rows import open_person
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.roster.tables import day_off, shift, worker
from stores.records.roster.worker import Rank, Worker, WorkShift

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.engine import Connection, Engine

MOST_ORDERS_A_DAY = 100


@dataclass(frozen=True, slots=True)
class DayOff:
    """A local day on which somebody does not work, whatever shifts say."""

    name: str
    day: date


class Roster:
    """Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def workers(self) -> list[Worker]:
        """Everybody whose account is open, by name."""
        with self._engine.connect() as connection:
            return find_workers(connection)

    def shifts(self, first: datetime, end: datetime) -> list[WorkShift]:
        """Shifts that lie in a stretch of time, or reach into it, by time."""
        s = shift.c
        query = sa.select(s.name, s.begins, s.ends).where(s.ends > first, s.begins < end).order_by(s.begins, s.name)
        with self._engine.connect() as connection:
            return [WorkShift(*row) for row in connection.execute(query)]

    def days_off(self, first: date) -> list[DayOff]:
        """From a day on."""
        d = day_off.c
        query = sa.select(d.name, d.day).where(d.day >= first.isoformat()).order_by(d.day, d.name)
        with self._engine.connect() as connection:
            return [DayOff(row.name, type(first).fromisoformat(row.day)) for row in connection.execute(query)]

    def put(self, one: Worker, by: str, at: datetime) -> None:
        """Somebody takes orders from now on, or otherwise than before.

        Raises ``Rejected`` for an unknown or closed account, for an unknown building and for a cap that is none.
        """
        with writing(self._engine) as connection:
            put_worker(connection, one, by, at)

    def remove(self, name: str, by: str, at: datetime) -> None:
        """Take somebody off the roster, with their shifts. What they have in hand stays theirs."""
        with writing(self._engine) as connection:
            _known(connection, name)
            for table in (shift, day_off, worker):
                connection.execute(sa.delete(table).where(table.c.name == name))
            append_entry(connection, at, by, "roster.remove", name, "")

    def bring_in(
        self, workers: Sequence[Worker], shifts: Sequence[WorkShift], off: Sequence[DayOff], by: str, at: datetime
    ) -> None:
        """The whole of a table, or nothing of it."""
        with writing(self._engine) as connection:
            for one in workers:
                put_worker(connection, one, by, at)
            plan_shifts(connection, shifts, off, by, at)

    def plan(self, shifts: Sequence[WorkShift], off: Sequence[DayOff], by: str, at: datetime) -> None:
        """Put shifts and days off on the roster, all or none; what stands there already stays.

        A shift that begins when one of theirs does takes its place. Raises ``Rejected`` for who is on no roster.
        """
        with writing(self._engine) as connection:
            plan_shifts(connection, shifts, off, by, at)


def put_worker(connection: Connection, one: Worker, by: str, at: datetime) -> None:
    """The same within a transaction."""
    open_person(connection, one.name)
    if not 1 <= one.most_a_day <= MOST_ORDERS_A_DAY:
        raise Rejected("no_cap", f"{one.most_a_day} orders a day (allowed: 1 to {MOST_ORDERS_A_DAY})")
    known = set(connection.execute(sa.select(tables.building.c.id)).scalars())
    if unknown := sorted(one.places - known):
        raise Rejected("unknown_building", f"there is no building '{unknown[0]}'")
    row: dict[str, Any] = {
        "rank": one.rank.value,
        "skills": sorted(one.skills),
        "places": sorted(one.places),
        "most_a_day": one.most_a_day,
    }
    if not connection.execute(sa.update(worker).where(worker.c.name == one.name).values(row)).rowcount:
        connection.execute(sa.insert(worker).values(name=one.name, **row))
    append_entry(connection, at, by, "roster.put", one.name, f"{one.rank}: {', '.join(row['skills'])}")


def plan_shifts(
    connection: Connection, shifts: Sequence[WorkShift], off: Sequence[DayOff], by: str, at: datetime
) -> None:
    """The same within a transaction."""
    for name in {one.name for one in shifts} | {one.name for one in off}:
        _known(connection, name)
    for one in shifts:
        one.check()
        same = (shift.c.name == one.name) & (shift.c.begins == one.begins)
        connection.execute(sa.delete(shift).where(same))
        connection.execute(sa.insert(shift).values(name=one.name, begins=one.begins, ends=one.ends))
    for day in off:
        same = (day_off.c.name == day.name) & (day_off.c.day == day.day.isoformat())
        connection.execute(sa.delete(day_off).where(same))
        connection.execute(sa.insert(day_off).values(name=day.name, day=day.day.isoformat()))
    planned = f"{so_many(len(shifts), 'shift')}, {so_many(len(off), 'day')} off"
    append_entry(connection, at, by, "roster.plan", "roster", planned)


def find_workers(connection: Connection) -> list[Worker]:
    """Everybody on the roster whose account is open, by name."""
    query = sa.select(worker).join(tables.person, tables.person.c.name == worker.c.name)
    query = query.where(tables.person.c.closed_at.is_(None)).order_by(worker.c.name)
    return [
        Worker(
            row.name,
            frozenset(Skill(word) for word in row.skills),
            frozenset(row.places),
            Rank(row.rank),
            row.most_a_day,
        )
        for row in connection.execute(query)
    ]


def on_shift(connection: Connection, now: datetime, today: date) -> set[str]:
    """Who is on shift, and has no day off."""
    s, d = shift.c, day_off.c
    here = set(connection.execute(sa.select(s.name).where(s.begins <= now, s.ends > now)).scalars())
    away = set(connection.execute(sa.select(d.name).where(d.day == today.isoformat())).scalars())
    return here - away


def _known(connection: Connection, name: str) -> None:
    if connection.execute(sa.select(worker.c.name).where(worker.c.name == name)).one_or_none() is None:
        raise Rejected("unknown_worker", f"'{name}' is on no roster")
