"""False spells, resets, leaps and doubts by hand: what the register showed, and the one right figure."""

import pytest
from oracle.by_hand import (
    BEGIN,
    ESTIMATED,
    MEASURED,
    ORDERS,
    at,
    flat,
    meter,
    reading,
    steady,
    step,
    swap,
    wrong,
)
from oracle.product import Meterhouse, marked
from oracle.worlds import HOUR, SUSPECT

TEN_SECONDS = 10 / 3600
QUICK = ("at_once", "in_thirds")


def spell(value, start, end, every=0.25):
    """Readings of a spell that show one value."""
    return flat(start, end, value, every)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7, 8, 40])
def test_zeros_between_two_readings_that_show_the_same_are_no_use_however_many(count):
    rows = [*flat(0, 10 * TEN_SECONDS, 86.2, TEN_SECONDS)]
    back = (10 + count) * TEN_SECONDS
    rows += [*spell(0.0, 10 * TEN_SECONDS, back, TEN_SECONDS), *flat(back, back + 60 * TEN_SECONDS, 86.2, TEN_SECONDS)]
    last = (rows[-1].t_ms - BEGIN) / HOUR
    steps = [step(0, 9 * TEN_SECONDS, 0.0), step(9 * TEN_SECONDS, back, 0.0, ESTIMATED), step(back, last, 0.0)]
    assert wrong(rows, steps, QUICK if count > 8 else ORDERS) == []


def test_zeros_for_thirteen_hours_are_not_a_lifetime_of_use():
    hours = 745
    rows = [row for row in steady(0, hours, 60_000, 20) if not at(24 * 8 + 8) <= row.t_ms < at(24 * 8 + 21)]
    rows = sorted([*rows, *spell(0.0, 24 * 8 + 8, 24 * 8 + 21)], key=lambda row: row.t_ms)
    rows.append(reading(hours, 60_000 + 20 * hours))
    begin, end = 24 * 8 + 7.75, 24 * 8 + 21
    steps = [step(0, begin, 20 * begin), step(begin, end, 20 * 13.25, ESTIMATED), step(end, hours, 20 * (hours - end))]
    world = meter()
    assert wrong(rows, steps, QUICK, world=world) == []
    with Meterhouse(world) as house:
        house.take([("main/energy_import/total", row) for row in rows])
        (bill,) = house.bill("2026-10").utilities
    assert float(bill.quantity) == 14_900
    assert (bill.shares.measured_h, bill.shares.missing_h) == (pytest.approx(745 - 13.25), pytest.approx(0))


@pytest.mark.parametrize("most", [None, 3.7, 100.0])
@pytest.mark.parametrize("every", [0.25, 0.5, 1.0, 3.0])
def test_a_day_of_zeros_on_a_plug_counts_what_it_used(most, every):
    rows = [*steady(0, 48, 86.0, 0.15, every), *spell(0.0, 48, 72, every), *steady(72, 120, 96.8, 0.15, every)]
    how = MEASURED if every <= 2 else ESTIMATED
    before = [step(0, 48 - every, 0.15 * (48 - every), how)] if every <= 2 else three_hourly(0, 45, 0.15)
    after = [step(72, 120 - every, 0.15 * (48 - every), how)] if every <= 2 else three_hourly(72, 117, 0.15)
    steps = [*before, step(48 - every, 72, 96.8 - 86 - 0.15 * (48 - every), ESTIMATED), *after]
    assert wrong(rows, steps, QUICK, most=most) == []


def three_hourly(start, end, per_hour):
    return [step(hour, hour + 3, 3 * per_hour, ESTIMATED) for hour in range(start, end, 3)]


@pytest.mark.parametrize("span", [None, 4_294_967.296, 4_294_967.295])
@pytest.mark.parametrize("every", [TEN_SECONDS * 6, 0.25, 1.0])
def test_all_ones_for_an_hour_are_neither_use_nor_the_end_of_the_register(span, every):
    shown = 4_294_967.295
    rows = [*steady(0, 6, 900, 0.5, every), *spell(shown, 6, 7, every), *steady(7, 20, 903.5, 0.5, every)]
    steps = [
        step(0, 6 - every, 0.5 * (6 - every)),
        step(6 - every, 7, 0.5 * (1 + every), ESTIMATED),
        step(7, 20 - every, 0.5 * (13 - every)),
    ]
    assert wrong(rows, steps, QUICK, span=span) == []


