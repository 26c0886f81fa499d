"""The hours of one counter that new readings touch, recomputed from the readings around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.demand import QUARTERS, quarter_edges
from accounting.intervals import gaps_of, use_of
from accounting.local_time import DAY_MS
from accounting.registers import HOLD_MS, JUDGED_BY_READINGS, anomalies, standstill
from accounting.spread import SHAPE_DAYS, weekly_shape
from analytics.rollups.days import SURELY
from facility.model import Quality
from stores.counter_rows import read_counter
from stores.counters import Counters
from stores.readings.neighbours import next_reading_ms

if TYPE_CHECKING:
    from accounting.calendars import SiteCalendar
    from accounting.registers import Total
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Series, Times, Values


@dataclass(frozen=True, slots=True)
class HourlyUse:
    """Use of consecutive hours between ``edges_ms`` (n + 1,), in the counter's unit: (n,), of quarters (4 n,)."""

    edges_ms: Times
    qty: Values
    est_qty: Values
    completeness: Values
    quarters: Values
    est_quarters: Values

    def cut(self, start_ms: int, end_ms: int) -> HourlyUse:
        """The hours that begin in the range."""
        a, b = np.searchsorted(self.edges_ms, [start_ms, end_ms]).tolist()
        quarters = slice(a * QUARTERS, b * QUARTERS)
        return HourlyUse(
            self.edges_ms[a : b + 1],
            self.qty[a:b],
            self.est_qty[a:b],
            self.completeness[a:b],
            self.quarters[quarters],
            self.est_quarters[quarters],
        )


class CounterHours:
    """Reads counters from the store and turns them into hourly use. Results do not depend on the order of arrival."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar) -> None:
        self._store, self._catalogue, self._calendar = store, catalogue, calendar
        self._counters = Counters(store, catalogue)

    def touched(self, point: Point, first_ms: int, last_ms: int) -> HourlyUse:
        """Every hour whose use may have changed when readings from ``first_ms`` to ``last_ms`` were written."""
        before = self._store.read_before([point.id], first_ms - 1).get(point.id)
        first = next_reading_ms(self._store, point.id, first_ms - 1, near_ms=HOLD_MS)
        start = before.t_ms if before else min(first or first_ms, self._installed_ms(point))
        end = next_reading_ms(self._store, point.id, last_ms, near_ms=HOLD_MS)
        if end is None:
            newest = self._store.latest([point.id]).get(point.id)
            reads = [one.since_ms for one in self._counters.stretches[point.id] if one.was_read]
            end = max((t for t in (*reads, newest.t_ms if newest else start) if t <= last_ms), default=last_ms)
        edges, series = self._hours_and_readings(point, start, end)
        odd = anomalies(series.t_ms, series.x, self._counters.most_per_hour(point))
        if len(odd) or bool((series.q == Quality.SUSPECT).any()):
            start, end = _widened(series, start, end, odd)
            edges, series = self._hours_and_readings(point, start, end)
        return self._use(point, edges, series)

    def between(self, point: Point, edges_ms: Times) -> HourlyUse:
        """Use of the consecutive hours between edges (n + 1,), ms UTC."""
        return self._use(point, edges_ms, self._counters.around(point, int(edges_ms[0]), int(edges_ms[-1])))

    def gaps_after(self, point: Point, t_ms: int) -> list[int]:
        """The last instants of hours in later silences whose spread looks back on use before ``t_ms``."""
        if not next_reading_ms(self._store, point.id, t_ms, near_ms=HOLD_MS):
            return []
        rows = self._stored(point, t_ms, t_ms + SHAPE_DAYS * DAY_MS, ("est_qty", "completeness"))
        if rows is None:
            return []
        silent = rows[0][(rows[1]["est_qty"] > 0) & (rows[1]["completeness"] < SURELY)]
        ends: list[int] = (self._calendar.hour_ends(silent) - 1).tolist()
        return ends

    def _hours_and_readings(self, point: Point, start_ms: int, end_ms: int) -> tuple[Times, Series]:
        edges_ms = self._calendar.hour_edges(start_ms, end_ms)
        return edges_ms, self._counters.around(point, int(edges_ms[0]), int(edges_ms[-1]))

    def _installed_ms(self, point: Point) -> int:
        """When the first opening read was taken, for ever away where there is none."""
        first = self._counters.stretches[point.id][0]
        return first.since_ms if first.opening is not None else 2**62

    def _use(self, point: Point, edges_ms: Times, series: Series) -> HourlyUse:
        total = self._counters.total(point, series)
        start, end = int(edges_ms[0]), int(edges_ms[-1])
        gaps = [(a, b) for a, b in gaps_of(total) if a < end and b > start]
        if not gaps:
            return _hourly(total, edges_ms, None)
        whole = self._calendar.hour_edges(min(gaps[0][0], start), max(gaps[-1][1], end))
        even = _hourly(total, whole, None)
        weights = np.repeat(self._weights(point, even, gaps), QUARTERS) * np.diff(quarter_edges(whole))
        return _hourly(total, whole, weights).cut(start, end)

    def _weights(self, point: Point, even: HourlyUse, gaps: list[tuple[int, int]]) -> Values:
        """Hours of each silence as the meter's own weeks before it usually were; evenly where it has none."""
        hours = even.edges_ms[:-1]
        weights = np.ones(len(hours))
        for start, end in gaps:
            known_t, known_qty = self._measured_before(point, even, start)
            rates = known_qty / (self._calendar.hour_ends(known_t) - known_t)
            shape = weekly_shape(rates, self._calendar.local_hours(known_t).hour_of_week_closed)
            inside = (even.edges_ms[1:] > start) & (hours < end)
            if shape is not None:
                weights[inside] = shape[self._calendar.local_hours(hours[inside]).hour_of_week_closed]
        return weights

    def _measured_before(self, point: Point, even: HourlyUse, t_ms: int) -> tuple[Times, Values]:
        """Wholly measured hours of the four weeks before an instant: those just computed, else those stored."""
        start, end = t_ms - SHAPE_DAYS * DAY_MS, int(self._calendar.hour_edges(t_ms, t_ms)[0])
        hours = even.edges_ms[:-1]
        fresh = (hours >= start) & (hours < end)
        measured = fresh & (even.completeness >= SURELY) & (even.est_qty == 0)
        found = self._stored(point, start, end, ("qty", "est_qty", "completeness"))
        if found is None:
            return hours[measured], even.qty[measured]
        stored, fields = found
        kept = (fields["completeness"] >= SURELY) & (fields["est_qty"] == 0) & ~np.isin(stored, hours[fresh])
        return np.concatenate((stored[kept], hours[measured])), np.concatenate(
            (fields["qty"][kept], even.qty[measured])
        )

    def _stored(
        self, point: Point, start_ms: int, end_ms: int, fields: tuple[str, ...]
    ) -> tuple[Times, dict[str, Values]] | None:
        rows = read_counter(self._store, self._catalogue, point, "usage_1h", (start_ms, end_ms), fields)
        return (rows.t_ms, dict(rows.fields)) if len(rows) else None


