"""Changes of data levels: each is the decision of the site's custodian, with a reason, and in the audit trail.

What was graded once stays known: a point that is taken out and comes back lower is a change as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import ConfigError, Problem
from facility.levels import Level
from stores.records import tables
from stores.records.audit import append_entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from stores.records.estate import Rows

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class LevelDecision:
    """Who decided, as the site names its custodian, and why."""

    custodian: str
    reason: str


@dataclass(frozen=True, slots=True)
class Regrading:
    """A point whose level is another one than was decided last; None: it would have none."""

    point: str
    before: str
    after: str | None

    @property
    def what(self) -> str:
        """As the audit trail calls it."""
        if self.after is None:
            return "level.clear"
        return "level.raise" if Level[self.after.upper()] > Level[self.before.upper()] else "level.lower"


def regrade(
    connection: Connection, stored: Rows, new: Rows, decision: LevelDecision | None, by: str, at: datetime
) -> None:
    """Keep the levels of an estate. Where the site has a custodian, raise ``ConfigError`` for changes not decided."""
    graded = {row.point: row.level for row in connection.execute(sa.select(tables.graded_point))}
    wanted = {point: row["level"] for point, row in new["point"].items()}
    changed = [Regrading(one, graded[one], level) for one, level in wanted.items() if graded.get(one, level) != level]
    custodian, successor = _custodian(stored) or _custodian(new), _custodian(new)
    if custodian and (changed or custodian != successor):
        _check(changed, custodian, successor, decision)
        for one in changed:
            why = f"{one.before} → {one.after or 'none'}, decided by {custodian}: {decision.reason if decision else ''}"
            append_entry(connection, at, by, one.what, one.point, why)
    _keep(connection, graded, {point: level for point, level in wanted.items() if level})


def _custodian(rows: Rows) -> str:
    site: Mapping[str, Any] = next(iter(rows["site"].values()), {})
    return str(site.get("custodian") or "")


def _check(changed: list[Regrading], custodian: str, successor: str, decision: LevelDecision | None) -> None:
    if decision is None or not decision.reason.strip():
        lines = [f"{one.point}: {one.before} → {one.after or 'none'}" for one in changed[:MOST_NAMED]]
        lines += [f"and {len(changed) - MOST_NAMED} more"] if len(changed) > MOST_NAMED else []
        lines += [f"custodian: {custodian} → {successor or 'nobody'}"] if custodian != successor else []
        listed = "".join(f"\n  {line}" for line in lines)
        how = f"--custodian '{custodian}' --reason TEXT, once {custodian} has decided"
        raise ConfigError(Problem("level", f"changes only with its custodian:{listed}", how))
    if decision.custodian != custodian:
        raise ConfigError(Problem("custodian", f"'{decision.custodian}' decides about no level here", custodian))


def _keep(connection: Connection, graded: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    g = tables.graded_point.c
    moved = [{"moved": point, "to": level} for point, level in wanted.items() if graded.get(point, level) != level]
    if moved:
        change = sa.update(tables.graded_point).where(g.point == sa.bindparam("moved")).values(level=sa.bindparam("to"))
        connection.execute(change, moved)
    fresh = [{"point": point, "level": level} for point, level in wanted.items() if point not in graded]
    if fresh:
        connection.execute(sa.insert(tables.graded_point), fresh)
