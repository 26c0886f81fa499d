"""Readings and rollups in memory: for tests and trials, gone when the process ends."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from accounting.local_time import HOUR_MS
from stores.readings.columns import columns_of, empty_series, last_of_steps, merged, standing, switches_of
from stores.readings.port import Changes, Latest, PointTotal, RollupSeries, Series
from stores.readings.rollup_columns import column_of
from stores.readings.rollups import ROLLUPS, check_fields, check_series, check_tags, rollup_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from facility.model import ReadingBatch
    from stores.readings.port import Times

TagSet = frozenset[tuple[str, str]]
Rows = dict[int, dict[str, Any]]


class MemoryStore:
    """A ``ReadingStore`` of one process. One lock guards it; threads may share it."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._series: dict[str, Series] = {}
        self._writes: list[dict[str, tuple[int, int]]] = []
        self._rollups: dict[str, dict[TagSet, Rows]] = {name: {} for name in ROLLUPS}

    def write(self, batch: ReadingBatch) -> None:
        """Store readings."""
        self.write_many([batch])

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store several batches, all or none of them."""
        columns = columns_of(batches)
        written: dict[str, tuple[int, int]] = {}
        with self._lock:
            for point, rows in columns.stretches():
                new = columns.series(rows)
                self._series[point] = merged(self._series.get(point, empty_series()), new)
                written[point] = int(new.t_ms[0]), int(new.t_ms[-1])
            if written:
                self._writes.append(written)

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range."""
        return {point: standing(rows) for point, rows in self.read_rows(points, start_ms, end_ms).items()}

    def read_rows(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """The same and what was retracted."""
        with self._lock:
            return {point: _cut(self._series.get(point, empty_series()), start_ms, end_ms) for point in points}

    def read_switches(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Of each point the first reading, those that show another value than the one before, and the last."""
        return {point: switches_of([series]) for point, series in self.read(points, start_ms, end_ms).items()}

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading of each point at or before ``t_ms``."""
        with self._lock:
            cut = {p: standing(_cut(self._series[p], None, t_ms + 1)) for p in points if p in self._series}
        return {point: _last(series) for point, series in cut.items() if len(series)}

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point."""
        with self._lock:
            wanted = self._series if points is None else [p for p in points if p in self._series]
            stands = {point: standing(self._series[point]) for point in wanted}
        return {point: _last(series) for point, series in stands.items() if len(series)}

    def changes(self, cursor: int) -> Changes:
        """What was written after ``cursor``."""
        with self._lock:
            since = cursor if cursor <= len(self._writes) else 0
            ranges: dict[str, tuple[int, int]] = {}
            for written in self._writes[since:]:
                for point, (first, last) in written.items():
                    low, high = ranges.get(point, (first, last))
                    ranges[point] = min(low, first), max(high, last)
            return Changes(len(self._writes), ranges)

    def cursor(self) -> int:
        """Where ``changes`` stands now."""
        with self._lock:
            return len(self._writes)

    def totals(self) -> dict[str, PointTotal]:
        """Count and exact sum of every point."""
        with self._lock:
            stands = {point: standing(series) for point, series in self._series.items()}
        return {point: PointTotal(len(s), math.fsum(s.x.tolist())) for point, s in stands.items()}

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many readings of these points each hour holds."""
        counts: Counter[int] = Counter()
        for series in self.read_rows(points, start_ms, end_ms).values():
            counts.update((series.t_ms // HOUR_MS * HOUR_MS).tolist())
        return dict(counts)

    def newest_times(self, points: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> dict[str, Times]:
        """Of each point the time of its newest reading in each step that has one."""
        return {point: last_of_steps(s.t_ms, step_ms) for point, s in self.read(points, start_ms, end_ms).items()}

    def write_rollup(self, name: str, series: Iterable[RollupSeries]) -> None:
        """Store rows of a rollup, all or none of them."""
        self.write_rollups([(name, list(series))])

    def write_rollups(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """Store rows of several rollups, all or none of them."""
        given = [(name, one) for name, series in rollups for one in series]
        for name, one in given:
            check_series(name, one)
        with self._lock:
            for name, one in given:
                rows = self._rollups[name].setdefault(frozenset(one.tags.items()), {})
                columns = [column.tolist() for column in one.fields.values()]
                for t_ms, *figures in zip(one.t_ms.tolist(), *columns, strict=True):
                    rows.setdefault(t_ms, {}).update(zip(one.fields, figures, strict=True))

    def read_rollup(
        self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int, fields: Sequence[str] | None = None
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include ``tags``, cut to the range."""
        return self.read_rollups(name, [tags], start_ms, end_ms, fields)

    def read_rollups(
        self,
        name: str,
        some: Sequence[Mapping[str, str]],
        start_ms: int,
        end_ms: int,
        fields: Sequence[str] | None = None,
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include one of ``some``, cut to the range."""
        for tags in some:
            check_tags(name, tags, every=False)
        types = rollup_called(name).types
        wanted = types if fields is None else fields
        check_fields(name, wanted)
        found = []
        with self._lock:
            for tag_set, rows in self._matching(name, some):
                times = sorted(rows)
                times = times[bisect_left(times, start_ms) : bisect_left(times, end_ms)]
                if times:
                    chosen = [rows[t] for t in times]
                    columns = {f: column_of(types[f], [row.get(f) for row in chosen]) for f in wanted}
                    found.append(RollupSeries(dict(sorted(tag_set)), np.array(times, np.int64), columns))
        return found

    def rollup_stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row of a rollup."""
        rollup_called(name)
        with self._lock:
            times = [t_ms for rows in self._rollups[name].values() for t_ms in rows]
        return (min(times), max(times)) if times else None

    def delete_rollup(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete rows of the matching series in the range."""
        check_tags(name, tags, every=False)
        with self._lock:
            for _, rows in self._matching(name, [tags]):
                for t_ms in [t for t in rows if start_ms <= t < end_ms]:
                    del rows[t_ms]

    def probe(self) -> None:
        """There is nothing to reach."""

    def close(self) -> None:
        """Nothing to release."""

    def _matching(self, name: str, some: Sequence[Mapping[str, str]]) -> list[tuple[TagSet, Rows]]:
        wanted = [frozenset(tags.items()) for tags in some]
        return [
            (tag_set, rows)
            for tag_set, rows in self._rollups[name].items()
            if (wanted[0] <= tag_set if len(wanted) == 1 else any(one <= tag_set for one in wanted))
        ]


def _cut(series: Series, start_ms: int | None, end_ms: int) -> Series:
    start = 0 if start_ms is None else int(np.searchsorted(series.t_ms, start_ms))
    rows = slice(start, max(start, int(np.searchsorted(series.t_ms, end_ms))))
    return Series(series.t_ms[rows], series.x[rows], series.q[rows])


def _last(series: Series) -> Latest:
    return Latest(int(series.t_ms[-1]), float(series.x[-1]), int(series.q[-1]))