def _widened(series: Series, start_ms: int, end_ms: int, odd: Times) -> tuple[int, int]:
    """The time in which a reading of the range may decide what an anomaly is: slow meters need days for it."""
    t_ms, newest = series.t_ms, len(series) - 1
    a, b = np.searchsorted(t_ms, [start_ms, end_ms]).tolist()
    stood = [int(t_ms[standstill(series.x, i)]) for i in odd.tolist()]
    earliest = min([start_ms - HOLD_MS, int(t_ms[max(a - JUDGED_BY_READINGS, 0)]), *stood])
    latest = max(end_ms + HOLD_MS, int(t_ms[min(b + JUDGED_BY_READINGS, newest)]))
    return max(earliest, int(t_ms[0])), min(latest, int(t_ms[newest]))


def _hourly(total: Total, edges_ms: Times, weights: Values | None) -> HourlyUse:
    use = use_of(total, quarter_edges(edges_ms), weights=weights)
    shares = np.diff(quarter_edges(edges_ms)) / np.repeat(np.diff(edges_ms), QUARTERS)
    completeness = (use.completeness * shares).reshape(-1, QUARTERS).sum(axis=1)
    return HourlyUse(edges_ms, by_hour(use.qty), by_hour(use.est_qty), completeness, use.qty, use.est_qty)


def by_hour_and_period(quarters: Values) -> Values:
    """Sums of known quarters in each period, (4 n, 5) → (n, 5), NaN where no quarter of an hour is known."""
    return np.stack([by_hour(column) for column in quarters.T], axis=1)


def by_hour(quarters: Values) -> Values:
    """Sums of known quarters, (4 n,) → (n,), NaN where no quarter of an hour is known."""
    table = quarters.reshape(-1, QUARTERS)
    sums: Values = np.nansum(table, axis=1)
    sums[np.isnan(table).all(axis=1)] = np.nan
    return sums
