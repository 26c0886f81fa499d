"""The next day of a meter: its normal week and the weather, put right by what its last weeks had of their own.

A ridge regression learns which past errors come again: those of a day, of a week, of the same hours on like days, and
the mean of the last ones. A share of boosted trees sees in them, in the calendar and in the weather what a line does
not. Nothing younger than 24 hours is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from analytics.baselines.band import Tails, error_quantiles, group_of
from analytics.baselines.boosting import boosted, seen_columns
from analytics.baselines.hours import WORK
from analytics.baselines.ordinary import ordinary_hours
from analytics.baselines.port import Expectation, quality_of
from analytics.baselines.weighted_week import WeightedWeekBaseline
from analytics.rolling import rolling_sum
from analytics.suspicion.followed import BOUND, robust_spread

if TYPE_CHECKING:
    import numpy.typing as npt

    from analytics.baselines.hours import Hours
    from analytics.baselines.port import Floats

DAY_H, WEEK_H = 24, 168
LAG_DAYS = (1, 2, 3, 4, 5, 6, 7, 8, 14, 21, 28)
NEAR_H = (-3, -2, -1, 1, 2, 3)
"""Hours around the same hour of the last day and of the last week."""

MEAN_DAYS = (1, 2, 7, 14, 28)
WARMER_H = (6, 24, 72)
WARM_UP_H = 28 * DAY_H
BAND_COVERAGE = 0.92
"""Of the last weeks' errors, for a band that holds 90 % of the next weeks."""


