"""A register that comes back to where it was: from a faster one that was read for it, or from the end of its digits."""

import numpy as np
import pytest
from rigs.rollup_hall import assert_same, batch, estate, everything, fed, steady

from accounting.local_time import HOUR_MS
from accounting.registers import straightened
from accounting.spells import Outcome

DAY_MS = 24 * HOUR_MS
GREATEST = 5_000.0
POINT = "m0/energy_import/total"


def judged(t_ms, x, **more):
    """What was used over all readings, how many hours of it are estimated, and what the spells turned out to be."""
    total = straightened(t_ms, x, **{"max_rate": GREATEST, **more})
    estimated = np.diff(total.t_ms)[total.estimated[1:]].sum() / HOUR_MS
    return float(total.total[-1] - total.total[0]), float(estimated), [one.outcome for one in total.spells]


def lent(every, level, per_hour, factor, days, digits=3):
    """A meter's readings over 16 days; from the fourth on those of a register that is larger and faster by a factor."""
    t_ms = np.arange(0, 16 * DAY_MS + 1, every)
    x = np.floor((level + t_ms / HOUR_MS * per_hour) * 10**digits + 1e-6) / 10**digits
    y, here = x.copy(), (t_ms >= 3 * DAY_MS) & (t_ms < (3 + days) * DAY_MS)
    y[here] = np.round(x[here] * factor, digits)
    return t_ms, x, y


@pytest.mark.parametrize("digits", [0, 3])
@pytest.mark.parametrize("days", [1, 3, 6])
@pytest.mark.parametrize("factor", [1.3, 2, 10, 100])
@pytest.mark.parametrize("hours", [0.25, 1, 3, 6, 12, 24])
def test_a_larger_and_faster_register_is_no_use_at_any_poll(hours, factor, days, digits):
    t_ms, x, shown = lent(round(hours * HOUR_MS), 5_000.0, 20.0, factor, days, digits)
    used, estimated, outcomes = judged(t_ms, shown)
    assert used == pytest.approx(x[-1] - x[0])
    assert estimated == days * 24 + hours
    assert outcomes == [Outcome.FALSE]


@pytest.mark.parametrize("hours", [0.25, 1, 3, 6, 12])
def test_ten_times_what_a_young_register_shows_is_no_use_at_any_poll(hours):
    t_ms, x, shown = lent(round(hours * HOUR_MS), 60.0, 2.6, 10, 3)
    assert judged(t_ms, shown)[::2] == (pytest.approx(x[-1] - x[0]), [Outcome.FALSE])


@pytest.mark.parametrize("stood_h", [30, 123])
@pytest.mark.parametrize("factor", [5, 20])
@pytest.mark.parametrize("hours", [0.25, 1, 3, 6])
def test_a_faster_register_that_is_read_for_an_idle_one_is_no_use_of_the_standstill(hours, factor, stood_h):
    t_ms = np.arange(0, 18 * DAY_MS, round(hours * HOUR_MS))
    at = t_ms / HOUR_MS
    x = np.round(2_000 + 2.6 * (np.minimum(at, 100) + np.clip(at - 120 - stood_h, 0, None)), 2)
    shown, here = x.copy(), (at >= 100 + stood_h) & (at < 172 + stood_h)
    shown[here] = np.round(x[here] * factor, 2)
    assert judged(t_ms, shown)[::2] == (pytest.approx(x[-1] - x[0]), [Outcome.FALSE])


