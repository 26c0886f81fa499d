"""What worlds by chance found wrong once, by hand: resets that the edge doubts, roll-overs beside other oddities."""

from itertools import pairwise

import pytest
from oracle.by_hand import ESTIMATED, ORDERS, at, flat, meter, reading, steady, step, swap, wrong
from oracle.judge import Notes, judge_counter
from oracle.product import Meterhouse
from oracle.truth import Step, Truth
from oracle.worlds import SUSPECT, Event

QUICK = ("at_once", "in_thirds")


@pytest.mark.parametrize("marked", [0, 1, 3, 4])
def test_a_reset_is_known_by_its_growth_though_the_edge_doubts_every_rise(marked):
    rows = [*flat(0, 10, 5_000.0), *flat(10, 20, 0.0)]
    for start, x in ((20, 0.1), (25, 0.2)):
        rises = flat(start, start + 5, x)
        rows += [row._replace(q=SUSPECT) if k < marked else row for k, row in enumerate(rises)]
    steps = [step(0, 9.75, 0.0), step(9.75, 10, 0.0, ESTIMATED), step(10, 19.75, 0.0)]
    for start in (20, 25):
        steps += [step(start - 0.25, start, 0.1, is_open=True), step(start, start + 4.75, 0.0, is_open=True)]
    found = wrong(rows, steps, QUICK, most=4.8)
    assert [line for line in found if "time" not in line and "shares" not in line] == []


def test_a_daily_counter_that_is_silent_over_midnight_counts_the_new_day():
    rows = [*steady(0, 20.6, 7.5, 14.6, 1.0), *steady(28, 50, 65.9, 14.6, 1.0)]
    steps = [step(0, 20, 292), step(20, 28, 65.9, ESTIMATED), step(28, 49, 306.6)]
    assert wrong(rows, steps, QUICK) == []


@pytest.mark.parametrize(("start", "x", "known"), [(0, 1_000, (4.75, 10.5, 69)), (15, 57, (10.5, 15, 54))])
def test_a_read_of_a_swap_counts_though_the_other_device_has_never_been_heard(start, x, known):
    rows = steady(start, start + 5, x, 12)
    begin, end, qty = known
    steps = sorted([step(start, start + 4.75, 57), step(begin, end, qty, ESTIMATED)], key=lambda one: one.start)
    assert wrong(rows, steps, ORDERS, world=meter(swap(10.5, 1_126, 3))) == []


def test_a_roll_over_after_a_leap_is_no_return_to_before_the_leap():
    rows = [*steady(0, 50, 62_000, 11), *(reading(50 + k / 4, (62_908 + 2.75 * k) % 65_536) for k in range(1_400))]
    leap = step(49.75, 50, 0.0, ESTIMATED, is_open=True)
    found = wrong(rows, [step(0, 49.75, 547.25), leap, step(50, 399.75, 3_847.25)], QUICK, span=65_536.0, most=35.8)
    assert [line for line in found if "time" not in line and "shares" not in line] == []


def test_a_register_that_repeats_itself_over_its_roll_over_loses_nothing():
    rows = [*steady(0, 10, 999_800, 20), *flat(10, 13, 999_995.0), *steady(13, 30, 60, 20)]
    steps = [step(0, 9.75, 195), step(9.75, 13, 65, ESTIMATED), step(13, 29.75, 335)]
    assert wrong(rows, steps, QUICK, span=1e6, most=60.0) == []


@pytest.mark.parametrize("shown", [0.0, 400_000.0])
def test_a_false_spell_days_after_a_roll_over_leaves_what_was_read_between(shown):
    rows = [reading(k / 4, (999_800 + 5 * k) % 1e6 if not 500 <= k < 540 else shown) for k in range(700)]
    steps = [step(0, 124.75, 2_495), step(124.75, 135, 205, ESTIMATED), step(135, 174.75, 795)]
    assert wrong(rows, steps, QUICK, span=1e6, most=60.0) == []


