"""How well each accounted counter was heard in each hour: silences, standing registers, suspect readings, steps back.

Of raw readings alone: what is made of them (spells, spread silences) is the use in the same row. An hour is looked at
when it has ended, and again while a reading may still end a silence of it; what comes later makes its hours anew.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from accounting.intervals import MAX_GAP_MS
from accounting.local_time import DAY_MS, HOUR_MS
from facility.model import Quality
from stores.counter_rows import counter_tags
from stores.readings.port import RollupSeries, Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from stores.readings.port import Latest, ReadingStore, Times, Values

COUNTERS_AT_ONCE = 500
CHUNK_MS = 7 * DAY_MS
AGAIN_MS = MAX_GAP_MS + HOUR_MS
"""So long after an hour's end a reading may still end a silence of it."""

CAUGHT_UP_MS = DAY_MS
"""Hours of silence that passed while nobody looked are told for so long back."""


class HeardHours:
    """Writes these fields of ``usage_1h`` of one estate, beside the use itself."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar) -> None:
        self._store, self._calendar = store, calendar
        points = [point for meter in catalogue.meters if (point := catalogue.accounted_point(meter)) is not None]
        self._tags = {point.id: counter_tags(catalogue, point) for point in points}

    def end_hours(self, start_ms: int, end_ms: int) -> None:
        """The hours of a range have ended: write them, of every counter that was ever heard."""
        start_ms = max(start_ms, end_ms - CAUGHT_UP_MS) - AGAIN_MS
        points = list(self._tags)
        for k in range(0, len(points), COUNTERS_AT_ONCE):
            self._write(points[k : k + COUNTERS_AT_ONCE], start_ms, end_ms, end_ms)

    def take_late(self, ranges: Mapping[str, tuple[int, int]], now_ms: int, store: ReadingStore) -> None:
        """Readings were written: make the hours anew that ``end_hours`` will not look at again, by this view of it.

        Counters whose hours are the same are read and written together.
        """
        end_ms = int(self._calendar.hour_edges(now_ms, now_ms)[0])
        alike: dict[tuple[int, int], list[str]] = defaultdict(list)
        for point, (first, last) in ranges.items():
            if point in self._tags and first < end_ms - AGAIN_MS:
                edges = self._calendar.hour_edges(first - MAX_GAP_MS, min(last + AGAIN_MS, end_ms))
                alike[int(edges[0]), int(edges[-1])].append(point)
        for (begin, end), points in alike.items():
            for start in range(begin, end, CHUNK_MS):
                self._write(points, start, min(start + CHUNK_MS, end), end_ms, store)

    def _write(
        self, points: Sequence[str], start_ms: int, end_ms: int, known_ms: int, store: ReadingStore | None = None
    ) -> None:
        store = store or self._store
        edges = self._calendar.hour_edges(start_ms, end_ms)
        start, end = int(edges[0]), int(edges[-1])
        before = store.read_before(points, start - 1)
        read = store.read(points, start, end + MAX_GAP_MS)
        rows = (self._rows(point, read[point], before.get(point), edges, known_ms) for point in points)
        store.write_rollup("usage_1h", [one for one in rows if one is not None and len(one)])

    def _rows(
        self, point: str, series: Series, before: Latest | None, edges: Times, known_ms: int
    ) -> RollupSeries | None:
        """The hours from the first reading on, up to ``known_ms``."""
        if before is not None:
            series = Series(
                np.concatenate(([before.t_ms], series.t_ms)),
                np.concatenate(([before.x], series.x)),
                np.concatenate(([before.q], series.q)).astype(np.uint8),
            )
        if not len(series):
            return None
        kept = (edges[1:] > series.t_ms[0]) & (edges[1:] <= known_ms)
        fields = heard(series, edges, known_ms)
        return RollupSeries(self._tags[point], edges[:-1][kept], {name: one[kept] for name, one in fields.items()})


def heard(series: Series, edges_ms: Times, known_ms: int) -> dict[str, Values]:
    """The fields of the hours between edges (n + 1,), from a counter's readings in and around them.

    A silence counts in the hour in which it begins, with the last reading before it; one that lasts counts once it is
    longer than what may lie between two readings, as of ``known_ms``.
    """
    t_ms, x = series.t_ms, series.x
    spans = np.diff(t_ms).astype(np.float64)
    running = np.concatenate(([0.0], np.cumsum(np.where(spans > MAX_GAP_MS, 0.0, spans))))
    lengths = np.diff(edges_ms)
    silent = np.append(spans > MAX_GAP_MS, known_ms - t_ms[-1] > MAX_GAP_MS)
    hour = np.searchsorted(edges_ms, t_ms, side="right") - 1
    stood = np.diff(x) == 0
    moved = _count(hour[1:][~stood & (hour[1:] == hour[:-1])], len(lengths))
    known = _count(hour, len(lengths))
    return {
        "heard": np.diff(np.interp(edges_ms, t_ms, running)) / lengths,
        "gaps": _count(hour[silent], len(lengths)),
        "flat": np.where(known > 1, (moved == 0).astype(np.float64), np.nan),
        "spikes": _count(hour[series.q == Quality.SUSPECT], len(lengths)),
        "negative": _count(hour[1:][np.diff(x) < 0], len(lengths)),
    }


def _count(rows: Times, n: int) -> Values:
    """How many of these rows are each of 0 … n - 1; others are of other hours."""
    return np.bincount(rows[(rows >= 0) & (rows < n)], minlength=n).astype(np.float64)
