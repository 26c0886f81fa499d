"""Closed months and the entries that adjust them: a closed month's figures and bill stay as they were handed in."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import ConfigError
from facility.tariff import PERIODS
from stores.records.accounting.proposals import EntryState, Proposals, judged_anew
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.tables import adjustment, closed_month
from stores.records.audit import append_entries, append_entry
from stores.records.database import writing
from stores.records.registry import check_version
from stores.records.stale import Deed, Stale

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from stores.records.accounting.proposals import Proposal
    from stores.records.accounting.recomputations import Recomputation

Days = dict[str, dict[str, float]]
"""Local day → field of ``usage_1d`` → its figure, or what it is more (or less) than was handed in."""

ADJUSTED = ("est_qty", *(name for one in ("qty", "cost") for name in (one, *(f"{one}_{period}" for period in PERIODS))))
"""The fields of a day that a closed month is held to."""

LATE = "readings that came late"
"""The reason of an adjustment for which nobody had to change a fact."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What one counter's closed month turned out to be more or less, by day and field."""

    building: str
    utility: str
    meter: str
    quantity: str
    month: str
    at: datetime
    reason: str
    differences: Days

    def sum_of(self, field: str) -> float:
        """The whole difference of a field."""
        return sum(day.get(field, 0.0) for day in self.differences.values())


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A month as it was handed in: who closed it, the bill, and the digest that tells whether it is still that bill."""

    building: str
    month: str
    closed_at: datetime
    by: str
    bill: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class ToClose:
    """The bill of a building's month, as it is handed in; ``accepted_missing``: why, where something is missing."""

    building: str
    month: str
    bill: dict[str, Any]
    accepted_missing: str = ""

    @property
    def id(self) -> str:
        """Building and month."""
        return f"{self.building}/{self.month}"


class ClosedMonths:
    """What is closed, and what was found out afterwards."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(
        self,
        building: str,
        month: str,
        bill: dict[str, Any],
        *,
        based_on: int,
        by: str,
        at: datetime,
        accepted_missing: str = "",
    ) -> ClosedMonth:
        """Keep a month as it is handed in, as ``close_all`` does several."""
        one = ToClose(building, month, bill, accepted_missing)
        return self.close_all([one], based_on=based_on, by=by, at=at)[0]

    def close_all(self, some: Sequence[ToClose], *, based_on: int, by: str, at: datetime) -> list[ClosedMonth]:
        """Keep months as they are handed in, all or none. Raises ``ConfigError`` with those that are closed already.

        Why one is closed although something is missing is sealed with the deed.
        ``based_on`` is the version of the estate that the bills were made for: raises ``Stale`` where it has another
        one by now, since meters, ledgers or tariffs may have changed with it.
        """
        closed = [ClosedMonth(one.building, one.month, at, by, one.bill, digest_of(one.bill)) for one in some]
        with writing(self._engine) as connection:
            _check_open(connection, some)
            check_version(connection, based_on, "make the bill again, look at it, then close the month")
            rows = [
                {"id": one.id, **{name: getattr(kept, name) for name in ClosedMonth.__slots__}}
                for one, kept in zip(some, closed, strict=True)
            ]
            connection.execute(sa.insert(closed_month), rows)
            sealed = [(one.id, _sealed(one, kept)) for one, kept in zip(some, closed, strict=True)]
            append_entries(connection, at, by, "account.close", sealed)
        return closed

    def closed(self) -> frozenset[tuple[str, str]]:
        """Building and month of everything closed."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(closed_month.c.building, closed_month.c.month))
            return frozenset((row.building, row.month) for row in rows)

    def closing_times(self, some: Collection[tuple[str, str]] | None = None) -> dict[tuple[str, str], datetime]:
        """When each building and month was closed, or each of some of them that is."""
        c = closed_month.c
        query = sa.select(c.building, c.month, c.closed_at)
        if some is not None:
            query = query.where(c.id.in_([f"{building}/{month}" for building, month in some]))
        with self._engine.connect() as connection:
            rows = connection.execute(query)
            return {(row.building, row.month): row.closed_at for row in rows}

    def closed_month(self, building: str, month: str) -> ClosedMonth | None:
        """A closed month; None where it is open. Raises ``ConfigError`` where it is not as it was handed in."""
        query = sa.select(closed_month).where(closed_month.c.id == f"{building}/{month}")
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        if digest_of(row["bill"]) != row["digest"]:
            raise ConfigError(f"the closed bill of {building} {month} was changed after it was closed")
        return ClosedMonth(**{key: value for key, value in row.items() if key != "id"})

    def handed_in(self, building: str, month: str, counter: str) -> Days | None:
        """The days of a counter (meter/quantity) in a closed month; None where its bill was not made from them."""
        query = sa.select(closed_month.c.bill).where(closed_month.c.id == f"{building}/{month}")
        with self._engine.connect() as connection:
            bill: dict[str, dict[str, Days]] = connection.execute(query).scalar_one_or_none() or {}
        return bill.get("days", {}).get(counter)

    def waiting(self) -> list[Recomputation]:
        """What is still to be computed again: figures that it reaches are not fit to be closed."""
        return Recomputations(self._engine).open_ones()

    def proposed(self, building: str) -> list[Proposal]:
        """Entries of a building that wait for a person, oldest first: they stand on no bill."""
        return Proposals(self._engine).open_ones(building)

    def buildings_with_entries(self) -> frozenset[str]:
        """Buildings of which some closed month was ever adjusted, or is proposed to be."""
        with self._engine.connect() as connection:
            return frozenset(connection.execute(sa.select(adjustment.c.building).distinct()).scalars())

    def newest_entry(self) -> int:
        """The number of the newest adjusting entry; 0 before the first."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.max(adjustment.c.id))).scalar_one() or 0

    def adjust(self, found: Sequence[Adjustment], *, based_on: int) -> None:
        """Enter what closed months turned out to be more or less, or propose it where they are judged anew.

        ``based_on`` is the newest entry of before the differences were computed: raises ``Stale`` where one of these
        months has a newer one, which they would enter a second time.
        """
        if not found:
            return
        with writing(self._engine) as connection:
            _check_entries(connection, found, based_on)
            judged = judged_anew(connection)
            for one in found:
                _enter(
                    connection, one, EntryState.PROPOSED if (one.meter, one.quantity) in judged else EntryState.ENTERED
                )

    def adjusted(self, meter: str, quantity: str, month: str) -> Days:
        """What is known so far of a counter's month: entered, proposed or dismissed, none of it is found again."""
        c = adjustment.c
        query = sa.select(c.differences).where(c.meter == meter, c.quantity == quantity, c.month == month)
        sums: Days = defaultdict(dict)
        with self._engine.connect() as connection:
            for (differences,) in connection.execute(query):
                for day, fields in differences.items():
                    for field, value in fields.items():
                        sums[day][field] = sums[day].get(field, 0.0) + value
        return dict(sums)

    def adjustments(self, building: str, start: datetime, end: datetime) -> list[Adjustment]:
        """Entries of a building made in a time, oldest first: they belong on the bill of that time."""
        c = adjustment.c
        where = (c.building == building) & (c.at >= start) & (c.at < end) & (c.state == EntryState.ENTERED)
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(adjustment).where(where).order_by(c.id)).mappings()
            return [Adjustment(**{name: row[name] for name in Adjustment.__slots__}) for row in rows]


