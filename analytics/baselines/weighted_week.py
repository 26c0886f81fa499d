"""A meter's normal week for savings: what a later time would have used, had nothing been changed.

Hour by type of day, closed days and long closures apart, each hour of the week leaning on it; the weather of the hour
and of the days before; what is recent counts more. Where a meter heats, use follows degree hours by the hour of the
day; their base and their lag are those that expect weeks best that were held back.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from analytics.baselines.band import Tails, error_quantiles, group_of
from analytics.baselines.heat import Heat, best_heat
from analytics.baselines.hours import LAGS_H, WORK
from analytics.baselines.port import HOURS_OF_WEEK, Expectation, quality_of
from analytics.sufficiency import require_enough

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.baselines.hours import Hours
    from analytics.baselines.port import Floats, HoursOfWeek

DAY_H, PARTS = 24, 72
KNOTS_C = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)
COLD_C, WARM_C, SUNNY = 12.0, 15.0, 500.0
HELD_BACK_COVERAGE = 0.94
"""Of errors of weeks that were held back, for a band that holds 90 % of a later year: that strays further."""

LEAN = {"part": 0.3, "week": 20.0, "closed": 20.0, "weather": 1.0, "lagged": 10.0, "by_hour": 10.0, "heat": 0.3}
"""Ridge penalties: how many hours it takes to believe in a column."""

LEVEL_LEAN = 50.0
BEYOND = 0.5
"""So much of the range that was ever seen may an expectation lie outside it: nothing blows up."""

Columns = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Coefficients (columns,), and what the last weeks lie above them by part of the week (72,)."""

    mean: float
    coef: Floats
    level: Floats

    def apply(self, x: Columns, part: HoursOfWeek) -> Floats:
        return np.asarray(x @ self.coef + self.mean + self.level[part], np.float64)


