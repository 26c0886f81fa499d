import numpy as np
import pytest

from analytics.baselines import BASELINES
from analytics.baselines.hours import Hours
from analytics.baselines.towt import TowtBaseline
from analytics.sufficiency import Insufficient

WEEK_H = 168
HOURS = 40 * WEEK_H


def year_of_use(hours=HOURS, seed=1, noise=3.0):
    rng = np.random.default_rng(seed)
    how = np.arange(hours) % WEEK_H
    temp = 10 + 8 * np.sin(np.arange(hours) / 8760 * 2 * np.pi) + 3 * np.sin(np.arange(hours) / 24 * 2 * np.pi)
    busy = (how < 120) & (how % 24 >= 8) & (how % 24 < 18)
    shape = 30 + 40 * busy + 1.5 * np.maximum(14 - temp, 0)
    return how, temp, shape, shape + noise * rng.standard_normal(hours)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr("analytics.baselines.boosting.TREES", 60)


@pytest.fixture(params=BASELINES)
def make(request):
    return BASELINES[request.param]


def test_fit_returns_itself_and_learns_only_underscored_attributes(make):
    how, temp, _, y = year_of_use()
    model = make()
    before = set(vars(model))
    assert model.fit(Hours(how, temp), y) is model
    assert all(name.endswith("_") for name in set(vars(model)) - before)


def test_two_fits_on_the_same_hours_are_equal_and_inputs_stay_as_they_were(make):
    how, temp, _, y = year_of_use()
    copies = how.copy(), temp.copy(), y.copy()
    one, other = (make().fit(Hours(how, temp), y).predict(Hours(how, temp)) for _ in range(2))
    np.testing.assert_array_equal(one.expected, other.expected)
    for given, copy in zip((how, temp, y), copies, strict=True):
        np.testing.assert_array_equal(given, copy)


@pytest.mark.parametrize("with_temperature", [True, False])
def test_expected_use_lies_in_its_band_and_near_the_truth(make, with_temperature):
    how, temp, shape, y = year_of_use()
    temp = temp if with_temperature else None
    learn = slice(0, HOURS - 4 * WEEK_H)
    later = slice(HOURS - 4 * WEEK_H, HOURS)
    hours = Hours(how, temp)
    found = make().fit(hours[learn], y[learn]).predict(hours[later])
    assert np.all((found.lo <= found.expected) & (found.expected <= found.hi))
    if with_temperature:
        assert np.abs(found.expected - shape[later]).mean() < 2.5


def test_band_covers_nine_hours_in_ten_of_unseen_weeks(make):
    inside = []
    for seed in range(2):
        how, temp, _, y = year_of_use(60 * WEEK_H, seed=seed)
        learn, later = slice(0, 52 * WEEK_H), slice(52 * WEEK_H, None)
        found = make().fit(Hours(how, temp)[learn], y[learn]).predict(Hours(how, temp)[later])
        inside.append(np.mean((found.lo <= y[later]) & (y[later] <= found.hi)))
    assert 0.85 <= np.mean(inside) <= 0.97


def test_gaps_in_use_are_skipped(make):
    how, temp, shape, y = year_of_use()
    y[np.random.default_rng(2).random(len(y)) < 0.1] = np.nan
    found = make().fit(Hours(how, temp), y).predict(Hours(how, temp))
    assert np.isfinite(found.expected).all()
    assert np.abs(found.expected - shape).mean() < 2.5


def test_too_little_history_is_refused_by_name(make):
    how, temp, _, y = year_of_use(20 * 24)
    with pytest.raises(Insufficient) as caught:
        make().fit(Hours(how, temp), y)
    shortage = caught.value.shortages[0]
    assert (shortage.reason, shortage.have, shortage.need) == ("few_days", 20.0, 28)


def test_nothing_and_a_constant_are_refused_by_name(make):
    how, temp, _, y = year_of_use()
    with pytest.raises(Insufficient, match="few_days"):
        make().fit(Hours(how, temp), np.full(len(y), np.nan))
    with pytest.raises(Insufficient, match="never_changes"):
        make().fit(Hours(how, temp), np.full(len(y), 7.0))


