"""Store and spells as one pass over some counters sees them: read for many at once, written at its end.

Whoever computes asks for one counter at a time, as before. What was read ahead answers where it is sure to hold all
that is asked for; else the store itself is asked. Rollups are written in one step, and only then the spells that they
were computed with: a pass that breaks off has told nobody of a spell whose hours are not written, and is made again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS, HOUR_MS
from accounting.walk import HOLD_MS
from stores.readings.port import Latest, RollupSeries, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from accounting.spells import Spell, SpellBook
    from facility.model import ReadingBatch
    from stores.readings.port import Changes, PointTotal, ReadingStore, Times

AROUND_MS = HOLD_MS + 2 * HOUR_MS
"""On either side of what was written: what is needed to judge it."""

MOST_MS = 3 * DAY_MS
"""What reaches further back than so long before the newest is read when it is needed, not for many counters at once."""

MOST_ROWS = 20_000
"""Rows that wait to be written."""

_Key = frozenset[tuple[str, str]]


class OnePass:
    """A ``ReadingStore``; outside a pass it is the store itself. One thread uses it."""

    def __init__(self, store: ReadingStore) -> None:
        self._store = store
        self._is_open = False
        self._latest: dict[str, Latest] = {}
        self._readings: dict[str, Series] = {}
        self._earlier: dict[str, Latest] | None = None
        self._span = (0, 0)
        self._rows: dict[str, dict[_Key, RollupSeries]] = {}
        self._row_spans: dict[str, tuple[int, int]] = {}
        self._written: dict[tuple[str, _Key], list[RollupSeries]] = {}
        self._count = 0

    def begin(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        """Read ahead what is around the newest of these stretches: point id → first and last time in ms."""
        self._drop()
        self._is_open = True
        newest = max((last for _, last in ranges.values()), default=0)
        near = {point: ends for point, ends in ranges.items() if ends[0] > newest - MOST_MS}
        if near:
            points = list(near)
            self._latest = self._store.latest(points)  # asked first: what is read then holds it
            self._span = min(first for first, _ in near.values()) - AROUND_MS, newest + AROUND_MS
            self._readings = self._store.read(points, *self._span)

    def read_ahead(
        self, name: str, some: Sequence[Mapping[str, str]], span: tuple[int, int], fields: Sequence[str]
    ) -> None:
        """Read rows of a rollup for many series, each given by all its tags."""
        rows = {_key(one.tags): one for one in self._store.read_rollups(name, some, *span, fields)}
        nothing = RollupSeries({}, np.empty(0, np.int64), {field: np.empty(0) for field in fields})
        self._rows[name] = {_key(tags): rows.get(_key(tags), nothing) for tags in some}
        self._row_spans[name] = span

    def flush(self) -> None:
        """Write what waits."""
        if self._written:
            rollups: dict[str, list[RollupSeries]] = {}
            for (name, _), parts in self._written.items():
                rollups.setdefault(name, []).extend(parts)
            self._store.write_rollups(list(rollups.items()))
            for name in rollups:
                self._rows.pop(name, None)
            self._written, self._count = {}, 0

    def end(self) -> None:
        """The pass is over, or was broken off: what was not flushed is forgotten."""
        self._is_open = False
        self._drop()

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range."""
        if not all(self._holds(point, start_ms, end_ms) for point in points):
            return self._store.read(points, start_ms, end_ms)
        return {point: _cut(self._readings[point], start_ms, end_ms) for point in points}

    def read_rows(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """The same and what was retracted."""
        return self._store.read_rows(points, start_ms, end_ms)

    def read_switches(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Of each point the first reading, those that show another value than the one before, and the last."""
        return self._store.read_switches(points, start_ms, end_ms)

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading of each point at or before ``t_ms``."""
        held = {point: self._before(point, t_ms) for point in points if self._holds(point, t_ms, t_ms + 1)}
        unknown = [point for point in points if point not in held]
        known = {point: one for point, one in held.items() if one is not None}
        return known | self._store.read_before(unknown, t_ms) if unknown else known

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point."""
        if points is None or not all(point in self._latest for point in points):
            return self._store.latest(points)
        return {point: self._latest[point] for point in points}

    def write_rollup(self, name: str, series: Iterable[RollupSeries]) -> None:
        """Keep rows of a rollup until the end of the pass."""
        self.write_rollups([(name, list(series))])

    def write_rollups(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """Keep rows of several rollups until the end of the pass."""
        if not self._is_open:
            self._store.write_rollups(rollups)
            return
        for name, series in rollups:
            for one in series:
                self._written.setdefault((name, _key(one.tags)), []).append(one)
                self._count += len(one)
        if self._count > MOST_ROWS:
            self.flush()

    def read_rollup(
        self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int, fields: Sequence[str] | None = None
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include ``tags``, cut to the range."""
        if self._waits(name, tags, start_ms, end_ms):
            self.flush()
        rows, span = self._rows.get(name, {}).get(_key(tags)), self._row_spans.get(name, (0, 0))
        is_held = rows is not None and span[0] <= start_ms and end_ms <= span[1]
        if rows is None or not is_held or fields is None or not rows.fields.keys() >= set(fields):
            return self._store.read_rollup(name, tags, start_ms, end_ms, fields)
        a, b = np.searchsorted(rows.t_ms, [start_ms, end_ms]).tolist()
        cut = RollupSeries(rows.tags, rows.t_ms[a:b], {field: rows.fields[field][a:b] for field in fields})
        return [cut] if len(cut) else []

    def read_rollups(
        self,
        name: str,
        some: Sequence[Mapping[str, str]],
        start_ms: int,
        end_ms: int,
        fields: Sequence[str] | None = None,
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include one of ``some``, cut to the range."""
        self.flush()
        return self._store.read_rollups(name, some, start_ms, end_ms, fields)

    def delete_rollup(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete rows of the matching series in the range."""
        self.flush()
        self._rows.pop(name, None)
        self._store.delete_rollup(name, tags, start_ms, end_ms)

    def rollup_stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row of a rollup."""
        self.flush()
        return self._store.rollup_stretch(name)

    def write(self, batch: ReadingBatch) -> None:
        """Store readings durably."""
        self._store.write(batch)

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store several batches in one durable step."""
        self._store.write_many(batches)

    def changes(self, cursor: int) -> Changes:
        """What was written after ``cursor``."""
        return self._store.changes(cursor)

    def cursor(self) -> int:
        """Where ``changes`` stands now."""
        return self._store.cursor()

    def totals(self) -> dict[str, PointTotal]:
        """Count and exact sum of every point."""
        return self._store.totals()

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many readings of these points each UTC hour holds."""
        return self._store.hour_counts(points, start_ms, end_ms)

    def newest_times(self, points: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> dict[str, Times]:
        """Of each point the time of its newest reading in each step that has one."""
        return self._store.newest_times(points, start_ms, end_ms, step_ms)

    def probe(self) -> None:
        """Reach the store."""
        self._store.probe()

    def close(self) -> None:
        """Release files and connections."""
        self._store.close()

    def _drop(self) -> None:
        self._latest, self._readings, self._earlier, self._span = {}, {}, None, (0, 0)
        self._rows, self._row_spans = {}, {}
        self._written, self._count = {}, 0

    def _holds(self, point: str, start_ms: int, end_ms: int) -> bool:
        """Whether all readings of a range were read ahead: beyond the newest, and before the first, there are none."""
        if point not in self._readings or (start_ms < self._span[0] and point in self._before_all()):
            return False
        return end_ms <= self._span[1] or (point in self._latest and self._latest[point].t_ms < self._span[1])

    def _before(self, point: str, t_ms: int) -> Latest | None:
        """The newest reading at or before an instant from which on all are held."""
        series = self._readings[point]
        k = int(np.searchsorted(series.t_ms, t_ms, side="right")) - 1
        if k < 0:
            return self._before_all().get(point)
        return Latest(int(series.t_ms[k]), float(series.x[k]), int(series.q[k]))

    def _before_all(self) -> dict[str, Latest]:
        """The newest reading before all that was read ahead, of each counter that has one: asked for all at once."""
        if self._earlier is None:
            self._earlier = dict(self._store.read_before(list(self._readings), self._span[0] - 1))
        return self._earlier

    def _waits(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> bool:
        """Whether rows of the range wait to be written under these tags."""
        asked = tags.items()
        return any(
            len(one) and one.t_ms[0] < end_ms and one.t_ms[-1] >= start_ms
            for (rollup, _), parts in self._written.items()
            if rollup == name and asked <= parts[0].tags.items()
            for one in parts
        )


class SpellsOfPass:
    """A ``SpellBook`` that reads those of many counters at once, and writes what was found when ``enter`` says so."""

    def __init__(self, book: SpellBook) -> None:
        self._book = book
        self._is_open = False
        self._known: dict[str, Sequence[Spell]] = {}
        self._found: list[tuple[str, int, int, Sequence[Spell]]] = []

    def begin(self, points: Sequence[str]) -> None:
        """Read what is known of these counters."""
        self._is_open, self._found = True, []
        self._known = dict(self._book.of_each(points))

    def enter(self) -> None:
        """Put what was found into the book."""
        for point, start_ms, end_ms, found in self._found:
            self._book.replace(point, start_ms, end_ms, found)
        self._found = []

    def end(self) -> None:
        """The pass is over, or was broken off: what was not entered is forgotten."""
        self._is_open, self._known, self._found = False, {}, []

    def of(self, point: str) -> Sequence[Spell]:
        """A counter's spells, oldest first."""
        return self._known[point] if point in self._known else self._book.of(point)

    def of_each(self, points: Sequence[str]) -> Mapping[str, Sequence[Spell]]:
        """The spells of several counters."""
        return {point: self.of(point) for point in points}

    def replace(self, point: str, start_ms: int, end_ms: int, found: Sequence[Spell]) -> None:
        """Keep what was found in place of the spells whose first reading lies in ``[start_ms, end_ms)``.

        A decision goes over to whichever spell stands in the place of the one decided about: that is for the book.
        """
        known = self.of(point)
        if not self._is_open or any(one.accepted is not None for one in known):
            self._book.replace(point, start_ms, end_ms, found)
            self._known.pop(point, None)
            return
        self._found.append((point, start_ms, end_ms, found))
        others = [one for one in known if not start_ms <= one.first_ms < end_ms]
        self._known[point] = sorted([*others, *found], key=lambda one: one.first_ms)


def _key(tags: Mapping[str, str]) -> _Key:
    return frozenset(tags.items())


def _cut(series: Series, start_ms: int, end_ms: int) -> Series:
    a, b = np.searchsorted(series.t_ms, [start_ms, end_ms]).tolist()
    return Series(series.t_ms[a:b], series.x[a:b], series.q[a:b])
