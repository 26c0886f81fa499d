"""What a meter's figures must be: from its readings and the script that says which of them are false, step by step.

A step leads from one reading that is to be believed to the next. It is measured, estimated or missing, and its use is
what the register rose by, as one would work it out with pencil and paper.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from oracle.readings import courses, used_by
from oracle.worlds import DAY, GOOD, HIDDEN, HOUR, MANUAL, QUARTER, SUBSTITUTED, SUSPECT, local

LONGEST_MEASURED = 2 * HOUR
WEEKS = 28 * DAY
GROWN = 0.01
FEEDERS = {"electricity": 5_000.0, "water": 10_000.0}
"""What is the most an hour where nobody said: the greatest flow that is accepted as a reading."""


@dataclass(frozen=True)
class Step:
    """From one believed reading to the next. ``how``: measured or estimated; what is in no step is missing.

    ``is_open``: the rules leave open whether so short a step is measured or estimated. ``by_weeks``: spread by the
    meter's own weeks, else evenly. ``is_one``: of one course of the register; ``is_told``: what was truly used.
    """

    start: int
    end: int
    qty: float
    how: str
    is_open: bool = False
    by_weeks: bool = False
    is_one: bool = True
    is_told: bool = True


class _Point(NamedTuple):
    t_ms: int
    face: float
    q: int
    course: int
    after_false: bool = False
    is_stuck: bool = False


class Truth:
    """The steps of one head meter, and what they say of any stretch of time."""

    def __init__(self, world, head, rows, *, steps=None):
        self.world, self.head, self._zone = world, head, ZoneInfo(world.zone)
        self._courses = courses(world, head) if steps is None else []
        self.steps = self._steps(rows) if steps is None else steps
        self._ends = [step.end for step in self.steps]
        self._hours = {}
        self._weights = {}

    # Which readings are to be believed

    def _points(self, rows):
        """Believed readings and the reads of swaps, in order of time."""
        points, after_false = [], False
        rows = self._without_marks(rows)
        reads = [(k, one) for k, one in enumerate(self._courses) if one.why == "swap"]
        for row in rows:
            while reads and reads[0][1].since <= row.t_ms:
                k, swap = reads.pop(0)
                if swap.closing is not None:
                    points.append(_Point(swap.since, swap.closing, GOOD, k - 1, after_false))
                    after_false = False
                if swap.opening is not None:
                    points.append(_Point(swap.since, swap.opening, GOOD, k))
                    after_false = False
            if row.is_false:
                after_false = True
            else:
                points.append(_Point(row.t_ms, row.x / self.head.ratio, row.q, row.course, after_false, row.is_stuck))
                after_false = False
        return self._without_doubt(points)

    def _without_marks(self, rows):
        """Without the newest readings where the edge doubts them and they rose: until it believes one, or they grow.

        With what follows a false spell the register has returned: that is decided by its level, marked or not.
        """
        end = len(rows)
        while end and rows[end - 1].q == SUSPECT:
            end -= 1
        newest = rows[end:]
        if not end or not newest or newest[0].x <= rows[end - 1].x or newest[0].course != rows[end - 1].course:
            return rows
        if rows[end - 1].is_false:
            return rows
        return rows if max(row.x for row in newest) > newest[0].x + GROWN else rows[:end]

    def _without_doubt(self, points):
        """Without what follows a new level until it has grown: where it never does, nobody can tell what it is."""
        kept = points[:1]
        k = 1
        while k < len(points):
            end = k
            if self._is_odd(kept[-1], points[k]):
                end += 1
                while end < len(points) and not self._is_odd(points[end - 1], points[end]):
                    end += 1
                if max(point.face for point in points[k:end]) > points[k].face + GROWN:
                    end = k
            kept += [] if end > k else [points[k]]
            k = max(end, k + 1)
        return kept

    def _is_odd(self, a, b):
        """Whether what no ledger tells of has happened to the register in between, and shows."""
        whys = {one.why for one in self._courses[a.course + 1 : b.course + 1]}
        if "swap" in whys or not whys & {*HIDDEN, "daily"}:
            return False
        is_lower = b.face < a.face - max(0.005 * a.face, 0.01)
        ratio = self._courses[b.course].ratio
        return is_lower or (b.face - a.face) * ratio > self._most(a.t_ms, b.t_ms)

    # Steps

    def _steps(self, rows):
        points = self._points(rows)
        highest = {}
        held = []
        for point in points:  # a last digit that flickers is held
            top = point.face if self.head.span else max(point.face, highest.get(point.course, point.face))
            highest[point.course] = top
            held.append(point._replace(face=top))
        steps = [step for a, b in pairwise(held) if b.t_ms > a.t_ms for step in self._between(a, b)]
        return self._standstills(steps)

    def _between(self, a, b):
        """The step from one believed reading to the next: none where it is missing."""
        whys = [one.why for one in self._courses[a.course + 1 : b.course + 1]]
        length = b.t_ms - a.t_ms
        by_weeks = length > LONGEST_MEASURED
        if "swap" in whys:  # without the reads nothing is known
            return [] if by_weeks else [Step(a.t_ms, b.t_ms, 0.0, "estimated", is_one=False)]
        ratio = self._courses[b.course].ratio
        if set(whys) & {*HIDDEN, "daily"}:
            qty, how = self._over_a_beginning(a, b, whys, ratio)
            is_open = how != "estimated"
            return [Step(a.t_ms, b.t_ms, qty, "estimated" if by_weeks else how, is_open, by_weeks, False)]
        grown = b.face - a.face
        if grown < 0:
            grown = grown + self.head.span if self.head.span else 0.0
        is_known = by_weeks or a.q in {MANUAL, SUBSTITUTED} or b.q in {MANUAL, SUBSTITUTED} or b.after_false
        how = "estimated" if is_known else "measured"
        is_open = how == "measured" and SUSPECT in {a.q, b.q}
        if "ratio" not in whys:
            is_told = not (a.is_stuck or b.is_stuck)
            return [Step(a.t_ms, b.t_ms, grown * ratio, how, is_open, by_weeks, True, is_told)]
        return self._over_ratios(a, b, grown, Step(a.t_ms, b.t_ms, 0.0, how, is_open, by_weeks, False))

    def _over_a_beginning(self, a, b, whys, ratio):
        if not self._is_odd(a, b):
            return max(b.face - a.face, 0.0) * ratio, "measured"  # as if nothing had been
        if b.face < a.face and {"reset", "daily"} & set(whys):
            return b.face * ratio, "estimated"
        return 0.0, "open"

    def _over_ratios(self, a, b, grown, step):
        """The face grows evenly over the step; each part counts by its ratio; a long one is a silence of its own."""
        edges = [a.t_ms, *(one.since for one in self._courses[a.course + 1 : b.course + 1]), b.t_ms]
        ratios = [one.ratio for one in self._courses[a.course : b.course + 1]]
        share = [(until - since) / (b.t_ms - a.t_ms) for since, until in pairwise(edges)]
        qty = [grown * part * ratio for part, ratio in zip(share, ratios, strict=True)]
        spans = zip(pairwise(edges), qty, strict=True)
        return [
            replace(step, start=x, end=y, qty=one, by_weeks=step.by_weeks and y - x > LONGEST_MEASURED)
            for (x, y), one in spans
            if y > x
        ]

    def _standstills(self, steps):
        """A register that stood still and then rises faster than its feeder can deliver: one gap, estimated."""
        found = []
        for step in steps:
            if not step.is_one or step.qty <= self._most(step.start, step.end):
                found.append(step)
                continue
            start = step.start
            while found and found[-1].is_one and found[-1].qty == 0 and found[-1].end == start:
                start = found.pop().start
            is_long = step.end - start > LONGEST_MEASURED
            found.append(Step(start, step.end, step.qty, "estimated", not is_long, is_long, True, step.is_told))
        return found

    def _most(self, start, end):
        most = self.head.most or FEEDERS[self.head.utility]
        return most * max(end - start, QUARTER) / HOUR * (1 + 1e-12)

    # What they say of any stretch of time

    def use(self, start, end, *, only=None):
        """Use of a stretch of time; None where none of it is known. ``only``: of steps that are measured, estimated."""
        parts = [
            step.qty * self._part(step, max(start, step.start), min(end, step.end))
            for step in self._among(start, end)
            if only is None or step.how == only
        ]
        return sum(parts) if parts else None

    def times(self, start, end):
        """How much of a stretch (ms) is measured, estimated, and left open by the rules."""
        times = {"measured": 0, "estimated": 0, "open": 0}
        for step in self._among(start, end):
            times["open" if step.is_open else step.how] += min(end, step.end) - max(start, step.start)
        return times

    def has(self, start, end, what):
        """Whether a step that is ``what`` (by_weeks, is_open …) lies in a stretch."""
        return any(getattr(step, what) for step in self._among(start, end))

    def is_vague(self, start, end):
        """Whether a silence lies there that is spread by weeks in which the rules leave open what was measured."""
        found = [step for step in self._among(start, end) if step.by_weeks]
        return any(self.has(step.start - WEEKS - HOUR, step.start, "is_open") for step in found)

    def _among(self, start, end):
        k = bisect_right(self._ends, start)
        found = []
        while k < len(self.steps) and self.steps[k].start < end:
            found.append(self.steps[k])
            k += 1
        return found

    def _part(self, step, start, end):
        if not step.by_weeks:
            return (end - start) / (step.end - step.start)
        if step not in self._weights:
            self._weights[step] = self._weighed(step)
        pieces = self._weights[step]
        whole = sum((b - a) * weight for a, b, weight in pieces)
        if not whole:
            return (end - start) / (step.end - step.start)
        return sum((min(b, end) - max(a, start)) * w for a, b, w in pieces if a < end and b > start) / whole

    # The meter's own weeks

    def _weighed(self, step):
        """Pieces of a silence by local hours: start, end and what the meter usually used in that hour of the week."""
        usual = {}
        for t_ms, end in pairwise(self._hours_from(step.start - WEEKS, step.start + 1)):
            qty = self._measured_hour(t_ms, end)
            if t_ms >= step.start - WEEKS and end <= step.start and qty is not None:
                at = local(t_ms, self._zone)
                for key in ((at.weekday(), at.hour), at.hour, "any"):
                    usual.setdefault(key, []).append(qty)
        edges = [*self._hours_from(step.start, step.end), step.end]
        pieces = []
        for start, end in pairwise(edges):
            at = local(start, self._zone)
            found = [usual[key] for key in ((at.weekday(), at.hour), at.hour, "any") if key in usual]
            weight = sum(found[0]) / len(found[0]) if found else 1.0
            pieces.append((max(start, step.start), min(end, step.end), weight))
        return pieces

    def _hours_from(self, start, end):
        """The beginnings of local hours, from the one that holds ``start`` on; one may be cut where clocks change."""
        t_ms = start // QUARTER * QUARTER
        while not self._begins_hour(t_ms):
            t_ms -= QUARTER
        found = []
        while t_ms < end:
            found.append(t_ms)
            is_whole = local(t_ms, self._zone).minute == 0 and self._offset(t_ms) == self._offset(t_ms + HOUR)
            t_ms += HOUR if is_whole else QUARTER
            while not self._begins_hour(t_ms):
                t_ms += QUARTER
        return found

    def hour_after(self, t_ms):
        """The end of the local hour that begins with an instant."""
        return self._hours_from(t_ms, t_ms + HOUR + 1)[1]

    def _begins_hour(self, t_ms):
        return local(t_ms, self._zone).minute == 0 or self._offset(t_ms - 1) != self._offset(t_ms)

    def _offset(self, t_ms):
        return local(t_ms, self._zone).utcoffset()

    def _measured_hour(self, start, end):
        """Use per hour of an hour, or of what the clocks leave of it, that was wholly measured; None of another."""
        if start not in self._hours:
            is_whole = self.times(start, end)["measured"] == end - start
            self._hours[start] = self.use(start, end) * HOUR / (end - start) if is_whole else None
        return self._hours[start]

    # Is the oracle itself right?

    def untold(self):
        """The steps whose use is not what was truly used, to a few last digits: the oracle would be wrong."""
        wrong = []
        for step in self.steps:
            true = used_by(self.world, self.head, step.end) - used_by(self.world, self.head, step.start)
            ratio = max(one.ratio for one in self._courses)
            if step.is_one and step.is_told and abs(step.qty - true) > 2.01 * self.head.digit * ratio + 1e-6:
                wrong.append((step, true))
        return wrong
