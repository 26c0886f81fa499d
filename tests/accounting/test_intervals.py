"""Counters to use: conservation, gaps, resets, roll-overs, glitches, spikes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.demand import peak_rate, quarter_edges
from accounting.intervals import use_between
from accounting.local_time import HOUR_MS

MINUTE = 60_000


def hourly(*x):
    return np.arange(len(x), dtype=np.int64) * HOUR_MS, np.array(x, float)


def use_of(x, **more):
    t_ms, x = hourly(*x)
    return use_between(t_ms, x, t_ms, **more)


def test_an_outage_of_12_hours_loses_nothing_and_is_marked_estimated():
    t_ms, x = hourly(*(100.0 * np.arange(25)))
    heard = (np.arange(25) <= 6) | (np.arange(25) >= 18)
    use = use_between(t_ms[heard], x[heard], t_ms)
    assert use.qty.sum() == pytest.approx(2_400)
    assert use.qty.tolist() == pytest.approx([100.0] * 24)
    assert (use.est_qty > 0).sum() == 12
    assert (use.completeness == 0).sum() == 12


def test_29_missing_days_of_30_are_one_thirtieth_complete():
    t_ms = np.concatenate((np.arange(25) * HOUR_MS, [720 * HOUR_MS]))
    use = use_between(t_ms, t_ms / HOUR_MS, np.array([0, 720 * HOUR_MS]))
    assert use.completeness[0] == pytest.approx(1 / 30)
    assert use.qty[0] == pytest.approx(720)
    assert use.est_qty[0] == pytest.approx(696)


def test_nothing_is_known_before_the_first_and_after_the_last_reading():
    t_ms, x = hourly(0, 1, 2)
    use = use_between(t_ms + MINUTE * 30, x, np.arange(-1, 5) * HOUR_MS)
    assert np.isnan(use.qty[[0, 4]]).all()
    assert use.qty[1:4].tolist() == pytest.approx([0.5, 1, 0.5])
    assert use.completeness.tolist() == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_one_reading_or_none_is_no_use():
    for n in (0, 1):
        use = use_between(np.arange(n, dtype=np.int64), np.zeros(n), np.array([0, HOUR_MS]))
        assert np.isnan(use.qty[0])
        assert use.completeness[0] == 0


def test_zero_use_is_zero_and_not_missing():
    assert use_of([5, 5, 5]).qty.tolist() == [0, 0]


@pytest.mark.parametrize("more", [{}, {"max_rate": 50.0}])
def test_a_spike_of_one_sample_adds_nothing(more):
    use = use_of([100, 110, 1_110, 130, 140, 150], **more)
    assert np.nansum(use.qty) == pytest.approx(50)
    use = use_of([500_000, 500_010, 501_000, 500_030, 500_040, 500_050], **more)
    assert np.nansum(use.qty) == pytest.approx(50)


def test_a_fresh_spike_above_the_greatest_rate_is_left_out_at_once():
    use = use_of([100, 110, 1_110], max_rate=50)
    assert use.qty[0] == 10
    assert np.isnan(use.qty[1])


def test_zeros_after_a_reboot_are_no_reset():
    use = use_of([100, 0, 0, 101, 102])
    assert np.nansum(use.qty) == pytest.approx(2)


def test_fresh_zeros_wait_until_they_are_believed():
    assert np.isnan(use_of([99, 100, 0]).qty[1])
    assert np.nansum(use_of([99, 100, 0, 1, 2, 3]).qty) == pytest.approx(4)


def test_a_reset_counts_from_zero_and_its_step_is_estimated():
    use = use_of([990, 1_000, 4, 14, 24, 34])
    assert use.qty.tolist() == pytest.approx([10, 4, 10, 10, 10])
    assert use.est_qty.tolist() == pytest.approx([0, 4, 0, 0, 0])


def test_a_roll_over_is_exact():
    use = use_of([9_980, 9_990, 5, 15, 25, 35], register_span=10_000)
    assert use.qty.tolist() == pytest.approx([10, 15, 10, 10, 10])
    assert use.est_qty.sum() == 0


def test_another_register_in_place_of_the_old_one_books_no_jump():
    use = use_of([100_000, 100_010, 40_000, 40_010, 40_020, 40_030])
    assert use.qty.tolist() == pytest.approx([10, 0, 10, 10, 10])


def test_a_small_step_back_is_held_until_passed():
    t_ms, x = hourly(1_000, 1_001, 1_002, 1_000, 1_001, 1_003, 1_004)
    use = use_between(t_ms, x, t_ms)
    assert use.qty.tolist() == pytest.approx([1, 1, 0, 0, 1, 1])


def test_gaps_follow_the_weights_and_conserve():
    t_ms = np.array([0, 1, 7, 8]) * HOUR_MS
    weights = np.array([1, 1, 1, 4, 4, 1, 1, 1.0])
    use = use_between(t_ms, np.array([0, 1, 13, 14.0]), np.arange(9) * HOUR_MS, weights=weights)
    assert use.qty.tolist() == pytest.approx([1, 1, 1, 4, 4, 1, 1, 1])
    assert use.est_qty.tolist() == pytest.approx([0, 1, 1, 4, 4, 1, 1, 0])


def test_the_peak_is_a_quarter_hour_and_an_hour_where_readings_are_hourly():
    minutes = np.arange(0, 61, 5) * MINUTE
    power = np.where(np.arange(12) < 3, 40.0, 10.0)
    x = np.concatenate(([0.0], np.cumsum(power / 12)))
    hour = np.array([0, HOUR_MS])
    edges = quarter_edges(hour)
    assert peak_rate(use_between(minutes, x, edges).qty, hour)[0] == pytest.approx(40)
    assert peak_rate(use_between(minutes[[0, -1]], x[[0, -1]], edges).qty, hour)[0] == pytest.approx(17.5)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=40), st.sampled_from([None, 65_536.0]))
def test_no_noise_gives_negative_use(x, span):
    use = use_of(x, register_span=span, max_rate=500.0)
    assert not (use.qty < 0).any()
