"""Building live: what one building draws now, against what it should, and who draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.calendars import Occupancy
from dashboards import colours
from dashboards.asking import BUILDING, Asking
from dashboards.influxql import Extent
from dashboards.parts import (
    LIVE_HEADS,
    TILE,
    TODAY_M,
    alerts_here,
    band,
    called,
    enduse_column,
    live_now,
    outside,
    shared,
    used_against_expected,
)
from dashboards.sheet import Column, Drawing, Panel, Shape, Sheet
from dashboards.units import COUNT
from facility.model import MeterRole

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet; ``level`` bounds what its points may tell."""
    del level  # power and flow of head meters are of every level that is shown
    asking = Asking(catalogue)
    return Sheet(
        "building",
        (
            shared(
                (
                    *live_now(asking),
                    _heard(asking),
                    used_against_expected(asking, "today", TILE, "building_1h", within="now/d"),
                    outside(asking, TILE),
                )
            ),
            (band(asking, (16, 9)), _live(asking)),
            (_enduses(asking), _occupancy(asking)),
            (_alert_timeline(asking),),
            (alerts_here(asking, (24, 8), within="30d"),),
        ),
        choices=(asking.building(), asking.utility()),
        start="now-24h",
        refresh="1m",
        events="$building",
    )


def _heard(asking: Asking) -> Panel:
    """Of how many head meters the power now is."""
    where = Extent(asking.site, building=BUILDING).where(*LIVE_HEADS)
    inner = 'last("value") AS "newest"'
    asked = asking.sums('count("newest") AS "heard"', inner, "live", where, "meter", "building")
    return Panel("heard", Shape.STAT, TILE, (asked,), (Column("heard", COUNT),), COUNT, 0, step="1m", within=TODAY_M)


def _live(asking: Asking) -> Panel:
    """Minute by minute, a line for each head meter."""
    where = asking.here.where(*LIVE_HEADS)
    return Panel(
        "live",
        Shape.LINES,
        (8, 9),
        (asking.course('mean("value") AS "watts"', "live", where, "meter"),),
        unit="W",
        step="1m",
    )


def _alert_timeline(asking: Asking) -> Panel:
    """Hour by hour the highest severity of what was told of each meter; grey while nothing was."""
    where = Extent(asking.site, building=BUILDING).where('"severity" > 0')
    asked = asking.course('max("severity") AS "severity"', "score_1m", where, "meter")
    return Panel("alert_timeline", Shape.STATES, (24, 7), (asked,), unit=COUNT, states="severity", within="7d")


def _enduses(asking: Asking) -> Panel:
    """A bar a day, by what the sub-meters' use is for."""
    questions, columns = [], []
    for use in asking.units:
        where = asking.here.where(*use.condition, "\"role\" = 'sub'")
        asked = asking.course(f'sum("qty") AS "{use.word}"', "usage_1d", where, "enduse", step="1d", fill="0")
        questions.append(called(asked, f"$tag_enduse {use.word}"))
        used = {m.enduse for m in asking.catalogue.meters if m.utility in use.utilities and m.role is MeterRole.SUB}
        columns += [enduse_column(enduse, use) for enduse in sorted(used)]
    return Panel(
        "enduses", Shape.LINES, (12, 9), tuple(questions), tuple(columns), step="1d", stacked=True, within="14d"
    )


def _occupancy(asking: Asking) -> Panel:
    """A bar a day, by what the building was doing: nights and weekends show the base load."""
    questions, columns = [], []
    for use in asking.units:
        for occupancy in Occupancy:
            word = occupancy.name.lower()
            where = asking.here.where(*use.condition, f'"occ" = {occupancy.value}')
            asked = f'sum("qty") AS "{word}_{use.word}"'
            questions.append(asking.course(asked, "building_1h", where, step="1d", fill="0"))
            columns.append(
                Column(
                    f"{word}_{use.word}",
                    use.unit,
                    f"occupancy.{word}",
                    colour=colours.OCCUPANCY[word],
                    drawing=Drawing.STACK,
                )
            )
    return Panel(
        "occupancy", Shape.LINES, (12, 9), tuple(questions), tuple(columns), step="1d", stacked=True, within="14d"
    )
