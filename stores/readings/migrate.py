"""Copies everything from one reading store to another; what is there already is left, so it may be cut short."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS
from facility.errors import Rejected
from facility.model import ReadingBatch
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stores.readings.port import PointTotal, ReadingStore, RollupSeries, Series

_Key = frozenset[tuple[str, str]]

STEP_MS = 30 * DAY_MS
MOST_ROWS = 20_000
MOST_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Copied:
    """What a migration moved, and what stands on both sides at its end."""

    readings: int
    rows: int
    count: int
    total: float
    differences: list[str] = field(default_factory=list)


def copy(source: ReadingStore, target: ReadingStore, tell: Callable[[str, int, int], None]) -> Copied:
    """Copy readings and rollups, then count and sum both. Raises ``StoreUnavailable``; again, it goes on.

    ``tell`` hears of what (points, rollups) how many of how many are done.
    """
    ranges = dict(source.changes(0).ranges)
    differences: list[str] = []
    readings = 0
    for done, (point, (first_ms, last_ms)) in enumerate(sorted(ranges.items())):
        try:
            readings += sum(_copy_point(source, target, point, span) for span in _spans(first_ms, last_ms + 1))
        except Rejected as error:
            differences.append(f"{point} is refused: {error}")
        tell("points", done + 1, len(ranges))
    rows = 0
    if ranges:
        whole = (
            min(first for first, _ in ranges.values()) - STEP_MS,
            max(last for _, last in ranges.values()) + STEP_MS,
        )
        for done, name in enumerate(ROLLUPS):
            rows += sum(_copy_rollup(source, target, name, span) for span in _spans(*whole))
            tell("rollups", done + 1, len(ROLLUPS))
            differences += _rollup_differences(source, target, name, whole)
    ours, theirs = source.totals(), target.totals()
    differences += [told for point in sorted(ours) if (told := _difference(point, ours[point], theirs.get(point)))]
    counted = [theirs[point] for point in ours if point in theirs]
    return Copied(
        readings,
        rows,
        sum(one.count for one in counted),
        fsum(one.total for one in counted),
        differences[:MOST_DIFFERENCES],
    )


def _copy_point(source: ReadingStore, target: ReadingStore, point: str, span: tuple[int, int]) -> int:
    wanted, there = source.read([point], *span)[point], target.read([point], *span)[point]
    if _equal(wanted, there):
        return 0
    for i in range(0, len(wanted), MOST_ROWS):
        rows = slice(i, i + MOST_ROWS)
        t_ms, x, q = wanted.t_ms[rows].tolist(), wanted.x[rows].tolist(), wanted.q[rows].tolist()
        target.write(ReadingBatch([point], [0] * len(t_ms), t_ms, x, q))
    return len(wanted)


def _copy_rollup(source: ReadingStore, target: ReadingStore, name: str, span: tuple[int, int]) -> int:
    there = {_key(series): series for series in target.read_rollup(name, {}, *span)}
    missing = [s for s in source.read_rollup(name, {}, *span) if not _same_rows(s, there.get(_key(s)))]
    if missing:
        target.write_rollup(name, missing)
    return sum(len(series) for series in missing)


def _rollup_differences(source: ReadingStore, target: ReadingStore, name: str, whole: tuple[int, int]) -> Iterator[str]:
    """Series that are not the same: rows that the source took away after an earlier copy stay in the target."""
    ours, theirs = Counter[_Key](), Counter[_Key]()
    for span in _spans(*whole):
        there = {_key(series): series for series in target.read_rollup(name, {}, *span)}
        for series in source.read_rollup(name, {}, *span):
            if _same_rows(series, there.get(_key(series))):
                del there[_key(series)]
            else:
                ours[_key(series)] += len(series)
        theirs.update({key: len(series) for key, series in there.items()})
    for key in sorted(ours.keys() | theirs.keys(), key=sorted):
        tags = ", ".join(f"{tag} {value}" for tag, value in sorted(key) if value)
        yield f"{name}, {tags}: {ours[key]} rows in the source are {theirs[key]} others in the target"


def _spans(start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    return pairwise([*range(start_ms, end_ms, STEP_MS), end_ms])


def _equal(one: Series, other: Series) -> bool:
    return all(np.array_equal(a, b) for a, b in ((one.t_ms, other.t_ms), (one.x, other.x), (one.q, other.q)))


def _same_rows(one: RollupSeries, other: RollupSeries | None) -> bool:
    return (
        other is not None
        and np.array_equal(one.t_ms, other.t_ms)
        and all(np.array_equal(column, other.fields[name], equal_nan=True) for name, column in one.fields.items())
    )


def _key(series: RollupSeries) -> _Key:
    return frozenset(series.tags.items())


def _difference(point: str, ours: PointTotal, theirs: PointTotal | None) -> str:
    if ours == theirs:
        return ""
    has = f"{theirs.count} readings, sum {theirs.total!r}" if theirs else "nothing"
    return f"{point}: {ours.count} readings, sum {ours.total!r} in the source; {has} in the target"
