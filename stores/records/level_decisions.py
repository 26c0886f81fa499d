"""Changes of data levels: each is the decision of the site's custodian, with a reason, and in the audit trail.

What was graded once stays known: a point that is taken out and comes back lower is a change as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import ConfigError, Problem
from facility.levels import Level, parse_level
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
    totals = {one: _derived(new, one) for one in {**_totals(stored), **_totals(new)}}
    wanted = {point: row["level"] for point, row in new["point"].items()} | totals | _totals(new)
    before = totals | graded
    changed = [Regrading(one, before[one], level) for one, level in wanted.items() if before.get(one, level) != level]
    custodian, successor = _custodian(stored) or _custodian(new), _custodian(new)
    if custodian and (changed or custodian != successor):
        _check(changed, custodian, successor, decision)
        for one in changed:
            why = f"{one.before} → {one.after or 'none'}, decided by {custodian}: {decision.reason if decision else ''}"
            append_entry(connection, at, by, one.what, one.point, why)
    _keep(connection, graded, {point: level for point, level in wanted.items() if level})


def _totals(rows: Rows) -> dict[str, str]:
    """What a custodian graded of buildings' totals, as ``BUILDING/UTILITY``, which is no point's name."""
    stated = {building: row.get("totals") or {} for building, row in rows["building"].items()}
    return {f"{building}/{utility}": level for building, of in stated.items() for utility, level in of.items()}


def _derived(rows: Rows, total: str) -> str:
    """The highest level of all that a total may rest on."""
    building, _, utility = total.partition("/")
    meters = {one for one, row in rows["meter"].items() if (row["building"], row["utility"]) == (building, utility)}
    words = (row["level"] for row in rows["point"].values() if row["meter"] in meters)
    return max((parse_level(word) for word in words if word), default=Level.PUBLIC).word


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
