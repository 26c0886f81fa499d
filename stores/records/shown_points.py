"""The points that somebody may see, as a database is asked for them: by the shorter of what shows and what does not."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

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


class _NamesAny(FunctionElement[bool]):
    """Whether a list of evidence names one of the points of a second list, both as JSON."""

    inherit_cache = True
    type = sa.Boolean()


def names_any(evidence: sa.ColumnElement[Any], points: frozenset[str]) -> sa.ColumnElement[bool]:
    """Whether a column of evidence names one of the points. They are one value: a database takes so many of those."""
    return _NamesAny(evidence, sa.literal(_as_json(points), sa.Text))


@lru_cache(maxsize=64)
def _as_json(points: frozenset[str]) -> str:
    """Thousands of a large estate, in every question of a reader."""
    return json.dumps(sorted(points))


_NAMES_ANY = {
    "sqlite": (
        "EXISTS (SELECT 1 FROM json_each({0}) AS named"
        " WHERE json_extract(named.value, '$.point') IN (SELECT value FROM json_each({1})))"
    ),
    "postgresql": (
        "EXISTS (SELECT 1 FROM json_array_elements({0}) AS named"
        " WHERE named->>'point' IN (SELECT json_array_elements_text(CAST({1} AS JSON))))"
    ),
}
"""As each database says it, of the column and the parameter."""


@compiles(_NamesAny)
def _said(element: _NamesAny, compiler: Any, **more: Any) -> str:
    return _NAMES_ANY[compiler.dialect.name].format(*(compiler.process(one, **more) for one in element.clauses))