class DayAheadBaseline:
    """Options in the constructor; ``fit`` on a meter's past, ``follow`` for hours whose last day is not known yet."""

    def __init__(
        self, *, heats: bool = False, trees: float = 0.0, ridge: float = 0.01, band_days: int = 91,
        coverage: float = BAND_COVERAGE,
    ) -> None:  # fmt: skip
        """``trees`` is the share of boosted trees, which cost more than all the rest, and look at what the line does
        not see; ``ridge`` is the penalty, as a share of the number of hours; the band follows ``band_days``.
        """  # noqa: D205 - the names explain each other
        self.heats = heats
        self.trees = trees
        self.ridge = ridge
        self.band_days = band_days
        self.coverage = coverage

    def fit(self, hours: Hours, y: Floats) -> Self:
        """Learn from consecutive hours (n,). Raises ``Insufficient`` when they do not suffice."""
        taught = ordinary_hours(hours.hour_of_week, hours.temp_c, y)
        self.week_ = WeightedWeekBaseline(heats=self.heats)
        base = self.week_.learn_apart(hours, taught)
        self.bound_ = BOUND * robust_spread(taught - base) + 1e-9
        columns = self._columns(hours, y - base)
        used = np.isfinite(y) & (np.cumsum(np.isfinite(y)) > WARM_UP_H)
        if not used.any():
            used = np.isfinite(y)
        self._learn_line(columns[used], self._bounded(y - base)[used])
        added = self._line(columns)
        if self.trees:
            seen = self._seen(hours, y, base, added)
            self.boosted_ = boosted(seen, np.where(used, self._bounded(y - base), np.nan))
        self._learn_band(hours, y, np.where(used, y - base - added, np.nan))
        return self

    def predict(self, hours: Hours) -> Expectation:
        """What a normal week would use in hours (n,) of whose past nothing is known."""
        return self.week_.predict(hours)

    def follow(self, hours: Hours, y: Floats, first: int) -> Expectation:
        """What is normal from hour ``first`` on, each hour by what was used up to a day before it; (n - first,).

        ``y`` (n,) reaches back four weeks or more before ``first`` and holds NaN where nothing is known.
        """
        base = self.week_.level(hours)
        added = self._line(self._columns(hours, y - base))
        if self.trees:
            seen = self._seen(hours, y, base, added)[first:]
            added[first:] += self.trees * (self.boosted_.predict(seen) - added[first:])
        return self._banded(hours[first:], (base + added)[first:])

    def _learn_line(self, columns: Floats, error: Floats) -> None:
        self.mean_, self.scale_ = columns.mean(axis=0), columns.std(axis=0) + 1e-9
        x = (columns - self.mean_) / self.scale_
        self.offset_ = float(error.mean())
        gram = x.T @ x + self.ridge * len(x) * np.eye(x.shape[1])
        self.coef_ = np.linalg.solve(gram, x.T @ (error - self.offset_))

    def _learn_band(self, hours: Hours, y: Floats, left: Floats) -> None:
        recent = np.where(np.arange(len(y)) >= len(y) - self.band_days * DAY_H, left, np.nan)
        self.offsets_ = error_quantiles(hours.hour_of_week, recent, self.coverage)
        self.tails_ = Tails.of(hours.hour_of_week, left)
        self.quality_ = quality_of(y, left, self.offsets_[group_of(hours.hour_of_week)])

    def _banded(self, hours: Hours, expected: Floats) -> Expectation:
        offsets, floor = self.offsets_[group_of(hours.hour_of_week)], min(self.week_.bounds_[0], 0.0)
        lo, hi = expected + np.minimum(offsets[:, 0], 0), expected + np.maximum(offsets[:, 1], 0)
        return Expectation(*(np.maximum(x, floor) for x in (expected, lo, hi)))

    def _line(self, columns: Floats) -> Floats:
        """How much the line adds to the week, (n,); never more than an error may count."""
        return self._bounded((columns - self.mean_) / self.scale_ @ self.coef_ + self.offset_)

    def _bounded(self, error: Floats) -> Floats:
        return np.asarray(np.clip(error, -self.bound_, self.bound_), np.float64)

    def _seen(self, hours: Hours, y: Floats, base: Floats, added: Floats) -> npt.NDArray[np.float32]:
        """What trees look at, (n, columns): calendar, weather, week and line, and use that is a day old or more."""
        past = np.concatenate([np.full(DAY_H, np.nan), y])[: len(y)]
        known, whole = np.isfinite(past).astype(np.float64), np.nan_to_num(past)
        means = [rolling_sum(whole, h) / np.maximum(rolling_sum(known, h), 1) for h in (3, DAY_H, WEEK_H)]
        lags = [_later(y, days * DAY_H) for days in (2, 7, 14)]
        columns = [*seen_columns(hours)[0], base, added, past, *means, *lags]
        return np.stack(columns, axis=1).astype(np.float32)

    def _columns(self, hours: Hours, error: Floats) -> Floats:
        """What the past tells of each hour, (n, columns): all of it is a day old, save the weather."""
        work = hours.day_type == WORK
        past = np.nan_to_num(self._bounded(error))
        day, week = _later(past, DAY_H), _later(past, WEEK_H)
        plain = [_later(past, days * DAY_H) for days in LAG_DAYS]
        plain += [_later(past, lag - step) for lag in (2 * DAY_H, WEEK_H) for step in NEAR_H]
        plain += [_later(day, step) for step in (1, 2, 3)]
        plain += [rolling_sum(day, days * DAY_H) / (days * DAY_H) for days in MEAN_DAYS]
        plain += [np.mean([_later(past, k * DAY_H) for k in range(1, count + 1)], axis=0) for count in (3, 7, 14, 28)]
        plain += [np.mean([_later(week, k * WEEK_H) for k in range(count)], axis=0) for count in (2, 4)]
        alike = [day * (work == _later(work.astype(np.float64), DAY_H).astype(np.bool_))]
        if hours.temp_c is not None:
            plain += [hours.lagged[f"temp_{h}"] - hours.lagged["temp_c"] for h in WARMER_H]
        return np.stack([*plain, *(column * work for column in plain), *alike], axis=1)


def _later(x: Floats, hours: int) -> Floats:
    """What was known so many hours before each hour (n,), 0 before the first."""
    return np.concatenate([np.zeros(min(hours, len(x))), x[: max(len(x) - hours, 0)]])
