"""What a register that shows what it cannot have come to is taken for: by its readings, and as a person decides."""

from dataclasses import replace

import numpy as np
import pytest

from accounting.ledger import Stretch, stitched
from accounting.local_time import HOUR_MS
from accounting.registers import straightened
from accounting.spells import Outcome

QUARTER = HOUR_MS // 4
GREATEST = 5_000.0  # kW: what was ever accepted, where a meter's own feeder is not known


def judged(x, *, every=QUARTER, **more):
    """The total of readings so far apart, and what their spells turned out to be."""
    total = straightened(np.arange(len(x)) * every, np.asarray(x, float), **more)
    used = float(total.total[-1] - total.total[0])
    return used, [spell.outcome for spell in total.spells]


def steady(hours, level, per_hour, every=QUARTER):
    return level + np.arange(0, hours * HOUR_MS, every) / HOUR_MS * per_hour


@pytest.mark.parametrize("every", [60_000, QUARTER, HOUR_MS])
@pytest.mark.parametrize("zeros_h", [1, 12, 68])
def test_a_counter_that_begins_with_zeros_does_not_count_what_it_then_shows(zeros_h, every):
    x = steady(100, 60_000.0, 20.0, every)
    x[: zeros_h * HOUR_MS // every] = 0.0
    total = straightened(np.arange(len(x)) * every, x, max_rate=GREATEST, is_new=True)
    assert total.t_ms[0] == zeros_h * HOUR_MS  # nothing is known of the time before
    assert total.total[-1] - total.total[0] == pytest.approx(x[-1] - x[len(x) - len(total.t_ms)])
    assert [spell.outcome for spell in total.spells] == [Outcome.LEAP]


def test_a_new_meter_that_begins_at_zero_counts_all_that_it_shows():
    idle, busy = np.zeros(20), steady(20, 60.0 / 4, 60.0)
    assert judged([*idle, *busy], max_rate=GREATEST, is_new=True)[0] == pytest.approx(busy[-1])
    kettle = np.append(np.zeros(30), np.full(40, 1.5))
    assert judged(kettle, max_rate=GREATEST, is_new=True) == (1.5, [])


@pytest.mark.parametrize("ratio", [1, 40, 400])
@pytest.mark.parametrize("every", [60_000, QUARTER, HOUR_MS])
def test_a_register_that_rises_seldom_and_by_much_began_at_no_false_value(every, ratio):
    """Whole units times the ratio of its transformers: each rise is fast, and the first is like those that follow."""
    x = np.floor(steady(200, 4_436.94, 0.15, every)) * ratio
    assert judged(x, every=every, max_rate=GREATEST, is_new=True) == (pytest.approx(x[-1] - x[0]), [])


def test_a_reset_soon_after_a_roll_over_is_no_return_to_before_it():
    x = (999_000 + np.arange(960) * 20.0) % 1e6
    reset = int(np.argmax(np.diff(x) < 0)) + 1 + 240
    true = 20.0 * 959 - 20.0
    x[reset:] -= x[reset]
    assert judged(x, every=HOUR_MS, register_span=1e6) == (true, [Outcome.ROLL_OVER, Outcome.RESET])


def test_a_false_zero_at_the_end_of_a_register_is_no_roll_over():
    x = steady(20, 9_900.0, 4.0)
    x[40:44] = 0.0
    assert judged(x, register_span=10_000.0) == (pytest.approx(x[-1] - x[0]), [Outcome.FALSE])


@pytest.mark.parametrize("shown", [0.0, 3_000.0])
def test_a_person_decides_what_stands_at_another_level(shown):
    x = [*steady(10, 5_000.0, 8.0), *[shown] * 20]
    (doubt,) = straightened(np.arange(len(x)) * QUARTER, np.array(x)).spells
    assert doubt.is_asked
    right = straightened(np.arange(len(x)) * QUARTER, np.array(x), decided=[replace(doubt, accepted=True)])
    assert len(right.t_ms) == len(x)
    assert right.spells[0].outcome is (Outcome.NEW_REGISTER if shown else Outcome.RESET)
    wrong = straightened(np.arange(len(x)) * QUARTER, np.array(x), decided=[replace(doubt, accepted=False)])
    assert len(wrong.t_ms) == 40
    assert not wrong.spells[0].is_asked


@pytest.mark.parametrize("accepted", [True, False, None])
def test_a_leap_that_stays_counts_only_where_a_person_says_so(accepted):
    x = np.append(steady(10, 100.0, 2.0), steady(10, 1_120.0, 2.0))
    t_ms = np.arange(len(x)) * QUARTER
    (leap,) = straightened(t_ms, x, max_rate=10.0).spells
    total = straightened(t_ms, x, max_rate=10.0, decided=[replace(leap, accepted=accepted)])
    used = total.total[-1] - total.total[0]
    assert used == pytest.approx(x[-1] - x[0] if accepted else 19.5 + 19.5)
    assert total.spells[0].is_asked is (accepted is None)


def test_what_a_person_accepted_is_undone_where_the_register_returns():
    x = steady(30, 5_000.0, 8.0)
    x[40:80] = 0.0
    t_ms = np.arange(len(x)) * QUARTER
    (doubt,) = straightened(t_ms[:80], x[:80]).spells
    total = straightened(t_ms, x, decided=[replace(doubt, accepted=True)])
    assert total.total[-1] - total.total[0] == pytest.approx(x[-1] - x[0])
    assert [one.outcome for one in total.spells] == [Outcome.FALSE]


def test_a_spell_over_a_change_of_the_ratio_is_of_one_register():
    face = steady(30, 5_000.0, 8.0)
    true = 8.0 * 29.75 - 8.0 * 15 + 8.0 * 15 * 2  # the second half counts twice
    face[40:80] = 0.0
    stretches = [Stretch(), Stretch(15 * HOUR_MS, told=1.0, true=2.0, continues=True)]
    total = stitched(np.arange(len(face)) * QUARTER, face, stretches, max_rate=1e5)
    assert total.total[-1] - total.total[0] == pytest.approx(true - 8.0 * 0.25 * 2, abs=4.1)
    assert [one.outcome for one in total.spells] == [Outcome.FALSE]
