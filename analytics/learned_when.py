"""When a counter's model is learned anew: every fourth Monday, spread over the counters; weekly while it knows little.

What is normal for a meter holds for months (``bench.adapter`` learns once for a whole year), so that an estate need
not learn all of it each week. A week's share is learned at once, and no week has all.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounting.local_time import Times

WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS
"""1970-01-05, the first Monday: weeks are counted from here, so every start of the process fits at the same hours."""

EVERY_WEEKS = 4
RECORD_H = 35 * 24
"""How far before the first step expectations reach back: suspicion compares with a meter's own recent weeks."""


@dataclass(frozen=True, slots=True)
class ModelTerm:
    """Hours in which one model is in force: rows of its fit, of its first hour, and of the hour after its last."""

    fit_at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Learner:
    """A counter as far as it matters when it learns: its name, and whether it knew little at a row."""

    name: str
    knew_little: Callable[[int], bool]

    def terms(self, t_ms: Times, first: int, known_ms: int | None = None) -> Iterator[ModelTerm]:
        """In the hours from ``t_ms`` (n,) on, from ``RECORD_H`` before the week of hour ``first``.

        Nothing is learned after ``known_ms``: the last model goes on. Four weeks before ``first`` lie among the hours.
        """
        week = int((t_ms[first] - MONDAY_MS) // WEEK_MS)
        last_ms = int(t_ms[-1]) if known_ms is None else min(int(t_ms[-1]), known_ms)
        fit_at = self._in_force(week, t_ms)
        start = max(0, _row(t_ms, week) - RECORD_H)
        for number in range(week + 1, int((last_ms - MONDAY_MS) // WEEK_MS) + 1):
            row = _row(t_ms, number)
            if row < len(t_ms) and (self._weeks_since(number) == 0 or self.knew_little(fit_at)):
                yield ModelTerm(fit_at, start, row)
                fit_at = start = row
        yield ModelTerm(fit_at, start, len(t_ms))

    def _in_force(self, week: int, t_ms: Times) -> int:
        """The row at which the model of a week's first hour was learned."""
        usual = _row(t_ms, week - self._weeks_since(week))
        return _row(t_ms, week) if self.knew_little(usual) else usual

    def _weeks_since(self, week: int) -> int:
        """How many weeks ago its turn was."""
        return (week + zlib.crc32(self.name.encode())) % EVERY_WEEKS


def _row(t_ms: Times, week: int) -> int:
    return int(np.searchsorted(t_ms, MONDAY_MS + week * WEEK_MS))
