"""Readings and rollups in an InfluxDB 1.8 or later of 1.x, or 2.x, over its HTTP interface."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from itertools import chain, pairwise
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS
from facility.errors import ConfigError, Rejected, StoreUnavailable
from facility.model import Quality
from stores.readings.columns import (
    check_columns,
    empty_series,
    last_of_steps,
    merged,
    ranges_of,
    standing,
    switches_of,
)
from stores.readings.influx.answers import newest_in, readings_in
from stores.readings.influx.changes import ChangeLog
from stores.readings.influx.conditions import among
from stores.readings.influx.layout import RAW, source
from stores.readings.influx.line_protocol import ReadingLines
from stores.readings.influx.mark import MarkKeeper
from stores.readings.influx.moved import MovedMeters
from stores.readings.influx.points import (
    BY_POINT,
    END_MS,
    FIRST_MS,
    all_points,
    point_of,
    some_at_once,
    stretch_ends,
    within,
)
from stores.readings.influx.rollups import InfluxRollups
from stores.readings.influx.steps import newest_of_steps, newest_standing, points_with_retracted
from stores.readings.influx.stretches import KnownStretches
from stores.readings.port import PointTotal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from facility.model import ReadingBatch
    from stores.readings.estate import EstateSource
    from stores.readings.influx.answers import AnswerTable
    from stores.readings.influx.wire import InfluxWire
    from stores.readings.port import Changes, Latest, RollupSeries, Series, Times

TOTAL_STEP_MS = 100 * DAY_MS
RECENT_MS = 2 * DAY_MS
_FIRST, _LAST = (f" ORDER BY time {order} LIMIT 1" for order in ("ASC", "DESC"))


class InfluxStore:
    """A ``ReadingStore`` on a server. Threads and processes may share it; nothing connects before the first call."""

    def __init__(self, wire: InfluxWire, estate: EstateSource | None, clock_ns: Callable[[], int]) -> None:
        """``estate`` gives the tags: without it the store can only be read."""
        self._wire, self._estate, self._clock_ns = wire, estate, clock_ns
        self._lock = RLock()
        self._mark = MarkKeeper(wire, self._site, clock_ns)
        self._version = 0
        self._tagging: tuple[ReadingLines, MovedMeters] | None = None
        self._doubtful = KnownStretches(partial(stretch_ends, wire, "q"))
        self._log = ChangeLog(wire, clock_ns)
        self._rollups = InfluxRollups(wire)
        self._readings = source(wire, RAW, "reading")

    def write(self, batch: ReadingBatch) -> None:
        """Store readings durably."""
        self.write_many([batch])

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store several batches. A server may keep a part of what it refuses; whoever repeats it changes nothing."""
        for batch in batches:
            check_columns(batch)
        given = [batch for batch in batches if len(batch)]
        if not given:
            return
        ranges = ranges_of(given)
        with self._lock:
            lines, moved = self._prepared()
            elsewhere = moved.under_others(ranges)
            self._note_doubtful(given, ranges)
        try:
            parts = [lines.encode(batch, self._doubtful.found) for batch in given]
        except KeyError as error:
            raise Rejected("unknown_point", f"{error.args[0]} is not in the registry") from None
        self._wire.write_parts(RAW, parts)
        moved.delete_others(given, elsewhere)
        self._log.add(ranges)

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range."""
        return {point: standing(rows) for point, rows in self.read_rows(points, start_ms, end_ms).items()}

    def read_rows(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """The same and what was retracted."""
        found = dict.fromkeys(points, empty_series())
        for some in some_at_once(points):
            for point, table in self._select(some, "value, q", within(start_ms, end_ms)):
                found[point] = readings_in(table)
        return found

    def read_switches(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Of each point the first reading, those that show another value than the one before, and the last.

        The server tells the least and the greatest value of each point; only those in which they differ are read.
        """
        found, when = dict.fromkeys(points, empty_series()), within(start_ms, end_ms)
        for some in some_at_once(points):
            ranges = {
                point: (table.columns["min"][0], table.columns["max"][0])
                for point, table in self._select(some, "min(value), max(value)", when)
            }
            for order in (_FIRST, _LAST) if ranges else ():
                for point, table in self._select(list(ranges), "value, q", when, order):
                    found[point] = merged(found[point], readings_in(table))
            ends = {point: len(found[point]) == len(standing(found[point])) for point in ranges}
            moved = [point for point, (least, most) in ranges.items() if least != most or not ends[point]]
            for point, series in self.read(moved, start_ms, end_ms).items():
                found[point] = switches_of([series])
        return found

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading of each point at or before ``t_ms``: looked for nearby first, then everywhere."""
        near = self._newest(points, t_ms - RECENT_MS, t_ms + 1)
        return near | self._newest([point for point in points if point not in near], FIRST_MS, t_ms - RECENT_MS)

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point: looked for in the last days first, then everywhere."""
        recent_ms = self._clock_ns() // 1_000_000 - RECENT_MS
        self._mark.check()
        if points is None:
            points = all_points(self._wire)
        near = self._newest(points, recent_ms, END_MS)
        return near | self._newest([point for point in points if point not in near], FIRST_MS, recent_ms)

    def changes(self, cursor: int) -> Changes:
        """What was written after ``cursor``, by any process."""
        self._mark.check()
        return self._log.since(cursor)

    def cursor(self) -> int:
        """Where ``changes`` stands now."""
        self._mark.check()
        return self._log.cursor()

    def totals(self) -> dict[str, PointTotal]:
        """Count and exact sum of every point: each is read whole, since the server's own sum is rounded."""
        self._mark.check()
        ends = stretch_ends(self._wire, "value", all_points(self._wire), FIRST_MS, END_MS)
        return {point: self._total(point, *ends[point]) for point in sorted(ends)}

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many readings of these points each hour holds."""
        self._mark.check()
        counts: Counter[int] = Counter()
        for some in some_at_once(points):
            where = f"{among(some)} AND {within(start_ms, end_ms)}"
            query = f"SELECT count(value) FROM {self._readings} WHERE {where} GROUP BY time(1h) fill(none)"
            for table in self._wire.ask(query):
                hours = zip(table.columns["time"].tolist(), table.columns["count"].tolist(), strict=True)
                counts.update({int(hour): int(count) for hour, count in hours})
        return {hour: count for hour, count in counts.items() if count}

    def newest_times(self, points: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> dict[str, Times]:
        """Of each point the time of its newest reading in each step; where some were retracted all are read."""
        found, when = {point: np.empty(0, np.int64) for point in points}, within(start_ms, end_ms)
        for some in some_at_once(points):
            begun = self._select(some, "value", when, _FIRST)
            first = {point: table.columns["time"].astype(np.int64) for point, table in begun}
            found |= newest_of_steps(self._wire, some, first, when, step_ms)
            held = self.read(points_with_retracted(self._wire, some, when), start_ms, end_ms)
            found |= {point: last_of_steps(series.t_ms, step_ms) for point, series in held.items()}
        return found

    def write_rollup(self, name: str, series: Iterable[RollupSeries]) -> None:
        """Store rows of a rollup."""
        self.write_rollups([(name, list(series))])

    def write_rollups(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """Store rows of several rollups, those kept for one and the same time by one request."""
        self._mark.check()
        self._mark.renew()
        self._rollups.write(rollups)

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
        """Series of a rollup whose tags include one of ``some``, cut to the range: fifty by one query."""
        self._mark.check()
        return self._rollups.read(name, some, (start_ms, end_ms), fields)

    def rollup_stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row of a rollup."""
        self._mark.check()
        return self._rollups.stretch(name)

    def delete_rollup(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete rows of the matching series in the range."""
        self._mark.check()
        self._rollups.delete(name, tags, (start_ms, end_ms))

    def probe(self) -> None:
        """Ask the server again whose database this is; until it says so, nothing else is asked or written."""
        self._mark.check(again=True)

    def close(self) -> None:
        """Close the connections."""
        self._wire.client.close()

    def _prepared(self) -> tuple[ReadingLines, MovedMeters]:
        """Tags as the registry has them now; those that were known hold while it cannot be reached."""
        if self._estate is None:
            raise ConfigError("readings can be written to an InfluxDB only with the registry at hand")
        catalogue = None
        try:
            version = self._estate.version()
            if self._tagging is None or version != self._version:
                catalogue = self._estate.load()
        except StoreUnavailable:
            if self._tagging is None:
                raise
        self._mark.check()
        self._mark.renew()
        if catalogue is not None:
            buildings = {point.id: catalogue.meter[point.meter].building for point in catalogue.points}
            self._tagging = ReadingLines(catalogue), MovedMeters(self._wire, buildings)
            self._version = version
        assert self._tagging is not None
        return self._tagging

    def _site(self) -> str | None:
        return self._estate.load().site.id if self._estate and self._estate.version() else None

    def _note_doubtful(self, batches: Sequence[ReadingBatch], ranges: Mapping[str, tuple[int, int]]) -> None:
        """In which stretch each point has readings that are not good: only there must a good one say so."""
        self._doubtful.look(ranges)
        for batch in batches:
            if any(batch.q):
                rows = [i for i, code in enumerate(batch.q) if code]
                self._doubtful.add(ranges_of([batch.chosen(rows)]))

    def _select(
        self, points: Sequence[str], what: str, when: str, order: str = ""
    ) -> Iterator[tuple[str, AnswerTable]]:
        """One series per point that has readings. Without tags in its lines an answer is half as long."""
        self._mark.check()
        group = BY_POINT if len(points) > 1 else ""
        query = f"SELECT {what} FROM {self._readings} WHERE {among(points)} AND {when}{group}{order}"
        for table in self._wire.ask(query):
            yield point_of(table.tags) if group else points[0], table

    def _newest(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Latest]:
        found: dict[str, Latest] = {}
        for some in some_at_once(points):
            newest = self._select(some, "value, q", within(start_ms, end_ms), _LAST)
            found |= {point: newest_in(readings_in(table)) for point, table in newest}
        for point, last in list(found.items()):
            if last.q == Quality.RETRACTED:
                del found[point]
                found |= newest_standing(self.read, point, start_ms, last.t_ms)
        return found

    def _total(self, point: str, first_ms: int, last_ms: int) -> PointTotal:
        edges = [*range(first_ms, last_ms + 1, TOTAL_STEP_MS), last_ms + 1]
        count = 0

        def values() -> Iterator[list[float]]:
            nonlocal count
            for start_ms, end_ms in pairwise(edges):
                x = self.read([point], start_ms, end_ms)[point].x
                count += len(x)
                yield x.tolist()

        total = math.fsum(chain.from_iterable(values()))
        return PointTotal(count, total)
