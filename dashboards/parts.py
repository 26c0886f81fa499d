"""Panels that stand on several dashboards, made the same way on each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.influxql import Extent, each
from dashboards.sheet import WIDTH, Column, Drawing, Limits, Panel, Question, Shape
from dashboards.units import COUNT, MONEY, SHARE
from facility.quantities import Quantity, Utility
from stores.readings.rollup_fields import PROFILE_HOURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.asking import Asking, UseUnit

COMPARED = '"expected" > 0'
"""Only where there is an expected figure may use be held against it."""

USED = '"qty" > 0'
"""Only of use that is there can a share be told: InfluxQL says 0 for nothing over nothing."""

WHOLE = '"completeness" + "estimated" > 0.99'
"""An hour or day of which all is known: one that lasts, or has a hole, would be drawn as a fall."""

ABOVE_EXPECTED = Limits(0.05, 0.15)
HEARD = Limits(0.98, 0.9, falling=True)
TODAY_M = "15m"
"""A head meter that has said nothing for so long is not in a live figure."""

LIVE_HEADS = ("\"role\" = 'head'", "\"quantity\" = 'active_power'", "\"channel\" = 'total'")
"""What head meters of electricity read now."""

FLOWS = {Quantity.ACTIVE_POWER: "power_now", Quantity.WATER_FLOW: "flow_now"}


def called(question: Question, alias: str) -> Question:
    """A question whose series are named otherwise."""
    return replace(question, alias=alias)


def enduse_column(enduse: str, use: UseUnit) -> Column:
    """An end use, stacked, in its own colour."""
    name, words = f"{enduse} {use.word}", "" if enduse not in KNOWN_ENDUSES else f"enduse.{enduse}"
    text = "" if words else enduse.replace("_", " ")
    return Column(name, use.unit, words, text, colours.of_word(enduse, KNOWN_ENDUSES), Drawing.STACK)


KNOWN_ENDUSES = (
    "total", "lighting", "sockets", "cooling", "heating", "ventilation", "cooking", "hot_water", "lifts", "pumps",
    "server_room", "server_it", "irrigation", "toilets", "process", "other",
)  # fmt: skip
"""End uses that have words in both languages; others are the estate's own, and are shown as they are."""


TILE = (6, 4)
"""Of a figure in large type; ``shared`` gives it its part of a row."""


def shared(panels: tuple[Panel, ...]) -> tuple[Panel, ...]:
    """A row of panels that fills its width, however many there are; the first are wider where it does not divide."""
    width, left = divmod(WIDTH, len(panels))
    return tuple(replace(panel, size=(width + (k < left), panel.size[1])) for k, panel in enumerate(panels))


def live_now(asking: Asking, *, everywhere: bool = False) -> Iterator[Panel]:
    """What flows through the head meters now, for each kind of flow that some of them tell."""
    scope = Extent(asking.site) if everywhere else Extent(asking.site, building="$building")
    for quantity, key in FLOWS.items():
        if any(point.quantity is quantity for point in asking.catalogue.points):
            yield live_flow(asking, scope, quantity, key, TILE)


def live_flow(asking: Asking, scope: Extent, quantity: Quantity, key: str, size: tuple[int, int]) -> Panel:
    """The newest readings of head meters, added: of how many, says the panel beside it."""
    where = scope.where("\"role\" = 'head'", f"\"quantity\" = '{quantity.word}'", "\"channel\" = 'total'")
    asked = asking.sums('sum("newest") AS "now"', 'last("value") AS "newest"', "live", where, "meter", "building")
    column = Column("now", quantity.unit, words=f"column.{key}")
    return Panel(key, Shape.STAT, size, (asked,), (column,), quantity.unit, step="1m", within=TODAY_M)


def used_against_expected(asking: Asking, key: str, size: tuple[int, int], rollup: str, within: str = "") -> Panel:
    """Use over expected, of the times that have both; 0 is as expected."""
    asked = asking.one(
        '(sum("qty") - sum("expected")) / sum("expected") AS "delta"', rollup, asking.here.where(COMPARED)
    )
    return Panel(key, Shape.STAT, size, (asked,), (Column("delta", SHARE),), SHARE, 1, ABOVE_EXPECTED, within=within)


def outside(asking: Asking, size: tuple[int, int]) -> Panel:
    """The newest outdoor temperature of an hour."""
    asked = asking.one('last("t_out") AS "t_out"', "building_1h", asking.here.where())
    return Panel("outside", Shape.STAT, size, (asked,), (Column("t_out", "degC"),), "degC", 1, within="24h")


