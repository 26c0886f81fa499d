"""Devices that replaced each other and ratios that changed from a date: one rising total, nothing lost."""

import numpy as np
import pytest

from accounting.intervals import use_of
from accounting.ledger import Stretch, stitched
from accounting.local_time import HOUR_MS

HOURS = np.arange(25, dtype=np.int64) * HOUR_MS
NOON = 12 * HOUR_MS + HOUR_MS // 2


def used(x, stretches, t_ms=HOURS, **more):
    return use_of(stitched(t_ms, np.asarray(x, float), stretches, **more), HOURS)


def swapped(closing, opening):
    """A meter of 10 kWh/h: the old device ends at 5,125 at half past twelve, the new one begins at 7."""
    x = np.where(HOURS <= 12 * HOUR_MS, 5_000 + 10 * HOURS / HOUR_MS, 7 + 10 * (HOURS - NOON) / HOUR_MS)
    return used(x, [Stretch(span=1e6), Stretch(NOON, span=1e5, opening=opening, closing=closing)])


def test_a_swap_with_both_reads_loses_nothing_and_estimates_nothing():
    use = swapped(5_125, 7)
    assert use.qty.tolist() == pytest.approx([10.0] * 24)
    assert use.est_qty.sum() == 0
    assert (use.completeness == 1).all()


def test_a_swap_without_a_read_adds_nothing_invented():
    assert swapped(None, 7).qty[12] == pytest.approx(5)
    assert swapped(5_125, None).qty[12] == pytest.approx(5)
    assert swapped(None, None).qty.sum() == pytest.approx(230)


def test_a_swap_in_a_silence_is_missing_on_the_side_that_nobody_read():
    heard = (HOURS <= 6 * HOUR_MS) | (HOURS >= 18 * HOUR_MS)
    x = np.where(HOURS <= NOON, 5_000 + 10 * HOURS / HOUR_MS, 7 + 10 * (HOURS - NOON) / HOUR_MS)

    def silent(closing, opening):
        stretches = [Stretch(), Stretch(NOON, opening=opening, closing=closing)]
        return used(x[heard], stretches, HOURS[heard])

    neither = silent(None, None)
    assert np.flatnonzero(np.isnan(neither.qty)).tolist() == list(range(6, 18))
    assert np.isnan(neither.est_qty[6:18]).all()
    assert (neither.completeness[6:18] == 0).all()
    assert np.nansum(neither.qty) == pytest.approx(120)
    only_closing = silent(5_125.0, None)
    assert np.flatnonzero(np.isnan(only_closing.qty)).tolist() == list(range(13, 18))
    assert np.nansum(only_closing.qty) == pytest.approx(60 + 65 + 60)
    only_opening = silent(None, 7.0)
    assert np.flatnonzero(np.isnan(only_opening.qty)).tolist() == list(range(6, 12))
    assert np.nansum(only_opening.qty) == pytest.approx(60 + 55 + 60)
    assert np.nansum(silent(5_125.0, 7.0).qty) == pytest.approx(240)


def test_a_device_that_rolled_over_and_was_then_swapped_is_counted_through():
    x = np.where(HOURS <= 12 * HOUR_MS, (99_900 + 10 * HOURS / HOUR_MS) % 100_000, 10 * (HOURS - NOON) / HOUR_MS)
    stretches = [Stretch(span=1e5), Stretch(NOON, span=1e5, opening=0.0, closing=25.0)]
    assert used(x, stretches).qty.tolist() == pytest.approx([10.0] * 24)


def test_a_ratio_that_was_wrong_from_a_date_is_put_right_from_that_date():
    x = 40 * (1_000 + HOURS / HOUR_MS)  # the agent multiplied by 40 all the time
    use = used(x, [Stretch(told=40, true=40), Stretch(NOON, told=40, true=60, continues=True)])
    assert use.qty.tolist() == pytest.approx([40.0] * 12 + [50.0] + [60.0] * 11)
    assert use.est_qty.sum() == 0


def test_an_agent_that_learns_the_right_ratio_later_makes_no_jump():
    face = 1_000 + HOURS / HOUR_MS
    x = np.where(HOURS <= 12 * HOUR_MS, 40 * face, 60 * face)
    use = used(x, [Stretch(told=40, true=60), Stretch(NOON, told=60, true=60, continues=True)])
    assert use.qty.tolist() == pytest.approx([60.0] * 24)


def test_current_and_voltage_transformers_multiply_a_register_that_rolls_over_on_its_face():
    face = (999_995 + HOURS / HOUR_MS) % 1_000_000
    use = used(face * 4_000, [Stretch(told=4_000, true=4_000, span=1_000_000)])
    assert use.qty.tolist() == pytest.approx([4_000.0] * 24)


@pytest.mark.parametrize("span", [65_536.0, 2.0**32, 10_000.0, 1_000_000.0])
def test_every_usual_register_rolls_over_even_in_a_silence_of_half_a_day(span):
    face = (span - 55 + 10 * HOURS / HOUR_MS) % span
    heard = (HOURS <= 3 * HOUR_MS) | (HOURS >= 15 * HOUR_MS)
    total = stitched(HOURS[heard], face[heard], [Stretch(span=span)])
    assert use_of(total, HOURS).qty.sum() == pytest.approx(240, abs=1e-4)


def test_a_fast_small_register_rolls_over_far_from_its_end_at_its_own_pace():
    face = (5_000 + 100 * HOURS / HOUR_MS) % 6_553.6
    heard = (HOURS <= 10 * HOUR_MS) | (HOURS >= 20 * HOUR_MS)
    total = stitched(HOURS[heard], face[heard], [Stretch(span=6_553.6)])
    assert use_of(total, HOURS).qty.sum() == pytest.approx(2_400)


def test_a_first_opening_read_counts_from_the_installation_on():
    heard = HOURS >= 10 * HOUR_MS
    x = 3 + 10 * (HOURS[heard] - 8 * HOUR_MS) / HOUR_MS
    use = used(x, [Stretch(8 * HOUR_MS, opening=3.0)], HOURS[heard])
    assert np.nansum(use.qty) == pytest.approx(160)
    assert np.isnan(use.qty[:8]).all()


def test_reads_outside_the_readings_at_hand_are_not_joined_to_them():
    x = 500 + 10 * HOURS / HOUR_MS
    stretches = [Stretch(), Stretch(-900 * HOUR_MS, opening=1.0, closing=70.0)]
    total = stitched(HOURS, x, stretches, reach=(0, 24 * HOUR_MS))
    assert total.t_ms[0] == 0
    assert use_of(total, HOURS).qty.sum() == pytest.approx(240)


def test_a_reading_at_the_very_instant_of_a_swap_is_of_neither_device():
    at = 12 * HOUR_MS
    x = np.where(at >= HOURS, 5_000 + 10 * HOURS / HOUR_MS, 7 + 10 * (HOURS - at) / HOUR_MS)
    for read in (5_120.0, 7.0):
        x[12] = read
        use = used(x, [Stretch(), Stretch(at, opening=7.0, closing=5_120.0)])
        assert use.qty.tolist() == pytest.approx([10.0] * 24)


def test_a_device_of_which_nothing_but_its_opening_is_known_yet_ends_where_the_one_before_ended():
    x = 5_000 + 10 * HOURS / HOUR_MS
    stretches = [
        Stretch(),
        Stretch(25 * HOUR_MS, opening=3.0, closing=5_250.0),
        Stretch(26 * HOUR_MS, true=2.0, continues=True),
    ]
    total = stitched(HOURS, x, stretches)
    assert (total.t_ms[-1], total.total[-1]) == (25 * HOUR_MS, 5_250)
