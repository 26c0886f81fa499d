"""Alerts and response: how many cases there are, of what kind, and what they cost. The console acts on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent
from dashboards.parts import alerts_here
from dashboards.sheet import Column, Drawing, Limits, Panel, Shape, Sheet
from dashboards.units import COUNT, MONEY

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level

KINDS = (
    "base_load_step", "burst", "cold_chain", "continuous_flow", "counter_fault", "device_tampered", "door_left_open",
    "drift", "dropout", "early_start", "glass_broken", "intrusion_alarm", "late_stop", "lights_while_armed",
    "mains_lost", "night_flow_rise", "night_waste", "peak_demand", "phase_loss", "pue_high", "residual_loss",
    "room_out_of_range", "silent_meter", "smoke_detected", "spike", "stuck_meter", "water_on_floor",
    "weekend_or_holiday_waste",
)  # fmt: skip
"""Alerts that have words of their own, by the detectors' names; any other is drawn under its name."""


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of thirty days."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "alerts",
        (
            (
                _total(asking, "open", "open", "last"),
                _total(asking, "raised", "raised", "sum"),
                _total(asking, "settled", "settled", "sum"),
                _money(asking),
            ),
            (_course(asking, "raised_by_day", "raised"), _course(asking, "open_by_day", "open")),
            (alerts_here(asking, (24, 12), everywhere=True),),
            (_buildings(asking),),
        ),
        start="now-30d",
        refresh="5m",
        events="*",
    )


def _total(asking: Asking, key: str, field: str, how: str) -> Panel:
    where = Extent(asking.site).where()
    asked = asking.sums(
        f'sum("some") AS "{field}"', f'{how}("{field}") AS "some"', "alert_1d", where, "building", "type"
    )
    limits = Limits(1, 5) if field == "open" else None
    return Panel(key, Shape.STAT, (6, 4), (asked,), (Column(field, COUNT),), COUNT, 0, limits, "1d")


def _money(asking: Asking) -> Panel:
    asked = asking.one('sum("excess_cost") AS "excess_cost"', "alert_1d", Extent(asking.site).where())
    return Panel("money", Shape.STAT, (6, 4), (asked,), (Column("excess_cost", MONEY),), MONEY, step="1d")


def _course(asking: Asking, key: str, field: str) -> Panel:
    """A bar a day, by kind."""
    asked = asking.course(
        f'sum("{field}") AS "{field}"', "alert_1d", Extent(asking.site).where(), "type", step="1d", fill="0"
    )
    columns = tuple(
        Column(kind, COUNT, f"kind.{kind}", colour=colours.of_word(kind, KINDS), drawing=Drawing.STACK)
        for kind in KINDS
    )
    return Panel(key, Shape.LINES, (12, 9), (asked,), columns, COUNT, 0, step="1d", stacked=True)


def _buildings(asking: Asking) -> Panel:
    """Where the open cases are."""
    inner = 'last("open") AS "left", sum("raised") AS "began", sum("excess_cost") AS "spent"'
    outer = 'sum("left") AS "open", sum("began") AS "raised", sum("spent") AS "excess_cost"'
    asked = asking.sums(outer, inner, "alert_1d", Extent(asking.site).where(), "building", "type", by="building")
    columns = (
        Column("building", named="building", leads="building?building"),
        Column("open", COUNT, digits=0, limits=Limits(1, 3)),
        Column("raised", COUNT, digits=0),
        Column("excess_cost", MONEY),
    )
    return Panel("buildings", Shape.TABLE, (24, 10), (asked,), columns, step="1d", sort=("column.open", True))
