"""Which cases a question finds, in which order and how many: asked so that cases long closed cost nothing.

Every question is put to the database a state at a time: each is then a walk along an index that ends with the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.work import CALLING, AlertState, Severity, Verdict
from stores.records.case_rows import alert_of
from stores.records.shown_points import among_points, names_any
from stores.records.tables import alert as alerts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from facility.work import Alert

a = alerts.c
_RANKS = dict.fromkeys(AlertState, 2) | {AlertState.OPEN: 0, AlertState.ACKNOWLEDGED: 1}
"""Open cases stand first, then those that somebody took, then the rest."""


@dataclass(frozen=True, slots=True)
class CasePlace:
    """Where a case stands in the list: the next page begins after it, whatever becomes of the case."""

    state: AlertState
    raised_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Unsettled:
    """How many cases of a building wait for a person or are in somebody's hands, and how bad the worst of them is."""

    number: int
    worst: Severity


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """The cases of some buildings, of some points, raised at or after an instant; None: of all, ever."""

    buildings: Collection[str] | None = None
    points: Collection[str] | None = None
    raised_since: datetime | None = None
    above: frozenset[str] = frozenset()
    """Cases that rest on one of these points are left out."""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What holds for each of them."""
        found: list[sa.ColumnElement[bool]] = [] if self.buildings is None else [a.building.in_(self.buildings)]
        found += [] if self.points is None else [among_points(a.point, self.points)]
        found += [sa.not_(names_any(a.evidence, self.above))] if self.above else []
        return found if self.raised_since is None else [*found, a.raised_at >= self.raised_since]


def find_cases(
    connection: Connection,
    states: Iterable[AlertState],
    among: CaseFilter,
    *,
    after: CasePlace | None = None,
    limit: int | None = None,
) -> list[Alert]:
    """Cases in the order of the list, the one raised last first within a rank."""
    parts = [part for state in states if (part := _ids(state, among, after, limit)) is not None]
    if not parts:
        return []
    every = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    order = (every.c.rank, every.c.raised_at.desc(), every.c.id.desc())
    found = sa.select(every).order_by(*order).limit(limit).subquery()
    query = sa.select(alerts).join(found, found.c.id == a.id)
    query = query.order_by(found.c.rank, a.raised_at.desc(), a.id.desc())
    return [alert_of(row) for row in connection.execute(query).mappings()]


def _ids(state: AlertState, among: CaseFilter, after: CasePlace | None, limit: int | None) -> sa.Select[Any] | None:
    """Ids of the first cases of a state after a place; None where all of them stand before it."""
    rank = _RANKS[state]
    query = sa.select(a.id, a.raised_at, sa.literal(rank).label("rank")).where(
        a.state == state.value, *among.conditions()
    )
    if after is not None and rank < _RANKS[after.state]:
        return None
    if after is not None and rank == _RANKS[after.state]:
        same_instant = (a.raised_at == after.raised_at) & (a.id < str(after.id))
        query = query.where(a.raised_at <= after.raised_at, (a.raised_at < after.raised_at) | same_instant)
    return query.order_by(a.raised_at.desc(), a.id.desc()).limit(limit)


def count_cases(connection: Connection, among: CaseFilter, most: int | None = None) -> dict[AlertState, int]:
    """How many cases there are of each state, counted up to ``most``."""
    counts = []
    for state in AlertState:
        found = sa.select(a.id).where(a.state == state.value, *among.conditions()).limit(most)
        counts.append(sa.select(sa.func.count()).select_from(found.subquery()).scalar_subquery())
    return dict(zip(AlertState, connection.execute(sa.select(*counts)).one(), strict=True))


def count_unsettled(connection: Connection, among: CaseFilter) -> dict[str, Unsettled]:
    """The buildings that have cases in which somebody is to act."""
    running = a.state.in_([state.value for state in CALLING])
    query = sa.select(a.building, sa.func.count(), sa.func.max(a.severity)).where(running, *among.conditions())
    rows = connection.execute(query.group_by(a.building))
    return {building: Unsettled(number, Severity(worst)) for building, number, worst in rows}


def count_being_checked(connection: Connection, among: CaseFilter) -> dict[str, int]:
    """The buildings that have cases of which is yet to be seen whether they are put right, and how many."""
    checked = a.state == AlertState.BEING_CHECKED.value
    query = sa.select(a.building, sa.func.count()).where(checked, *among.conditions()).group_by(a.building)
    return {building: number for building, number in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def count_verdicts(connection: Connection, key: str, but: UUID, among: CaseFilter) -> dict[Verdict, int]:
    """What people found in the cases of a key, one case left out."""
    query = sa.select(a.verdict, sa.func.count()).where(a.key == key, a.id != str(but), a.verdict.is_not(None))
    rows = connection.execute(query.where(*among.conditions()).group_by(a.verdict))
    return {Verdict(verdict): number for verdict, number in rows}