def test_a_quiet_office_is_graded_good_and_noise_poor(make):
    how, temp, _, y = year_of_use()
    assert make().fit(Hours(how, temp), y).quality_.grade == "good"
    wild = np.abs(np.random.default_rng(3).standard_normal(len(y)) * 50)
    assert make().fit(Hours(how, temp), wild).quality_.grade == "poor"


def test_an_hour_of_the_week_that_was_never_seen_does_not_break_it():
    how, temp, _, y = year_of_use()
    y[how == 5] = np.nan
    found = TowtBaseline().fit(Hours(how, temp), y).predict(Hours(how, temp))
    assert np.isfinite(found.expected).all()


def test_recentred_follows_a_new_level_and_the_plain_one_does_not():
    how, temp, _, y = year_of_use()
    y[-20 * 24 :] += 25
    plain = BASELINES["towt"]().fit(Hours(how, temp), y).predict(Hours(how, temp)[-24:])
    recent = BASELINES["towt_recentred"]().fit(Hours(how, temp), y).predict(Hours(how, temp)[-24:])
    assert np.mean(recent.expected - plain.expected) > 12


def test_the_last_day_does_not_move_its_own_expectation():
    how, temp, _, y = year_of_use()
    model = BASELINES["towt_recentred"]().fit(Hours(how, temp), y)
    before = model.follow(how, temp, y, len(y) - 24).expected
    y[-24:] += 500
    np.testing.assert_array_equal(model.follow(how, temp, y, len(y) - 24).expected, before)


def test_a_weekend_of_waste_is_not_expected_the_week_after():
    """In the coldest nights of the year, where a plain fit takes the waste for the cold's doing."""
    how, temp, _, y = year_of_use()
    weekend = slice(len(y) - 2 * WEEK_H + 114, len(y) - 2 * WEEK_H + 175)
    temp[weekend] = temp.min()
    night, cold = np.arange(24, 30), np.full(6, temp.min())
    wasted, shifts = y.copy(), {}
    wasted[weekend] = 300.0
    for name in ("towt", "towt_recentred"):
        make = BASELINES[name]
        clean, misled = (make().fit(Hours(how, temp), use).predict(Hours(night, cold)).expected for use in (y, wasted))
        shifts[name] = float(np.mean(misled - clean))
    assert abs(shifts["towt_recentred"]) < 3, "no more than the noise of an hour"
    assert shifts["towt"] > 10, "savings are reckoned with all that was used"


def test_a_register_that_stood_still_and_jumped_teaches_nothing():
    how, temp, _, y = year_of_use()
    untouched = BASELINES["towt_recentred"]().fit(Hours(how, temp), y).predict(Hours(how, temp))
    stuck = slice(len(y) - 3 * WEEK_H, len(y) - 3 * WEEK_H + 58)
    y[stuck.stop] += y[stuck].sum()
    y[stuck] = 0.0
    found = BASELINES["towt_recentred"]().fit(Hours(how, temp), y).predict(Hours(how, temp))
    assert np.abs(found.expected - untouched.expected).max() < 1
    assert np.abs(found.lo - untouched.lo).max() < 2


def test_a_meter_that_rests_every_night_keeps_its_rests():
    how, *_ = year_of_use()
    y = np.where((how < 120) & (how % 24 >= 8) & (how % 24 < 18), 1.0 + 0.2 * np.sin(how), 0.0)
    found = BASELINES["towt_recentred"]().fit(Hours(how), y).predict(Hours(how))
    np.testing.assert_allclose(found.expected, y, atol=0.02)