class WeightedWeekBaseline:
    """Options in the constructor, hours in ``fit``; without weather the week alone."""

    def __init__(
        self, *, heats: bool = False, half_life_days: float = 120.0, level_half_life_days: float = 45.0,
        folds: int = 4, coverage: float = HELD_BACK_COVERAGE,
    ) -> None:  # fmt: skip
        """``heats`` for gas and heat; hours count half after ``half_life_days``, for the level after its own."""
        self.heats = heats
        self.half_life_days = half_life_days
        self.level_half_life_days = level_half_life_days
        self.folds = folds
        self.coverage = coverage

    def fit(self, hours: Hours, y: Floats) -> Self:
        """Learn week, weather, band and quality from consecutive hours, ``y`` (n,)."""
        self.learn_apart(hours, y)
        return self

    def _learn_band(self, hours: Hours, y: Floats, error: Floats) -> None:
        self.offsets_ = error_quantiles(hours.hour_of_week, error, self.coverage)
        self.tails_ = Tails.of(hours.hour_of_week, error)
        self.quality_ = quality_of(y, error, self.offsets_[group_of(hours.hour_of_week)])

    def learn_apart(self, hours: Hours, y: Floats) -> Floats:
        """As ``fit``; and what each hour (n,) is expected to use by a fit that did not see its week."""
        used = np.isfinite(y)
        require_enough(hours.hour_of_week, y)
        self.heat_ = best_heat(hours, y, self.folds) if self.heats and hours.temp_c is not None else None
        self.knots_ = _knots_within(hours)
        low, high = float(y[used].min()), float(y[used].max())
        self.bounds_ = low - BEYOND * (high - low) * (low < 0), high + BEYOND * (high - low)
        x = self._columns(hours)
        fold = np.arange(len(y)) // HOURS_OF_WEEK % self.folds
        fits = self._fits(x[used], hours.part[used], y[used], _age_days(len(y))[used], fold[used])
        self.fit_ = next(fits)
        apart = np.empty(len(y))
        for k, one in enumerate(fits):
            apart[fold == k] = one.apply(x[fold == k], hours.part[fold == k])
        apart = np.clip(apart, *self.bounds_)
        self._learn_band(hours, y, y - apart)
        return apart

    def level(self, hours: Hours) -> Floats:
        """Expected use without its band, (n,)."""
        return np.clip(self.fit_.apply(self._columns(hours), hours.part), *self.bounds_)

    def predict(self, hours: Hours) -> Expectation:
        """Expected use of each hour (n,)."""
        expected, offsets = self.level(hours), self.offsets_[group_of(hours.hour_of_week)]
        floor = min(self.bounds_[0], 0.0)
        return Expectation(expected, np.maximum(expected + offsets[:, 0], floor), expected + offsets[:, 1])

    def _fits(self, x: Columns, part: HoursOfWeek, y: Floats, age_days: Floats, fold: HoursOfWeek) -> Iterator[_Fit]:
        """Of all used hours (m,) first, then without each of the folds; weights are halved with age."""
        weight = 0.5 ** (age_days / self.half_life_days)
        mean = float(np.average(y, weights=weight))
        root = np.sqrt(weight)[:, None].astype(np.float32)
        sides = []
        for k in range(self.folds):
            mine = x[fold == k] * root[fold == k]
            sides.append((mine.T @ mine, mine.T @ ((y[fold == k] - mean) * root[fold == k, 0]).astype(np.float32)))
        gram, side = (np.sum([one[j] for one in sides], axis=0, dtype=np.float64) for j in (0, 1))
        recent = 0.5 ** (age_days / self.level_half_life_days)
        for k in range(-1, self.folds):
            own = sides[k] if k >= 0 else (0.0, 0.0)
            coef = np.linalg.solve(gram - own[0] + np.diag(self.penalties_), side - own[1])
            left = np.where(fold == k, 0.0, recent)
            error = y - mean - x @ coef
            above = np.bincount(part, error * left, PARTS) / (np.bincount(part, left, PARTS) + LEVEL_LEAN)
            yield _Fit(mean, coef, above)

    def _columns(self, hours: Hours) -> Columns:
        """What an hour is known by, (n, columns); sets how much each column leans to nothing."""
        blocks = list(self._blocks(hours))
        self.penalties_ = np.concatenate([np.full(block.shape[1], LEAN[lean]) for block, lean in blocks])
        return np.hstack([block for block, _ in blocks])

    def _blocks(self, hours: Hours) -> Iterator[tuple[Columns, str]]:
        part, hour, work = hours.part, hours.hour_of_week % DAY_H, hours.day_type == WORK
        yield _one_hot(part, PARTS), "part"
        yield _one_hot(hours.hour_of_week, HOURS_OF_WEEK), "week"
        yield _one_hot(hour, DAY_H, hours.is_closed), "closed"
        yield _one_hot(hour, DAY_H, hours.lagged["long"]), "closed"
        if hours.temp_c is not None:
            now, busy = hours.lagged["temp_c"], work & (hour >= 7) & (hour < 19)  # noqa: PLR2004 - the usual day
            for name, lean in (("temp_c", "weather"), *((f"temp_{h}", "lagged") for h in LAGS_H[1:])):
                pieces = _pieces(hours.lagged[name], self.knots_)
                yield from ((pieces * at[:, None], lean) for at in (busy, ~busy))
            if self.heat_ is None:
                yield _one_hot(hour, DAY_H, work * np.maximum(now - WARM_C, 0) / 10), "by_hour"
                yield _one_hot(hour, DAY_H, work * np.maximum(COLD_C - now, 0) / 10), "by_hour"
            else:
                yield from self._heating(hours, self.heat_)
        if hours.ghi_wm2 is not None:
            yield _one_hot(hour, DAY_H, hours.lagged["ghi"] / SUNNY), "by_hour"

    def _heating(self, hours: Hours, heat: Heat) -> Iterator[tuple[Columns, str]]:
        cold = heat.degrees(hours) / 10
        yield _one_hot(hours.part, PARTS, cold), "heat"
        yield _one_hot(hours.hour_of_week, HOURS_OF_WEEK, cold), "by_hour"
        yield np.stack([cold**2, cold * (hours.day_type != WORK)], axis=1).astype(np.float32), "heat"


def _age_days(hours: int) -> Floats:
    return (hours - np.arange(hours)) / DAY_H


def _one_hot(which: HoursOfWeek, width: int, x: npt.NDArray[np.generic] | float = 1.0) -> Columns:
    """A column for each of ``width`` kinds of hour, ``x`` (n,) in that of each hour; (n, width)."""
    found = np.zeros((len(which), width), np.float32)
    found[np.arange(len(which)), which] = x
    return found


def _knots_within(hours: Hours) -> tuple[float, ...]:
    """Knots that have hours on both sides; none without temperature."""
    if hours.temp_c is None:
        return ()
    low, high = np.quantile(hours.lagged["temp_c"], [0.02, 0.98])
    inside = tuple(knot for knot in KNOTS_C if low < knot < high)
    return inside or (float(np.median(hours.lagged["temp_c"])),)


def _pieces(temp_c: Floats, knots: tuple[float, ...]) -> Columns:
    """Piecewise linear temperature, (n, pieces): the columns of a row sum to the temperature (over 10 °C)."""
    first, last = np.minimum(temp_c, knots[0]), np.maximum(temp_c - knots[-1], 0)
    between = [np.clip(temp_c - a, 0, b - a) for a, b in pairwise(knots)]
    return (np.stack([first, *between, last], axis=1) / 10).astype(np.float32)
