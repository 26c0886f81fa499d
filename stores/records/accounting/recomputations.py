"""What must be computed again: asked for with a reason, done in pieces, each with what it was before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from accounting.dirty import dirty_meter
from stores.records.accounting.tables import recomputation
from stores.records.audit import append_entry, check_reason
from stores.records.database import writing
from stores.records.stale import Stale

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from accounting.dirty import Dirty
    from facility.catalogue import Catalogue

Months = dict[str, dict[str, dict[str, float]]]
"""Local month → ``before`` and ``after`` → figure summed over the counters (``qty``, ``cost``)."""


@dataclass(frozen=True, slots=True)
class Recomputation:
    """Counters over a time (ms, both ends included), how far it has got, and what it changed by month.

    With ``proposes``, what it finds about closed months waits for a person.
    """

    id: int
    asked_at: datetime
    by: str
    reason: str
    points: tuple[str, ...]
    first_ms: int
    last_ms: int
    next_ms: int
    months: Months
    finished_at: datetime | None
    proposes: bool = False


class Recomputations:
    """The list of what is to be computed again; a crash leaves it where the last whole piece ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, dirty: Iterable[Dirty], *, by: str, at: datetime, reason: str) -> int:
        """Put ranges on the list; how many there were."""
        with writing(self._engine) as connection:
            return ask(connection, dirty, by=by, at=at, reason=reason)

    def ask_meter(
        self,
        estate: Catalogue,
        meter: str,
        span: tuple[datetime, datetime | None],
        *,
        by: str,
        at: datetime,
        reason: str,
    ) -> int:
        """Put a stretch of a meter on the list; 0 where it has not begun yet. Raises ``ConfigError`` as it cannot be.

        ``span`` is its start and its end; None: up to now.
        """
        check_reason(reason)
        dirty, why = [dirty_meter(estate, meter, *span)], reason.strip()
        with writing(self._engine) as connection:
            if found := ask(connection, dirty, by=by, at=at, reason=why):
                append_entry(connection, at, by, "account.recompute", meter, why)
            return found

    def open_ones(self, limit: int | None = None) -> list[Recomputation]:
        """What is not finished, oldest first."""
        return self._select(recomputation.c.finished_at.is_(None), recomputation.c.id, limit)

    def newest(self, limit: int = 50) -> list[Recomputation]:
        """The newest, finished or not, newest first."""
        return self._select(sa.true(), recomputation.c.id.desc(), limit)

    def note(
        self, one: int, *, based_on: int, next_ms: int, months: Months, finished_at: datetime | None = None
    ) -> None:
        """Remember where the next piece begins and what was found so far.

        ``based_on`` is where this piece began: raises ``Stale`` where somebody else has done it already.
        """
        values = {"next_ms": next_ms, "months": months, "finished_at": finished_at}
        c = recomputation.c
        here = sa.update(recomputation).where(c.id == one, c.next_ms == based_on, c.finished_at.is_(None))
        with writing(self._engine) as connection:
            if connection.execute(here.values(values)).rowcount == 0:
                raise Stale("recomputation", [], "go on where it stands now")

    def _select(self, where: Any, order: Any, limit: int | None = None) -> list[Recomputation]:
        query = sa.select(recomputation).where(where).order_by(order).limit(limit)
        with self._engine.connect() as connection:
            return [_recomputation(dict(row)) for row in connection.execute(query).mappings()]


def ask(
    connection: Connection, dirty: Iterable[Dirty], *, by: str, at: datetime, reason: str, proposes: bool = False
) -> int:
    """Put ranges on the list in the transaction that makes them dirty: neither is kept without the other.

    With ``proposes``, what they turn out to be in closed months waits for a person (``Proposals``).
    """
    rows: list[dict[str, Any]] = [
        {
            "asked_at": at,
            "by": by,
            "reason": f"{reason}: {one.why}" if reason else one.why,
            "points": list(one.points),
            "first_ms": round(one.first.timestamp() * 1000),
            "last_ms": round((at if one.end is None else min(one.end, at)).timestamp() * 1000) - 1,
            "next_ms": round(one.first.timestamp() * 1000),
            "months": {},
            "finished_at": None,
            "proposes": proposes,
        }
        for one in dirty
        if one.first <= at
    ]
    if rows:
        connection.execute(sa.insert(recomputation), rows)
    return len(rows)


def _recomputation(row: dict[str, Any]) -> Recomputation:
    return Recomputation(**{**row, "points": tuple(row["points"])})
