"""Adjusting entries that are proposed where closed months are judged anew, and entered only if a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records.accounting.tables import adjustment, closed_month, recomputation
from stores.records.audit import append_entry, check_reason
from stores.records.database import writing
from stores.records.stale import Deed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

a = adjustment.c


@unique
class EntryState(StrEnum):
    """How an adjusting entry stands. Whatever its state, what it is about is not found a second time."""

    ENTERED = "entered"  # on the bill of the month in which it was entered
    PROPOSED = "proposed"  # on no bill: waits for a person
    DISMISSED = "dismissed"  # on no bill: a person said so


IS_PROPOSAL = (a.state == EntryState.PROPOSED) | a.decided_at.is_not(None)
"""Other entries were entered without anybody being asked."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry that was proposed; ``at`` is when, or when it was entered; ``qty`` and ``cost`` are its sums."""

    number: int
    state: EntryState
    building: str
    utility: str
    meter: str
    quantity: str
    month: str
    at: datetime
    reason: str
    differences: Mapping[str, Mapping[str, float]]
    decided_at: datetime | None
    decided_by: str
    decision: str

    @property
    def decided(self) -> Deed | None:
        """What a person decided; None while the entry waits for one."""
        return Deed(self.decided_at, self.decided_by, self.state, self.decision) if self.decided_at else None

    def sum_of(self, field: str) -> float:
        """The whole difference of a field."""
        return sum(day.get(field, 0.0) for day in self.differences.values())


class Proposals:
    """Entries that wait for a person, and those that were decided."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_ones(self, building: str = "") -> list[Proposal]:
        """What waits, of all buildings or of one; oldest first."""
        return self._select(a.state == EntryState.PROPOSED, building)

    def all_of(self, building: str = "") -> list[Proposal]:
        """What waits or was decided, of all buildings or of one; oldest first."""
        return self._select(IS_PROPOSAL, building)

    def entry(self, number: int) -> Proposal | None:
        """One that waits or was decided."""
        return next(iter(self._select(IS_PROPOSAL & (a.id == number), "")), None)

    def decide(self, number: int, *, enter: bool, by: str, at: datetime, reason: str) -> Proposal:
        """Enter a proposed entry as of now, so that it stands on the bill of this month, or dismiss it.

        Raises ``Rejected`` for an unknown one and for one that was decided, ``ConfigError`` without a reason.
        """
        check_reason(reason)
        decision: dict[str, Any] = {"decided_at": at, "decided_by": by, "decision": reason.strip()}
        decision |= {"state": EntryState.ENTERED, "at": at} if enter else {"state": EntryState.DISMISSED}
        with writing(self._engine) as connection:
            known = _known(connection, number)
            connection.execute(sa.update(adjustment).where(a.id == number).values(decision))
            act, month = "account.accept-entry" if enter else "account.dismiss-entry", f"{known.meter}/{known.month}"
            append_entry(connection, at, by, act, month, f"entry {number}: {reason.strip()}")
            return next(iter(_read(connection, a.id == number)))

    def ask_again(self, number: int, *, by: str, at: datetime, reason: str) -> Proposal:
        """Take a decision back: the entry waits for a person, as one that is proposed now.

        Raises ``Rejected`` for an unknown one, where nobody has decided, and where a month of its building was closed
        since it was entered, whose bill shows it; ``ConfigError`` without a reason.
        """
        check_reason(reason)
        undecided = {"state": EntryState.PROPOSED, "at": at, "decided_at": None, "decided_by": "", "decision": ""}
        with writing(self._engine) as connection:
            known = next(iter(_read(connection, IS_PROPOSAL & (a.id == number))), None)
            if known is None:
                raise Rejected("unknown_proposal", f"there is no proposed entry {number}")
            if known.decided is None:
                raise Rejected("not_decided", f"nobody has decided about entry {number}")
            if known.state is EntryState.ENTERED and (month := _billed_with(connection, known)):
                raise Rejected("billed_already", f"entry {number} stands on the bill of {month}, which is closed")
            connection.execute(sa.update(adjustment).where(a.id == number).values(undecided))
            place = f"{known.meter}/{known.month}"
            append_entry(connection, at, by, "account.ask-again", place, f"entry {number}: {reason.strip()}")
            return next(iter(_read(connection, a.id == number)))

    def _select(self, where: sa.ColumnElement[bool], building: str) -> list[Proposal]:
        with self._engine.connect() as connection:
            return _read(connection, where & (a.building == building) if building else where)


def judged_anew(connection: Connection) -> set[tuple[str, str]]:
    """Meter and quantity of the counters whose stored months are being judged anew: what is found there is proposed."""
    r = recomputation.c
    query = sa.select(r.points).where(r.finished_at.is_(None), r.proposes)
    points = (point.split("/") for points in connection.execute(query).scalars() for point in points)
    return {(meter, quantity) for meter, quantity, *_ in points}


def _billed_with(connection: Connection, one: Proposal) -> str:
    """The month of the building that was closed first since an entry was entered; empty: none was."""
    c = closed_month.c
    query = sa.select(c.month).where(c.building == one.building, c.closed_at >= one.at).order_by(c.closed_at)
    return connection.execute(query).scalars().first() or ""


def _known(connection: Connection, number: int) -> Proposal:
    known = next(iter(_read(connection, a.id == number)), None)
    if known is None or (known.decided_at is None and known.state is not EntryState.PROPOSED):
        raise Rejected("unknown_proposal", f"there is no proposed entry {number}")
    if known.decided_at:
        said = f"{known.state} by {known.decided_by}, {known.decided_at:%Y-%m-%d %H:%M} UTC: {known.decision}"
        raise Rejected("decided_already", f"entry {number} is {said}")
    return known


def _read(connection: Connection, where: sa.ColumnElement[bool]) -> list[Proposal]:
    rows = connection.execute(sa.select(adjustment).where(where).order_by(a.id)).mappings()
    return [
        Proposal(
            number=row["id"],
            state=EntryState(row["state"]),
            **{name: row[name] for name in Proposal.__slots__ if name not in {"number", "state"}},
        )
        for row in rows
    ]
