"""Copies everything from one reading store to another; what is there already is left, so it may be cut short."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum, unique
from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS
from facility.errors import Rejected
from facility.model import ReadingBatch
from facility.so_many import so_many
from stores.readings.port import PointTotal, RollupSeries
from stores.readings.rollup_columns import are_equal
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stores.readings.port import ReadingStore, Series

_Key = frozenset[tuple[str, str]]

STEP_MS = 30 * DAY_MS
MOST_ROWS = 20_000
MOST_ROLLUP_ROWS = 200_000
"""Of a rollup, at once and in each store: some 100 MB."""

MOST_DIFFERENCES = 20
OF_OLDER_ROWS = {"beyond_retention", "unknown_point"}
"""Why the target refuses a row and with it all rows of its series that are older."""


@unique
class Doing(StrEnum):
    """What a move does, in this order."""

    LOOK_AT_SOURCE = "look_at_source"
    COPY_POINTS = "copy_points"
    COPY_ROLLUPS = "copy_rollups"
    COMPARE_ROLLUPS = "compare_rollups"
    LOOK_AT_TARGET = "look_at_target"
    COMPARE_POINTS = "compare_points"


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """What is being done, how many of how many points or rollups are (none of none: unknown), and how many rows."""

    doing: Doing
    done: int = 0
    of: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Copied:
    """What a migration moved, and what stands on both sides at its end."""

    readings: int
    rows: int
    count: int
    total: float
    differences: list[str] = field(default_factory=list)


def copy(source: ReadingStore, target: ReadingStore, tell: Callable[[CopyProgress], None]) -> Copied:
    """Copy readings and rollups, then count and sum both. Raises ``StoreUnavailable``; again, it goes on.

    ``tell`` hears how far it is after every part, of ``MOST_ROWS`` at most where rows are written.
    """
    return _Migration(source, target, tell).run()


class _Migration:
    """One run. Rows are held a part at a time: a month of a point, ``MOST_ROLLUP_ROWS`` or so of a rollup."""

    def __init__(self, source: ReadingStore, target: ReadingStore, tell: Callable[[CopyProgress], None]) -> None:
        self._source, self._target, self._tell = source, target, tell
        self._progress = CopyProgress(Doing.LOOK_AT_SOURCE)
        self._amiss: dict[str, str] = {}

    def run(self) -> Copied:
        """Copy, then compare."""
        self._say(CopyProgress(Doing.LOOK_AT_SOURCE))
        ranges = dict(self._source.changes(0).ranges)
        readings = sum(self._copy_point(point, *ranges[point]) for point in self._each(Doing.COPY_POINTS, ranges))
        rows = sum(self._copy_rollup(name, len(ranges)) for name in self._each(Doing.COPY_ROLLUPS, ROLLUPS))
        for name in self._each(Doing.COMPARE_ROLLUPS, ROLLUPS):
            self._compare_rollup(name, len(ranges))
        self._say(CopyProgress(Doing.LOOK_AT_TARGET))
        theirs = self._target.changes(0).ranges
        counted = [
            total
            for point in self._each(Doing.COMPARE_POINTS, ranges)
            if (total := self._compare_point(point, ranges[point], theirs.get(point)))
        ]
        return Copied(
            readings,
            rows,
            sum(one.count for one in counted),
            fsum(one.total for one in counted),
            list(self._amiss.values())[:MOST_DIFFERENCES],
        )

    def _each(self, doing: Doing, names: Iterable[str]) -> Iterator[str]:
        """The names in order, each told when it is done."""
        ordered = sorted(names)
        self._say(CopyProgress(doing, of=len(ordered)))
        for name in ordered:
            yield name
            self._say(replace(self._progress, done=self._progress.done + 1))

    def _passed(self, rows: int) -> None:
        self._say(replace(self._progress, rows=self._progress.rows + rows))

    def _say(self, progress: CopyProgress) -> None:
        self._progress = progress
        self._tell(progress)

    def _copy_point(self, point: str, first_ms: int, last_ms: int) -> int:
        return sum(self._copy_readings(point, span) for span in _spans(first_ms, last_ms + 1, STEP_MS))

    def _copy_readings(self, point: str, span: tuple[int, int]) -> int:
        wanted, there = (store.read_rows([point], *span)[point] for store in (self._source, self._target))
        if _equal(wanted, there):
            self._passed(len(wanted))
            return 0

        def write(rows: slice) -> None:
            t_ms, x, q = wanted.t_ms[rows].tolist(), wanted.x[rows].tolist(), wanted.q[rows].tolist()
            self._target.write(ReadingBatch([point], [0] * len(t_ms), t_ms, x, q))

        stored = 0
        for start in range(0, len(wanted), MOST_ROWS):
            stop = min(start + MOST_ROWS, len(wanted))
            rows, refusal = _write_rows(write, start, stop)
            stored += rows
            if refusal is not None:
                self._amiss.setdefault(point, f"{point} is refused: {refusal}")
            self._passed(stop - start)
        return stored

    def _copy_rollup(self, name: str, points: int) -> int:
        stored = 0
        for span in _rollup_spans(name, points, [self._source]):
            there = {_key(series): series for series in self._target.read_rollup(name, {}, *span)}
            for one in self._source.read_rollup(name, {}, *span):
                if not _same_rows(one, there.get(_key(one))):
                    stored += self._write_rollup(name, one)
                self._passed(len(one))
        return stored

    def _write_rollup(self, name: str, one: RollupSeries) -> int:
        def write(rows: slice) -> None:
            fields = {field: column[rows] for field, column in one.fields.items()}
            self._target.write_rollup(name, [RollupSeries(one.tags, one.t_ms[rows], fields)])

        rows, refusal = _write_rows(write, 0, len(one))
        if refusal is not None:
            self._amiss.setdefault(name, f"{name} is refused: {refusal}")
        return rows

    def _compare_rollup(self, name: str, points: int) -> None:
        """Note series that are not the same: rows that the source took away after an earlier copy stay behind."""
        ours, theirs = Counter[_Key](), Counter[_Key]()
        for span in _rollup_spans(name, points, [self._source, self._target]):
            there = {_key(series): series for series in self._target.read_rollup(name, {}, *span)}
            for series in self._source.read_rollup(name, {}, *span):
                if _same_rows(series, there.get(_key(series))):
                    del there[_key(series)]
                else:
                    ours[_key(series)] += len(series)
                self._passed(len(series))
            theirs.update({key: len(series) for key, series in there.items()})
        for key in sorted(ours.keys() | theirs.keys(), key=sorted):
            tags = ", ".join(f"{tag} {value}" for tag, value in sorted(key) if value)
            words = f"{name}, {tags}: rows in the source: {ours[key]}, others in the target: {theirs[key]}"
            self._amiss[f"compared {name}, {tags}"] = words

    def _compare_point(self, point: str, ours: tuple[int, int], theirs: tuple[int, int] | None) -> PointTotal | None:
        """What the target holds of a point, and a note where the source holds something else."""
        wanted, there = self._total(self._source, point, ours), self._total(self._target, point, theirs)
        if wanted != there:
            self._amiss[f"compared {point}"] = (
                f"{point}: {_worded(wanted)} in the source; {_worded(there)} in the target"
            )
        return there

    def _total(self, store: ReadingStore, point: str, stretch: tuple[int, int] | None) -> PointTotal | None:
        """Count and exact sum of what a store has of a point; None where that is nothing."""
        if stretch is None:
            return None
        count = 0

        def values() -> Iterator[float]:
            nonlocal count
            for span in _spans(stretch[0], stretch[1] + 1, STEP_MS):
                x = store.read_rows([point], *span)[point].x
                count += len(x)
                self._passed(len(x))
                yield from x.tolist()

        total = fsum(values())
        return PointTotal(count, total) if count else None


def _write_rows(write: Callable[[slice], None], start: int, stop: int) -> tuple[int, Rejected | None]:
    """Write rows that are in the order of time, halving where the target refuses some: how many, and a refusal."""
    try:
        write(slice(start, stop))
    except Rejected as error:
        if stop - start == 1:
            return 0, error
        if error.reason in OF_OLDER_ROWS and (newest := _write_rows(write, stop - 1, stop))[1] is not None:
            return newest
        middle = (start + stop) // 2
        (old, _), (new, _) = _write_rows(write, start, middle), _write_rows(write, middle, stop)
        return old + new, error
    return stop - start, None


def _rollup_spans(name: str, points: int, stores: Iterable[ReadingStore]) -> Iterator[tuple[int, int]]:
    """Spans over all that the stores hold of a rollup, shorter in a large estate: a point has one series at most."""
    stretches = [stretch for store in stores if (stretch := store.rollup_stretch(name))]
    first_ms, last_ms = min((one[0] for one in stretches), default=0), max((one[1] for one in stretches), default=-1)
    rows = max(MOST_ROLLUP_ROWS // max(points, 1), 1)
    return _spans(first_ms, last_ms + 1, min(rows * ROLLUPS[name].step_ms, STEP_MS))


def _spans(start_ms: int, end_ms: int, step_ms: int) -> Iterator[tuple[int, int]]:
    return pairwise([*range(start_ms, end_ms, step_ms), end_ms])


def _equal(one: Series, other: Series) -> bool:
    return all(np.array_equal(a, b) for a, b in ((one.t_ms, other.t_ms), (one.x, other.x), (one.q, other.q)))


def _same_rows(one: RollupSeries, other: RollupSeries | None) -> bool:
    return (
        other is not None
        and np.array_equal(one.t_ms, other.t_ms)
        and all(are_equal(column, other.fields[name]) for name, column in one.fields.items())
    )


def _key(series: RollupSeries) -> _Key:
    return frozenset(series.tags.items())


def _worded(total: PointTotal | None) -> str:
    return f"{so_many(total.count, 'reading')}, sum {total.total!r}" if total else "nothing"
