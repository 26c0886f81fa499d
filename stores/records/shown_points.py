"""The points that somebody may see, as a database is asked for them: by the shorter of what shows and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from stores.records import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class ShownPoints(frozenset[str]):
    """Points that show, and which of the others the estate has: of a large estate few may be hidden."""

    hidden: frozenset[str]

    def __new__(cls, shown: Iterable[str], every: Iterable[str]) -> Self:
        """``every`` are all points of the estate."""
        made = super().__new__(cls, shown)
        made.hidden = frozenset(every) - made
        return made


def among_points(column: sa.ColumnElement[str], points: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a column names one of the points. A point that the estate has no more is none of them."""
    if not isinstance(points, ShownPoints) or len(points) <= len(points.hidden):
        return column.in_(points)
    known = column.in_(sa.select(tables.point.c.id))
    return known & column.not_in(points.hidden) if points.hidden else known
