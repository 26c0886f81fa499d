"""A counter's readings as one rising total: resets, roll-overs, steps back, zero glitches and spikes straightened."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from accounting.local_time import HOUR_MS, Times
from facility.register import GLITCH_READINGS, RATE_FLOOR_MS, small_step

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

JUDGED_BY_READINGS = 14
"""Neighbours on either side that are always enough to judge an anomaly: a wrong value's, and those of its pace."""

HOLD_MS = 6 * HOUR_MS
"""How long a small step back is held, four readings at least; a register that has not caught up by then counts on."""

_NEAR_ZERO = 0.1
"""A register that shows less than this share of what it showed before has begun again near zero."""

_PACE_READINGS, _PACE_FACTOR = 10, 4.0
"""A meter's own pace is that of its last ten readings; growth of up to four times that pace is believed."""


@dataclass(frozen=True, slots=True)
class Total:
    """Straightened counter: times (n,), rising total (n,), and how the step into each reading is known.

    ``estimated``: what it adds is an estimate; ``unread``: it leads from a device to another without the reads of a
    swap, so that nothing is known of what was used in it.
    """

    t_ms: Times
    total: Floats
    estimated: Bools
    unread: Bools


def in_order(t_ms: Times, x: Floats) -> tuple[Times, Floats]:
    """Readings (n,) by time; of several at one instant the last given counts, so that (m,) come back, m ≤ n."""
    if len(t_ms) > 1 and not (np.diff(t_ms) > 0).all():
        order = np.argsort(t_ms, kind="stable")
        t_ms, x = t_ms[order], x[order]
        last = np.append(np.diff(t_ms) > 0, True)
        t_ms, x = t_ms[last], x[last]
    return t_ms, x


def straightened(
    t_ms: Times,
    x: Floats,
    *,
    register_span: float | None = None,
    max_rate: float = np.inf,
    more_may_come: bool = True,
) -> Total:
    """The rising total of a register's readings (n,); ``max_rate`` in units per hour bounds what one step may add.

    While ``more_may_come``, what the newest readings are is left open. Vectorised over ordinary readings; only
    anomalies are walked one by one.
    """
    t_ms, x = in_order(t_ms, x)
    if register_span and len(x) and (x.max() >= register_span or x.min() < 0):
        possible = (x >= 0) & (x < register_span)  # no register shows more than its digits hold
        t_ms, x = t_ms[possible], x[possible]
    walk = _Walk(t_ms, x, register_span, max_rate, more_may_come=more_may_come)
    for i in anomalies(t_ms, x, max_rate).tolist():
        if i >= walk.resume:
            walk.settle(i)
    return walk.result()


def anomalies(t_ms: Times, x: Floats, max_rate: float = np.inf) -> Times:
    """Rows (k,) of readings (n,) in order whose successor is lower, or higher than ``max_rate`` (units/h) allows."""
    steps = np.diff(x)
    found = steps < 0
    if np.isfinite(max_rate):
        found |= steps > np.maximum(np.diff(t_ms), RATE_FLOOR_MS) * (max_rate / HOUR_MS)
    return np.flatnonzero(found)


def standstill(x: Floats, i: int) -> int:
    """The row of the first of the readings (n,) up to ``i`` that all show what reading ``i`` shows."""
    moved = np.flatnonzero(x[:i] != x[i])
    return int(moved[-1]) + 1 if len(moved) else 0


