"""Follows a register through what its own growth does not explain: each level that it is at is a course of its own.

A reading to which the course before cannot have led begins a new course, and a spell with it. The courses before are
remembered: where the register leaps back to one of them, all between was false. Where it goes on rising instead, the
new course is what the register now is. Neither depends on how many readings there are, or on how often they come.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from accounting.habit import usual_beginning
from accounting.leads import REMEMBERED_MS, Course, Leads
from accounting.local_time import DAY_MS
from accounting.pace import PACE_FACTOR, Pace
from accounting.spells import Outcome, Spell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounting.arrays import Floats
    from accounting.local_time import Times

NEAR_ZERO = 0.1
"""A register that shows less than this share of what it showed before has begun again near zero."""

FIRST_FACTOR = 20.0
"""A new register that rises by so many times what it grows by afterwards has left a false value."""

LEAP_MS = 7 * DAY_MS
"""How far back a rise is looked for that was taken for ordinary, where the register comes back below it."""


class Courses:
    """The courses of one device's readings (n,), in order of time; what comes of it is ``keep`` and ``estimated``."""

    def __init__(
        self,
        t_ms: Times,
        x: Floats,
        anomalies: Times,
        span: float | None,
        max_rate: Floats,
        decided: Sequence[Spell],
    ) -> None:
        """``anomalies`` (k,) are rows whose successor is not ordinary, ``decided`` spells that a person judged.

        ``span`` is where the register rolls over; ``max_rate`` (n,) bounds, in units an hour, what the step into each
        reading may add.
        """
        self.t_ms, self.x = t_ms, x.astype(np.float64, copy=True)
        self._shown, self.span = x, span
        self._decisions = {one.first_ms: one.accepted for one in decided if one.accepted is not None}
        self.keep = np.ones(len(x), np.bool_)
        self.estimated = np.zeros(len(x), np.bool_)
        self._false = np.zeros(len(x), np.bool_)
        self._lift = np.zeros(len(x))  # what is added to the register from a row on
        self.pace = Pace(t_ms, self.x, self.keep, max_rate)
        self.leads = Leads(t_ms, self.x, span, self.pace)
        self.top, self.below = Course(0, 0, 0), list[Course]()
        self._spells: dict[int, Spell] = {}  # by the row of their first reading
        self._odd = anomalies

    def leave_out_doubts(self, *, was_read: bool) -> None:
        """At the end: what is in doubt is of no use, unless a person read it off the device that was taken away."""
        if was_read and not self.top.is_decided:
            self.top.is_first = False
            self.decide()
        elif not self.top.is_decided:
            self.keep[self._last_decided().tip + 1 :] = False

    def total(self) -> Floats:
        """The rising total of the rows that are kept, (m,)."""
        risen: Floats = (self.x + np.cumsum(self._lift))[self.keep]
        # After a spell the register may lie a little below the value before: the total stays level until it is passed.
        return np.maximum.accumulate(risen)

    def found(self) -> tuple[Spell, ...]:
        """The spells, oldest first."""
        return tuple(self._spells[row] for row in sorted(self._spells))

    def next_odd(self, row: int) -> int:
        """The first row from ``row`` on whose successor is not ordinary, or the last row."""
        place = int(np.searchsorted(self._odd, row))
        return int(self._odd[place]) if place < len(self._odd) else len(self.x) - 1

    def begin(self, k: int, origin: int = -1, *, is_first: bool = False, is_usual: bool = False) -> None:
        """Begin a course at row ``k`` that is in doubt, unless a person decided about it."""
        tip, was_decided = self.top.tip, self.top.is_decided
        self.remember()
        self.top = Course(k, k, k, origin, is_first=is_first, is_usual=is_usual, is_decided=False)
        if not was_decided:
            return  # the doubt that there is already goes on
        self.top.accepted = self._decision(k)
        self._note(tip, Outcome.IN_DOUBT, None, self.top.accepted)
        if self.top.accepted:
            self.decide()

    def decide(self) -> None:
        """The course in doubt has grown, or a person accepted it: what it is, and what the step into it adds."""
        top = self.top
        is_told = top.accepted or top.is_usual or self._left_false_start()
        course = None if is_told else self.best_below(top.first)
        if top.origin >= 0 and not top.accepted:
            self.top = self.below.pop()
            self._make_false(top.origin, top.first)
            self.top.tip = top.tip
        elif course is not None:
            self._join(course)
        else:
            base = self._last_decided()
            later = self.below[self.below.index(base) + 1 :]
            self.below = [one for one in self.below if one not in later or one.is_first]
            self._call_it(base)

    def _left_false_start(self) -> bool:
        """Whether the first rise of a new register was far faster than its growth since: what it left was no level."""
        first, tip = self.top.first, self.top.tip
        if not self.top.is_first or self.top.accepted is False:
            return self.top.is_first
        own = self.pace.between(first, tip, first - 1, first)
        most = max(FIRST_FACTOR / PACE_FACTOR * own, 2 * self.pace.largest(first, tip, first - 1))
        return bool(self.x[first] - self.x[first - 1] > most)

    def _call_it(self, base: Course) -> None:
        """A course that none before explains."""
        first, before, begins = self.top.first, self.x[base.tip], self.x[self.top.first]
        self.keep[base.tip + 1 : first] = False
        step, outcome = 0.0, Outcome.NEW_REGISTER
        if begins > before:
            step, outcome = (begins - before if self.top.accepted else 0.0), Outcome.LEAP
            if self.top.is_first and not self.top.accepted:
                self.keep[:first] = False  # nothing is known of the time in which it showed a false value
        elif begins <= self.pace.most(base.tip, first) and (
            self.top.is_usual or begins <= max(NEAR_ZERO * before, self.pace.usual(base.cycle, base.tip, first))
        ):
            step, outcome = (0.0 if self.top.accepted is False else begins), Outcome.RESET
            if self.top.is_usual:
                self.below = []  # it does so each day: no step up leads back to the day before
        self._count_on(first, base.tip, step)
        self.top.is_decided = True
        is_false_start = self.top.is_first and outcome is Outcome.LEAP and not self.top.accepted
        self._note(base.tip, outcome, self.top.tip, self.top.accepted, base.first if is_false_start else base.tip)

    def _join(self, course: Course) -> None:
        """The course in doubt goes on from an earlier one, whose level is remembered nevertheless."""
        top, place, earlier = self.top, self.below.index(course), replace(course)
        earlier.is_wrapped |= self.leads.has_rolled(course, top.first)
        self._take_back(course, top.first)
        self.below = [*self.below[:place], *([earlier] if top.first > earlier.tip + 1 else [])]
        self.top, course.tip = course, top.tip

    def begins_as_usual(self, i: int, k: int) -> bool:
        """Whether a register that begins again each day did so between two rows and has come to the later since."""
        begun_ms = usual_beginning(self.found(), int(self.t_ms[i]), int(self.t_ms[k]))
        if begun_ms is None:
            return False
        share = (self.t_ms[k] - begun_ms) / (self.t_ms[k] - self.t_ms[i])
        return bool(self.x[k] <= self.pace.fastest(i, k, i) * share)

    def return_or_doubt(self, course: Course, k: int) -> None:
        """The register is back at a remembered level with row ``k``, or may be."""
        if self._is_outgrown(course, k) or not self.leads.is_close(course.tip, course.cycle, k):
            self.begin(k)
            return
        del self.below[self.below.index(course) :]
        self._take_back(course, k)
        self.top, course.tip = course, k

    def rewind(self, origin: int, k: int) -> None:
        """The register is back, with row ``k``, at where it was before a rise that was taken for ordinary."""
        self._make_false(origin, k)
        self.top.tip = k

    def catch_up(self, stood: int, k: int) -> None:
        """The register stood still from row ``stood`` on and shows with row ``k`` what was used meanwhile."""
        self.keep[stood + 1 : k] = False
        self.estimated[k] = True
        self.top.tip = k

    def step_back(self, i: int) -> None:
        """After row ``i`` the register stays a little below what it had shown: it counts on from there."""
        self.remember()
        self._count_on(i + 1, i, step=0.0)
        self.top = Course(i + 1, i + 1, i + 1, is_decided=self.top.is_decided)
        self._note(i, Outcome.STEP_BACK, i + 1, None)

    def roll_over(self, stood: int, k: int) -> None:
        """The register has passed its last digit: exact, and remembered in case that it was a false zero.

        It may have stood still from row ``stood`` on, and shows with row ``k`` what was used meanwhile.
        """
        has_stood = stood < k - 1
        if has_stood:
            self.keep[stood + 1 : k] = False
            self.top.tip = stood
        self.remember()
        self.top.is_wrapped = True
        self.top = Course(k, k, k, is_decided=self.top.is_decided)
        self._lift[k] = self.span or 0.0
        self.estimated[k] = has_stood
        self._note(stood, Outcome.ROLL_OVER, k, None)

    def _take_back(self, course: Course, k: int) -> None:
        """The register is on an earlier course with row ``k``; it may have rolled over meanwhile."""
        if not self.keep[course.tip]:  # it was no false start
            self.keep[course.first : course.tip + 1], self._false[course.first : course.tip + 1] = True, False
        self._make_false(course.tip, k)
        if self.span and self.leads.has_rolled(course, k):
            self._lift[k] = self.span
            course.cycle = k

    def _make_false(self, tip: int, k: int) -> None:
        """Leave out what lies between two rows; what was used in that time is estimated.

        Rows after the first that show the same were read while the register stood still: what followed was not its use.
        What was false before within that standstill stays so.
        """
        begin = tip + 1
        moved = begin + np.flatnonzero((self.x[begin:k] != self.x[tip]) & ~self._false[begin:k])
        still = int(moved[0]) if len(moved) else k
        self.keep[begin:still] = ~self._false[begin:still]
        given_back = begin + np.flatnonzero(self.keep[begin:still])
        tip = int(given_back[-1]) if len(given_back) else tip
        for row in [row for row in self._spells if begin <= row <= k and not (row < tip and self._false[row])]:
            del self._spells[row]
        self.keep[tip + 1 : k] = False
        self._false[tip + 1 : k] = True
        self._lift[tip + 1 : k + 1] = 0.0
        self.estimated[k] = k > tip + 1  # nothing between: what was in doubt is ordinary
        if k > tip + 1:
            self._note(tip, Outcome.FALSE, k, self._decision(tip + 1))

    def remember(self) -> None:
        """Put the present course below, and forget what is long past."""
        oldest, base = self.t_ms[self.top.tip] - REMEMBERED_MS, self._last_decided()
        self.below = [one for one in self.below if one is base or self.t_ms[one.tip] >= oldest]
        self.below.append(self.top)

    def _count_on(self, k: int, tip: int, step: float) -> None:
        """From row ``tip`` to row ``k`` the total grows by ``step``, whatever the register shows."""
        self._lift[k] = step - (self.x[k] - self.x[tip])
        self.estimated[k] = True

    def _note(self, tip: int, outcome: Outcome, until: int | None, accepted: bool | None, since: int = -1) -> None:
        """Write down the spell whose first reading follows row ``tip``; nothing is known from row ``since`` on."""
        k = tip + 1
        self._spells[k] = Spell(
            since_ms=int(self.t_ms[tip if since < 0 else since]),
            first_ms=int(self.t_ms[k]),
            until_ms=None if until is None else int(self.t_ms[until]),
            before=float(self._shown[tip]),
            level=float(self._shown[k]),
            outcome=outcome,
            accepted=accepted,
        )

    def _decision(self, k: int) -> bool | None:
        """What a person decided about the spell that begins at row ``k``."""
        start, end = int(self.t_ms[k]), int(self.t_ms[self.next_odd(k)])
        return next((accepted for at, accepted in self._decisions.items() if start <= at <= end), None)

    def _last_decided(self) -> Course:
        return next(one for one in (self.top, *reversed(self.below)) if one.is_decided)

    def best_below(self, k: int) -> Course | None:
        """Of the remembered courses that can have led to row ``k`` the one that has grown least."""
        fitting = [course for course in self.below if self.fits(course, k)]
        return min(fitting, key=lambda course: self.leads.grown(course, k), default=None)

    def fits(self, course: Course, k: int) -> bool:
        """Whether a remembered course is what led to row ``k``: not before a roll-over that growth has confirmed."""
        return self.may_return(course, k) and not (course.is_wrapped and self._is_outgrown(course, k))

    def may_return(self, course: Course, k: int) -> bool:
        """Whether a remembered course can have led to row ``k``."""
        is_recent = self.t_ms[k] - self.t_ms[course.tip] <= REMEMBERED_MS
        return (is_recent or course is self._last_decided()) and self.leads.can_reach(course, k)

    def _is_outgrown(self, course: Course, k: int) -> bool:
        """Whether what followed a remembered course speaks against its having led to row ``k``."""
        return self.leads.is_outgrown(course, [*self.below, self.top][self.below.index(course) + 1], k)
