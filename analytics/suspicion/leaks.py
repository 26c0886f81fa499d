"""Water that runs away: the lowest flows of a meter's days rise above those of its weeks before, and stay there.

A counter that counts in large steps shows a slow leak as hours of nothing between steps: what such a meter used is
added up over some hours first (``analytics.suspicion.steps``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analytics.rolling import rolling_sum
from analytics.suspicion.bouts import QUIET_BELOW
from analytics.suspicion.budget import UNSEEN, YEAR_H, Budget, highest_quantiles, limit
from analytics.suspicion.policy import first_known
from analytics.suspicion.shapes import DAY_H
from analytics.suspicion.steps import added_up, counter_step, span_of
from analytics.suspicion.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analytics.baselines.port import Floats
    from analytics.suspicion.trouble import Flags

NEVER_RESTS, RISES = "continuous_flow", "night_flow_rise"

LOW_H = {"rest": 24, "low_72": 72, "low_168": 168}
"""Hours over which a lowest flow is looked for."""

LOW_SHARE = {"rest": 0.01, "low_72": 0.08, "low_168": 0.08}
"""Share of the lowest hours whose mean it is: of a day the single lowest, of several days two hours of each.

Of eight homes somebody is up at most hours of a night: a quarter of all hours is what people use, not what runs.
"""

KNOWN = 0.8
RECORD_DAYS = 28
FIRST_KNOWN_H = 7 * DAY_H
USUAL = 0.9
"""The lowest flow that nine of ten of those windows did not pass is what a meter is used to."""

PEAKS_A_YEAR, ALARMS_A_YEAR = 4.0, 8.0
EASE: Mapping[Budget, float] = {Budget.QUIET: 1.5, Budget.NORMAL: 1.0, Budget.KEEN: 0.8}
NEARLY_ONE_STEP = 0.9
"""Where use is added up, less than a step says nothing."""

WARM_UP_H = RECORD_DAYS * DAY_H

LAST_NIGHT_H, NIGHT_BEFORE_H, LOW_A_NIGHT_H = 8, (26, 47), 2
"""A leak has ended once the last night and the one before had so many hours as low as before it. What is that far apart
is not the same night."""


SHORT_PAST_H, LASTING_H = 13 * 7 * DAY_H, 3 * DAY_H
"""In a past shorter than a quarter of a year a leak would be the largest of few rises, and hide itself: rises that last
are not learned from there."""


class LeakRule:
    """Options in the constructor, a meter's hours in ``fit``; flows in the counter's unit per hour, arrays (n,)."""

    def __init__(self, *, least: float, budget: Budget = Budget.NORMAL) -> None:
        """``least`` is the smallest leak worth a person, and no smaller than the counter can show."""
        self.least = least
        self.budget = budget

    def fit(self, y: Floats) -> Self:
        """Learn how far this meter's lowest flows rise by themselves, from hours (n,)."""
        y = y[first_known(y) :]
        self.step_ = counter_step(y)
        self.span_ = span_of(y, self.step_, self.least)
        rises, _ = rises_of(added_up(y, self.span_))
        ordinary = np.arange(len(y)) >= min(WARM_UP_H, len(y) // 2)
        if len(y) < SHORT_PAST_H:
            ordinary &= ~_lasting(rises["rest"] > self.least)
        learned = {name: rise[ordinary] if ordinary.any() else rise for name, rise in rises.items()}
        years = len(learned["rest"]) / YEAR_H
        peaks = np.array([max(limit(rise, PEAKS_A_YEAR * years), self.least) for rise in learned.values()])
        largest = np.max([rise / peak for rise, peak in zip(learned.values(), peaks, strict=True)], axis=0)
        unseen = 1 + UNSEEN * max(0.0, -float(np.log(years)))
        self.sizes_ = peaks * unseen * max(limit(largest, ALARMS_A_YEAR * years), self.least / float(peaks.min()))
        return self

    @property
    def unseen(self) -> float:
        """A leak below this flow is not told: it is no larger than what the meter does by itself, or one step."""
        return float(max(self._told_from()[0], self.step_ / self.span_))

    def _told_from(self) -> Floats:
        """Rise of each lowest flow from which on it is told, (3,)."""
        one_step = self.step_ / self.span_ if self.span_ > 1 else 0.0
        return np.asarray(np.maximum(self.sizes_ * EASE[self.budget], NEARLY_ONE_STEP * one_step), np.float64)

    def detect(self, y: Floats) -> list[Trouble]:
        """Leaks in hours (n,), in the order they were raised."""
        return self.judge(y)[0]

    def judge(self, y: Floats) -> tuple[list[Trouble], Floats]:
        """As ``detect``, and how suspicious each hour is, (n,): above 1 it is told."""
        y = added_up(y, self.span_)
        rises, usual = rises_of(y)
        scores = np.stack([rise / size for rise, size in zip(rises.values(), self._told_from(), strict=True)])
        return sorted(self._leaks(y, rises, usual, scores), key=lambda one: one.raised), scores.max(axis=0)

    def _leaks(
        self, y: Floats, rises: Mapping[str, Floats], usual: Mapping[str, Floats], scores: Floats
    ) -> Iterator[Trouble]:
        """By rises and the usual of each lowest flow, (n,), and its score, (3, n)."""
        score, over = scores.max(axis=0), scores.max(axis=0) > 1
        k = 0
        while over[k:].any():
            raised = k + int(np.argmax(over[k:]))
            name = list(rises)[int(np.argmax(scores[:, raised]))]
            has_ended = self._returned(y, raised, usual[name][raised], rises[name][raised])
            quiet = np.flatnonzero(has_ended & (score[raised:] < QUIET_BELOW))
            end = raised + int(quiet[0]) if len(quiet) else len(y)
            loud = ~has_ended[: end - raised]
            since = _since(y, raised, usual[name][raised] + rises[name][raised] / 2)
            kind = NEVER_RESTS if name == "rest" else RISES
            yield Trouble(kind, since, raised, end, loud, span_h=self.span_, unseen=self.unseen)
            k = end

    def _returned(self, y: Floats, raised: int, usual: float, rise: float) -> Flags:
        """Whether the lowest flow is back where it was, hour by hour from ``raised`` on: for night after night."""
        low = (y[raised:] < usual + rise / 2).astype(np.float64)
        apart, far = NIGHT_BEFORE_H
        night_before = np.concatenate([np.zeros(apart), rolling_sum(low, far - apart)])[: len(low)]
        both = (rolling_sum(low, LAST_NIGHT_H) >= LOW_A_NIGHT_H) & (night_before >= LOW_A_NIGHT_H)
        return rolling_sum(both.astype(np.float64), DAY_H) > 0  # by day it stays as the night left it


def _lasting(over: Flags) -> Flags:
    """Hours (n,) of spells that are long, and of the days after them that remember them."""
    hours = np.arange(len(over))
    run = hours - np.maximum.accumulate(np.where(over, -1, hours))
    found = np.zeros(len(over), np.bool_)
    for end in np.flatnonzero(run >= LASTING_H).tolist():
        found[end - LASTING_H + 1 : end + max(LOW_H.values())] = True
    return found


def rises_of(y: Floats) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """How far each lowest flow of hours (n,) lies above what is usual, (n,) each and 0 where unknown; and the usual."""
    rises, usual = {}, {}
    for name, hours in LOW_H.items():
        low = lowest_flow(y, hours, LOW_SHARE[name])
        usual[name] = _usual(low, hours)
        rises[name] = np.nan_to_num(low - usual[name])
    return rises, usual


def lowest_flow(y: Floats, hours: int, share: float) -> Floats:
    """Mean of the lowest share of the last ``hours`` of each hour (n,), NaN where too few are known."""
    padded = np.concatenate([np.full(hours - 1, np.inf), np.where(np.isfinite(y), y, np.inf)])
    windows, few = sliding_window_view(padded, hours), max(int(hours * share), 1)
    found = np.empty(len(y))
    for k in range(0, len(y), 1000):  # a thousand windows at once stay in the processor's cache
        part = windows[k : k + 1000]
        lowest = part.min(axis=1, keepdims=True) if few == 1 else np.partition(part, few - 1, axis=1)[:, :few]
        known = np.isfinite(part).sum(axis=1) >= KNOWN * hours
        found[k : k + 1000] = np.where(known, lowest.mean(axis=1), np.nan)
    return found


def _usual(low: Floats, hours: int) -> Floats:
    """What lowest flows reached in the weeks before each day, (n,); NaN while less than a week is known."""
    found, lag = np.full(len(low), np.nan), max(hours // DAY_H, 1) * DAY_H
    for day in range(0, len(low), DAY_H):
        past = low[max(0, day - lag - RECORD_DAYS * DAY_H) : max(0, day - lag)]
        past = past[np.isfinite(past)]
        if len(past) >= FIRST_KNOWN_H:
            found[day : day + DAY_H] = highest_quantiles(past, np.array([USUAL]))[0]
    return found


def _since(y: Floats, raised: int, height: float) -> int:
    """The hour after the last that was lower than that."""
    lower = np.flatnonzero(~(y[: raised + 1] >= height))
    return min(int(lower[-1]) + 1 if len(lower) else 0, raised)