def _check_open(connection: Connection, some: Sequence[ToClose]) -> None:
    c = closed_month.c
    query = sa.select(c.building, c.month, c.by).where(c.id.in_([one.id for one in some])).order_by(c.id)
    if known := connection.execute(query).all():
        stays = "is closed already (by {by}); a closed month stays as it is"
        raise ConfigError(*(f"{row.building} {row.month} {stays.format(by=row.by)}" for row in known))


def _sealed(one: ToClose, kept: ClosedMonth) -> str:
    """The digest, and why the month was closed although something was missing."""
    return f"{kept.digest}; missing accepted: {one.accepted_missing}" if one.accepted_missing else kept.digest


def _enter(connection: Connection, one: Adjustment, state: EntryState) -> None:
    row = {name: getattr(one, name) for name in Adjustment.__slots__}
    connection.execute(sa.insert(adjustment).values(**row, state=state, decided_by="", decision=""))
    detail = f"{one.reason}: qty {one.sum_of('qty'):+.3f}, cost {round(one.sum_of('cost'), 4):+,.10g}"
    act = "account.adjust" if state is EntryState.ENTERED else "account.propose"
    append_entry(connection, one.at, "analytics", act, f"{one.meter}/{one.month}", detail)


def _check_entries(connection: Connection, found: Sequence[Adjustment], based_on: int) -> None:
    c = adjustment.c
    query = sa.select(c.meter, c.quantity, c.month, c.at, c.reason).where(c.id > based_on).order_by(c.id)
    months = {(one.meter, one.quantity, one.month) for one in found}
    since = [row for row in connection.execute(query) if (row.meter, row.quantity, row.month) in months]
    if since:
        deeds = [Deed(row.at, "analytics", f"{row.meter}/{row.month}", row.reason) for row in since]
        raise Stale("books", deeds, "compare with what is entered now")


def digest_of(bill: dict[str, Any]) -> str:
    """SHA-256 of a bill's content."""
    return hashlib.sha256(json.dumps(bill, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
