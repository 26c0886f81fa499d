"""Panels of what is stated of buildings: how much of a quota is spent, how much water there is for each person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.quotas import STANDARD_COAL, counted_by_quotas
from dashboards import colours
from dashboards.influxql import Extent
from dashboards.parts import shared
from dashboards.sheet import Column, Drawing, Limits, Panel, Shape
from dashboards.units import LITRES, SHARE
from facility.quantities import Utility
from facility.stated import FigureKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.asking import Asking
    from dashboards.sheet import Question

OF_QUOTA = Limits(0.95, 1.0)
"""A projection that comes near what is allowed, and one that reaches it."""

KNOWN = ('"quota" > 0', '"used" >= 0')
"""Rows of which a share can be told: InfluxQL says 0 for what is divided by nothing."""

PEOPLED = ('"persons" > 0', '"completeness" + "estimated" > 0.99')
"""Days whose use is known as a whole, and of which somebody states how many people there were."""

_MONTH, _YEAR, _COAL = "\"period\" = 'month'", "\"period\" = 'year'", "\"utility\" = ''"


def quota_rows(asking: Asking) -> tuple[tuple[Panel, ...], ...]:
    """A row of figures and one of the month's course, for what the estate's quotas limit."""
    counted = _counted(asking)
    if not counted:
        return ()
    found = []
    if counted != {STANDARD_COAL}:
        found += [_shares(asking, "quota", asking.here.where(_MONTH, *KNOWN))]
        found += [_shares(asking, "year", asking.here.where(_YEAR, *KNOWN))]
    if STANDARD_COAL in counted:
        found.append(_shares(asking, "coal", Extent(asking.site, "$building").where(_COAL, _YEAR, *KNOWN)))
    figures = shared(tuple(found))
    return (figures, (_burnt(asking),)) if counted != {STANDARD_COAL} else (figures,)


def projected_by_building(asking: Asking) -> Iterator[tuple[Question, Column]]:
    """What the month comes to at this pace over what is allowed, a row a building; nothing without quotas."""
    if _counted(asking) - {STANDARD_COAL}:
        figure = 'last("projected") / last("quota") AS "projected_share"'
        asked = asking.table(figure, "quota", asking.everywhere.where(_MONTH, *KNOWN), "building")
        yield asked, Column("projected_share", SHARE, digits=0, limits=OF_QUOTA)


def water_for_each(asking: Asking, size: tuple[int, int], building: str, within: str = "") -> Iterator[Panel]:
    """Litres of water for each person and day; nothing where nobody says how many people there are."""
    if any(one.kind in {FigureKind.PERSONS, FigureKind.WATER_PERSONS} for one in asking.catalogue.stated.figures):
        where = Extent(asking.site, building, Utility.WATER).where(*PEOPLED)
        asked = asking.one('sum("qty") / sum("persons") * 1000 AS "litres"', "building_1d", where)
        column = Column("litres", LITRES)
        yield Panel("people", Shape.STAT, size, (asked,), (column,), LITRES, 1, step="1d", within=within)


def _counted(asking: Asking) -> frozenset[str]:
    """The utilities that quotas of some building limit."""
    stated = asking.catalogue.stated
    return frozenset().union(*(counted_by_quotas(stated, one.id) for one in asking.catalogue.buildings))


def _shares(asking: Asking, key: str, where: str) -> Panel:
    """What of a quota is used, what was due by then, and what the month or year comes to at this pace."""
    shares = (("used", "used_share"), ("due", "due_share"), ("projected", "projected_share"))
    figures = ", ".join(f'last("{field}") / last("quota") AS "{name}"' for field, name in shares)
    columns = tuple(Column(name, SHARE, limits=OF_QUOTA if field == "projected" else None) for field, name in shares)
    return Panel(key, Shape.STAT, (8, 5), (asking.one(figures, "quota", where),), columns, SHARE, 0, step="1d")


def _burnt(asking: Asking) -> Panel:
    """Day by day what was used of the month's quota, beside what falls to the time and what is allowed."""
    questions, columns = [], []
    for use in asking.units:
        figures = ", ".join(f'last("{name}") AS "{name}_{use.word}"' for name in ("used", "due", "quota"))
        questions.append(asking.course(figures, "quota", asking.here.where(*use.condition, _MONTH), step="1d"))
        columns += [
            Column(f"used_{use.word}", use.unit, "column.quota_used", colour=colours.ACTUAL),
            Column(f"due_{use.word}", use.unit, "column.quota_due", "", colours.EXPECTED, Drawing.DASHED),
            Column(f"quota_{use.word}", use.unit, "column.quota", "", colours.ACT),
        ]
    return Panel("burnt", Shape.LINES, (24, 9), tuple(questions), tuple(columns), step="1d", most=800)
