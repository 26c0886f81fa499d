"""What is made of errors: told once, by what was known then, and by limits that a short past makes higher."""

import numpy as np
import pytest

from analytics.fits import Fitted, learned
from analytics.model_file import KeptModels
from analytics.suspicion.bouts import ARMED_AFTER_H, bouts
from analytics.suspicion.budget import APART_H, SHAPES, AlarmSizes, Budget, alarms_above, limit
from analytics.suspicion.followed import Followed
from analytics.suspicion.leaks import LeakRule
from analytics.suspicion.policy import AlarmPolicy
from analytics.suspicion.shapes import shapes_of
from analytics.suspicion.silence import silences

YEAR_H = 8760


def hours(n=YEAR_H, seed=1):
    rng, how = np.random.default_rng(seed), np.arange(n) % 168
    base = np.where((how < 120) & (how % 24 >= 8) & (how % 24 < 18), 60.0, 20.0)
    return Followed(how, base + rng.normal(0, 2, n), base, np.zeros(n), np.full(n, 2.0))


def test_later_hours_change_no_shape_and_no_alarm_before_them():
    whole, cut = hours(), hours()
    cut.y[5000:] = np.nan
    for name, shape in shapes_of(whole).items():
        np.testing.assert_allclose(shape[:5000], shapes_of(cut)[name][:5000], atol=1e-9, err_msg=name)
    policy = AlarmPolicy(budget=Budget.KEEN).fit(hours(seed=2))
    raised = [[one.raised for one in policy.detect(one) if one.raised < 5000] for one in (whole, cut)]
    assert raised[0] == raised[1]


def test_the_budgets_are_in_order_and_a_short_past_asks_for_more():
    year, month = AlarmSizes().fit(shapes_of(hours())), AlarmSizes().fit(shapes_of(hours(60 * 24)))
    quiet, normal, keen = (year.sizes(budget).sum() for budget in (Budget.QUIET, Budget.NORMAL, Budget.KEEN))
    assert quiet > normal > keen
    level = SHAPES.index("level_8")
    assert month.sizes(Budget.NORMAL)[level] > year.sizes(Budget.NORMAL)[level]


@pytest.mark.parametrize("size", [3.0, 6.0])
def test_a_step_is_measured_by_its_size(size):
    followed = hours()
    followed.y[6000:6200] += size
    assert shapes_of(followed)["level_72"][6100] == pytest.approx(size, abs=0.8)


def test_a_limit_is_passed_no_more_often_than_allowed():
    score = np.random.default_rng(3).normal(size=YEAR_H)
    over = np.flatnonzero(score > limit(score, 6))
    assert 1 <= 1 + (np.diff(over) > 24).sum() <= 6


def test_what_hovers_is_told_once_and_anew_when_it_doubled_or_after_quiet():
    score = np.full(1000, 0.8)
    score[[100, 130, 160]] = 1.1
    assert [one.raised for one in bouts(score)] == [100]
    score[300] = 2.5
    assert [one.raised for one in bouts(score)] == [100, 300]
    quiet = np.zeros(1000)
    quiet[[100, 100 + ARMED_AFTER_H + 10]] = 1.1
    assert [one.raised for one in bouts(quiet)] == [100, 110 + ARMED_AFTER_H]


def test_a_meter_is_silent_after_a_day_and_sooner_where_it_never_rests():
    y = np.ones(2000)
    y[100:160] = np.nan
    y[1000:1100] = 0.0
    assert silences(y) == [(124, 160), (1024, 1100)]
    never = np.ones(2000)
    never[1000:1100] = 0.0
    assert silences(never) == [(1003, 1100)]
    assert silences(np.zeros(50)) == [(24, 50)]


