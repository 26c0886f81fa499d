"""What a building's page says: today against expected, thirty days, each utility, sub-meters and sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS, day_edges, hour_edges, rows_among
from console.figures.estate import provenance
from console.figures.plots import Plot, PlotLine, Shape, column, merge, thinned
from console.figures.tiles import Tile, flow_tile, point_tile, slug
from console.figures.use import LIVE_QUANTITY, NO_HOURS, ComparedUse, building_hours, meter_use
from facility.quantities import ACCOUNTED, Quantity, Utility

if TYPE_CHECKING:
    from console.figures.use import Hourly
    from console.visit import Visit
    from facility.model import Building, Meter, Point, Provenance
    from stores.access import Times, Values

DAYS = 30
UTILITIES = (Utility.ELECTRICITY, Utility.HEAT, Utility.COOLING, Utility.WATER, Utility.GAS)
SENSORS_HIDDEN = frozenset({Quantity.SIGNAL, Quantity.VOLTAGE, Quantity.CURRENT, Quantity.FREQUENCY})


@dataclass(frozen=True, slots=True)
class Day:
    """A local day's use beside what was expected of it."""

    day: date
    use: ComparedUse
    complete: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One utility of the building."""

    utility: Utility
    now: Tile
    today: ComparedUse
    days: list[Day]
    provenance: Provenance | None


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter below the building's total."""

    meter: Meter
    now: Tile
    today: float
    week: float


@dataclass(frozen=True, slots=True)
class SensorRow:
    """A sensor's point."""

    meter: Meter
    point: Point
    tile: Tile
    where: str


def sections(visit: Visit, building: Building) -> list[Section]:
    """Every utility that has a head meter here, or whose total shows though its meters do not."""
    found = []
    for utility in UTILITIES:
        heads = visit.catalogue.head_meters(building.id, utility)
        by_day = days(visit, building, utility) if heads or utility in building.totals else []
        if heads or by_day:
            tile = flow_tile(visit, slug("flow", building.id, utility.value), heads, utility, shows_age=True)
            found.append(Section(utility, tile, today(visit, building, utility), by_day, provenance(heads)))
    return found


def today(visit: Visit, building: Building, utility: Utility) -> ComparedUse:
    """Use since local midnight beside what was expected by now."""
    midnight = visit.midnight_ms()
    hours = building_hours(visit.view, utility, midnight, visit.now_ms + HOUR_MS, building.id)
    return hours.get(building.id, NO_HOURS).so_far(midnight, visit.now_ms)


def days(visit: Visit, building: Building, utility: Utility) -> list[Day]:
    """The last thirty local days, today last; days without a figure are left out."""
    tags = {"building": building.id, "utility": utility.value}
    start_ms = visit.midnights_ms(DAYS)[0]
    found = visit.view.readings.rollup("building_1d", tags, start_ms, visit.now_ms)
    if not found:
        return []
    series = found[0]
    blank = np.full(len(series), np.nan)
    names = ("qty", "expected", "cost")
    figures = {name: series.fields.get(name, blank) for name in names}
    complete = series.fields.get("complete", blank)
    expected = _expected_of_days(visit, building, utility, series.t_ms)
    result = []
    for i, t_ms in enumerate(series.t_ms.tolist()):
        if math.isfinite(figures["qty"][i]):
            use = ComparedUse(**{name: float(figures[name][i]) for name in names})
            if not math.isfinite(use.expected):
                use = ComparedUse(use.qty, expected.get(t_ms, math.nan), use.cost)
            result.append(Day(visit.formats.local(_utc(visit, t_ms)).date(), use, complete[i] == 1))
    return result


def _expected_of_days(visit: Visit, building: Building, utility: Utility, starts_ms: Times) -> dict[int, float]:
    """The sum of the hours' expectation for days that state none themselves, where every hour has one."""
    hours = building_hours(visit.view, utility, int(starts_ms[0]), visit.now_ms, building.id)
    known = hours.get(building.id, NO_HOURS)
    sums = {}
    for start_ms, end_ms in pairwise(day_edges(int(starts_ms[0]), visit.now_ms, visit.formats.zone).tolist()):
        hours_ms = hour_edges(start_ms, end_ms, visit.formats.zone)
        _, here = rows_among(hours_ms, known.t_ms)
        day = known.expected[here]
        if len(day) == len(hours_ms) - 1 and np.isfinite(day).all():
            sums[start_ms] = float(day.sum())
    return sums


def _utc(visit: Visit, t_ms: int) -> datetime:
    return datetime.fromtimestamp(t_ms / 1000, tz=visit.now.tzinfo)


