"""A meter's normal week and how it leans on outdoor temperature (time of week and temperature, holidays known).

The model of Mathieu, Price, Kiliccote, Piette 2011 (IEEE Trans. Smart Grid 2(3)): a level for each hour of the week
and a piecewise linear temperature response, apart for busy and quiet hours; with a small ridge so that an hour of the
week that was never seen does not break it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from analytics.baselines.band import Tails, error_quantiles, group_of
from analytics.baselines.port import HOURS_OF_WEEK, Expectation, Flags, Floats, HoursOfWeek, quality_of
from analytics.sufficiency import require_enough

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.baselines.hours import Hours

KNOTS_C = (5.0, 10.0, 15.0, 20.0, 25.0)
"""Where the temperature response may bend."""


class TowtBaseline:
    """Hour-of-week level plus temperature response; without temperature, the mean of each hour of the week."""

    def __init__(self, *, ridge: float = 1e-3, folds: int = 4, coverage: float = 0.9) -> None:
        """``ridge`` per hour of the week; the band comes from ``folds`` sets of held-back weeks."""
        self.ridge = ridge
        self.folds = folds
        self.coverage = coverage

    def fit(self, hours: Hours, y: Floats) -> Self:
        """Learn level, response, band and quality from consecutive hours (n,)."""
        used, how, response, y_used = self._learn(hours.hour_of_week, hours.temp_c, y)
        fold = (np.arange(len(y)) // HOURS_OF_WEEK % self.folds)[used]
        error = self._held_back_errors(how, response, y_used, fold)
        self.offsets_ = error_quantiles(how, error, self.coverage)
        self.tails_ = Tails.of(how, error)
        self.quality_ = quality_of(y_used, error, self.offsets_[group_of(how)])
        return self

    def learn_level(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats) -> Self:
        """Learn level and response alone from hours (n,), for a baseline with a band of its own: far quicker."""
        self._learn(hour_of_week, temp_c, y)
        return self

    def learn_apart(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats) -> Floats:
        """Learn level and response; what each hour (n,) is expected to use by a fit that did not see its week.

        Hours without use are expected all the same: by the fit that would not have seen them.
        """
        used, how, response, y_used = self._learn(hour_of_week, temp_c, y)
        fold = np.arange(len(y)) // HOURS_OF_WEEK % self.folds
        everywhere = self._response(hour_of_week, temp_c if len(self.knots_) else None)
        apart = np.empty(len(y))
        for k, coef in enumerate(self._held_back(how, response, y_used - self.mean_, fold[used])):
            part = fold == k
            apart[part] = _apply(coef, hour_of_week[part], everywhere[part]) + self.mean_
        return apart

    def predict(self, hours: Hours) -> Expectation:
        """Expected use of each hour (n,); NaN where the model knows temperature and the hour's is missing."""
        expected = self.level(hours.hour_of_week, hours.temp_c)
        offsets = self.offsets_[group_of(hours.hour_of_week)]
        return Expectation(expected, expected + offsets[:, 0], expected + offsets[:, 1])

    def level(self, hour_of_week: HoursOfWeek, temp_c: Floats | None) -> Floats:
        """Expected use without its band, (n,)."""
        response = self._response(hour_of_week, temp_c if len(self.knots_) else None)
        return _apply(self.coef_, hour_of_week, response) + self.mean_

    def _learn(
        self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats
    ) -> tuple[Flags, HoursOfWeek, Floats, Floats]:
        """Set what ``level`` needs; which hours were used, and their hour of week, response and use."""
        used = np.isfinite(y) if temp_c is None else np.isfinite(y) & np.isfinite(temp_c)
        require_enough(hour_of_week, np.where(used, y, np.nan))
        how, y = hour_of_week[used], y[used]
        temp_c = None if temp_c is None else temp_c[used]
        self.mean_ = float(y.mean())
        self.knots_ = _knots_within(temp_c)
        self.busy_ = _busy_hours(how, y)
        response = self._response(how, temp_c)
        gram, side = _normal_equations(how, response, y - self.mean_)
        self.coef_ = _solve(self._ridged(gram, len(y)), side)
        return used, how, response, y

    def _held_back_errors(self, how: HoursOfWeek, response: Floats, y: Floats, fold: HoursOfWeek) -> Floats:
        """The error of each hour by a fit that did not see its week, (n,)."""
        y = y - self.mean_
        error = np.empty(len(y))
        for k, coef in enumerate(self._held_back(how, response, y, fold)):
            part = fold == k
            error[part] = y[part] - _apply(coef, how[part], response[part])
        return error

    def _held_back(self, how: HoursOfWeek, response: Floats, y: Floats, fold: HoursOfWeek) -> Iterator[Floats]:
        """Coefficients learned without each of the folds."""
        sums = [_normal_equations(how[p], response[p], y[p]) for p in (fold == k for k in range(self.folds))]
        gram, side = np.sum([g for g, _ in sums], axis=0), np.sum([s for _, s in sums], axis=0)
        for own_gram, own_side in sums:
            yield _solve(self._ridged(gram - own_gram, len(y)), side - own_side)

    def _ridged(self, gram: Floats, hours: int) -> Floats:
        return gram + self.ridge * max(1.0, hours / HOURS_OF_WEEK) * np.eye(len(gram))

    def _response(self, how: HoursOfWeek, temp_c: Floats | None) -> Floats:
        """Temperature pieces of busy hours, then of quiet ones, (n, 2 x pieces); no columns without temperature."""
        if temp_c is None:
            return np.empty((len(how), 0))
        pieces, busy = _pieces(temp_c, self.knots_), self.busy_[how][:, None]
        return np.hstack([pieces * busy, pieces * ~busy])