def test_a_roll_over_within_a_false_spell_is_counted():
    rows = [reading(k / 4, (999_800 + 5 * k) % 1e6 if not 30 <= k < 80 else 400_000.0) for k in range(200)]
    steps = [step(0, 7.25, 145), step(7.25, 20, 255, ESTIMATED), step(20, 49.75, 595)]
    assert wrong(rows, steps, QUICK, span=1e6, most=60.0) == []


def test_noise_of_arithmetic_is_no_habit_by_which_a_silence_is_spread():
    rows = [*flat(0, 8, 89.73, 1.0), *flat(8, 47, 1_204.0, 1.0), *flat(120, 130, 1_208.11, 1.0)]
    steps = [step(0, 8, 0.0), step(8, 46, 0.0), step(46, 120, 4.11, ESTIMATED), step(120, 129, 0.0)]
    assert wrong(rows, steps, QUICK, world=meter(swap(8, 89.73, 1_204))) == []


def test_what_the_edge_doubts_after_a_swap_that_is_known_is_believed():
    rows = [*steady(0, 10, 5_000, 3), reading(40, 84.0, SUSPECT)]
    steps = [step(0, 9.75, 29.25), step(9.75, 12, 6.75, ESTIMATED), step(12, 40, 84, ESTIMATED)]
    assert wrong(rows, steps, ORDERS[:4:3], world=meter(swap(12, 5_036, 0.0))) == []


def test_a_ratio_that_doubles_within_a_step_is_no_leap():
    rows = [*steady(0, 20, 1_000, 7, 1.0), *steady(20, 40, 1_139.5, 3.5, 1.0)]
    steps = [step(0, 19, 133), step(19, 19.5, 3.25), step(19.5, 20, 6.5 / 2 * 2), step(20, 39, 133)]
    assert wrong(rows, steps, QUICK, world=meter(Event("ratio", at(19.5), value=2.0), most=9.0)) == []


@pytest.mark.parametrize("late", [20, 44])
def test_an_oddity_after_an_opening_read_leaves_the_time_from_it_on(late):
    rows = [*steady(30, 40, 60, 3), *flat(40, 42, 7.0), *steady(42, 60, 96, 3)]
    steps = [
        step(10, 30, 60, ESTIMATED),
        step(30, 39.75, 29.25),
        step(39.75, 42, 6.75, ESTIMATED),
        step(42, 59.75, 53.25),
    ]
    found = Truth(world := meter(swap(10, 0, 0.0, "opening")), world.heads[0], rows, steps=steps)
    with Meterhouse(world) as house:
        house.take([(found.head.point, row) for row in rows[late:]])
        house.take([(found.head.point, row) for row in rows[:late]])
        judge_counter(notes := Notes(), house, found)
    assert notes.all() == []


@pytest.mark.parametrize("span", [None, 4_294_967.296])
def test_a_false_value_after_a_standstill_leaves_what_was_read_while_it_stood(span):
    rows = [*steady(0, 50, 4_294_960, 0.1, 1.0), *flat(50, 100, 4_294_964.9, 1.0), *steady(100, 103, 85_903, 4.5, 1.0)]
    rows += flat(103, 120, 4_294_964.9, 1.0)
    steps = [step(0, 49, 4.9), step(49, 50, 0.0), step(50, 99, 0.0), step(99, 103, 0.0, ESTIMATED), step(103, 119, 0.0)]
    assert wrong(rows, steps, QUICK, span=span) == []


def test_another_register_after_a_standstill_leaves_what_was_read_while_it_stood():
    rows = [*steady(0, 50, 2_000, 2.5, 1.0), *flat(50, 80, 2_125.0, 1.0), *steady(80, 100, 42_500, 20, 1.0)]
    rows += [*flat(100, 110, 2_125.0, 1.0), *steady(110, 120, 2_125, 2.5, 1.0)]
    steps = [
        step(0, 50, 125),
        step(50, 79, 0.0),
        step(79, 100, 0.0, ESTIMATED),
        step(100, 110, 0.0),
        step(110, 119, 22.5),
    ]
    assert wrong(rows, steps, QUICK) == []


