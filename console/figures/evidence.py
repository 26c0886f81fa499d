"""What a person looks at to judge an alert: a week of use against what was expected, and the states beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS, hour_edges, rows_among
from console.figures.plots import Plot, PlotLine, PlotSpan, changes_only, column, merge, thinned
from facility.quantities import Kind
from wording.names import state_word
from wording.units import unit_sign

if TYPE_CHECKING:
    from datetime import datetime

    from console.visit import Visit
    from facility.model import Point
    from facility.work import Alert, Evidence
    from stores.access import Times, Values

WINDOW = timedelta(days=7)
AFTER = timedelta(hours=6)
TABLE_ROWS = 400
SILENCE_MS = 3 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One chart of the evidence and the name of what it shows."""

    title: str
    plot: Plot
    size: str  # full | strip

    def rows(self) -> list[tuple[float | None, ...]]:
        """What the chart draws, newest first, as rows: time in seconds, then a figure for each line."""
        columns = zip(self.plot.x, *(line.y for line in self.plot.lines), strict=True)
        known = [row for row in columns if any(value is not None for value in row[1:])]
        return known[::-1][:TABLE_ROWS]

    def word(self, value: float | None) -> str:
        """The word for a state; nothing for a number."""
        return self.plot.states[round(value)] if self.plot.states and value is not None else ""


def exhibits(visit: Visit, alert: Alert) -> list[Exhibit]:
    """A chart for each thing the detector looked at, all over the same week."""
    start, end = window(visit, alert)
    found = []
    for evidence in alert.evidence:
        point = visit.catalogue.point.get(evidence.point)
        if point is not None:
            found.append(_exhibit(visit, alert, evidence, point, start, end))
    return found


def window(visit: Visit, alert: Alert) -> tuple[datetime, datetime]:
    """From a week before the end of the case (or from before its evidence) to a little after it."""
    finish = max([alert.last_seen_at, *(e.end for e in alert.evidence)])
    end = min(finish + AFTER, visit.now)
    start = min([end - WINDOW, alert.since - timedelta(days=1)])
    return max(start, end - timedelta(days=31)), end


def _exhibit(visit: Visit, alert: Alert, evidence: Evidence, point: Point, start: datetime, end: datetime) -> Exhibit:
    meter = visit.catalogue.meter[point.meter]
    start_ms, end_ms = round(start.timestamp() * 1000), round(end.timestamp() * 1000)
    is_state = point.quantity.kind is Kind.STATE
    if evidence.show == "usage" and point.quantity.is_counter:
        x, lines = _usage(visit, point, start_ms, end_ms)
        unit = "kW" if point.quantity.unit == "kWh" else f"{unit_sign(point.quantity.unit)}/h"
    else:
        x, lines = _readings(visit, point, start_ms, end_ms)
        unit = unit_sign(point.quantity.unit)
    word = point.quantity.word
    plot = Plot(
        x=x,
        lines=lines,
        unit=unit,
        start=start_ms / 1000,
        end=end_ms / 1000,
        zone=visit.catalogue.site.timezone,
        spans=[abnormal_span(alert)],
        states=[state_word(visit.texts, point.quantity, x) for x in (0, 1)] if is_state else [],
        summary=_summary(visit, alert, lines, unit),
    )
    shown = f"utility.{meter.utility}" if meter.utility and point.quantity.is_counter else f"quantity.{word}"
    title = f"{visit.names.meter(meter.id)} · {visit.texts(shown)}"
    return Exhibit(title, plot, "strip" if is_state else "full")


def abnormal_span(alert: Alert) -> PlotSpan:
    """From the first abnormal instant to the last one seen."""
    return PlotSpan(alert.since.timestamp(), max(alert.last_seen_at, alert.since + timedelta(minutes=30)).timestamp())


def _usage(visit: Visit, point: Point, start_ms: int, end_ms: int) -> tuple[list[float], list[PlotLine]]:
    """Hourly use as a mean flow, with the expected band where a baseline is in force."""
    tags = {"meter": point.meter, "quantity": point.quantity.word}
    readings = visit.view.readings
    edges_ms = hour_edges(start_ms, end_ms, visit.formats.zone)
    span = int(edges_ms[0]), end_ms
    used = readings.rollup("usage_1h", tags, *span, ["qty"])
    band = readings.rollup("baseline_1h", tags, *span, ["expected", "lo", "hi"])
    figures = {name: np.full(len(edges_ms) - 1, np.nan) for name in ("qty", "expected", "lo", "hi")}
    for series in (*used, *band):
        rows, known = rows_among(edges_ms, series.t_ms)
        for name in figures.keys() & series.fields.keys():
            figures[name][rows] = series.fields[name][known] / (np.diff(edges_ms)[rows] / HOUR_MS)
    figures["qty"][edges_ms[1:] > visit.now_ms] = np.nan  # the running hour would look like a drop
    t = visit.texts
    lines = [
        PlotLine(t("chart.lo"), "lo", column(figures["lo"])),
        PlotLine(t("chart.hi"), "hi", column(figures["hi"])),
        PlotLine(t("chart.expected"), "dashed", column(figures["expected"])),
        PlotLine(t("chart.actual"), "step", column(figures["qty"])),
    ]
    return (edges_ms[:-1] / 1000).tolist(), lines


def _readings(visit: Visit, point: Point, start_ms: int, end_ms: int) -> tuple[list[float], list[PlotLine]]:
    """A sensor's readings, or what a register has counted since the chart's first reading."""
    series = visit.view.readings.read([point.id], start_ms, end_ms)[point.id]
    register = visit.texts("chart.counted")
    label = register if point.quantity.is_counter else visit.texts(f"quantity.{point.quantity.word}")
    if point.quantity.kind is Kind.STATE:
        return merge([(label, "state", *changes_only(series, end_ms))])
    t_ms, x = thinned(series)
    if point.quantity.is_counter and len(x):
        x = x - x[0]
    return merge([(label, "line", *_broken_where_silent(t_ms, x))])


def _broken_where_silent(t_ms: Times, x: Values) -> tuple[Times, Values]:
    """With a missing figure in every long silence, so that no line is drawn across it."""
    silent = np.flatnonzero(np.diff(t_ms) > SILENCE_MS) + 1
    return np.insert(t_ms, silent, t_ms[silent - 1] + 1), np.insert(x, silent, np.nan)


def _summary(visit: Visit, alert: Alert, lines: list[PlotLine], unit: str) -> str:
    """One sentence that says what the chart shows to who cannot see it."""
    shown = [line for line in lines if line.shape in {"step", "line", "state"}]
    values: list[float] = [v for line in shown for v in line.y if v is not None]
    if not values:
        return visit.texts("chart.nothing")
    known: Values = np.array(values)
    return visit.texts(
        "chart.evidence_summary",
        low=visit.formats.number(float(known.min()), 1),
        high=visit.formats.number(float(known.max()), 1),
        unit=unit,
        start=visit.formats.instant(alert.since),
    )