def _normal_equations(how: HoursOfWeek, response: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Gram matrix and right side of one column per hour of the week beside the response columns.

    The week's columns are 0 or 1, one of them in each row, so that counting replaces multiplying.
    """
    week, size = HOURS_OF_WEEK, HOURS_OF_WEEK + response.shape[1]
    gram, side = np.zeros((size, size)), np.empty(size)
    gram[np.arange(week), np.arange(week)] = np.bincount(how, minlength=week)
    for k, column in enumerate(response.T, start=week):
        gram[:week, k] = gram[k, :week] = np.bincount(how, column, week)
    gram[week:, week:] = response.T @ response
    side[:week], side[week:] = np.bincount(how, y, week), response.T @ y
    return gram, side


def _solve(gram: Floats, side: Floats) -> Floats:
    """What solves the normal equations: of the week's columns no two share an hour, so they are solved one by one."""
    week = HOURS_OF_WEEK
    diagonal, mixed = gram[np.arange(week), np.arange(week)], gram[:week, week:]
    scaled = mixed / diagonal[:, None]
    pieces = np.linalg.solve(gram[week:, week:] - mixed.T @ scaled, side[week:] - scaled.T @ side[:week])
    return np.concatenate([(side[:week] - mixed @ pieces) / diagonal, pieces])


def _apply(coef: Floats, how: HoursOfWeek, response: Floats) -> Floats:
    values: Floats = coef[how] + response @ coef[HOURS_OF_WEEK:]
    return values


def _knots_within(temp_c: Floats | None) -> Floats:
    """Knots that have hours on both sides; none without temperature."""
    if temp_c is None:
        return np.empty(0)
    low, high = np.quantile(temp_c, [0.02, 0.98])
    inside = [knot for knot in KNOTS_C if low < knot < high]
    return np.array(inside or [float(np.median(temp_c))])


def _pieces(temp_c: Floats, knots: Floats) -> Floats:
    """Piecewise linear temperature, (n, pieces): the columns of a row sum to the temperature (over 10 °C)."""
    first, last = np.minimum(temp_c, knots[0]), np.maximum(temp_c - knots[-1], 0)
    between = [np.clip(temp_c - a, 0, b - a) for a, b in pairwise(knots)]
    return np.stack([first, *between, last], axis=1) / 10


def _busy_hours(how: HoursOfWeek, y: Floats) -> Flags:
    """Hours of the week whose mean use lies in the upper half of their range, (168,)."""
    count = np.bincount(how, minlength=HOURS_OF_WEEK)
    level = np.bincount(how, y, HOURS_OF_WEEK) / np.maximum(count, 1)
    low, high = np.quantile(level[count > 0], [0.1, 0.9])
    busy: Flags = level > (low + high) / 2
    return busy
