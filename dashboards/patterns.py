"""Patterns: when a building uses what, day by day and hour by hour, and for how long it draws how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from accounting.calendars import Occupancy
from dashboards import colours
from dashboards.asking import Asking
from dashboards.parts import ABOVE_EXPECTED, COMPARED, WHOLE, carpet
from dashboards.sheet import Column, Panel, Shape, Sheet
from dashboards.units import COUNT, SHARE

if TYPE_CHECKING:
    from dashboards.asking import UseUnit
    from facility.catalogue import Catalogue
    from facility.levels import Level

HOURS_OF_A_YEAR = 8_784

AS_SHARE = ("calculateField", {"mode": "index", "index": {"asPercentile": True}, "alias": "lasting"})
"""Beside each hour, which share of all hours is as high."""


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of ninety days."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "patterns",
        (
            (carpet(asking, "carpet", (24, 11), asking.here, "qty", _unit(asking)),),
            (_ratios(asking),),
            (_closed_hours(asking),),
            (_duration(asking), _figures(asking)),
            (_peaks(asking),),
        ),
        choices=(asking.building(), asking.utility()),
        start="now-90d",
        events="$building",
    )


def _unit(asking: Asking) -> str:
    """That of all use of the estate, where there is one."""
    return asking.units[0].unit if len(asking.units) == 1 else COUNT


def _ratios(asking: Asking) -> Panel:
    """Use over expected: 1 is as expected."""
    made = carpet(asking, "ratios", (24, 11), asking.here, "ratio", SHARE)
    colour = {"mode": "scheme", "scheme": colours.DIVERGING, "steps": 64, "min": 0.5, "max": 1.5, "reverse": True}
    return replace(made, digits=0, extra={"color": colour})


def _closed_hours(asking: Asking) -> Panel:
    """A cell a day: what was used above expected while nobody should be there, by the kind of hours."""
    questions, columns = [], []
    for hours in (Occupancy.NIGHT, Occupancy.OFF, Occupancy.WEEKEND, Occupancy.HOLIDAY):
        word = hours.name.lower()
        figure = f'(sum("qty") - sum("expected")) / sum("expected") AS "{word}"'
        where = asking.here.where(f'"occ" = {hours.value}', COMPARED)
        questions.append(asking.course(figure, "building_1h", where, step="1d", fill="none"))
        columns.append(Column(word, SHARE, f"occupancy.{word}"))
    return Panel(
        "closed_hours", Shape.DAYS, (24, 7), tuple(questions), tuple(columns), SHARE, 0, ABOVE_EXPECTED, step="1d"
    )


def _duration(asking: Asking) -> Panel:
    """All hours, the highest first: how long a load lasts."""
    questions, columns = [], []
    for use in asking.units:
        asked = asking.rows(f'"qty" AS "load_{use.word}"', "building_1h", _where(asking, use), HOURS_OF_A_YEAR)
        questions.append(replace(asked, is_table=False))
        columns.append(Column(f"load_{use.word}", use.rate, "column.load", colour=colours.ACTUAL))
    falling = [("sortBy", {"sort": [{"field": column.name, "desc": True}]}) for column in columns]
    columns.append(Column("lasting", SHARE))
    return Panel(
        "duration",
        Shape.CURVE,
        (16, 10),
        tuple(questions),
        tuple(columns),
        most=HOURS_OF_A_YEAR,
        transformations=(*falling, AS_SHARE),
        extra={"xField": "lasting"},
    )


def _figures(asking: Asking) -> Panel:
    """The few numbers of the curve."""
    questions, columns = [], []
    for use in asking.units:
        figures = (
            f'max("qty") AS "top_{use.word}", percentile("qty", 95) AS "p95_{use.word}",'
            f' mean("qty") AS "mean_{use.word}", percentile("qty", 5) AS "base_{use.word}"'
        )
        questions.append(asking.one(figures, "building_1h", _where(asking, use)))
        columns += [
            Column(f"{name}_{use.word}", use.rate, f"column.{name}_load") for name in ("top", "p95", "mean", "base")
        ]
    return Panel("figures", Shape.STAT, (8, 10), tuple(questions), tuple(columns))


def _peaks(asking: Asking) -> Panel:
    """The ten highest quarter-hours of the building's head meters together."""
    asked = replace(asking.one('top("peak_kw", 10) AS "peak_kw"', "building_1h", asking.here.where()), is_table=True)
    columns = (Column("peak_kw", "kW", digits=1, bar=True),)
    return Panel("peaks", Shape.TABLE, (24, 12), (asked,), columns, shows_time=True, sort=("column.peak_kw", True))


def _where(asking: Asking, use: UseUnit) -> str:
    return asking.here.where(*use.condition, WHOLE)
