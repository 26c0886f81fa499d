"""Patterns: when a building uses what, day by day and hour by hour, and for how long it draws how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.parts import carpet
from dashboards.sheet import Column, Panel, Shape, Sheet
from dashboards.units import SHARE

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
            (carpet(asking, "carpet", (24, 11), asking.here, "qty"),),
            (_ratios(asking),),
            (_duration(asking), _figures(asking)),
            (_peaks(asking),),
        ),
        choices=(asking.building(), asking.utility()),
        start="now-90d",
        events="$building",
    )


def _ratios(asking: Asking) -> Panel:
    """Use over expected: 1 is as expected."""
    made = carpet(asking, "ratios", (24, 11), asking.here, "ratio")
    colour = {"mode": "scheme", "scheme": colours.DIVERGING, "steps": 64, "min": 0.5, "max": 1.5, "reverse": True}
    return replace(made, unit=SHARE, digits=0, extra={"color": colour})


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
    return Panel("peaks", Shape.TABLE, (24, 9), (asked,), columns, shows_time=True, sort=("column.peak_kw", True))


def _where(asking: Asking, use: UseUnit) -> str:
    return asking.here.where(*use.condition)
