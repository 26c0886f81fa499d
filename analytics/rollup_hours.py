"""The hours of one counter that new readings touch, recomputed from the readings around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.demand import QUARTERS, quarter_edges
from accounting.intervals import use_between
from accounting.registers import HOLD_MS, anomalies
from facility.model import Quality
from facility.quantities import GREATEST_RATES
from stores.readings.port import Series

if TYPE_CHECKING:
    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Times, Values


@dataclass(frozen=True, slots=True)
class HourlyUse:
    """Use of consecutive hours, arrays (n,), between ``edges_ms`` (n + 1,); ``quarters`` are (4 n,)."""

    edges_ms: Times
    qty: Values
    est_qty: Values
    completeness: Values
    quarters: Values


class CounterHours:
    """Reads counters from the store and turns them into hourly use. Results do not depend on the order of arrival."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar) -> None:
        self._store, self._catalogue, self._calendar = store, catalogue, calendar

    def touched(self, point: Point, first_ms: int, last_ms: int) -> HourlyUse:
        """Every hour whose use may have changed when readings from ``first_ms`` to ``last_ms`` were written."""
        before = self._store.read_before([point.id], first_ms - 1).get(point.id)
        start = before.t_ms if before else first_ms
        end = self._next_after(point.id, last_ms) or last_ms
        edges, series = self._hours_and_readings(point, start, end)
        rate = GREATEST_RATES.get(point.quantity, np.inf)
        if len(anomalies(series.t_ms, series.x, rate)) or bool((series.q == Quality.SUSPECT).any()):
            first, last = int(series.t_ms[0]), int(series.t_ms[-1])
            start, end = max(start - HOLD_MS, first), min(end + HOLD_MS, last)
            edges, series = self._hours_and_readings(point, start, end)
        return self._use(point, edges, series)

    def between(self, point: Point, edges_ms: Times) -> HourlyUse:
        """Use of the given consecutive hours."""
        return self._use(point, edges_ms, self._around(point.id, int(edges_ms[0]), int(edges_ms[-1])))

    def _hours_and_readings(self, point: Point, start_ms: int, end_ms: int) -> tuple[Times, Series]:
        edges_ms = self._calendar.hour_edges(start_ms, end_ms)
        return edges_ms, self._around(point.id, int(edges_ms[0]), int(edges_ms[-1]))

    def _use(self, point: Point, edges_ms: Times, series: Series) -> HourlyUse:
        digits = self._catalogue.meter[point.meter].digits
        good = series.q != Quality.SUSPECT
        use = use_between(
            series.t_ms[good],
            series.x[good],
            quarter_edges(edges_ms),
            register_span=None if digits is None else 10.0**digits,
            max_rate=GREATEST_RATES.get(point.quantity, np.inf),
        )
        completeness = use.completeness.reshape(-1, QUARTERS).mean(axis=1)
        return HourlyUse(edges_ms, _by_hour(use.qty), _by_hour(use.est_qty), completeness, use.qty)

    def _around(self, point: str, start_ms: int, end_ms: int) -> Series:
        """Readings of the range, what is needed to judge its anomalies, and the nearest reading on either side."""
        low, high = start_ms - HOLD_MS, end_ms + HOLD_MS
        before = self._store.read_before([point], low).get(point)
        if before:
            low = before.t_ms if low - before.t_ms < HOLD_MS else before.t_ms - HOLD_MS
        series = self._store.read([point], low, high)[point]
        if len(series) and series.t_ms[-1] >= end_ms:
            return series
        after = self._next_after(point, high - 1)
        return _joined(series, self._store.read([point], after, after + HOLD_MS)[point]) if after else series

    def _next_after(self, point: str, t_ms: int) -> int | None:
        """Time of the first reading after an instant, found by halving where it is far away."""
        near = self._store.read([point], t_ms + 1, t_ms + HOLD_MS)[point]
        if len(near):
            return int(near.t_ms[0])
        newest = self._store.latest([point]).get(point)
        if newest is None or newest.t_ms <= t_ms:
            return None
        low, found = t_ms, newest.t_ms
        while found - low > 1:
            middle = (low + found) // 2
            at = self._store.read_before([point], middle).get(point)
            if at and at.t_ms > t_ms:
                found = at.t_ms
            else:
                low = middle
        return found


def _by_hour(quarters: Values) -> Values:
    """Sums of known quarters, NaN where no quarter of an hour is known."""
    by_hour = quarters.reshape(-1, QUARTERS)
    sums: Values = np.nansum(by_hour, axis=1)
    sums[np.isnan(by_hour).all(axis=1)] = np.nan
    return sums


def _joined(first: Series, second: Series) -> Series:
    return Series(
        np.concatenate((first.t_ms, second.t_ms)),
        np.concatenate((first.x, second.x)),
        np.concatenate((first.q, second.q)),
    )