def today_plot(visit: Visit, building: Building, utility: Utility = Utility.ELECTRICITY) -> Plot:
    """Today from midnight to midnight: the expected band, each hour's mean, and what flows in the hour since."""
    start_ms, end_ms = visit.midnights_ms(0)
    found = building_hours(visit.view, utility, start_ms, end_ms, building.id)
    hours = found.get(building.id, NO_HOURS)
    t = visit.texts
    flow = hours.per_hour()
    over = flow.ended(visit.now_ms)
    parts: list[tuple[str, Shape, Times, Values]] = [
        (t("chart.lo"), "lo", *_held(flow, flow.lo)),
        (t("chart.hi"), "hi", *_held(flow, flow.hi)),
        (t("chart.expected"), "dashed", *_held(flow, flow.expected)),
        (t("chart.actual"), "step", *_held(over, over.qty)),
    ]
    known_until = over.end_ms[np.isfinite(over.qty)]
    live = _live_line(visit, building, utility, int(known_until[-1]) if len(known_until) else start_ms)
    if live:
        parts.append((t("chart.live"), "thin", *live))
    x, lines = merge(parts)
    unit = "kW" if utility.unit == "kWh" else "m³/h"
    so_far = hours.so_far(start_ms, visit.now_ms)
    return Plot(x, lines, unit, start_ms / 1000, end_ms / 1000, visit.catalogue.site.timezone,
                summary=use_sentence(visit, so_far, utility))  # fmt: skip


def _held(hours: Hourly, y: Values) -> tuple[Times, Values]:
    """Hours whose last figure, too, is drawn until the hour has ended."""
    return (np.append(hours.t_ms, hours.end_ms[-1]), np.append(y, y[-1])) if len(y) else (hours.t_ms, y)


def use_sentence(visit: Visit, use: ComparedUse, utility: Utility) -> str:
    """What was used so far today and what was expected by now, in one sentence."""
    f = visit.formats
    if not math.isfinite(use.qty):
        return visit.texts("chart.today_nothing")
    text = "chart.today_summary" if math.isfinite(use.expected) else "chart.today_summary_unknown"
    return visit.texts(text, used=f.use(use.qty, utility.unit), expected=f.use(use.expected, utility.unit))


def _live_line(visit: Visit, building: Building, utility: Utility, start_ms: int) -> tuple[Times, Values] | None:
    """What the one head gauge has said since, in kW or m³/h; several gauges are not summed point by point."""
    heads = visit.catalogue.head_meters(building.id, utility)
    gauge = visit.catalogue.find_point(heads[0].id, LIVE_QUANTITY[utility]) if len(heads) == 1 else None
    if gauge is None:
        return None
    t_ms, x = thinned(visit.view.readings.read([gauge.id], start_ms, visit.now_ms + 1)[gauge.id])
    return (t_ms, x / (1.0 if utility is Utility.GAS else 1000.0)) if len(t_ms) else None


def days_plot(visit: Visit, building: Building, utility: Utility) -> Plot:
    """Thirty days as bars, with a mark where each was expected to end."""
    shown = days(visit, building, utility)
    x = [datetime(d.day.year, d.day.month, d.day.day, 12, tzinfo=visit.formats.zone).timestamp() for d in shown]
    t, today = visit.texts, visit.now.astimezone(visit.formats.zone).date()
    lines = [
        PlotLine(t("chart.used"), "bars", column(np.array([d.use.qty if d.day < today else np.nan for d in shown]))),
        PlotLine(t("chart.so_far"), "part", column(np.array([d.use.qty if d.day >= today else np.nan for d in shown]))),
        PlotLine(t("chart.expected"), "mark", column(np.array([d.use.expected for d in shown]))),
    ]
    begin, *_, end = (t_ms / 1000 for t_ms in visit.midnights_ms(DAYS))
    unit = "kWh" if utility.unit == "kWh" else "m³"
    return Plot(x, lines, unit, begin, end, visit.catalogue.site.timezone, grain="day",
                summary=t.counted("chart.days_summary", len(shown)))  # fmt: skip


def meter_rows(visit: Visit, building: Building) -> list[MeterRow]:
    """Sub, check and virtual meters with what flows now and what they used."""
    week_ago, *_, midnight, _ = visit.midnights_ms(7)
    used_today = meter_use(visit.view, "usage_1h", building.id, midnight, visit.now_ms + HOUR_MS)
    used_week = meter_use(visit.view, "usage_1d", building.id, week_ago, midnight)
    rows = []
    for meter in visit.catalogue.meters_of(building.id):
        if meter.utility is None or meter.role == "head":
            continue
        counter = f"{meter.id}/{ACCOUNTED[meter.utility].word}"
        tile = flow_tile(visit, slug("meter", meter.id), [meter], meter.utility)
        rows.append(MeterRow(meter, tile, used_today.get(counter, math.nan), used_week.get(counter, math.nan)))
    return sorted(rows, key=lambda row: -(row.week if math.isfinite(row.week) else 0))


def sensor_rows(visit: Visit, building: Building) -> list[SensorRow]:
    """What is neither a meter's use nor a detail of its electricity: rooms, doors, leaks, batteries."""
    rows = []
    for meter in visit.catalogue.meters_of(building.id):
        where = visit.names.place(meter.id)
        rows += [
            SensorRow(meter, point, point_tile(visit, point), where)
            for point in visit.catalogue.points_of(meter.id)
            if meter.utility is None and point.quantity not in SENSORS_HIDDEN
        ]
    return rows
