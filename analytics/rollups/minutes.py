"""Keeps ``live``: of each gauge and minute the newest reading, for whoever draws what happens now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from analytics.rollups.pending import Pending
from facility.model import Quality
from facility.quantities import Kind
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import Changes, ReadingStore, Series

GAUGES_AT_ONCE = 2_000
ROWS_AT_ONCE = 20_000
"""Minutes that are read by one question and written by one more, of one day."""

PATIENT_MS = MINUTE_MS // 2
"""For so much of a minute gauges let counters go first: these are asked on the minute, and their use is waited for."""

FIRST_MS = 2 * HOUR_MS
"""Of what was stored before anybody looked: a year of minutes would keep everything else waiting."""


class Minutes:
    """The gauges of one estate. One thread adds, one steps; once a minute all that was written is taken in turn."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue, cursor: int) -> None:
        """Changes up to ``cursor`` are in the rollup already."""
        self._store = store
        self._tags = {p.id: _tags(catalogue, p) for p in catalogue.points if p.quantity.kind is Kind.GAUGE}
        self._pending = Pending(cursor, self._tags.__contains__)
        self._done_minute, self._is_first = -1, not cursor

    def add(self, changes: Changes, now_ms: int) -> None:
        """Take up what changed, as of now. Of a store that nobody has looked at yet, only the last two hours."""
        if self._is_first:
            newest = max((last for _, last in changes.ranges.values()), default=0)
            recent = {p: (max(first, newest - FIRST_MS), last) for p, (first, last) in changes.ranges.items()}
            changes = replace(changes, ranges={p: ends for p, ends in recent.items() if ends[0] <= ends[1]})
        self._is_first = False
        self._pending.add(changes, now_ms)

    @property
    def done_cursor(self) -> int:
        """Changes up to here are in the rollup."""
        return self._pending.done_cursor

    def step(self, now_ms: int, *, others_wait: bool = False) -> bool:
        """Write what has waited since the last minute, a bounded number; whether there is more to do at once."""
        if self._done_minute == now_ms // MINUTE_MS:
            return False
        if others_wait and now_ms % MINUTE_MS < PATIENT_MS:
            return self._pending.count > 0
        with self._pending.in_hand(GAUGES_AT_ONCE) as ranges:
            self.update(ranges)
        if not ranges:
            self._done_minute = now_ms // MINUTE_MS
        return bool(ranges)

    def update(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        """Make the minutes anew that readings in these ranges lie in: gauge → first and last time in ms, included.

        Many gauges are read and written at once: few over long ranges, more over short ones.
        """
        known = {point: ends for point, ends in ranges.items() if point in self._tags}
        newest = max((last for _, last in known.values()), default=0)
        days: dict[int, dict[str, int]] = defaultdict(dict)
        for point, (first, last) in known.items():
            for day in range(first // DAY_MS, last // DAY_MS + 1):
                days[day][point] = max(first, day * DAY_MS)
        for day, first_ms in days.items():
            self._write_day(first_ms, min((day + 1) * DAY_MS - 1, newest))

    def _write_day(self, first_ms: Mapping[str, int], last_ms: int) -> None:
        """Gauges from an instant of each on; of those read together all from that of the first."""
        oldest = sorted(first_ms, key=lambda point: first_ms[point])
        while oldest:
            start = first_ms[oldest[0]] // MINUTE_MS * MINUTE_MS
            at_once = max(ROWS_AT_ONCE * MINUTE_MS // (last_ms + 1 - start), 1)
            self._write(oldest[:at_once], start, last_ms)
            oldest = oldest[at_once:]

    def _write(self, points: list[str], start_ms: int, last_ms: int) -> None:
        read = self._store.read(points, start_ms, last_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS)
        self._store.write_rollup("live", list(self._rows(read)))

    def _rows(self, read: Mapping[str, Series]) -> Iterator[RollupSeries]:
        for point, series in read.items():
            if len(series):
                yield newest_of_minutes(series, self._tags[point])


def newest_of_minutes(series: Series, tags: Mapping[str, str]) -> RollupSeries:
    """The newest reading of each minute and how many it had; absent where all of them are suspect."""
    good = series.q != Quality.SUSPECT
    minutes = series.t_ms // MINUTE_MS
    kept = minutes[good]
    last = np.flatnonzero(np.diff(kept, append=kept[-1:] + 1))
    counts = np.diff(last, prepend=-1)
    every = kept[last] if good.all() else np.unique(minutes)
    value, n = np.full(len(every), np.nan), np.full(len(every), np.nan)
    rows = np.searchsorted(every, kept[last])
    value[rows], n[rows] = series.x[good][last], counts
    return RollupSeries(tags, every * MINUTE_MS, {"value": value, "n": n})


def _tags(catalogue: Catalogue, point: Point) -> dict[str, str]:
    """What the registry says of a gauge."""
    meter, utility = catalogue.meter[point.meter], catalogue.utility_of(point)
    return {
        "site": catalogue.site.id,
        "building": meter.building,
        "utility": utility.value if utility else "",
        "meter": meter.id,
        "role": meter.role.value,
        "quantity": point.quantity.word,
        "channel": point.channel,
    }
