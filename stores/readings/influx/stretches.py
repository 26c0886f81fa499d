"""From when to when a point has readings of some kind, asked of the database only for the weeks that are written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WEEK_MS = 7 * DAY_MS
"""As one file of the server spans."""

Stretches = dict[str, tuple[int, int]]
"""First and last time in ms, both included, by point."""


class KnownStretches:
    """What has been found so far. A week of a point is asked for once."""

    def __init__(self, ask: Callable[[Sequence[str], int, int], Mapping[str, tuple[int, int]]]) -> None:
        """``ask`` gives the first and the last time of points in ``[start, end)``, those without any left out."""
        self._ask = ask
        self._asked: Stretches = {}
        self.found: Stretches = {}

    def look(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        """Ask for the weeks of these ranges that have not been asked for; what lies between two is asked with them."""
        new: dict[tuple[int, int], list[str]] = defaultdict(list)
        asked: Stretches = {}
        for point, (first_ms, last_ms) in ranges.items():
            first, end = first_ms // WEEK_MS, last_ms // WEEK_MS + 1
            since, until = self._asked.get(point, (first, first))
            for weeks in ((first, since), (until, end)):
                if weeks[0] < weeks[1]:
                    new[weeks].append(point)
                    asked[point] = min(first, since), max(end, until)
        for (first, end), points in new.items():
            self.add(self._ask(points, first * WEEK_MS, end * WEEK_MS))
        self._asked |= asked

    def add(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        """Widen what is known."""
        for point, (low, high) in ranges.items():
            first_ms, last_ms = self.found.get(point, (low, high))
            self.found[point] = min(low, first_ms), max(high, last_ms)
