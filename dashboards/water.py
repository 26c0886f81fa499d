"""Water: what flows at night, when nobody should use any, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent
from dashboards.limited import water_for_each
from dashboards.parts import WHOLE, alerts_here, carpet, heads_known, shared
from dashboards.sheet import Column, Drawing, Panel, Shape, Sheet
from dashboards.units import HOURS

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level

WATER = "water"


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of thirty days of one building, and of all buildings' last night."""
    del level
    asking = Asking(catalogue)
    here = Extent(asking.site, "$building", WATER)
    return Sheet(
        "water",
        (
            shared(
                (
                    _excess(asking, here),
                    _used(asking, here),
                    *water_for_each(asking, (6, 4), "$building"),
                    _last_night(asking, here),
                    heads_known(asking, (6, 4), here),
                )
            ),
            (_nights(asking, here), _hours(asking, here), _still(asking, here)),
            (carpet(asking, "carpet", (24, 11), here, "qty", "m3"),),
            (_buildings(asking), alerts_here(asking, (12, 10))),
        ),
        choices=(asking.building(),),
        start="now-30d",
        events="$building",
    )


def _excess(asking: Asking, here: Extent) -> Panel:
    """What the last night's flow would make in a day, above what the nights before lead to expect."""
    figure = '(last("mnf_lph") - last("mnf_ref_lph")) * 24 / 1000 AS "excess"'
    asked = asking.one(figure, "building_1d", here.where())
    return Panel("excess", Shape.STAT, (6, 4), (asked,), (Column("excess", "m3/day"),), "m3/day", 1, step="1d")


def _used(asking: Asking, here: Extent) -> Panel:
    asked = asking.one('sum("qty") AS "qty"', "building_1d", here.where())
    return Panel("used", Shape.STAT, (6, 4), (asked,), (Column("qty", "m3"),), "m3", 1, step="1d")


def _last_night(asking: Asking, here: Extent) -> Panel:
    asked = asking.one('last("mnf_lph") AS "mnf_lph"', "building_1d", here.where())
    return Panel("last_night", Shape.STAT, (6, 4), (asked,), (Column("mnf_lph", "L/h"),), "L/h", 0, step="1d")


def _nights(asking: Asking, here: Extent) -> Panel:
    figures = 'mean("mnf_lph") AS "mnf_lph", mean("mnf_ref_lph") AS "mnf_ref_lph"'
    asked = asking.course(figures, "building_1d", here.where(), step="1d")
    columns = (
        Column("mnf_lph", "L/h", colour=colours.ACTUAL, drawing=Drawing.BARS),
        Column("mnf_ref_lph", "L/h", colour=colours.EXPECTED, drawing=Drawing.DASHED),
    )
    return Panel("nights", Shape.LINES, (8, 9), (asked,), columns, "L/h", step="1d")


def _hours(asking: Asking, here: Extent) -> Panel:
    asked = asking.course('mean("qty") AS "flow"', "building_1h", here.where(WHOLE))
    column = Column("flow", "m3/h", colour=colours.ACTUAL)
    return Panel("hours", Shape.LINES, (8, 9), (asked,), (column,), "m3/h", within="7d")


def _still(asking: Asking, here: Extent) -> Panel:
    """Hours in which no water flowed, of those that were measured: of qty over (qty + 1) only that of none is 0."""
    inner = '1 - ceil("qty" / ("qty" + 1)) AS "none"'
    where = here.where(WHOLE)
    asked = asking.course_of('sum("none") AS "still"', inner, "building_1h", where, step="1d", fill="none")
    column = Column("still", HOURS, colour=colours.ACTUAL, drawing=Drawing.BARS)
    return Panel("still", Shape.LINES, (8, 9), (asked,), (column,), HOURS, 0, step="1d")


def _buildings(asking: Asking) -> Panel:
    """All buildings' last night."""
    figures = 'last("mnf_lph") AS "mnf_lph", last("mnf_ref_lph") AS "mnf_ref_lph"'
    where = Extent(asking.site, utility=WATER).where()
    asked = asking.table(figures, "building_1d", where, "building")
    columns = (
        Column("building", named="building", leads="water?building"),
        Column("mnf_lph", "L/h", digits=0, bar=True),
        Column("mnf_ref_lph", "L/h", digits=0),
    )
    return Panel(
        "buildings", Shape.TABLE, (12, 10), (asked,), columns, step="1d", within="3d", sort=("column.mnf_lph", True)
    )
