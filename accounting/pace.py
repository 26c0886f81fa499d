"""How fast a register grows: by its own last readings, and at most as its feeder can deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS, HOUR_MS
from facility.register import RATE_FLOOR_MS

if TYPE_CHECKING:
    from accounting.arrays import Bools, Floats
    from accounting.local_time import Times

_READINGS, _LOOK, _WEEK_MS = 10, 64, 7 * DAY_MS
PACE_FACTOR = 4.0
"""A meter's own pace is that of its last ten readings; growth of up to four times that pace is believed."""


class Pace:
    """Of one device's readings (n,), as they are and as far as they are kept: both arrays may change meanwhile."""

    def __init__(self, t_ms: Times, x: Floats, keep: Bools, max_rate: float | Floats) -> None:
        """``max_rate`` is the most units an hour that the feeder can deliver, always or up to each reading (n,)."""
        self._t_ms, self._x, self._keep = t_ms, x, keep
        self._max_rate = np.broadcast_to(np.asarray(max_rate, np.float64), x.shape)

    def own(self, cycle: int, at: int) -> float:
        """Units a millisecond up to row ``at``, of rows from ``cycle`` on; 0 where nothing is known."""
        return self.usual(cycle, at, at) / (PACE_FACTOR * RATE_FLOOR_MS)

    def usual(self, cycle: int, at: int, until: int) -> float:
        """The most to be expected from row ``at`` to ``until`` by the pace up to ``at``, of rows from ``cycle`` on."""
        rows = self._last_kept(cycle, at)
        return self.between(rows[0], at, at, until) if len(rows) > 1 and rows[-1] == at else 0.0

    def greatest(self, cycle: int, at: int, until: int) -> float:
        """The most to be expected from row ``at`` to ``until`` by the fastest step up to ``at``, of the last ten."""
        rows = np.array(self._last_kept(cycle, at))
        if len(rows) < 2:  # noqa: PLR2004 - a step needs two readings
            return 0.0
        rates = self._rates(rows)
        return float(PACE_FACTOR * rates.max() * (self._t_ms[until] - self._t_ms[at]))

    def fastest(self, at: int, until: int, before: int) -> float:
        """Twice what the fastest step of the week up to row ``before`` would add from row ``at`` to ``until``."""
        start = int(np.searchsorted(self._t_ms, self._t_ms[before] - _WEEK_MS))
        rows = np.flatnonzero(self._keep[start : before + 1]) + start
        if len(rows) < 2:  # noqa: PLR2004 - a step needs two readings
            return 0.0
        rates = self._rates(rows)
        return float(2 * rates.max() * (self._t_ms[until] - self._t_ms[at]))

    def between(self, first: int, last: int, at: int, until: int) -> float:
        """The most to be expected from row ``at`` to row ``until`` by the pace of rows ``first`` to ``last``."""
        pace = (self._x[last] - self._x[first]) / self._time(first, last)
        return float(PACE_FACTOR * pace * self._time(at, until))

    def largest(self, first: int, last: int, like: int) -> float:
        """The largest step of rows ``first`` to ``last`` among those no longer than twice the one after row ``like``.

        A register of few digits, times its ratio, rises seldom and then by much.
        """
        rows = slice(first, last + 1)
        is_like = np.diff(self._t_ms[rows]) <= 2 * (self._t_ms[like + 1] - self._t_ms[like])
        return float(np.diff(self._x[rows])[is_like].max(initial=0.0))

    def is_known(self, cycle: int, at: int) -> bool:
        """Whether there are readings enough before row ``at`` to have a pace."""
        return len(self._last_kept(cycle, at)) > 2  # noqa: PLR2004 - of two readings one may be the odd one

    def has_step(self, cycle: int, at: int) -> bool:
        """Whether there is a reading before row ``at`` since row ``cycle``."""
        return len(self._last_kept(cycle, at)) > 1

    def spread(self, cycle: int, at: int, until: int) -> float:
        """By how much the last ten steps up to row ``at`` differ, for the time from ``at`` to ``until``."""
        rows = self._last_kept(cycle, at)
        if len(rows) < 2:  # noqa: PLR2004 - a step needs two readings
            return 0.0
        rates = self._rates(rows)
        return float((rates.max() - rates.min()) * (self._t_ms[until] - self._t_ms[at]))

    def most(self, at: int, until: int) -> float:
        """Most that can have been used between two rows."""
        return float(self._max_rate[until]) * self._time(at, until) / HOUR_MS

    def standstill(self, row: int) -> int:
        """The row of the first of the readings up to ``row`` that all show what it shows; false ones do not count."""
        width = _LOOK
        while True:
            start = max(row - width, 0)
            kept = np.flatnonzero(self._keep[start:row]) + start
            moved = np.flatnonzero(self._x[kept] != self._x[row])
            if len(moved) or start == 0:
                same = kept[int(moved[-1]) + 1 :] if len(moved) else kept
                return int(same[0]) if len(same) else row
            width *= 4

    def _last_kept(self, cycle: int, at: int) -> list[int]:
        width = _LOOK
        while True:
            start = max(at + 1 - width, cycle)
            rows = np.flatnonzero(self._keep[start : at + 1])[-_READINGS:] + start
            if len(rows) == _READINGS or start == cycle:
                found: list[int] = rows.tolist()
                return found
            width *= 4

    def _rates(self, rows: Times | list[int]) -> Floats:
        """Units a millisecond of each step between rows.

        A step of less than the usual time counts as one of that time: where a clock jumped, readings of two moments
        lie side by side and tell no rate.
        """
        steps_ms = np.diff(self._t_ms[rows]).astype(np.float64)
        rates: Floats = np.diff(self._x[rows]) / np.maximum(steps_ms, np.median(steps_ms))
        return rates

    def _time(self, first: int, last: int) -> int:
        return max(int(self._t_ms[last] - self._t_ms[first]), RATE_FLOOR_MS)