@pytest.mark.parametrize("every", [HOUR_MS // 4, HOUR_MS, 3 * HOUR_MS])
def test_a_daily_counter_that_idles_at_night_has_not_come_back_from_its_day(every):
    t_ms = np.arange(0, 14 * DAY_MS, every)
    day, of_day = np.divmod(t_ms / HOUR_MS, 24)
    x = 0.1 * of_day + 3.0 * np.clip(of_day - 8, 0, 10)
    used, _, outcomes = judged(t_ms, x)
    assert used == pytest.approx(x[of_day == of_day.max()].sum())
    assert set(outcomes) == {Outcome.RESET}
    assert len(outcomes) == int(day.max())


@pytest.mark.parametrize("hours", [1, 3])
@pytest.mark.parametrize("portion", ["halves", "tens"])
def test_where_a_register_came_back_is_known_in_whatever_order_its_readings_come(hours, portion):
    t_ms, _, shown = lent(hours * HOUR_MS, 60.0, 2.6, 10, 6)
    t_ms = t_ms + steady("2026-01-05", "2026-01-05")[0][0]
    width = len(t_ms) // 2 + 1 if portion == "halves" else 10
    parts = [slice(k, k + width) for k in range(0, len(t_ms), width)]
    whole = fed(estate(), batch(POINT, t_ms, shown))
    some = fed(estate(), *(batch(POINT, t_ms[part], shown[part]) for part in parts[::-1]))
    assert_same(everything(some), everything(whole))


def rolled(every, span, per_hour, days):
    """A meter's readings over so many days; it rolls over after the twentieth."""
    t_ms = np.arange(0, days * DAY_MS + 1, every)
    x = span - per_hour * (20 * every / HOUR_MS + 0.5) + t_ms / HOUR_MS * per_hour
    return t_ms, x[-1] - x[0], np.round(x % span, 2)


@pytest.mark.parametrize("most", [GREATEST, 100.0])
@pytest.mark.parametrize("count", [1, 2, 5, 30])
@pytest.mark.parametrize("shown", [0.0, 0.97, 0.997, 0.99999])
@pytest.mark.parametrize("span", [1e4, 1e6, 65_536.0, 4_294_967.296])
@pytest.mark.parametrize("every", [HOUR_MS // 4, HOUR_MS, 3 * HOUR_MS])
def test_a_false_value_days_after_a_roll_over_does_not_undo_it(every, span, shown, count, most):
    t_ms, true, x = rolled(every, span, 2.0, 40)
    first = 20 + 10 * DAY_MS // every
    x[first : first + count] = np.round(shown * span, 2)
    used, estimated, outcomes = judged(t_ms, x, max_rate=most, register_span=span)
    assert used == pytest.approx(true, abs=0.01)
    assert estimated <= (count + 2) * every / HOUR_MS
    assert sorted(outcomes) == [Outcome.FALSE, Outcome.ROLL_OVER]


def test_a_value_of_before_a_reset_does_not_undo_it_where_the_register_leaves_it_again():
    t_ms = np.arange(0, 30 * DAY_MS, HOUR_MS)
    x = 5_000 + t_ms / HOUR_MS * 20.0
    x[100:] -= 7_000 - 20.0
    true = x[-1] + 99 * 20.0
    x[150:152] = 7_010.0
    used, estimated, outcomes = judged(t_ms, x, max_rate=100.0)
    assert used == pytest.approx(true)
    assert estimated == 4
    assert outcomes == [Outcome.RESET, Outcome.FALSE]


def test_zeros_at_the_end_of_the_digits_are_no_roll_over_where_they_did_not_grow():
    t_ms, _, x = rolled(HOUR_MS, 1e6, 20.0, 0.8)  # ends before it rolls over
    x[10:13] = 0.0
    used, _, outcomes = judged(t_ms, x, register_span=1e6)
    assert used == pytest.approx(x[-1] - x[0])
    assert outcomes == [Outcome.FALSE]


def test_a_register_that_first_rose_to_a_neighbours_value_and_returned_was_measured_before():
    t_ms = np.arange(400) * HOUR_MS // 4
    x = np.full(400, 86.2)
    x[200:240] = 3_569_330.0 + np.arange(40) * 5.0
    used, estimated, outcomes = judged(t_ms, x, is_new=True)
    assert (used, estimated, outcomes) == (0.0, 10.25, [Outcome.FALSE])


def test_readings_out_of_turn_begin_no_new_register():
    """A clock ran ahead for two readings, which lie beside faster ones: the register fell to 2,024 for none of them."""
    quarter = HOUR_MS // 4
    shown = {k: 2_000.0 + k for k in range(18)} | {
        18: 2_027,
        19: 2_028,
        20: 2_037,
        21: 2_048,
        22: 2_049,
        23: 2_050,
        24: 2_051,
    }
    early = {quarter * 5 + 7: 2_014.0, quarter * 20 + 7: 2_024.0, quarter * 21 + 7: 2_026.0}
    read = dict(sorted(({k * quarter: x for k, x in shown.items()} | early).items()))
    used, _, outcomes = judged(np.array(list(read)), np.array(list(read.values())))
    assert used == 51
    assert Outcome.NEW_REGISTER not in outcomes
