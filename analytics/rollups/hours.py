"""The hours of one counter that new readings touch, recomputed from the readings around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.demand import QUARTERS, quarter_edges
from accounting.intervals import gaps_of, intervals_in, use_of
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.registers import JUDGED_BY_READINGS, standstill
from accounting.spread import SHAPE_DAYS, weekly_shape
from accounting.walk import HOLD_MS
from analytics.rollups.days import SURELY
from stores.counter_rows import read_counter
from stores.counters import Counters
from stores.readings.neighbours import next_reading_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from accounting.arrays import Bools
    from accounting.calendars import SiteCalendar
    from accounting.registers import Total
    from accounting.spells import Spell, SpellBook
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Series, Times, Values

_NOISE = 1e-9
"""Less than this was not used in an hour: it is what doubles leave of a register that stood still."""


@dataclass(frozen=True, slots=True)
class HourlyUse:
    """Use of consecutive hours between ``edges_ms`` (n + 1,), in the counter's unit: (n,), of quarters (4 n,).

    ``completeness`` and ``estimated`` are shares of the hour's time; ``measured`` is that of each quarter, (4 n,).
    """

    edges_ms: Times
    qty: Values
    est_qty: Values
    completeness: Values
    estimated: Values
    quarters: Values
    measured: Values

    def cut(self, start_ms: int, end_ms: int) -> HourlyUse:
        """The hours that begin in the range."""
        a, b = np.searchsorted(self.edges_ms, [start_ms, end_ms]).tolist()
        quarters = slice(a * QUARTERS, b * QUARTERS)
        return HourlyUse(
            self.edges_ms[a : b + 1],
            self.qty[a:b],
            self.est_qty[a:b],
            self.completeness[a:b],
            self.estimated[a:b],
            self.quarters[quarters],
            self.measured[quarters],
        )

    @property
    def measured_quarters(self) -> Values:
        """Use of the quarters that are measured, (4 n,), NaN elsewhere: what demand is made of."""
        return np.where(self.measured >= SURELY, self.quarters, np.nan)


class CounterHours:
    """Reads counters from the store and turns them into hourly use. Results do not depend on the order of arrival."""

    def __init__(
        self,
        store: ReadingStore,
        catalogue: Catalogue,
        calendar: SiteCalendar,
        spells: SpellBook,
        closed: Callable[[], frozenset[tuple[str, str]]],
    ) -> None:
        """``closed`` are building and month of everything that was handed in: its stored hours stay as they were."""
        self._store, self._catalogue, self._calendar = store, catalogue, calendar
        self._counters, self._spells, self._closed = Counters(store, catalogue, spells), spells, closed

    def touched(self, point: Point, first_ms: int, last_ms: int) -> HourlyUse:
        """Every hour whose use may have changed when readings from ``first_ms`` to ``last_ms`` were written.

        What this tells of the counter's spells is put into their book.
        """
        start, end = self._with_stored(point, first_ms, last_ms, self._neighbours(point, first_ms, last_ms))
        edges = self._calendar.hour_edges(start, end)
        series = self._counters.around(point, int(edges[0]), int(edges[-1]))
        odd = self._counters.odd(point, series)
        total = self._counters.total(point, series)
        if not len(odd) and not total.spells and not self._spells.of(point.id):
            return self._use(point, edges, total)
        until = self._counters.judged_until(point, end)
        if len(odd):
            start, end = _widened(series, start, end, odd)
        end = max(end, until - 1)  # the reading itself: nothing is known of an hour that begins with it
        series = self._counters.around(point, start, end)
        start, end = self._take_spells(point, series, start, end)
        return self.between(point, self._calendar.hour_edges(start, end))

    def between(self, point: Point, edges_ms: Times) -> HourlyUse:
        """Use of the consecutive hours between edges (n + 1,), ms UTC."""
        series = self._counters.around(point, int(edges_ms[0]), int(edges_ms[-1]))
        return self._use(point, edges_ms, self._counters.total(point, series))

    def _neighbours(self, point: Point, first_ms: int, last_ms: int) -> tuple[int, int]:
        """From the reading, or read of the ledger, before readings that were written to the one after them."""
        reads = [one.since_ms for one in self._counters.stretches[point.id] if one.was_read]
        before = self._store.read_before([point.id], first_ms - 1).get(point.id)
        first = next_reading_ms(self._store, point.id, first_ms - 1, near_ms=HOLD_MS)
        start = before.t_ms if before else min([first or first_ms, *reads])
        end = next_reading_ms(self._store, point.id, last_ms, near_ms=HOLD_MS)
        later = [t for t in reads if t > last_ms]
        if end is not None:
            return start, min([end, *later])
        if later:
            return start, max(later)
        newest = self._store.latest([point.id]).get(point.id)
        known = (*reads, newest.t_ms if newest else start)
        return start, max((t for t in known if t <= last_ms), default=last_ms)

    def _with_stored(self, point: Point, first_ms: int, last_ms: int, span: tuple[int, int]) -> tuple[int, int]:
        """A span that reaches over hours which are stored though no reading is there any more: it was retracted."""
        start, end = span
        if first_ms < start and self._stored(point, first_ms - HOUR_MS, start, ("qty",)) is not None:
            start = first_ms
        if end < last_ms and self._stored(point, end, last_ms, ("qty",)) is not None:
            end = last_ms
        return start, end

    def _take_spells(self, point: Point, series: Series, start_ms: int, end_ms: int) -> tuple[int, int]:
        """Keep the spells that reach into a range; the range, and the time of those that are new, other or gone."""
        spells, kept = self._counters.total(point, series).spells, self._spells.of(point.id)
        newest_ms = end_ms
        if any(one.until_ms is None for one in (*spells, *kept)):  # what is in doubt is so up to the newest reading
            newest_ms = max(end_ms, self._store.latest([point.id])[point.id].t_ms)
        low, high = _reached(spells, kept, (start_ms, end_ms), newest_ms)
        found, known = ({one for one in some if low <= one.first_ms <= high} for some in (spells, kept))
        changed = found ^ known
        if not changed:
            return start_ms, end_ms
        self._spells.replace(point.id, low, high + 1, sorted(found, key=lambda one: one.first_ms))
        start_ms = min(start_ms, *(one.since_ms for one in changed))
        return start_ms, max(end_ms, *(one.until_ms or newest_ms for one in changed))

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

    def _use(self, point: Point, edges_ms: Times, total: Total) -> HourlyUse:
        start, end = int(edges_ms[0]), int(edges_ms[-1])
        gaps = [(a, b) for a, b in gaps_of(total) if a < end and b > start]
        if not gaps:
            return _hourly(total, edges_ms, None)
        whole = self._calendar.hour_edges(min(gaps[0][0], start), max(gaps[-1][1], end))
        even = _hourly(total, whole, None)
        quarters = quarter_edges(whole)
        weights = [self._weights(point, even, quarters, gap) if gap in gaps else None for gap in gaps_of(total)]
        return _hourly(total, whole, weights).cut(start, end)

    def _weights(self, point: Point, even: HourlyUse, quarters: Times, gap: tuple[int, int]) -> Values | None:
        """The quarters that a silence touches as the meter's own weeks before it usually were; None: it has none."""
        known_t, known_qty = self._measured_before(point, even, gap[0])
        rates = known_qty / (self._calendar.hour_ends(known_t) - known_t)
        shape = weekly_shape(rates, self._calendar.local_hours(known_t).hour_of_week_closed)
        if shape is None:
            return None
        rows = intervals_in(quarters, *gap)
        hours = even.edges_ms[np.arange(rows.start, rows.stop) // QUARTERS]
        lengths: Values = np.diff(quarters[rows.start : rows.stop + 1]).astype(np.float64)
        return shape[self._calendar.local_hours(hours).hour_of_week_closed] * lengths

    def _measured_before(self, point: Point, even: HourlyUse, t_ms: int) -> tuple[Times, Values]:
        """Wholly measured hours of the four weeks before an instant: those just computed, else those stored.

        Those of a closed month are computed anew: what is stored of it stays as it was handed in.
        """
        start, end = t_ms - SHAPE_DAYS * DAY_MS, int(self._calendar.hour_edges(t_ms, t_ms)[0])
        parts = [_measured(even, start, end), *self._measured_in_closed(point, start, end)]
        known = np.concatenate([even.edges_ms[:-1], *(t for t, _ in parts[1:])])
        found = self._stored(point, start, end, ("qty", "est_qty", "completeness"))
        if found is not None:
            stored, fields = found
            kept = (fields["completeness"] >= SURELY) & (fields["est_qty"] == 0) & ~np.isin(stored, known)
            kept &= ~self._is_closed(point, stored)
            parts.append((stored[kept], fields["qty"][kept]))
        times, quantities = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        times, rows = np.unique(times, return_index=True)
        return times, np.where(np.abs(quantities[rows]) < _NOISE, 0.0, quantities[rows])

    def _measured_in_closed(self, point: Point, start_ms: int, end_ms: int) -> list[tuple[Times, Values]]:
        """Measured hours of closed months within a time, by what the readings say now."""
        hours = self._calendar.hour_edges(start_ms, end_ms)
        rows = np.flatnonzero(self._is_closed(point, hours[:-1]))
        if not len(rows):
            return []
        edges = hours[rows[0] : rows[-1] + 2]
        series = self._counters.around(point, int(edges[0]), int(edges[-1]))
        fresh = _hourly(self._counters.total(point, series), edges, None)
        times, quantities = _measured(fresh, start_ms, end_ms)
        closed = self._is_closed(point, times)
        return [(times[closed], quantities[closed])]

    def _is_closed(self, point: Point, t_ms: Times) -> Bools:
        """Whether instants (n,) lie in months that are closed for the counter's building."""
        building = self._catalogue.meter[point.meter].building
        months = [month for place, month in self._closed() if place == building]
        if not months:
            return np.zeros(len(t_ms), np.bool_)
        return np.isin(self._calendar.local_months(t_ms), months)

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
    return max(earliest, min(start_ms, int(t_ms[0]))), min(latest, max(end_ms, int(t_ms[newest])))


def _reached(found: Sequence[Spell], known: Sequence[Spell], span: tuple[int, int], newest_ms: int) -> tuple[int, int]:
    """A time and all spells, found or known, that reach into it, into one of these, and so on."""
    low, high = span
    rest = [(one.since_ms, one.until_ms or newest_ms) for one in {*found, *known}]
    while reaching := [one for one in rest if one[0] <= high and one[1] >= low]:
        low, high = min(low, *(since for since, _ in reaching)), max(high, *(until for _, until in reaching))
        rest = [one for one in rest if one not in reaching]
    return low, high


def _measured(use: HourlyUse, start_ms: int, end_ms: int) -> tuple[Times, Values]:
    """The hours of a range that were wholly measured: when they begin, and their use."""
    hours = use.edges_ms[:-1]
    rows = (hours >= start_ms) & (hours < end_ms) & (use.completeness >= SURELY) & (use.est_qty == 0)
    return hours[rows], use.qty[rows]


def _hourly(total: Total, edges_ms: Times, weights: Sequence[Values | None] | None) -> HourlyUse:
    quarters = quarter_edges(edges_ms)
    use = use_of(total, quarters, weights=weights)
    shares = np.diff(quarters) / np.repeat(np.diff(edges_ms), QUARTERS)
    completeness, estimated = (
        (column * shares).reshape(-1, QUARTERS).sum(axis=1) for column in (use.completeness, use.estimated)
    )
    return HourlyUse(
        edges_ms, by_hour(use.qty), by_hour(use.est_qty), completeness, estimated, use.qty, use.completeness
    )


def by_hour_and_period(quarters: Values) -> Values:
    """Sums of known quarters in each period, (4 n, 5) → (n, 5), NaN where no quarter of an hour is known."""
    return np.stack([by_hour(column) for column in quarters.T], axis=1)


def by_hour(quarters: Values) -> Values:
    """Sums of known quarters, (4 n,) → (n,), NaN where no quarter of an hour is known."""
    is_known = ~np.isnan(quarters).reshape(-1, QUARTERS)
    known = np.where(is_known, quarters.reshape(-1, QUARTERS), 0.0)
    sums: Values = sum(known.T[1:], known.T[0])
    sums[~is_known.any(axis=1)] = np.nan
    return sums