def test_a_leak_is_closed_only_when_the_lowest_flow_has_been_back():
    rng = np.random.default_rng(5)
    y = np.where(np.arange(YEAR_H) % 24 < 6, 0.0, 20 * rng.random(YEAR_H))
    rule = LeakRule(least=0.5).fit(y[:4000])
    y[6000:6480] += 5.0
    (leak,) = rule.detect(y)
    assert leak.kind == "continuous_flow"
    assert 5990 <= leak.since <= leak.raised <= 6024
    assert 6480 <= leak.end <= 6480 + 48
    assert leak.is_seen(6479)


def counted(flow, step, seed=7):
    """Hours of a counter that counts whole steps of what flowed, from a place within a step by chance."""
    register = np.concatenate([[0.0], np.cumsum(flow)]) + step * np.random.default_rng(seed).random()
    return np.diff(np.floor(register / step) * step)


def office_water(level=0.0, last_h=9 * 24):
    """Use of a year by day, none by night, and a leak in the last days but two, m3."""
    rng, how = np.random.default_rng(5), np.arange(YEAR_H) % 24
    flow = np.where((how >= 7) & (how < 19), 3.0 * rng.random(YEAR_H), 0.0)
    flow[-last_h - 48 : -48] += level
    return flow


@pytest.mark.parametrize("step", [0.001, 0.01, 0.1, 0.25, 1.0])
@pytest.mark.parametrize("level", [0.3, 0.6])
def test_a_leak_is_found_whatever_the_step_of_the_counter(step, level):
    y = counted(office_water(level), step)
    rule = LeakRule(least=0.02).fit(y[: -12 * 24])
    assert rule.step_ == step
    assert rule.unseen < level
    (leak,) = rule.detect(y)
    begun = YEAR_H - 11 * 24
    assert begun - 24 <= leak.since <= begun + 12
    assert begun <= leak.raised <= begun + 48
    assert not rule.detect(counted(office_water(), step))


def test_a_counter_of_large_steps_says_which_leaks_it_does_not_show():
    rule = LeakRule(least=0.02).fit(counted(office_water(), 1.0))
    fine = LeakRule(least=0.02).fit(counted(office_water(), 0.001))
    assert rule.unseen == pytest.approx(1.0 / 10, rel=0.3)  # a step in a night
    assert fine.unseen == pytest.approx(0.02, rel=0.1)


def test_one_quiet_night_does_not_close_a_leak():
    y = office_water(0.5)
    begun = YEAR_H - 11 * 24
    rule = LeakRule(least=0.02).fit(y[: begun - 24])
    y[begun + 4 * 24 - 5 : begun + 4 * 24 + 7] -= 0.5  # somebody shut the main valve for a night
    (leak,) = rule.detect(y)
    assert leak.is_seen(begun + 4 * 24 + 12)
    assert begun + 10 * 24 <= leak.end <= begun + 11 * 24


def test_kept_models_keep_to_the_budget_they_are_given(tmp_path):
    rng, how = np.random.default_rng(6), np.arange(YEAR_H) % 168
    y = 20 + 10 * (how < 120) + rng.normal(0, 2, YEAR_H)
    quiet = KeptModels(tmp_path, "town", Budget.QUIET)
    quiet.keep(Fitted("main", 0, learned(how, None, y, is_water=True)))
    quiet.forget_before(-1)
    for budget in Budget:
        (again,) = KeptModels(tmp_path, "town", budget).kept()
        assert (again.model.suspicion.budget, again.model.leaks.budget) == (budget, budget)
        np.testing.assert_array_equal(
            again.model.suspicion.sizes_.peaks_, learned(how, None, y, is_water=True).suspicion.sizes_.peaks_
        )


@pytest.mark.parametrize("seed", range(20))
def test_alarms_above_many_levels_are_those_above_each(seed):
    rng = np.random.default_rng(seed)
    score = np.convolve(rng.normal(size=rng.integers(1, 3000)), np.ones(1 + seed % 5), "same").round(seed % 4)
    levels = np.quantile(score, np.linspace(0, 1, 30))
    hours = [np.flatnonzero(score > level) for level in levels]
    assert alarms_above(score, levels).tolist() == [len(one[:1]) + int((np.diff(one) > APART_H).sum()) for one in hours]
