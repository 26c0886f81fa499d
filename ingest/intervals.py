"""Which sequence numbers are done, as disjoint ranges in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.wire import Range

MAX_RANGES = 1_000
"""Beyond this many, the highest ranges are forgotten: the agent sends them again, which changes nothing."""


class Intervals:
    """A set of sequence numbers. Ranges include both ends; neighbours are joined."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Include ``first … last``; an empty range changes nothing."""
        if last < first:
            return
        low = bisect_left(self._ends, first - 1)
        high = bisect_right(self._starts, last + 1)
        if low < high:
            first, last = min(first, self._starts[low]), max(last, self._ends[high - 1])
        self._starts[low:high] = [first]
        self._ends[low:high] = [last]
        del self._starts[MAX_RANGES:], self._ends[MAX_RANGES:]

    def missing(self, first: int, last: int) -> list[Range]:
        """The parts of ``first … last`` that are not in the set."""
        parts: list[Range] = []
        at = first
        for i in range(bisect_left(self._ends, first), bisect_right(self._starts, last)):
            if at < self._starts[i]:
                parts.append((at, self._starts[i] - 1))
            at = self._ends[i] + 1
        if at <= last:
            parts.append((at, last))
        return parts

    @property
    def ranges(self) -> list[Range]:
        """All ranges in order."""
        return list(zip(self._starts, self._ends, strict=True))

    @property
    def watermark(self) -> int:
        """The highest number below which, and with which, everything from 1 on is done; 0 at the beginning."""
        return self._ends[0] if self._starts and self._starts[0] <= 1 else 0

    @property
    def above(self) -> list[Range]:
        """Ranges above the watermark."""
        return self.ranges[1:] if self.watermark else self.ranges