def test_the_next_day_is_expected_by_what_is_a_day_old_and_better_than_by_the_week_alone():
    how, temp, _, y = year_of_use()
    y += (
        10 * np.repeat(np.random.default_rng(4).normal(size=len(y) // 240 + 1), 240)[: len(y)]
    )  # ten days like each other
    hours, first = Hours(how, temp), len(y) - 8 * WEEK_H
    model = BASELINES["day_ahead"]().fit(hours[:first], y[:first])
    found = model.follow(hours, y, first).expected
    week = model.predict(hours[first:]).expected
    assert np.std(y[first:] - found) < 0.8 * np.std(y[first:] - week)
    later = y.copy()
    later[-24:] += 500
    np.testing.assert_array_equal(model.follow(hours, later, first).expected, found)


def test_how_likely_an_ordinary_hour_strays_so_far_is_calibrated(make):
    how, temp, _, y = year_of_use(60 * WEEK_H)
    hours, first = Hours(how, temp), 52 * WEEK_H
    model = make().fit(hours[:first], y[:first])
    is_ahead = hasattr(model, "trees") and hasattr(model, "follow")
    found = model.follow(hours, y, first) if is_ahead else model.predict(hours[first:])
    above = model.tails_.above(how[first:], y[first:] - found.expected)
    assert 0.02 < np.mean(above < 0.05) < 0.12
    assert 0.35 < np.mean(above < 0.5) < 0.65


def test_every_model_says_how_many_held_back_hours_its_band_held(make):
    how, temp, _, y = year_of_use()
    assert 0.85 < make().fit(Hours(how, temp), y).quality_.coverage < 0.98


def test_what_is_never_seen_does_not_blow_up(make):
    how, temp, _, y = year_of_use()
    model = make().fit(Hours(how, temp), y)
    for wild in (-60.0, 60.0):
        found = model.predict(Hours(how[:WEEK_H], np.full(WEEK_H, wild))).expected
        assert np.abs(found).max() < 3 * y.max()


def test_a_closed_weekday_is_no_sunday_where_it_never_was_one():
    how, temp, _, y = year_of_use()
    closed, sunday = np.zeros(HOURS, bool), how.copy()
    for week in range(2, 40, 3):
        day = slice(week * WEEK_H + 24, week * WEEK_H + 48)
        closed[day], sunday[day] = True, how[day] % 24 + 144
        y[day] = 12 + 1.5 * np.maximum(14 - temp[day], 0)
    hours = Hours(sunday, temp, closed)
    day = slice(38 * WEEK_H + 24, 38 * WEEK_H + 48)
    apart, alike = (
        BASELINES["weighted_week"]().fit(given, y).predict(given[day]).expected.mean()
        for given in (hours, Hours(sunday, temp))
    )
    assert y[day].mean() < apart < alike - 1.5


def test_what_is_recent_counts_more():
    how, _, _, y = year_of_use()
    y[20 * WEEK_H :] += 20
    found = BASELINES["weighted_week"]().fit(Hours(how), y).predict(Hours(how)).expected
    even = BASELINES["towt"]().fit(Hours(how), y).predict(Hours(how)).expected
    assert np.mean((y - found)[-WEEK_H:]) < 0.6 * np.mean((y - even)[-WEEK_H:])


def test_a_boiler_follows_the_cold_of_the_hours_before():
    how, temp, _, _ = year_of_use()
    temp = temp + np.random.default_rng(5).normal(size=HOURS).cumsum() * 0.3 % 8
    hours = Hours(how, temp)
    y = 5 + 4 * np.maximum(16 - hours.lagged["temp_24"], 0) + np.random.default_rng(6).normal(size=HOURS)
    learn, later = slice(0, 30 * WEEK_H), slice(30 * WEEK_H, HOURS)
    errors = [
        np.std(y[later] - BASELINES[name]().fit(hours[learn], y[learn]).predict(hours[later]).expected)
        for name in ("towt", "heated_week")
    ]
    assert errors[1] < 0.7 * errors[0]


def test_trees_of_the_next_day_look_at_nothing_younger_than_a_day():
    how, temp, _, y = year_of_use()
    hours, first = Hours(how, temp), HOURS - 2 * WEEK_H
    model = BASELINES["day_ahead_trees"]().fit(hours[:first], y[:first])
    found = model.follow(hours, y, first).expected
    later = y.copy()
    later[-24:] += 500
    np.testing.assert_array_equal(model.follow(hours, later, first).expected, found)
    assert not np.array_equal(found, model.predict(hours[first:]).expected)