class _Walk:
    """Judges each anomaly in time order by at most ``GLITCH_READINGS`` neighbours or ``HOLD_MS``, never by more."""

    def __init__(
        self, t_ms: Times, x: Floats, register_span: float | None, max_rate: float, *, more_may_come: bool
    ) -> None:
        self.t_ms, self.x = t_ms, x.astype(np.float64, copy=True)
        self.register_span, self.max_rate, self.more_may_come = register_span, max_rate, more_may_come
        self.keep = np.ones(len(x), np.bool_)
        self.lift = np.zeros(len(x))  # what is added to the register from a reading on
        self.estimated = np.zeros(len(x), np.bool_)
        self.resume = 0  # readings before this one are settled
        self.cycle = 0  # first reading of the register's present cycle

    def settle(self, i: int) -> None:
        """Decide what the step from reading ``i`` to ``i + 1`` is."""
        before, after = self.x[i], self.x[i + 1]
        if after > before:
            self._settle_leap(i)
        elif after < before and not (self._drop_spike(i) or self._hold(i) or self._drop_glitch(i)):
            self._begin_cycle(i)

    def result(self) -> Total:
        """What the walk kept, as one rising total."""
        total = (self.x + np.cumsum(self.lift))[self.keep]
        # A reading after a glitch may lie a little below the value before it: the total stays level until it is passed.
        t_ms, estimated = self.t_ms[self.keep], self.estimated[self.keep]
        return Total(t_ms, np.maximum.accumulate(total), estimated, np.zeros(len(t_ms), np.bool_))

    def _settle_leap(self, i: int) -> None:
        stood = max(standstill(self.x, i), self.cycle)
        if self.x[i + 1] - self.x[i] <= self._most(stood, i + 1):
            # The register stood still, then showed all of its use at once. Without the readings in between there is one
            # long step, whose use is spread over it like that of a silence.
            self._leave_out(stood + 1, i + 1)
            return
        for k in range(i + 2, min(i + 2 + GLITCH_READINGS, len(self.x))):
            if 0 <= self.x[k] - self.x[i] <= self._most(i, k):
                self._leave_out(i + 1, k)
                return
        if self._is_recent(i):
            self._leave_out(i + 1, len(self.x))
        else:
            self._count_on(i, step=0.0)

    def _drop_spike(self, i: int) -> bool:
        """Leave out readings that stood up in one leap and came back down."""
        drop = self.x[i] - self.x[i + 1]
        for j in range(i - 1, max(self.cycle, i - GLITCH_READINGS) - 1, -1):
            if self.keep[j] and self.x[j] <= self.x[i + 1]:
                if self.x[j + 1] - self.x[j] < drop:
                    return False
                self._leave_out(j + 1, i + 1)
                return True
        return False

    def _hold(self, i: int) -> bool:
        """Hold the old value through a small step back, until it is passed."""
        peak = self.x[i]
        small = small_step(peak)
        if peak - self.x[i + 1] > small:
            return False
        end = int(np.searchsorted(self.t_ms, self.t_ms[i] + HOLD_MS, side="right"))
        end = max(end, min(i + 2 + GLITCH_READINGS, len(self.x)))  # who is read rarely has none in HOLD_MS: take some
        later = self.x[i + 1 : end]
        out = np.flatnonzero((later >= peak) | (later < peak - small))
        if not len(out) and end < len(self.x):
            self._count_on(i, step=0.0)
            return True
        stop = i + 1 + (int(out[0]) if len(out) else len(later))
        self.x[i + 1 : stop] = peak
        self.resume = stop - 1
        return True

    def _drop_glitch(self, i: int) -> bool:
        """Leave out low readings from which the register leaps back; leave recent ones out until that is known.

        The leap tells a wrong value from a register that was reset and grows at its own pace.
        """
        old = self.x[i]
        near = self.x[i + 1 : i + 2 + GLITCH_READINGS]
        for k, (low, back) in enumerate(pairwise(near), i + 2):
            leaps = low > _NEAR_ZERO * old or back - low > max(self._usual(i, k - 1, k), small_step(old))
            if leaps and back >= old - small_step(old):
                self._leave_out(i + 1, k)
                return True
        if self._is_recent(i):
            self._leave_out(i + 1, len(self.x))
            return True
        return False

    def _begin_cycle(self, i: int) -> None:
        before, after = float(self.x[i]), float(self.x[i + 1])
        if self.register_span and self._rolls_over(i, self.register_span):
            self._count_on(i, step=self.register_span - before + after, estimated=False)
        elif after <= min(_NEAR_ZERO * before, self._most(i, i + 1)):
            self._count_on(i, step=after)
        else:
            self._count_on(i, step=0.0)

    def _rolls_over(self, i: int, span: float) -> bool:
        """Past the last digit: out of the register's last tenth, or after a silence at the meter's own pace."""
        before, growth = self.x[i], span - self.x[i] + self.x[i + 1]
        if growth > self._most(i, i + 1):
            return False
        near = before > (1 - _NEAR_ZERO) * span and growth <= 2 * _NEAR_ZERO * span
        return bool(near or growth <= min(self._usual(i, i, i + 1), span / 2))

    def _usual(self, i: int, start: int, end: int) -> float:
        """The most to be expected from reading ``start`` to ``end`` by the meter's own pace before reading ``i``."""
        kept = np.flatnonzero(self.keep[self.cycle : i + 1])[-_PACE_READINGS:] + self.cycle
        if len(kept) < 2 or kept[-1] != i:  # noqa: PLR2004 - a pace needs two readings
            return 0.0
        pace = (self.x[i] - self.x[kept[0]]) / max(int(self.t_ms[i] - self.t_ms[kept[0]]), RATE_FLOOR_MS)
        return float(_PACE_FACTOR * pace * max(int(self.t_ms[end] - self.t_ms[start]), RATE_FLOOR_MS))

    def _count_on(self, i: int, *, step: float, estimated: bool = True) -> None:
        """Begin a cycle at ``i + 1`` in which the total has grown by ``step``."""
        self.lift[i + 1] = step - (self.x[i + 1] - self.x[i])
        self.estimated[i + 1] = estimated
        self.cycle = self.resume = i + 1

    def _leave_out(self, start: int, stop: int) -> None:
        self.keep[start:stop] = False
        self.resume = stop

    def _is_recent(self, i: int) -> bool:
        """Whether too few readings follow to tell a wrong value from a new cycle."""
        return self.more_may_come and len(self.x) < i + 2 + GLITCH_READINGS

    def _most(self, i: int, k: int) -> float:
        """Most that can have been used between two readings."""
        hours = max(int(self.t_ms[k] - self.t_ms[i]), RATE_FLOOR_MS) / HOUR_MS
        return self.max_rate * hours
