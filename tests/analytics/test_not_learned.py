"""What a case explains is not learned as normal, nor are hours that were not measured."""

import numpy as np
import pytest
from rigs.worlds import HOURS, calendar_hours, normal_use

from analytics.baselines.hours import Hours
from analytics.fits import learned
from analytics.grid import Grid
from analytics.suspicion.trouble import Trouble, without_cases
from stores.readings.port import RollupSeries

HOW = calendar_hours(HOURS).hour_of_week_closed
WEEKS_H = 6 * 168
"""Of a site that began six weeks ago, as a demo's."""

NINE_DAYS_H = 9 * 24


def expected(y, *, is_water):
    model = learned(HOW[: len(y)], None, y, is_water=is_water)
    return model.baseline.predict(Hours(HOW[len(y) : len(y) + 168])).expected


@pytest.mark.parametrize("ago_h", [0, 72])
def test_a_leak_of_nine_days_does_not_become_the_normal_of_a_weekend(ago_h):
    clean = normal_use(HOURS)["water"][:WEEKS_H]
    leaking = clean.copy()
    leaking[WEEKS_H - NINE_DAYS_H - ago_h : WEEKS_H - ago_h] += 0.25
    np.testing.assert_allclose(expected(leaking, is_water=True), expected(clean, is_water=True), atol=0.03)


def test_lights_that_burnt_for_a_week_do_not_become_normal():
    clean = normal_use(HOURS)["lights"][:WEEKS_H]
    burning = clean.copy()
    burning[WEEKS_H - 7 * 24 :] = np.maximum(burning[WEEKS_H - 7 * 24 :], 12.0)
    off = HOW[WEEKS_H : WEEKS_H + 168] >= 120
    found, normal = expected(burning, is_water=False), expected(clean, is_water=False)
    np.testing.assert_allclose(found[off], normal[off], atol=0.6)


def test_an_hour_belongs_to_a_case_once_it_was_raised_and_until_it_ends():
    case = Trouble("continuous_flow", 10, 34, 60, np.ones(26, bool))
    y = np.ones(100)
    assert np.flatnonzero(np.isnan(without_cases(y, [case]))).tolist() == list(range(10, 60))
    assert np.flatnonzero(np.isnan(without_cases(y, [case], 20))).tolist() == list(range(10, 30))
    assert np.flatnonzero(np.isnan(without_cases(y, [case], once_raised=True))).tolist() == list(range(34, 60))
    assert not np.isnan(y).any()


def test_hours_that_are_in_doubt_or_were_estimated_teach_nothing():
    edges = 3_600_000 * np.arange(4, dtype=np.int64)
    rows = RollupSeries({}, edges[:3], {"qty": np.array([1.0, 2.0, np.nan]), "completeness": np.array([1.0, 0.5, 0.0])})
    assert np.isnan(Grid(edges).measured(rows)).tolist() == [False, True, True]
