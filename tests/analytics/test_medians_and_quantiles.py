"""Levels and bands that are found for many at once are those that are found one by one."""

import numpy as np
import pytest

from analytics.baselines.band import MIN_ERRORS, error_quantiles, group_of
from analytics.baselines.ordinary import FAR, without_extremes
from analytics.baselines.recentred import DAY, RecentredBaseline, part_of_week
from analytics.rolling import median
from analytics.suspicion.budget import LEVELS, highest_quantiles


@pytest.fixture(params=[0.0, 0.3, 0.97])
def hours(request):
    """Hour of the week and errors (n,), of which a share is missing."""
    rng = np.random.default_rng(7)
    error = rng.normal(size=60 * DAY)
    error[rng.random(len(error)) < request.param] = np.nan
    return np.arange(len(error)) % 168, error


def test_the_level_of_each_day_is_the_median_of_its_four_weeks(hours):
    how, error = hours
    part, baseline = part_of_week(how), RecentredBaseline()
    for start in (DAY, 20 * DAY, len(error)):
        (found,) = baseline._levels_at(part, error, np.array([start]))
        begin, end = max(start - 29 * DAY, 0), start - DAY
        for p, level in enumerate(found):
            mine = error[begin:end][part[begin:end] == p]
            mine = mine[np.isfinite(mine)]
            assert level == (np.median(mine) if len(mine) >= MIN_ERRORS else 0.0)


def test_a_band_is_that_of_the_hour_and_its_neighbours(hours):
    how, error = hours
    group, found = group_of(how), error_quantiles(how, error, 0.9)
    for g in range(48):
        near = np.isin(group, [g - g % 24 + (g + step) % 24 for step in (-1, 0, 1)]) & np.isfinite(error)
        mine = error[near] if near.sum() >= MIN_ERRORS else error[np.isfinite(error)]
        level = min(1.0, 0.95 * (1 + 1 / len(mine)))
        np.testing.assert_allclose(found[g], np.quantile(mine, [1 - level, level]))


def test_an_extreme_is_told_by_the_median_of_like_hours(hours):
    how, error = hours
    error = error.copy()
    known = np.flatnonzero(np.isfinite(error))
    error[known[::9]] *= 40
    group, size = group_of(how), np.abs(error)
    usual = np.array([_median(size, group == g) for g in range(48)])
    y = np.where(np.isfinite(error), 0.1, np.nan)
    taught = without_extremes(how, y, error)
    assert np.array_equal(np.isnan(taught), np.isnan(y) | (size > np.maximum(FAR * usual[group], 0.1)))


def _median(size, mine):
    known = size[mine & np.isfinite(size)]
    return np.median(known) if len(known) else 0.0


@pytest.mark.parametrize("hours", [1, 2, 25, 999, 1000])
def test_the_quick_median_and_the_highest_quantiles_are_those_of_numpy(hours):
    x = np.round(np.random.default_rng(hours).normal(size=hours), 2)
    assert median(x) == np.median(x)
    for shares in (LEVELS, np.array([0.9])):
        assert highest_quantiles(x, shares).tolist() == np.quantile(x, shares).tolist()