def band(asking: Asking, size: tuple[int, int]) -> Panel:
    """Hour by hour: what was used, expected, and the band in which nine of ten normal hours lie."""
    questions, columns = [], []
    for use in asking.units:
        figures = ", ".join(f'mean("{name}") AS "{name}_{use.word}"' for name in ("lo", "hi", "expected"))
        used = asking.here.where(*use.condition, WHOLE)
        questions += [
            asking.course(figures, "building_1h", asking.here.where(*use.condition)),
            asking.course(f'mean("qty") AS "qty_{use.word}"', "building_1h", used),
        ]
        columns += [
            Column(f"lo_{use.word}", use.rate, "column.lo", colour=colours.BAND, drawing=Drawing.LOWER),
            Column(f"hi_{use.word}", use.rate, "column.hi", colour=colours.BAND, drawing=Drawing.UPPER),
            Column(f"expected_{use.word}", use.rate, "column.expected", "", colours.EXPECTED, Drawing.DASHED),
            Column(f"qty_{use.word}", use.rate, "column.qty", colour=colours.ACTUAL),
        ]
    return Panel("band", Shape.LINES, size, tuple(questions), tuple(columns))


def alerts_here(asking: Asking, size: tuple[int, int], within: str = "", *, everywhere: bool = False) -> Panel:
    """The newest alerts, each with the way to its card in the console."""
    scope = Extent(asking.site, building="" if everywhere else "$building")
    figures = '"title_$READER" AS "title", "severity" AS "severity", "building" AS "building", "path" AS "path"'
    asked = asking.rows(figures, "events", scope.where("\"kind\" = 'alert'"), 50, "DESC")
    columns = (
        Column("title"),
        Column("severity", named="severity", width=130),
        Column("building", named="building", width=140, hidden=not everywhere),
        Column("path", leads="console", width=120),
    )
    return Panel("alerts", Shape.TABLE, size, (asked,), columns, within=within, shows_time=True)


def use_total(asking: Asking, size: tuple[int, int], scope: Extent, key: str = "used") -> Panel:
    """Use of the whole time."""
    questions = tuple(
        asking.one(f'sum("qty") AS "qty_{use.word}"', "building_1d", scope.where(*use.condition))
        for use in asking.units
    )
    columns = tuple(Column(f"qty_{use.word}", use.unit, "column.qty") for use in asking.units)
    return Panel(key, Shape.STAT, size, questions, columns, step="1d")


def cost_total(asking: Asking, size: tuple[int, int], scope: Extent) -> Panel:
    """Money of the whole time."""
    asked = asking.one('sum("cost") AS "cost"', "building_1d", scope.where())
    return Panel("cost", Shape.STAT, size, (asked,), (Column("cost", MONEY),), MONEY, step="1d")


def heads_known(asking: Asking, size: tuple[int, int], scope: Extent) -> Panel:
    """How much of the head meters' time is known: a total is of those alone."""
    asked = asking.one('sum("heads_known") / sum("heads") AS "known"', "building_1d", scope.where())
    return Panel("known", Shape.STAT, size, (asked,), (Column("known", SHARE),), SHARE, 1, HEARD, step="1d")


def carpet(asking: Asking, key: str, size: tuple[int, int], scope: Extent, field: str, unit: str) -> Panel:
    """A column a day, a row an hour. A heat map has one unit: of a figure that may be in either, its title says so."""
    figures = ", ".join(f'"{field}_{hour}" AS "{hour}"' for hour in PROFILE_HOURS)
    asked = replace(asking.rows(figures, "profile_day", scope.where(), 400), is_table=False)
    return Panel(key, Shape.CARPET, size, (asked,), unit=unit, digits=1, step="1d")


def has(asking: Asking, utility: Utility) -> bool:
    """Whether a head meter of the estate counts that utility."""
    return utility in asking.utilities


def faults(asking: Asking, here: Extent, key: str, size: tuple[int, int], *, is_daily: bool = False) -> Panel:
    """What was wrong with readings, a bar an hour or a day."""
    names = ("gaps", "flat", "spikes", "negative")
    step = "1d" if is_daily else "$__interval"
    asked = asking.course(each("sum", names), "usage_1h", here.where(), step=step, fill="0")
    columns = tuple(Column(name, COUNT, colour=colours.WHEEL[k], drawing=Drawing.STACK) for k, name in enumerate(names))
    shown = Panel(key, Shape.LINES, size, (asked,), columns, COUNT, 0)
    return replace(shown, step="1d", stacked=True) if is_daily else shown
