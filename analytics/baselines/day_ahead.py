"""The next day of a meter: its normal week and the weather, put right by what its last weeks had of their own.

A ridge regression learns which past errors come again: those of a day, of a week, of the same hours on like days, and
the mean of the last ones. Nothing younger than 24 hours is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from analytics.baselines.band import error_quantiles, group_of
from analytics.baselines.ordinary import ordinary_hours
from analytics.baselines.port import Expectation, is_workday, quality_of
from analytics.baselines.towt import TowtBaseline
from analytics.rolling import rolling_sum
from analytics.suspicion.followed import BOUND, robust_spread

if TYPE_CHECKING:
    from analytics.baselines.port import Floats, HoursOfWeek

DAY_H, WEEK_H = 24, 168
LAG_DAYS = (1, 2, 3, 4, 5, 6, 7, 8, 14, 21, 28)
NEAR_H = (-3, -2, -1, 1, 2, 3)
"""Hours around the same hour of the last day and of the last week."""

MEAN_DAYS = (1, 2, 7, 14, 28)
WARMER_H = (6, 24, 72)
WARM_UP_H = 28 * DAY_H


class DayAheadBaseline:
    """Options in the constructor; ``fit`` on a meter's past, ``follow`` for hours whose last day is not known yet."""

    def __init__(self, *, ridge: float = 0.01, band_days: int = 91, coverage: float = 0.9) -> None:
        """``ridge`` is the penalty, as a share of the number of hours; the band follows ``band_days``."""
        self.ridge = ridge
        self.band_days = band_days
        self.coverage = coverage

    def fit(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats) -> Self:
        """Learn from consecutive hours (n,) each. Raises ``Insufficient`` when they do not suffice."""
        taught = ordinary_hours(hour_of_week, temp_c, y)
        self.week_ = TowtBaseline()
        base = self.week_.learn_apart(hour_of_week, temp_c, taught)
        self.bound_ = BOUND * robust_spread(taught - base) + 1e-9
        columns = self._columns(hour_of_week, temp_c, y - base)
        used = np.isfinite(y) & (np.cumsum(np.isfinite(y)) > WARM_UP_H)
        if not used.any():
            used = np.isfinite(y)
        self.mean_, self.scale_ = columns[used].mean(axis=0), columns[used].std(axis=0) + 1e-9
        x, error = (columns[used] - self.mean_) / self.scale_, np.clip((y - base)[used], -self.bound_, self.bound_)
        self.offset_ = float(error.mean())
        gram = x.T @ x + self.ridge * len(x) * np.eye(x.shape[1])
        self.coef_ = np.linalg.solve(gram, x.T @ (error - self.offset_))
        left = np.where(used, y - base - self._correction(columns), np.nan)
        self.quality_ = quality_of(y, left)
        recent = np.where(np.arange(len(y)) >= len(y) - self.band_days * DAY_H, left, np.nan)
        self.offsets_ = error_quantiles(hour_of_week, recent, self.coverage)
        return self

    def predict(self, hour_of_week: HoursOfWeek, temp_c: Floats | None) -> Expectation:
        """What a normal week would use in hours (n,) of whose past nothing is known."""
        return self._banded(hour_of_week, self.week_.level(hour_of_week, temp_c))

    def follow(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats, first: int) -> Expectation:
        """What is normal from hour ``first`` on, each hour by what was used up to a day before it; (n - first,).

        ``y`` (n,) reaches back four weeks or more before ``first`` and holds NaN where nothing is known.
        """
        base = self.week_.level(hour_of_week, temp_c)
        columns = self._columns(hour_of_week, temp_c, y - base)
        return self._banded(hour_of_week[first:], (base + self._correction(columns))[first:])

    def _banded(self, hour_of_week: HoursOfWeek, expected: Floats) -> Expectation:
        offsets = self.offsets_[group_of(hour_of_week)]
        lo, hi = expected + np.minimum(offsets[:, 0], 0), expected + np.maximum(offsets[:, 1], 0)
        return Expectation(np.maximum(expected, 0), np.maximum(lo, 0), np.maximum(hi, 0))

    def _correction(self, columns: Floats) -> Floats:
        """How much to add to the week, (n,); never more than an error may count."""
        found = (columns - self.mean_) / self.scale_ @ self.coef_ + self.offset_
        return np.asarray(np.clip(found, -self.bound_, self.bound_), np.float64)

    def _columns(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, error: Floats) -> Floats:
        """What the past tells of each hour, (n, columns): all of it is a day old, save the weather."""
        work = is_workday(hour_of_week)
        past = np.nan_to_num(np.clip(error, -self.bound_, self.bound_))
        day, week = _later(past, DAY_H), _later(past, WEEK_H)
        plain = [_later(past, days * DAY_H) for days in LAG_DAYS]
        plain += [_later(past, lag - step) for lag in (2 * DAY_H, WEEK_H) for step in NEAR_H]
        plain += [_later(day, step) for step in (1, 2, 3)]
        plain += [rolling_sum(day, days * DAY_H) / (days * DAY_H) for days in MEAN_DAYS]
        plain += [np.mean([_later(past, k * DAY_H) for k in range(1, count + 1)], axis=0) for count in (3, 7, 14, 28)]
        plain += [np.mean([_later(week, k * WEEK_H) for k in range(count)], axis=0) for count in (2, 4)]
        alike = [day * (work == _later(work.astype(np.float64), DAY_H).astype(np.bool_))]
        if temp_c is not None:
            known = np.nan_to_num(temp_c, nan=float(np.nanmean(temp_c)))
            plain += [rolling_sum(known, h) / np.minimum(np.arange(len(known)) + 1, h) - known for h in WARMER_H]
        return np.stack([*plain, *(column * work for column in plain), *alike], axis=1)


def _later(x: Floats, hours: int) -> Floats:
    """What was known so many hours before each hour (n,), 0 before the first."""
    return np.concatenate([np.zeros(min(hours, len(x))), x[: max(len(x) - hours, 0)]])
