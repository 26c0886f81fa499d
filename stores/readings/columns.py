"""Batches as they are stored: one set of columns, sorted by point and time, the later of two equal times kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from facility.errors import Rejected
from facility.model import Quality
from stores.readings.port import Codes, Series, Times, Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from facility.model import ReadingBatch

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """Row *i* is ``points[p[i]]`` at ``t_ms[i]``: columns (n,), sorted by (p, t_ms), each pair once."""

    points: list[str]
    p: Indices
    t_ms: Times
    x: Values
    q: Codes

    def stretches(self) -> Iterator[tuple[str, slice]]:
        """Each point with its rows."""
        starts = np.flatnonzero(np.diff(self.p, prepend=-1))
        for start, end in pairwise([*starts.tolist(), len(self.p)]):
            yield self.points[int(self.p[start])], slice(start, end)

    def series(self, rows: slice) -> Series:
        """The readings of one stretch."""
        return Series(self.t_ms[rows], self.x[rows], self.q[rows])


def columns_of(batches: Sequence[ReadingBatch]) -> Columns:
    """Join batches in their order. Raises ``Rejected`` for unequal columns and numbers that are not finite."""
    number: dict[str, int] = {}
    for batch in batches:
        check_columns(batch)
        for point in batch.points:
            number.setdefault(point, len(number))
    p = _joined([np.array([number[point] for point in b.points], np.int64)[b.p] for b in batches if len(b)], np.int64)
    t_ms = _joined([np.array(b.t_ms, np.int64) for b in batches], np.int64)
    x = _joined([np.array(b.x, np.float64) for b in batches], np.float64)
    q = _joined([np.array(b.q or [0] * len(b), np.uint8) for b in batches], np.uint8)
    if not np.isfinite(x).all():
        raise Rejected("not_finite", "a reading holds a number that is not finite")
    order = np.lexsort((t_ms, p))
    p, t_ms = p[order], t_ms[order]
    last = np.append((np.diff(p) != 0) | (np.diff(t_ms) != 0), True)[: len(p)]
    return Columns(list(number), p[last], t_ms[last], x[order][last], q[order][last])


def ranges_of(batches: Iterable[ReadingBatch]) -> dict[str, tuple[int, int]]:
    """First and last time of each point. An agent's batches name the same points again and again."""
    ends: dict[tuple[str, ...], tuple[Times, Times]] = {}
    for batch in batches:
        points = tuple(batch.points)
        if points not in ends:
            ends[points] = np.full(len(points), np.iinfo(np.int64).max), np.full(len(points), np.iinfo(np.int64).min)
        p, t_ms = np.array(batch.p, np.intp), np.array(batch.t_ms, np.int64)
        np.minimum.at(ends[points][0], p, t_ms)
        np.maximum.at(ends[points][1], p, t_ms)
    ranges: dict[str, tuple[int, int]] = {}
    for points, (low, high) in ends.items():
        for point, first, last in zip(points, low.tolist(), high.tolist(), strict=True):
            if first <= last:
                before = ranges.get(point, (first, last))
                ranges[point] = min(first, before[0]), max(last, before[1])
    return ranges


def merged(old: Series, new: Series) -> Series:
    """Readings of one point, in time order, with those of ``new`` where both have one."""
    t_ms = np.concatenate((old.t_ms, new.t_ms))
    order = np.argsort(t_ms, kind="stable")
    t_ms = t_ms[order]
    last = np.append(np.diff(t_ms) != 0, True)[: len(t_ms)]
    x, q = np.concatenate((old.x, new.x)), np.concatenate((old.q, new.q))
    return Series(t_ms[last], x[order][last], q[order][last])


def last_of_steps(t_ms: Times, step_ms: int) -> Times:
    """Of times (n,) in order the last of each step, ms: (k,). Steps begin at whole multiples since 1970."""
    newest: Times = t_ms[np.append(np.diff(t_ms // step_ms) != 0, True)[: len(t_ms)]]
    return newest


def switches_of(parts: Sequence[Series]) -> Series:
    """Parts in time order as one, without readings between the first and the last that show what the one before did."""
    t_ms, x, q = (np.concatenate(columns) for columns in zip(*((p.t_ms, p.x, p.q) for p in parts), strict=True))
    tells = np.ones(len(x), np.bool_)
    tells[1:-1] = x[1:-1] != x[:-2]
    return Series(t_ms[tells], x[tells], q[tells])


def standing(series: Series) -> Series:
    """The readings of a series without those that were retracted."""
    stands = series.q != Quality.RETRACTED
    return series if stands.all() else Series(series.t_ms[stands], series.x[stands], series.q[stands])


def empty_series() -> Series:
    """No readings."""
    return Series(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))


def check_columns(batch: ReadingBatch) -> None:
    """Raise ``Rejected`` where the columns of a batch differ in length."""
    rows = len(batch.x)
    if len(batch.p) != rows or len(batch.t_ms) != rows or (batch.q and len(batch.q) != rows):
        raise Rejected("unequal_columns", f"p {len(batch.p)}, t_ms {len(batch.t_ms)}, x {rows}, q {len(batch.q)}")


def _joined(parts: list[npt.NDArray[np.generic]], kind: type) -> npt.NDArray[np.generic]:
    return np.concatenate(parts) if parts else np.empty(0, kind)
