"""Where growth from a level of the register leads: whether it can have come to a reading from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS
from accounting.pace import PACE_FACTOR
from facility.register import LAST_DIGITS, small_step

if TYPE_CHECKING:
    from accounting.arrays import Floats
    from accounting.local_time import Times
    from accounting.pace import Pace

REMEMBERED_MS = 40 * DAY_MS
"""How long a level is remembered once the register has gone on rising from another one."""

_MISSED = 0.25
"""How far a register may come back beside where its pace leads, as a share of its fall, where pace alone speaks."""

_NEAR = 0.05
"""A register that fell so near to what it once showed, as a share of its fall, is no other one."""

_RESIDUE = 0.1
"""What a meter may have used in a false spell, as a share of the leap with which its register returned."""


@dataclass(slots=True)
class Course:
    """A level of the register: its first row, the newest that is believed, and the first of its present cycle.

    ``origin`` is the row of the course before to which the register may have come back (-1: none); ``is_first`` that a
    new register left with it the only value that it had ever shown; ``is_usual`` that it began again when it always
    does; ``is_wrapped`` that it went on past the last digit.
    """

    first: int
    tip: int
    cycle: int
    origin: int = -1
    is_first: bool = False
    is_usual: bool = False
    is_wrapped: bool = False
    is_decided: bool = True
    accepted: bool | None = None


class Leads:
    """Of one device's readings (n,): ``x`` and the kept rows of ``pace`` may change meanwhile."""

    def __init__(self, t_ms: Times, x: Floats, span: float | None, pace: Pace) -> None:
        """``span`` is where the register rolls over."""
        self._t_ms, self._x, self._span, self._pace = t_ms, x, span, pace

    def can_reach(self, course: Course, k: int) -> bool:
        """Whether the register can have grown from a course to row ``k``."""
        most = self._pace.most(course.tip, k)
        if self._span and self.has_rolled(course, k):
            most = min(most, self._pace.usual(course.cycle, course.tip, k), self._span / 2)
        return bool(-self.small(course) <= self.grown(course, k) <= most)

    def grown(self, course: Course, k: int) -> float:
        """By how much a course has grown where it led to row ``k``."""
        grown = float(self._x[k] - self._x[course.tip])
        return grown + self._span if self._span and self.has_rolled(course, k) else grown

    def has_rolled(self, course: Course, k: int) -> bool:
        """Whether a course that led to row ``k`` has rolled over meanwhile."""
        is_below = self._x[k] < self._x[course.tip] - self.small(course)
        return bool(self._span and is_below and not course.is_wrapped)

    def is_close(self, tip: int, cycle: int, k: int) -> bool:
        """Whether row ``k`` lies where growth from row ``tip`` leads, and not only where it could just lead."""
        if not self._pace.is_known(cycle, tip):
            return True
        leap = abs(self._x[k] - self._x[k - 1])
        most = max(small_step(self._x[tip]), self._pace.usual(cycle, tip, k), _RESIDUE * leap)
        return bool(self._x[k] - self._x[tip] <= most)  # a roll-over within the spell was held to the pace already

    def is_outgrown(self, course: Course, after: Course, k: int) -> bool:
        """Whether the register began again where a course led, has grown since, and row ``k`` tells of other use.

        ``after`` is the course that followed: past the last digit, or from zero. What it grew by speaks for it; row
        ``k`` lies at the level of before, but the use that it tells of is less than a quarter, or more than four times.
        """
        x, begun = self._x, after.first
        if not after.is_decided or x[begun] >= x[course.tip] or x[after.tip] <= x[after.cycle] + LAST_DIGITS:
            return False
        zero = x[course.tip] - (self._span or 0.0) if course.is_wrapped else 0.0
        usual = self._pace.usual(course.cycle, course.tip, begun)
        if x[begun] - zero > max(usual, self._pace.fastest(course.tip, begun, course.tip)):
            return False
        followed, returned = x[after.tip] - zero, x[k] - x[course.tip]
        return bool(not followed / PACE_FACTOR <= returned <= followed * PACE_FACTOR)

    def is_led_to(self, low: int, high: int, cycle: int, k: int) -> bool:
        """Whether row ``k`` is where the register was going before it rose from row ``low`` to row ``high`` at once.

        The rise is of over four times the pace before it. What has just begun again could show little: then row ``k``
        must show more than that, or no beginning was seen and the rise was not of the pace that followed it.
        """
        x, last = self._x, k - 1
        rise, usual = x[high] - x[low], self._pace.usual(cycle, low, high)
        if rise <= max(usual, LAST_DIGITS) or not self._pace.has_step(cycle, low):
            return False
        has_begun = x[k] <= self._pace.between(high, last, last, k)
        if self._is_near(low, high, k) and not has_begun:
            return True
        was_seen = cycle > 0 or x[cycle] <= LAST_DIGITS
        is_leap = rise > 2 * self._pace.between(high, last, low, high) / PACE_FACTOR
        return self._is_on_course(low, high, cycle, k) and bool(not has_begun or (not was_seen and is_leap))

    def _is_near(self, low: int, high: int, k: int) -> bool:
        """Whether the register came back, of a rise that explains its fall, to almost what it showed before."""
        fall, grown = self._x[k - 1] - self._x[k], self._x[k] - self._x[low]
        return bool(self._x[high] - self._x[low] >= fall / 2 and grown <= _NEAR * fall)

    def _is_on_course(self, low: int, high: int, cycle: int, k: int) -> bool:
        """Whether the register grew to row ``k`` by half to twice of what its pace up to row ``low`` asks for.

        In whole digits; it misses that by less than a quarter of the fall.
        """
        led, grown = self._pace.usual(cycle, low, k) / PACE_FACTOR, self._x[k] - self._x[low]
        coarse = max(self._pace.spread(cycle, low, high), LAST_DIGITS)
        if led <= 2 * coarse or not led / 2 - coarse <= grown <= led * 2 + coarse:
            return False
        return bool(abs(grown - led) <= _MISSED * (self._x[k - 1] - self._x[k]) + coarse)

    def level(self, course: Course) -> float:
        """What the register shows at least when it is back."""
        return float(self._x[course.tip]) - self.small(course)

    def small(self, course: Course) -> float:
        """How far a course may step back."""
        return small_step(float(self._x[course.tip]))