@pytest.mark.parametrize("shown", [65_535.0, 6_553.5, 2_147_483.647, 42_949_672.95])
def test_all_ones_for_days_beyond_what_the_feeder_can_deliver_are_false(shown):
    rows = [*steady(0, 24, 1_000, 2), *spell(shown, 24, 100), *steady(100, 200, 1_200, 2)]
    steps = [step(0, 23.75, 47.5), step(23.75, 100, 200 - 47.5, ESTIMATED), step(100, 199.75, 199.5)]
    assert wrong(rows, steps, QUICK, most=20.0) == []


@pytest.mark.parametrize(("level", "per_hour"), [(40.0, 9.0), (700.0, 1.0), (9_000.0, 30.0), (8e6, 0.5)])
def test_a_neighbours_growing_register_is_no_use_once_the_own_one_returns(level, per_hour):
    rows = [*steady(0, 24, 1_000, 2), *steady(24, 96, level, per_hour), *steady(96, 200, 1_192, 2)]
    steps = [step(0, 23.75, 47.5), step(23.75, 96, 192 - 47.5, ESTIMATED), step(96, 199.75, 207.5)]
    assert wrong(rows, steps, QUICK, most=20.0) == []


@pytest.mark.parametrize("level", [0.3, 99.0, 480.0, 980.0, 77_000.0])
def test_frozen_garbage_is_no_use(level):
    rows = [*steady(0, 24, 1_000, 2), *spell(level, 24, 31), *steady(31, 60, 1_062, 2)]
    steps = [step(0, 23.75, 47.5), step(23.75, 31, 62 - 47.5, ESTIMATED), step(31, 59.75, 57.5)]
    assert wrong(rows, steps, QUICK, most=20.0) == []


def test_a_spell_within_a_spell_is_one_time_that_is_estimated():
    false = [*spell(0.0, 10, 14), *spell(65_535.0, 14, 15), *steady(15, 18, 333, 4), *spell(0.0, 18, 20)]
    rows = [*steady(0, 10, 5_000, 3), *false, *steady(20, 40, 5_060, 3)]
    steps = [step(0, 9.75, 29.25), step(9.75, 20, 30.75, ESTIMATED), step(20, 39.75, 59.25)]
    assert wrong(rows, steps, ORDERS[:4:2], most=20.0) == []


def test_one_true_reading_between_two_spells_is_believed():
    rows = [*steady(0, 10, 5_000, 3), *spell(0.0, 10, 14), reading(14, 5_042), *spell(0.0, 14.25, 20)]
    rows += steady(20, 40, 5_060, 3)
    steps = [step(0, 9.75, 29.25), step(9.75, 14, 12.75, ESTIMATED), step(14, 20, 18, ESTIMATED)]
    assert wrong(rows, [*steps, step(20, 39.75, 59.25)], QUICK) == []


def test_a_spell_that_begins_and_ends_in_silences_is_estimated_from_end_to_end():
    rows = [*steady(0, 10, 5_000, 3), *spell(0.0, 15, 16), *steady(23, 40, 5_069, 3)]
    assert wrong(rows, [step(0, 9.75, 29.25), step(9.75, 23, 39.75, ESTIMATED), step(23, 39.75, 50.25)], QUICK) == []


@pytest.mark.parametrize("last", [10.25, 11, 60])
def test_while_nobody_can_tell_what_zeros_are_their_time_is_missing(last):
    rows = [*steady(0, 10, 5_000, 3), *spell(0.0, 10, last)]
    assert wrong(rows, [step(0, 9.75, 29.25)], QUICK) == []


@pytest.mark.parametrize("count", [1, 4, 30])
def test_all_ones_at_the_end_are_in_doubt(count):
    rows = [*steady(0, 10, 5_000, 3), *spell(4_294_967.295, 10, 10 + count / 4)]
    assert wrong(rows, [step(0, 9.75, 29.25)], QUICK) == []


@pytest.mark.parametrize("every", [TEN_SECONDS * 6, 0.25, 0.5, 1.0])
def test_a_real_reset_counts_from_zero(every):
    rows = [*steady(0, 10, 5_000, 3, every), *steady(10, 30, 3 * every, 3, every)]
    steps = [step(0, 10 - every, 3 * (10 - every)), step(10 - every, 10, 3 * every, ESTIMATED)]
    assert wrong(rows, [*steps, step(10, 30 - every, 3 * (20 - every))], QUICK) == []


