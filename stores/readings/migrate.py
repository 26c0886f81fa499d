"""Copies everything from one reading store to another; what is there already is left, so it may be cut short."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
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


def copy(source: ReadingStore, target: ReadingStore, tell: Callable[[int, int], None]) -> Copied:
    """Copy readings and rollups, then count and sum both. Raises ``StoreUnavailable``; again, it goes on.

    ``tell`` hears how many points of how many are done.
    """
    ranges = dict(source.changes(0).ranges)
    amiss: dict[str, str] = {}
    readings = rows = 0
    for done, (point, (first_ms, last_ms)) in enumerate(sorted(ranges.items())):
        for span in _spans(first_ms, last_ms + 1):
            readings += _copy_point(source, target, point, span, amiss)
        tell(done + 1, len(ranges))
    for name in ROLLUPS:
        first_ms, last_ms = source.rollup_stretch(name) or (0, -1)
        for span in _spans(first_ms, last_ms + 1):
            rows += _copy_rollup(source, target, name, span, amiss)
    differences = list(amiss.values())
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
    missing = _missing(source, target, name, span)
    for one in missing:

        def write(rows: slice, one: RollupSeries = one) -> None:
            fields = {field: column[rows] for field, column in one.fields.items()}
            target.write_rollup(name, [RollupSeries(one.tags, one.t_ms[rows], fields)])

        rows, refusal = _write_rows(write, 0, len(one))
        stored += rows
        if refusal is not None:
            amiss.setdefault(name, f"{name} is refused: {refusal}")
    if missing and (left := sum(len(one) for one in _missing(source, target, name, span))):
        month = f"{datetime.fromtimestamp(span[0] / 1000, UTC):%Y-%m-%d}"
        amiss[f"{name} {month}"] = f"{name}: {left} rows of the month from {month} on are not the same in the target"
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


def _missing(source: ReadingStore, target: ReadingStore, name: str, span: tuple[int, int]) -> list[RollupSeries]:
    there = {_key(series): series for series in target.read_rollup(name, {}, *span)}
    return [s for s in source.read_rollup(name, {}, *span) if not _same_rows(s, there.get(_key(s)))]


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


def _key(series: RollupSeries) -> frozenset[tuple[str, str]]:
    return frozenset(series.tags.items())


def _difference(point: str, ours: PointTotal, theirs: PointTotal | None) -> str:
    if ours == theirs:
        return ""
    has = f"{theirs.count} readings, sum {theirs.total!r}" if theirs else "nothing"
    return f"{point}: {ours.count} readings, sum {ours.total!r} in the source; {has} in the target"
