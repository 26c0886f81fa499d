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
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stores.readings.port import PointTotal, ReadingStore, Series

_Key = frozenset[tuple[str, str]]

STEP_MS = 30 * DAY_MS
MOST_ROWS = 20_000
MOST_DIFFERENCES = 20
OF_OLDER_ROWS = {"beyond_retention", "unknown_point"}
"""Why the target refuses a row and with it all rows of its series that are older."""


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
    amiss: dict[str, str] = {}
    readings = rows = 0
    for done, (point, (first_ms, last_ms)) in enumerate(sorted(ranges.items())):
        for span in _spans(first_ms, last_ms + 1):
            readings += _copy_point(source, target, point, span, amiss)
        tell("points", done + 1, len(ranges))
    for done, name in enumerate(ROLLUPS):
        first_ms, last_ms = source.rollup_stretch(name) or (0, -1)
        for span in _spans(first_ms, last_ms + 1):
            rows += _copy_rollup(source, target, name, span, amiss)
        tell("rollups", done + 1, len(ROLLUPS))
    differences = [*amiss.values(), *(told for name in ROLLUPS for told in _rollup_differences(source, target, name))]
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


def _copy_point(
    source: ReadingStore, target: ReadingStore, point: str, span: tuple[int, int], amiss: dict[str, str]
) -> int:
    wanted, there = source.read([point], *span)[point], target.read([point], *span)[point]
    if _equal(wanted, there):
        return 0

    def write(rows: slice) -> None:
        t_ms, x, q = wanted.t_ms[rows].tolist(), wanted.x[rows].tolist(), wanted.q[rows].tolist()
        target.write(ReadingBatch([point], [0] * len(t_ms), t_ms, x, q))

    stored = 0
    for start in range(0, len(wanted), MOST_ROWS):
        rows, refusal = _write_rows(write, start, min(start + MOST_ROWS, len(wanted)))
        stored += rows
        if refusal is not None:
            amiss.setdefault(point, f"{point} is refused: {refusal}")
    return stored


def _copy_rollup(
    source: ReadingStore, target: ReadingStore, name: str, span: tuple[int, int], amiss: dict[str, str]
) -> int:
    stored = 0
    there = {_key(series): series for series in target.read_rollup(name, {}, *span)}
    for one in source.read_rollup(name, {}, *span):
        if _same_rows(one, there.get(_key(one))):
            continue

        def write(rows: slice, one: RollupSeries = one) -> None:
            fields = {field: column[rows] for field, column in one.fields.items()}
            target.write_rollup(name, [RollupSeries(one.tags, one.t_ms[rows], fields)])

        rows, refusal = _write_rows(write, 0, len(one))
        stored += rows
        if refusal is not None:
            amiss.setdefault(name, f"{name} is refused: {refusal}")
    return stored


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


def _rollup_differences(source: ReadingStore, target: ReadingStore, name: str) -> Iterator[str]:
    """Series that are not the same: rows that the source took away after an earlier copy stay in the target."""
    ours, theirs = Counter[_Key](), Counter[_Key]()
    stretches = [stretch for store in (source, target) if (stretch := store.rollup_stretch(name))]
    first_ms, last_ms = min((one[0] for one in stretches), default=0), max((one[1] for one in stretches), default=-1)
    for span in _spans(first_ms, last_ms + 1):
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
