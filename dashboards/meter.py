"""Meter: one meter alone, what it reads, what was made of it, and whether that can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent, each, source
from dashboards.parts import HEARD, USED, WHOLE, faults
from dashboards.sheet import Choice, Column, Drawing, Limits, Panel, Shape, Sheet
from dashboards.units import GAUGES_SHOWN, MONEY, SHARE
from facility.levels import Level

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.quantities import Quantity

METER = "$meter"


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of a week of one meter; a click on a meter anywhere leads here."""
    asking = Asking(catalogue)
    here = Extent(asking.site, "$building", meter=METER)
    return Sheet(
        "meter",
        (
            (_facts(asking, here), _completeness(asking, here)),
            (_gauges(asking, here, level),),
            (_hours(asking, here), _quality(asking, here)),
            (_score(asking, here),),
            (_siblings(asking),),
            (_unaccounted(asking),),
        ),
        choices=(asking.building(), _meters(asking)),
        start="now-7d",
        events="$building",
        is_hidden=True,
    )


def _meters(asking: Asking) -> Choice:
    """Meters of the building, by id: so many have no names above a page."""
    where = f"\"site\" = '{asking.site}' AND \"building\" = '$building'"
    return Choice("meter", query=f'SHOW TAG VALUES FROM {source("usage_1h")} WITH KEY = "meter" WHERE {where}')


def _facts(asking: Asking, here: Extent) -> Panel:
    """What the registry says of it, with what it used."""
    figures = 'sum("qty") AS "qty", sum("cost") AS "cost", max("peak_kw") AS "peak_kw"'
    asked = asking.table(figures, "usage_1d", here.where(), "meter", "utility", "role", "enduse", "quantity")
    columns = (
        Column("meter", named="meter", width=220),
        Column("utility", named="utility"),
        Column("role", named="role"),
        Column("enduse", named="enduse"),
        Column("quantity", named="quantity"),
        Column("qty", "1", "column.qty_own", digits=1),
        Column("cost", MONEY, digits=2),
        Column("peak_kw", "kW", digits=1),
    )
    return Panel("facts", Shape.TABLE, (20, 5), (asked,), columns, step="1d")


def _completeness(asking: Asking, here: Extent) -> Panel:
    asked = asking.one('mean("heard") AS "completeness"', "usage_1h", here.where())
    column = Column("completeness", SHARE)
    return Panel("completeness", Shape.STAT, (4, 5), (asked,), (column,), SHARE, 1, HEARD)


def _shown(asking: Asking, level: Level) -> tuple[Quantity, ...]:
    """Gauges that some meter of the estate tells, of points up to the level: a sensitive one is not drawn."""
    points = [p for p in asking.catalogue.points if (p.level or Level.IMPORTANT) <= level]
    spoken = {p.quantity for p in points}
    return tuple(quantity for quantity in GAUGES_SHOWN if quantity in spoken)


def _gauges(asking: Asking, here: Extent, level: Level) -> Panel:
    """Every gauge of the meter, each in its own unit."""
    questions, columns = [], []
    for quantity in _shown(asking, level):
        where = here.where(f"\"quantity\" = '{quantity.word}'")
        asked = asking.course(f'mean("value") AS "{quantity.word}"', "live", where, "channel")
        questions.append(type(asked)(asked.query, alias="$col $tag_channel"))
        channels = {p.channel for p in asking.catalogue.points_of_quantity(quantity)}
        columns += [
            Column(
                f"{quantity.word} {channel}",
                quantity.unit,
                f"quantity.{quantity.word}",
                ending="" if channel == "total" else f" {channel}",
            )
            for channel in sorted(channels)
        ]
    return Panel("gauges", Shape.LINES, (24, 9), tuple(questions), tuple(columns), step="1m")


def _hours(asking: Asking, here: Extent) -> Panel:
    """Use hour by hour beside what was expected of this meter."""
    questions, columns = [], []
    for use in asking.units:
        where = here.where(*use.condition)
        questions += [
            asking.course(f'mean("qty") AS "qty_{use.word}"', "usage_1h", here.where(*use.condition, WHOLE)),
            asking.course(f'mean("expected") AS "expected_{use.word}"', "baseline_1h", where),
        ]
        columns += [
            Column(f"qty_{use.word}", use.rate, "column.qty", "", colours.ACTUAL),
            Column(f"expected_{use.word}", use.rate, "column.expected", "", colours.EXPECTED, Drawing.DASHED),
        ]
    return Panel("hours", Shape.LINES, (14, 9), tuple(questions), tuple(columns))


def _quality(asking: Asking, here: Extent) -> Panel:
    """What was wrong with its readings, a bar an hour."""
    return faults(asking, here, "quality", (10, 9))


def _score(asking: Asking, here: Extent) -> Panel:
    """How suspicious its use is: what is above 1 was told."""
    asked = asking.course('max("score") AS "score"', "score_1m", here.where())
    column = Column("score", "1", colour=colours.ACTUAL)
    return Panel("score", Shape.LINES, (24, 7), (asked,), (column,), "1", 1, Limits(0.7, 1.0))


def _siblings(asking: Asking) -> Panel:
    """The meters beside it."""
    where = Extent(asking.site, "$building").where()
    used = asking.table(
        each("sum", ("qty", "est_qty", "cost")), "usage_1d", where, "meter", "utility", "role", "enduse"
    )
    heard = asking.table('mean("completeness") AS "completeness"', "usage_1h", where, "meter")
    columns = (
        Column("meter", named="meter", leads="meter?meter", width=220),
        Column("utility", named="utility"),
        Column("role", named="role"),
        Column("enduse", named="enduse"),
        Column("qty", "1", "column.qty_own", digits=1),
        Column("est_qty", "1", "column.est_own", digits=1),
        Column("cost", MONEY),
        Column("completeness", SHARE, digits=0, limits=HEARD),
    )
    by_meter = ("joinByField", {"byField": "meter", "mode": "outer"})
    return Panel(
        "siblings", Shape.TABLE, (24, 10), (used, heard), columns, step="1d", transformations=(by_meter,),
        sort=("column.meter", False),
    )  # fmt: skip


def _unaccounted(asking: Asking) -> Panel:
    """What the head meters counted and no sub-meter below them, as a share."""
    where = Extent(asking.site, "$building").where(USED)
    asked = asking.course(
        'sum("unaccounted") / sum("qty") AS "unaccounted"', "building_1d", where, "utility", step="1d"
    )
    columns = tuple(
        Column(utility, SHARE, f"utility.{utility}", "", colours.UTILITY[utility]) for utility in asking.utilities
    )
    return Panel("unaccounted", Shape.LINES, (24, 8), (asked,), columns, SHARE, 0, step="1d")
