"""Walks a register's readings in order of time: ordinary ones at once, the others one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.courses import LEAP_MS, NEAR_ZERO, Courses
from accounting.local_time import HOUR_MS
from accounting.pace import PACE_FACTOR
from facility.register import LAST_DIGITS, small_step

if TYPE_CHECKING:
    from accounting.leads import Course

HOLD_MS, HOLD_READINGS = 6 * HOUR_MS, 4
"""How long a small step back is held, four readings at least; a register that has not caught up by then counts on."""

_LEAP_FACTOR = 20.0
"""A rise of so many times the meter's pace turns out to be false where the register soon comes back below it."""

_BESIDE = 0.05
"""A share of the register: no new device shows so nearly what the one before did, so a fast rise is a return."""

_FLICKER = 3.0
"""So many of its smallest steps a register goes back without having been at a false level before."""

_NOISE = 1e-12
"""A share of the register: what arithmetic adds is no step."""


class Walk:
    """One walk over one device's readings; what it finds stands in ``courses``."""

    def __init__(self, courses: Courses, doubted: int, first: int, *, was_read: bool) -> None:
        """From row ``doubted`` on the edge believes none; with row ``first`` a new register first rises (0: none).

        ``was_read``: a person read the last one off the device that was then taken away.
        """
        self._at, self._doubted, self._first, self._was_read = courses, doubted, first, was_read
        self._t_ms, self._x, self._pace = courses.t_ms, courses.x, courses.pace

    def follow(self) -> None:
        """Walk all readings."""
        row, last = 0, len(self._x) - 1
        while row < last:
            end = self._at.next_odd(row)
            self._advance(row, end)
            row = self._settle(end) if end < last else end
        self._at.leave_out_doubts(was_read=self._was_read)

    def _advance(self, row: int, end: int) -> None:
        """Take the ordinary readings after ``row`` up to ``end``, of which none is lower than the one before."""
        while self._at.below:
            grown = self._grows_at(row, end)
            reached = self._reaches_at(row, end)
            if reached is not None and (grown is None or reached[0] <= grown):
                row = self._come_to(*reached, row)
            elif grown is not None:
                self._at.top.tip = row = grown
                self._at.decide()
            else:
                break
        self._at.top.tip = end

    def _grows_at(self, row: int, end: int) -> int | None:
        """Where a course in doubt has grown."""
        if self._at.top.is_decided:
            return None
        level = self._x[self._at.top.first] + LAST_DIGITS
        k = row + 1 + int(np.searchsorted(self._x[row + 1 : end + 1], level, side="right"))
        return k if k <= end else None

    def _reaches_at(self, row: int, end: int) -> tuple[int, Course] | None:
        """Where the register first gets back to a remembered level, and the highest such level."""
        found: list[tuple[int, float, Course]] = []
        for course in self._at.below:
            level = self._at.leads.level(course)
            k = row + 1 + int(np.searchsorted(self._x[row + 1 : end + 1], level))
            if self._x[row] < level and k <= end:
                found.append((k, -level, course))
        return next(((k, course) for k, _, course in sorted(found, key=lambda one: one[:2])), None)

    def _come_to(self, k: int, course: Course, row: int) -> int:
        """Row ``k`` gets up to a remembered level: by a leap it has returned, at its own pace it has grown past it."""
        step, fell = self._x[k] - self._x[k - 1], self._x[course.tip] - self._x[self._at.top.first]
        own = max(self._own_step(course, k), min(self._at.leads.small(course), fell / 2))
        self._at.top.tip = k - 1
        if (step > own or self._lands_on(course, k)) and self._at.may_return(course, k):
            self._at.return_or_doubt(course, k)
            return k
        if self._at.top.is_decided:
            self._at.below.remove(course)
            return row
        self._at.top.tip = k
        self._at.decide()
        return k

    def _lands_on(self, course: Course, k: int) -> bool:
        """Whether a register at a lower level, by a step such as it never made, is just where it would have been."""
        pace, tip = self._pace, course.tip
        led, grown = pace.usual(course.cycle, tip, k) / PACE_FACTOR, self._x[k] - self._x[tip]
        near = max(self._at.leads.small(course), led / 2, pace.spread(course.cycle, tip, k))
        step, first = self._x[k] - self._x[k - 1], self._at.top.first
        own = max(pace.greatest(self._at.top.cycle, k - 1, k), pace.fastest(k - 1, k, tip))
        return bool(self._x[first] < self._x[tip] and step > max(own, 2 * near) and abs(grown - led) <= near)

    def _own_step(self, course: Course, k: int) -> float:
        """The most by which the register can have come to row ``k`` without having returned to an earlier course.

        One that goes on rising may rise as fast as it ever did in the week before, and faster than it just did.
        """
        cycle, usual = self._at.top.cycle, self._pace.usual(self._at.top.cycle, k - 1, k)
        if not self._at.top.is_decided:
            return max(usual, self._x[k] - self._x[k - 1]) if self._grew_rather(course, k) else usual
        greatest = max(self._pace.greatest(cycle, k - 1, k), self._pace.fastest(k - 1, k, course.tip))
        before = self._x[course.tip]
        if before - self._x[self._at.top.first] <= _BESIDE * before:
            return max(usual, greatest)
        return max(_LEAP_FACTOR / PACE_FACTOR * usual, greatest)

    def _grew_rather(self, course: Course, k: int) -> bool:
        """Whether the meter's pace speaks for growth since row ``k - 1`` rather than for a return."""
        first, begun = self._at.top.first, self._pace.usual(course.cycle, course.tip, self._at.top.first)
        if self._x[first] > max(NEAR_ZERO * self._x[course.tip], begun):
            return False  # it did not begin again
        pace = self._pace.own(course.cycle, course.tip)
        grown = (self._x[k] - self._x[k - 1]) / (self._t_ms[k] - self._t_ms[k - 1])
        returned = (self._x[k] - self._x[course.tip]) / (self._t_ms[k] - self._t_ms[course.tip])
        if not 0 < grown <= PACE_FACTOR * pace:
            return False
        return bool(returned <= 0 or abs(np.log(grown / pace)) < abs(np.log(returned / pace)))

    def _settle(self, i: int) -> int:
        """Decide what the step from reading ``i`` to the next one is; the row up to which all is settled."""
        k = i + 1
        if self._x[k] < self._x[i]:
            row = self._settle_drop(i, k)
        elif k == self._first and self._at.top.is_decided:
            self._at.begin(k, is_first=True)
            row = k
        elif self._x[k] - self._x[i] > self._pace.most(i, k):
            row = self._settle_leap(i, k)
        elif k == self._doubted and self._x[k] > self._x[i] and self._at.top.is_decided:
            row = self._settle_doubted(k)
        else:  # it is ordinary, for what came before was held
            self._advance(i, k)
            row = k
        if not self._at.top.is_decided and self._x[row] > self._x[self._at.top.first] + LAST_DIGITS:
            self._at.decide()
        return row

    def _settle_drop(self, i: int, k: int) -> int:
        small, usual = small_step(self._x[i]), self._pace.usual(self._at.top.cycle, i, k)
        if self._x[i] - self._x[k] > small and self._at.begins_as_usual(i, k):
            self._at.begin(k, is_usual=True)
            return k
        is_small, has_left = self._x[i] - self._x[k] <= small, self._x[k] < self._x[self._at.top.first] - LAST_DIGITS
        course = None if is_small and not has_left else self._at.best_below(k)
        rolls_over = not is_small and self._rolls_over(i, k)
        if course is not None and not (rolls_over and self._at.leads.has_rolled(course, k)):
            self._at.return_or_doubt(course, k)
            return k
        before, origin = self._came_from(i, k, is_small=is_small)
        if before >= 0:
            self._at.rewind(before, k)
        elif is_small:
            return self._hold(i, small)
        elif rolls_over:
            self._at.roll_over(self._stood(i, k), k)
        elif self._is_of_another_time(i, k, usual):
            return self._hold(i, usual)
        else:
            self._at.begin(k, origin)
        return k

    def _is_of_another_time(self, i: int, k: int, usual: float) -> bool:
        """Whether a reading is one of a moment before, not of a register that goes on from a lower level."""
        is_near = self._x[k] > max(NEAR_ZERO * self._x[i], usual) and self._x[i] - self._x[k] <= usual
        goes_on = k + 1 < len(self._x) and self._x[k] + LAST_DIGITS < self._x[k + 1] < self._x[i]
        return bool(is_near and not goes_on)

    def _settle_leap(self, i: int, k: int) -> int:
        course = self._at.best_below(k)
        stood = self._stood(i, k)
        if course is not None:
            self._at.return_or_doubt(course, k)
        elif self._x[k] - self._x[i] <= self._pace.most(stood, k):
            # The register stood still, then showed all of its use at once. Without the readings in between there is one
            # long step, whose use is spread over it like that of a silence.
            self._at.catch_up(stood, k)
        else:
            self._at.begin(k)
        return k

    def _settle_doubted(self, k: int) -> int:
        """The edge doubts a rise that the feeder could deliver."""
        course = self._at.best_below(k)
        if course is not None:
            self._at.return_or_doubt(course, k)
        else:
            self._at.begin(k)
        return k

    def _hold(self, i: int, small: float) -> int:
        """Hold the old value through a small step back, until it is passed; the last row that is held."""
        peak = self._x[i]
        end = int(np.searchsorted(self._t_ms, self._t_ms[i] + HOLD_MS, side="right"))
        end = min(max(end, i + 1 + HOLD_READINGS), len(self._x))
        later = self._x[i + 1 : end]
        out = np.flatnonzero((later >= peak) | (later < peak - small))
        if not len(out) and end < len(self._x):
            self._at.step_back(i)
            return i + 1
        stop = i + 1 + (int(out[0]) if len(out) else len(later))
        self._x[i + 1 : stop] = peak
        self._at.top.tip = stop - 1
        return stop - 1

    def _came_from(self, i: int, k: int, *, is_small: bool) -> tuple[int, int]:
        """The row to which the register has come back with row ``k``, and one to which it may have; -1: none."""
        cycle, keep = self._at.top.cycle, self._at.keep
        start = max(cycle, int(np.searchsorted(self._t_ms, self._t_ms[k] - LEAP_MS)))
        if not keep[start]:  # within a standstill: from its beginning on
            start = cycle + int(np.flatnonzero(keep[cycle:start])[-1:].sum())
        rows = np.flatnonzero(keep[start : i + 1]) + start
        x = self._x[rows]
        passed = int(np.searchsorted(x, self._x[k] + LAST_DIGITS, side="right")) - 1
        origin = -1
        if 0 <= passed < len(rows) - 1 and self._is_leap(int(rows[passed]), int(rows[passed + 1]), i):
            origin = int(rows[passed])
            if self._at.leads.is_close(origin, cycle, k) and not (is_small and self._flickers(i, k)):
                return origin, origin
        if is_small or len(rows) < 2:  # noqa: PLR2004 - a rise needs two readings
            return -1, origin
        highest = int(np.argmax(np.diff(x)))
        for place in (passed, highest):
            if 0 <= place < len(rows) - 1:
                low, high = rows[place : place + 2].tolist()
                if self._at.leads.is_led_to(low, high, cycle, k):
                    return low, origin
        return -1, origin

    def _is_leap(self, low: int, high: int, i: int) -> bool:
        """Whether a rise, after which the register went on to row ``i``, was far faster than the meter's pace."""
        own = max(self._pace.usual(self._at.top.cycle, low, high), self._pace.between(high, i, low, high))
        return bool(self._x[high] - self._x[low] > max(_LEAP_FACTOR / PACE_FACTOR * own, LAST_DIGITS))

    def _rolls_over(self, i: int, k: int) -> bool:
        """Past the last digit: out of the register's last tenth, or after a silence at the meter's own pace."""
        span = self._at.span
        if not span:
            return False
        before, growth = self._x[i], span - self._x[i] + self._x[k]
        if growth > self._pace.most(i, k) and (
            # After a standstill: only what is more than a register can show that has just begun again at zero.
            self._x[k] <= self._pace.most(i, k) or growth > self._pace.most(self._stood(i, k), k)
        ):
            return False
        near = before > (1 - NEAR_ZERO) * span and growth <= 2 * NEAR_ZERO * span
        return bool(near or growth <= min(self._pace.usual(self._at.top.cycle, i, k), span / 2))

    def _flickers(self, i: int, k: int) -> bool:
        """Whether a register only went back by its last digit, or few of them: the smallest step that it makes."""
        start = max(self._at.top.cycle, int(np.searchsorted(self._t_ms, self._t_ms[k] - LEAP_MS)))
        steps = np.diff(self._x[start : i + 1])
        least = steps[steps > _NOISE * abs(self._x[i])].min(initial=np.inf)
        return bool(self._x[i] - self._x[k] <= _FLICKER * least)

    def _stood(self, i: int, k: int) -> int:
        """Since which row the register may have stood still up to row ``k``: ``i`` where its last step explains all."""
        span = self._at.span or 0.0
        growth = self._x[k] - self._x[i] + (span if self._x[k] < self._x[i] else 0.0)
        return i if growth <= self._pace.most(i, k) else max(self._pace.standstill(i), self._at.top.cycle)