def test_a_return_that_the_edge_still_doubts_ends_a_false_spell():
    false = steady(3, 6, 2_942.6, 6.9)
    rows = [*flat(0, 3, 7_356.0), *false, *(row._replace(q=SUSPECT) for row in flat(6, 6.5, 7_356.0))]
    steps = [step(0, 2.75, 0.0), step(2.75, 6, 0.0, ESTIMATED), step(6, 6.25, 0.0, is_open=True)]
    assert wrong(rows, steps, ORDERS, most=190.5) == []


def test_a_false_value_that_a_standstill_could_explain_takes_away_nothing_read_before():
    false = flat(10, 12, 6_553.5)
    rows = [*steady(0, 10, 217, 0.3), *false, *flat(12, 90, 220.0), *flat(90, 92, 2_342.8), *flat(92, 95, 220.0)]
    steps = [step(0, 9.75, 2.925), step(9.75, 12, 0.075, ESTIMATED), step(12, 89.75, 0.0)]
    steps += [step(89.75, 92, 0.0, ESTIMATED), step(92, 94.75, 0.0)]
    assert wrong(rows, steps, QUICK, most=40.6) == []


def test_two_false_spells_of_a_register_that_stands_near_its_roll_over_are_two():
    rows = [*flat(0, 60, 999_983.0), *flat(60, 62, 99_999.0), *flat(62, 64, 999_983.0), *flat(64, 66, 65_535.0)]
    rows += flat(66, 70, 999_983.0)
    steps = [step(0, 59.75, 0.0), step(59.75, 62, 0.0, ESTIMATED), step(62, 63.75, 0.0)]
    steps += [step(63.75, 66, 0.0, ESTIMATED), step(66, 69.75, 0.0)]
    assert wrong(rows, steps, QUICK, span=1e6, utility="water", digit=0.01) == []


def test_a_daily_counter_that_was_silent_all_week_does_not_go_back_to_sunday_on_monday_morning():
    weekend = {5, 6}
    rows = [row for day in range(7) for row in steady(24 * day, 24 * day + 24, 0.0, 0.9 if day in weekend else 10, 1.0)]
    rows = [row for row in rows if not at(74) < row.t_ms < at(142)]
    rows += [*steady(168, 176, 0.0, 0.5, 1.0), *steady(176, 192, 24.0, 12.0, 1.0)]
    steps = [step(0, 23, 230.0), step(168, 175, 3.5), step(175, 176, 20.5), step(176, 191, 180.0)]
    found = wrong(rows, steps, QUICK, most=250.0)
    assert [line for line in found if "hour" in line and "2026-10-08 0" in line and " 00:" not in line] == []


def test_a_false_value_within_a_neighbours_is_two_lies_and_one_return():
    every = 10 / 3600
    rows = [*flat(0, 0.1, 204.0, every), *steady(0.1, 0.18, 4.0, 11.9, every), *flat(0.18, 0.25, 0.204, every)]
    rows += [*steady(0.25, 0.3, 5.8, 11.9, every), *flat(0.3, 2.0, 204.0, every)]
    rows = [row._replace(x=float(int(row.x)) if row.x >= 1 else row.x) for row in rows]
    believed = [row.t_ms for row in rows if row.x == 204.0]
    gap = next((a, b) for a, b in pairwise(believed) if b - a > 60_000)
    estimated = Step(*gap, 0.0, ESTIMATED)
    steps = [Step(believed[0], gap[0], 0.0, "measured"), estimated, Step(gap[1], believed[-1], 0.0, "measured")]
    assert wrong(rows, steps, QUICK, digit=1.0) == []