def test_a_reset_of_a_plug_that_idles_is_known_once_the_plug_is_used():
    idle = [*steady(0, 10, 86, 0.5), *flat(10, 60, 0.0)]
    steps = [step(0, 9.75, 4.875)]
    assert wrong(idle, steps, QUICK) == []
    used = [*idle, *steady(60, 70, 0.0, 1.0)]
    steps += [step(9.75, 10, 0.0, ESTIMATED), step(10, 60, 0.0), step(60, 69.75, 9.75)]
    assert wrong(used, steps, QUICK) == []


def test_a_reset_in_a_silence_counts_what_the_register_shows_after_it():
    rows = [*steady(0, 10, 5_000, 3), *steady(18, 30, 15, 3)]
    assert wrong(rows, [step(0, 9.75, 29.25), step(9.75, 18, 15, ESTIMATED), step(18, 29.75, 35.25)], QUICK) == []


@pytest.mark.parametrize("every", [TEN_SECONDS, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("is_marked", [False, True])
def test_a_counter_that_resets_daily_counts_each_day(every, is_marked):
    rows = []
    for day in range(4):  # at midnight it still shows the whole day
        rows += steady(24 * day + (every if day else 0), 24 * (day + 1) + every / 2, every if day else 0.0, 1, every)
    world = meter(most=3.7, opening=0.0, digit=0.001, is_judged_by_edge=is_marked, last=at(96))
    steps = []
    for day in range(4):
        begin = 24 * day + (every if day else 0)
        steps += [step(24 * day, begin, every, ESTIMATED)] if day else []
        steps.append(step(begin, 24 * (day + 1), 24 - (every if day else 0)))
    assert wrong(marked(world.heads[0], rows), steps, ("at_once",), world=world) == []


@pytest.mark.parametrize("day_h", [0.2, 1.5])
def test_a_daily_counter_of_an_office_is_not_taken_for_one_that_returns(day_h):
    rows, steps, x = [reading(0, 0.0)], [], 0.0
    for hour in range(24 * 14):
        day, of_day = divmod(hour, 24)
        use = 3.0 if 8 <= of_day < 18 and day % 7 < 5 else day_h
        is_new = of_day == 0 and hour
        x = use if is_new else round(x + use, 6)
        rows.append(reading(hour + 1, x))
        steps.append(step(hour, hour + 1, use, ESTIMATED if is_new else MEASURED))
    assert wrong(rows, steps, QUICK, most=20.0) == []


@pytest.mark.parametrize("every", [1 / 12, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("is_marked", [False, True])
def test_a_leap_beyond_the_feeder_is_no_use_at_any_poll_with_or_without_the_edges_mark(every, is_marked):
    rows = [*steady(0, 24, 50, 1, every), *steady(24, 60, 74 + 10, 1, every)]
    world = meter(most=3.7, is_judged_by_edge=is_marked)
    steps = [
        step(0, 24 - every, 24 - every),
        step(24 - every, 24, 0.0, ESTIMATED, is_open=True),
        step(24, 60 - every, 36 - every),
    ]
    found = wrong(marked(world.heads[0], rows), steps, QUICK, world=world)
    assert [line for line in found if "time" not in line and "shares" not in line] == []


def test_the_edges_mark_on_ordinary_readings_loses_nothing():
    rows = [row._replace(q=SUSPECT) if 40 <= k < 43 else row for k, row in enumerate(steady(0, 24, 50, 1))]
    steps = [step(0, 9.75, 9.75), step(9.75, 10.75, 1.0, is_open=True), step(10.75, 23.75, 13.0)]
    assert wrong(rows, steps, QUICK) == []


def test_another_register_at_a_lower_level_is_a_new_start():
    rows = [*steady(0, 24, 5_000, 3), *steady(24, 60, 2_400, 3)]
    steps = [step(0, 23.75, 71.25), step(23.75, 24, 0.0, ESTIMATED, is_open=True), step(24, 59.75, 107.25)]
    found = wrong(rows, steps, QUICK, most=20.0)
    assert [line for line in found if "time" not in line and "shares" not in line] == []


@pytest.mark.parametrize("count", [1, 2, 3, 4, 12])
def test_a_spike_within_what_the_feeder_could_deliver_is_no_use(count):
    rows = [
        *steady(0, 10, 86, 0.2),
        *spell(300.0, 10, 10 + count / 4),
        *steady(10 + count / 4, 40, 88 + count / 20, 0.2),
    ]
    back = 10 + count / 4
    how = step(9.75, back, 0.05 + count / 20, ESTIMATED)
    assert wrong(rows, [step(0, 9.75, 1.95), how, step(back, 39.75, 0.2 * (39.75 - back))], QUICK) == []


def test_zeros_on_a_plug_that_has_idled_for_days_are_no_use():
    rows = [*flat(0, 72, 86.2), *spell(0.0, 72, 90), *flat(90, 150, 86.2)]
    assert wrong(rows, [step(0, 71.75, 0), step(71.75, 90, 0, ESTIMATED), step(90, 149.75, 0)], QUICK) == []


def test_a_return_a_little_below_the_level_before_is_a_return():
    rows = [*steady(0, 10, 5_000, 3), *spell(0.0, 10, 12), *flat(12, 13, 5_028.0), *steady(13, 30, 5_028, 3)]
    steps = [step(0, 9.75, 29.25), step(9.75, 12, 0.0, ESTIMATED), step(12, 13.25, 0.0), step(13.25, 13.5, 0.25)]
    assert wrong(rows, [*steps, step(13.5, 29.75, 48.75)], QUICK) == []


def test_zeros_over_a_months_edge_are_in_neither_bill():
    edge = 745
    rows = [
        *steady(700, edge - 10, 60_000, 20),
        *spell(0.0, edge - 10, edge + 8),
        *steady(edge + 8, edge + 50, 61_060, 20),
    ]
    world = meter(months=("2026-10", "2026-11"), first=at(700), last=at(edge + 50))
    begin, end = edge - 10.25, edge + 8
    steps = [step(700, begin, 20 * (begin - 700)), step(begin, end, 20 * (end - begin), ESTIMATED)]
    steps.append(step(end, edge + 49.75, 20 * 41.75))
    assert wrong(rows, steps, QUICK, world=world) == []


def test_a_register_that_rolls_over_counts_on_exactly():
    rows = [reading(k / 4, (65_500 + 3 * k) % 65_536) for k in range(100)]
    assert wrong(rows, [step(0, 24.75, 297)], QUICK, span=65_536.0) == []


def test_a_roll_over_in_a_silence_is_exact_and_estimated():
    rows = [
        row for row in (reading(k / 4, (99_900 + 3 * k) % 1e5) for k in range(100)) if not at(5) < row.t_ms < at(15)
    ]
    assert wrong(rows, [step(0, 5, 60), step(5, 15, 120, ESTIMATED), step(15, 24.75, 117)], QUICK, span=1e5) == []


def test_more_than_the_digits_can_show_is_left_out():
    rows = [*steady(0, 10, 5_000, 3), *spell(1_234_567.0, 10, 11), *steady(11, 20, 5_033, 3)]
    assert (
        wrong(rows, [step(0, 9.75, 29.25), step(9.75, 11, 3.75, ESTIMATED), step(11, 19.75, 26.25)], QUICK, span=1e5)
        == []
    )


def test_a_register_that_repeats_itself_and_then_shows_all_at_once_was_not_measured():
    rows = [*steady(0, 10, 5_000, 12), *flat(10, 15, 5_117.0), *steady(15, 40, 5_180, 12)]
    steps = [step(0, 9.75, 117), step(9.75, 15, 63, ESTIMATED), step(15, 39.75, 297)]
    assert wrong(rows, steps, QUICK, most=20.0) == []


def test_a_last_digit_that_flickers_is_no_use():
    rows = [row._replace(x=round(row.x - 0.1 * (k % 2), 6)) for k, row in enumerate(flat(0, 100, 5_000.0))]
    assert wrong(rows, [step(0, 99.75, 0.0)], QUICK) == []


def test_zeros_before_a_swap_end_with_the_closing_read():
    rows = [*steady(0, 10, 5_000, 3), *spell(0.0, 10, 14), *steady(14.25, 30, 7.5, 3)]
    world = meter(swap(14.125, 5_042.375, 7.125))
    steps = [step(0, 9.75, 29.25), step(9.75, 14.125, 13.125, ESTIMATED), step(14.125, 29.75, 46.875)]
    assert wrong(rows, steps, QUICK, world=world) == []


def test_the_word_for_word_order_of_arrival_changes_nothing():
    rows = [*steady(0, 8, 86, 0.4), *spell(0.0, 8, 12), *steady(12, 16, 90.8, 0.4), *spell(655.35, 16, 18)]
    rows += steady(18, 26, 93.2, 0.4)
    steps = [step(0, 7.75, 3.1), step(7.75, 12, 1.7, ESTIMATED), step(12, 15.75, 1.5)]
    steps += [step(15.75, 18, 0.9, ESTIMATED), step(18, 25.75, 3.1)]
    assert wrong(rows, steps, ORDERS, most=3.7) == []
