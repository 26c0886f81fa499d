"""Data quality map: which meters were heard, day by day; a figure with holes is no ground to act on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dashboards.asking import Asking
from dashboards.influxql import Extent
from dashboards.parts import HEARD, faults
from dashboards.sheet import Column, Panel, Shape, Sheet
from dashboards.units import SHARE

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of thirty days."""
    del level
    asking = Asking(catalogue)
    here = Extent(asking.site, "$building")
    return Sheet(
        "quality",
        (
            (_heard(asking, here), _estimated(asking, here), _missing(asking, here)),
            (_map(asking, here),),
            (_worst(asking, here), _faults(asking, here)),
            (_buildings(asking),),
        ),
        choices=(asking.building(),),
        start="now-30d",
        events="$building",
    )


def _heard(asking: Asking, here: Extent) -> Panel:
    asked = asking.one('mean("heard") AS "completeness"', "usage_1h", here.where())
    return Panel("heard", Shape.STAT, (8, 4), (asked,), (Column("completeness", SHARE),), SHARE, 1, HEARD)


def _estimated(asking: Asking, here: Extent) -> Panel:
    asked = asking.one('mean("estimated") AS "estimated"', "building_1h", here.where())
    return Panel("estimated", Shape.STAT, (8, 4), (asked,), (Column("estimated", SHARE),), SHARE, 1, step="1d")


def _missing(asking: Asking, here: Extent) -> Panel:
    figure = '1 - mean("completeness") - mean("estimated") AS "missing"'
    asked = asking.one(figure, "building_1h", here.where())
    return Panel("missing", Shape.STAT, (8, 4), (asked,), (Column("missing", SHARE),), SHARE, 1, step="1d")


def _map(asking: Asking, here: Extent) -> Panel:
    """A row a meter, a cell a day; a day before the meter hung there stays empty."""
    asked = asking.course('mean("heard") AS "completeness"', "usage_1h", here.where(), "meter", step="1d", fill="none")
    return Panel("map", Shape.DAYS, (24, 12), (asked,), (), SHARE, 0, HEARD, "1d")


def _worst(asking: Asking, here: Extent) -> Panel:
    """The ten meters that were heard least."""
    inner = asking.table('mean("heard") AS "heard"', "usage_1h", here.where(), "meter")
    asked = replace(inner, query=f'SELECT bottom("heard", "meter", 10) AS "completeness" FROM ({inner.query})')
    columns = (
        Column("meter", named="meter", leads="meter?meter"),
        Column("completeness", SHARE, digits=1, limits=HEARD),
    )
    return Panel("worst", Shape.TABLE, (10, 12), (asked,), columns, sort=("column.completeness", False))


def _faults(asking: Asking, here: Extent) -> Panel:
    """What was wrong, a bar a day."""
    return faults(asking, here, "faults", (14, 12), is_daily=True)


def _buildings(asking: Asking) -> Panel:
    """All buildings, the least complete first."""
    figures = 'mean("completeness") AS "completeness", mean("estimated") AS "estimated"'
    asked = asking.table(figures, "building_1h", Extent(asking.site).where(), "building")
    columns = (
        Column("building", named="building", leads="quality?building"),
        Column("completeness", SHARE, digits=1, limits=HEARD),
        Column("estimated", SHARE, digits=1),
    )
    return Panel("buildings", Shape.TABLE, (24, 9), (asked,), columns, step="1d", sort=("column.completeness", False))
