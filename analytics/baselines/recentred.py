"""The normal of these weeks: a baseline moved to the level of the last four weeks, for alarms and never for savings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analytics.baselines.band import Tails, error_quantiles, group_of, usual_spread
from analytics.baselines.ordinary import ordinary_hours
from analytics.baselines.port import Expectation, Flags, Floats, HoursOfWeek, is_workday, quality_of
from analytics.baselines.towt import TowtBaseline
from analytics.suspicion.followed import BOUND, Followed, robust_spread

if TYPE_CHECKING:
    from analytics.baselines.hours import Hours

if TYPE_CHECKING:
    from analytics.baselines.hours import Hours

DAY = 24
PARTS = 3
MIN_ERRORS = 12
NOT_THERE = 2**16 - 1
"""So many ranks and one that stands for none are told in 16 bits."""


class RecentredBaseline:
    """Time of week and temperature, plus the median error of recent days that lie at least 24 h back.

    Three parts of the week move apart: working days by day, working nights, days off.
    """

    def __init__(self, *, recent_days: int = 28, band_days: int = 91, coverage: float = 0.9) -> None:
        """The level follows ``recent_days``; the band comes from errors that remained over ``band_days``."""
        self.recent_days = recent_days
        self.band_days = band_days
        self.coverage = coverage

    def fit(self, hours: Hours, y: Floats) -> Self:
        """Learn the week, the present level and the band that remains around the moving level, from hours (n,)."""
        left = self.learn(hours.hour_of_week, hours.temp_c, y).error
        self.tails_ = Tails.of(hours.hour_of_week, left)
        return self

    def learn(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats) -> Followed:
        """As ``fit``; and these hours (n,), expected by fits that did not see their week.

        Week and band learn from ordinary hours alone: last month's fault is not expected this month.
        """
        taught = ordinary_hours(hour_of_week, temp_c, y)
        self.week_ = TowtBaseline()
        base = self.week_.learn_apart(hour_of_week, temp_c, taught)
        part = part_of_week(hour_of_week)
        self.bound_ = BOUND * robust_spread(taught - base)
        levels = self._levels(part, self._bounded(y - base), 0)
        left = taught - base - levels
        self.spread_ = usual_spread(hour_of_week, left)
        recent = np.where(np.arange(len(y)) >= max(0, len(y) - self.band_days * DAY), left, np.nan)
        self.offsets_ = error_quantiles(hour_of_week, recent, self.coverage)
        self.quality_ = quality_of(taught, recent, self.offsets_[group_of(hour_of_week)])
        self.level_ = self._level(part, self._bounded(y - base))
        return self._course(hour_of_week, base, levels, y)

    def follow(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats, first: int) -> Followed:
        """What was or will be normal from hour ``first`` on, the level moved every 24 h by what lay before.

        ``y`` (n,) reaches back ``recent_days`` or more before ``first`` and holds NaN where nothing is known yet; what
        comes back is (n - first,).
        """
        base = self.week_.level(hour_of_week, temp_c)
        levels = self._levels(part_of_week(hour_of_week), self._bounded(y - base), first)
        return self._course(hour_of_week, base, levels, y).since(first)

    def predict(self, hours: Hours) -> Expectation:
        """What is normal now in each hour (n,); use is never expected below zero."""
        how = hours.hour_of_week
        return self.banded(how, self.week_.level(how, hours.temp_c) + self.level_[part_of_week(how)])

    def banded(self, hour_of_week: HoursOfWeek, expected: Floats) -> Expectation:
        """The band around what is expected of each hour (n,)."""
        offsets = self.offsets_[group_of(hour_of_week)]
        lo, hi = expected + np.minimum(offsets[:, 0], 0), expected + np.maximum(offsets[:, 1], 0)
        return Expectation(np.maximum(expected, 0), np.maximum(lo, 0), np.maximum(hi, 0))

    def _course(self, hour_of_week: HoursOfWeek, base: Floats, levels: Floats, y: Floats) -> Followed:
        return Followed(hour_of_week, y, base, levels, self.spread_[group_of(hour_of_week)])

    def _bounded(self, error: Floats) -> Floats:
        return np.asarray(np.clip(error, -self.bound_, self.bound_), np.float64)

    def _levels(self, part: HoursOfWeek, error: Floats, first: int) -> Floats:
        """Level of each hour from ``first`` on, set every 24 h; NaN before; (n,)."""
        levels = np.full(len(error), np.nan)
        starts = np.arange(first, len(error), DAY)
        set_to = self._levels_at(part, error, starts)
        hours = np.arange(first, len(error))
        levels[first:] = set_to[(hours - first) // DAY, part[first:]]
        return levels

    def _level(self, part: HoursOfWeek, error: Floats) -> Floats:
        """Median error of each part of the week over the recent days, leaving out the last 24 hours; (3,)."""
        level: Floats = self._levels_at(part, error, np.array([len(error)]))[0]
        return level

    def _levels_at(self, part: HoursOfWeek, error: Floats, starts: HoursOfWeek) -> Floats:
        """The level as it is known at each hour of ``starts`` (m,): (m, 3)."""
        last = starts - DAY
        first = last - self.recent_days * DAY
        begin = max(int(first.min(initial=len(error))), 0)
        part, error = part[begin:], error[begin:]
        return np.stack([_medians(error, part == p, first - begin, last - begin) for p in range(PARTS)], axis=1)


def _medians(x: Floats, mine: Flags, first: HoursOfWeek, last: HoursOfWeek) -> Floats:
    """Medians (m,) of ``x`` (n,) in the hours that are ``mine`` (n,), each from a ``first`` (m,) up to its ``last``.

    Where little is known it is 0. What is sorted are ranks in 16 bits: a quarter of the memory, in a third of the time.
    """
    chosen = np.flatnonzero(mine & np.isfinite(x))
    begins, ends = np.searchsorted(chosen, first), np.searchsorted(chosen, last)
    counts = ends - begins
    width = int(counts.max(initial=0))
    if width < MIN_ERRORS:
        return np.zeros(len(first))
    order = np.argsort(x[chosen])
    ranks = np.full(len(chosen) + width, len(chosen), np.uint16 if len(chosen) < NOT_THERE else np.uint32)
    ranks[order] = np.arange(len(chosen))
    rows = sliding_window_view(ranks, width)[begins]
    if counts.min() < width:
        rows[np.arange(width) >= counts[:, None]] = len(chosen)
    rows.sort(axis=1)  # what is not of this row comes last
    each, middle = np.arange(len(rows)), counts // 2
    ordered = np.append(x[chosen[order]], 0.0)
    low, high = (
        ordered[rows[each, np.maximum(counts - 1 - middle, 0)]],
        ordered[rows[each, np.minimum(middle, width - 1)]],
    )
    return np.where(counts >= MIN_ERRORS, (low + high) / 2, 0.0)


def part_of_week(hour_of_week: HoursOfWeek) -> HoursOfWeek:
    """0 day off, 1 working day 07–19 h, 2 the rest of a working day."""
    hour = hour_of_week % DAY
    by_day = (hour >= 7) & (hour < 19)  # noqa: PLR2004 - the usual day, only to group errors
    return np.where(is_workday(hour_of_week), np.where(by_day, 1, 2), 0).astype(np.int64)
