"""A set of sequence numbers kept as few closed ranges: what is done, what is under way, what is still missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from facility.wire import Range


class RangeSet:
    """Closed integer ranges, sorted, disjoint and never adjacent."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[Range]:
        return iter(zip(self._first, self._last, strict=True))

    def __len__(self) -> int:
        """How many ranges there are; ``size`` counts numbers."""
        return len(self._first)

    def __contains__(self, number: int) -> bool:
        i = bisect_right(self._first, number) - 1
        return i >= 0 and number <= self._last[i]

    def copy(self) -> RangeSet:
        """The same numbers, to be changed apart."""
        twin = RangeSet()
        twin._first, twin._last = self._first.copy(), self._last.copy()
        return twin

    def add(self, first: int, last: int) -> None:
        """Put ``first … last`` in, both included; nothing if the range is empty."""
        if first > last:
            return
        i = bisect_left(self._last, first - 1)
        j = bisect_right(self._first, last + 1)
        if i < j:
            first, last = min(first, self._first[i]), max(last, self._last[j - 1])
        self._first[i:j] = [first]
        self._last[i:j] = [last]

    def remove(self, first: int, last: int) -> None:
        """Take ``first … last`` out, both included; nothing if the range is empty."""
        i = bisect_left(self._last, first)
        j = bisect_right(self._first, last)
        if first > last or i >= j:
            return
        rest = [(self._first[i], first - 1), (last + 1, self._last[j - 1])]
        kept = [(a, b) for a, b in rest if a <= b]
        self._first[i:j] = [a for a, _ in kept]
        self._last[i:j] = [b for _, b in kept]

    def keep_lowest(self, ranges: int) -> None:
        """Forget all but so many of the lowest ranges: a bound where a stranger chooses the numbers."""
        del self._first[ranges:], self._last[ranges:]

    def covers(self, first: int, last: int) -> bool:
        """Whether every number of ``first … last`` is in."""
        i = bisect_right(self._first, first) - 1
        return i >= 0 and last <= self._last[i]

    def size(self) -> int:
        """How many numbers are in."""
        return sum(self._last) - sum(self._first) + len(self._first)

    @property
    def watermark(self) -> int:
        """The highest number up to which everything from 1 on is in; 0 at the beginning."""
        return self._last[0] if self._first and self._first[0] <= 1 else 0

    @property
    def above(self) -> list[Range]:
        """Ranges above the watermark."""
        return list(self)[1:] if self.watermark else list(self)

    def gap_from(self, number: int, end: int) -> Range | None:
        """The first range of numbers not in, within ``number … end``; None if all are in."""
        i = bisect_right(self._first, number) - 1
        if i >= 0 and number <= self._last[i]:
            number = self._last[i] + 1
        if number > end:
            return None
        following = self._first[i + 1] - 1 if i + 1 < len(self._first) else end
        return number, min(following, end)

    def missing(self, first: int, last: int) -> list[Range]:
        """The parts of ``first … last`` that are not in."""
        found: list[Range] = []
        while (gap := self.gap_from(first, last)) is not None:
            found.append(gap)
            first = gap[1] + 1
        return found

    def gaps(self, number: int, end: int, limit: int) -> list[Range]:
        """At most ``limit`` gaps within ``number … end``; the last one then reaches to the end."""
        found: list[Range] = []
        while (gap := self.gap_from(number, end)) is not None:
            if len(found) == limit - 1:
                found.append((gap[0], end))
                break
            found.append(gap)
            number = gap[1] + 1
        return found
