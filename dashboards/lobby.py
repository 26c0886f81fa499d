"""Lobby: one building for whoever walks past, in large type; nothing to choose, nothing to sign in for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent
from dashboards.limited import water_for_each
from dashboards.parts import ABOVE_EXPECTED, COMPARED, FLOWS, WHOLE, live_flow, shared
from dashboards.sheet import Column, Drawing, Panel, Shape, Sheet
from dashboards.units import RATING, SHARE
from facility.quantities import Quantity, Utility

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.catalogue import Catalogue
    from facility.levels import Level
    from facility.model import Building


def dashboards(catalogue: Catalogue, level: Level) -> tuple[Sheet, ...]:
    """A sheet for each building that has a head meter."""
    return tuple(
        _of(catalogue, building, utility)
        for building in catalogue.buildings
        if (utility := _utility(catalogue, building.id)) and level
    )


def _utility(catalogue: Catalogue, building: str) -> Utility | None:
    """What the building's screen is about: electricity where it is counted."""
    return next((one for one in Utility if catalogue.head_counters(building, one)), None)


def _of(catalogue: Catalogue, building: Building, utility: Utility) -> Sheet:
    asking = Asking(catalogue)
    here = Extent(asking.site, building.id, utility)
    rate = next(use.rate for use in asking.units if utility in use.utilities)
    now = live_flow(
        asking, Extent(asking.site, building.id), Quantity.ACTIVE_POWER, FLOWS[Quantity.ACTIVE_POWER], (8, 6)
    )
    return Sheet(
        f"lobby-{building.id}",
        (
            shared((_rating(asking, here), _today(asking, here), *_people(asking, building.id), now)),
            (_day(asking, here, rate),),
            (
                _month(asking, here, utility, "month", ""),
                _month(asking, here, utility, "year_before", "1y"),
                _years(asking, here),
            ),
            (Panel("tip", Shape.WORDS, (24, 4)),),
        ),
        start="now-24h",
        refresh="1m",
        title={"en": building.name.in_language("en"), "zh-Hans": building.name.in_language("zh-Hans")},
        is_hidden=True,
        is_plain=True,
    )


def _people(asking: Asking, building: str) -> Iterator[Panel]:
    """Water for each person over thirty days, in a building that counts its water."""
    if asking.catalogue.head_counters(building, Utility.WATER):
        yield from water_for_each(asking, (8, 6), building, within="30d")


def _rating(asking: Asking, here: Extent) -> Panel:
    asked = asking.one('last("rating") AS "rating"', "building_1d", here.where())
    return Panel(
        "rating",
        Shape.STAT,
        (8, 6),
        (asked,),
        (Column("rating", RATING, digits=0),),
        RATING,
        0,
        step="1d",
        within="60d",
    )


def _today(asking: Asking, here: Extent) -> Panel:
    figure = '(sum("qty") - sum("expected")) / sum("expected") AS "delta"'
    asked = asking.one(figure, "building_1h", here.where(COMPARED))
    column = Column("delta", SHARE)
    return Panel("today", Shape.STAT, (8, 6), (asked,), (column,), SHARE, 0, ABOVE_EXPECTED, within="now/d")


def _day(asking: Asking, here: Extent, rate: str) -> Panel:
    questions = (
        asking.course('mean("qty") AS "qty"', "building_1h", here.where(WHOLE)),
        asking.course('mean("expected") AS "expected"', "building_1h", here.where()),
    )
    columns = (
        Column("qty", rate, colour=colours.ACTUAL, drawing=Drawing.BARS),
        Column("expected", rate, colour=colours.EXPECTED, drawing=Drawing.DASHED),
    )
    return Panel("day", Shape.LINES, (24, 10), questions, columns, rate)


def _month(asking: Asking, here: Extent, utility: Utility, key: str, shifted: str) -> Panel:
    """Use of the month so far, or of the same days a year before."""
    asked = asking.one('sum("qty") AS "qty"', "building_1d", here.where())
    column = Column("qty", utility.unit)
    return Panel(
        key, Shape.STAT, (6, 6), (asked,), (column,), utility.unit, 0, step="1d", within="now/M", shifted=shifted
    )


def _years(asking: Asking, here: Extent) -> Panel:
    """The rating over three years."""
    asked = asking.course('last("rating") AS "rating"', "building_1d", here.where())
    column = Column("rating", "1", colour=colours.ACTUAL)
    return Panel("years", Shape.LINES, (12, 6), (asked,), (column,), "1", 0, step="1d", within="3y")
