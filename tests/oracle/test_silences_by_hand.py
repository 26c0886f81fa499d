"""Silences, swaps, ratios, demand and odd clocks by hand: the one right figure of each."""

from dataclasses import replace
from itertools import pairwise

import pytest
from oracle.arrival import deliver
from oracle.by_hand import BEGIN, ESTIMATED, FLAT, ORDERS, at, flat, meter, reading, steady, step, swap, wrong
from oracle.judge import judge
from oracle.product import Meterhouse
from oracle.readings import play
from oracle.worlds import DAY, HOUR, MANUAL, SUBSTITUTED, Event, Head, Price, World, instant, month_edges

QUICK = ("at_once", "in_thirds")
SHANGHAI = "Asia/Shanghai"
POINT = "main/energy_import/total"


def bill_of(world, **rows):
    """The electricity of a month, by readings of each head."""
    with Meterhouse(world) as house:
        house.take([(head.point, row) for head in world.heads for row in rows[head.name]])
        return house.bill(world.months[0]).utilities[0]


# Silences


@pytest.mark.parametrize("per_hour", [12.0, 768.434])
def test_two_silences_that_meet_within_an_hour_sum_to_the_register(per_hour):
    rows = [*steady(0, 3.01, 1_000, per_hour), reading(10 + 1 / 3, 1_000 + per_hour * (10 + 1 / 3))]
    rows += steady(19, 24, 1_000 + 19 * per_hour, per_hour)
    meet = 10 + 1 / 3
    steps = [step(0, 3, 3 * per_hour), step(3, meet, per_hour * (meet - 3), ESTIMATED)]
    steps += [step(meet, 19, per_hour * (19 - meet), ESTIMATED), step(19, 23.75, 4.75 * per_hour)]
    assert wrong(rows, steps, ORDERS) == []


def test_silences_of_unlike_use_that_meet_within_an_hour_each_keep_their_own():
    rows = [*steady(0, 5.01, 1_000, 12), reading(9.25, 1_400), reading(9.5, 1_401), *steady(20, 30, 1_410, 12)]
    steps = [step(0, 5, 60), step(5, 9.25, 340, ESTIMATED), step(9.25, 9.5, 1), step(9.5, 20, 9, ESTIMATED)]
    assert wrong(rows, [*steps, step(20, 29.75, 117)], ORDERS) == []


def test_three_silences_within_two_hours_sum_to_the_register():
    ends = [0, 4.5, 4.75, 7.1, 7.3, 12.2, 18]
    rows = [reading(end, 500 + 7 * end) for end in ends]
    steps = [step(a, b, 7 * (b - a), ESTIMATED if b - a > 2 else "measured") for a, b in pairwise(ends)]
    assert wrong(rows, steps, ORDERS) == []


def test_a_silence_is_spread_as_the_meters_weeks_usually_lie():
    use = [2.0 if 8 <= hour % 24 < 18 else 0.5 for hour in range(24 * 21)]
    total = [0.0]
    for one in use:
        total.append(total[-1] + one)
    rows = [reading(hour, 100 + total[hour]) for hour in range(24 * 21) if not 24 * 14 + 5 < hour < 24 * 15 + 11]
    begin, end = 24 * 14 + 5, 24 * 15 + 11
    steps = [step(hour, hour + 1, use[hour]) for hour in range(begin)]
    steps.append(step(begin, end, total[end] - total[begin], ESTIMATED))
    steps += [step(hour, hour + 1, use[hour]) for hour in range(end, 24 * 21 - 1)]
    assert wrong(rows, steps, QUICK) == []


@pytest.mark.parametrize("hour", [6.1, 10.5, 14.9])
def test_a_swap_with_both_reads_during_an_outage_conserves_what_both_devices_counted(hour):
    closing, opening = 1_000 + 12 * hour, 3.0
    rows = [*steady(0, 6.01, 1_000, 12), *steady(15, 24, opening + 12 * (15 - hour), 12)]
    steps = [step(0, 6, 72)]
    for a, b in ((6, hour), (hour, 15)):
        steps.append(step(a, b, 12 * (b - a), ESTIMATED if b - a > 2 else "measured"))
    steps.append(step(15, 23.75, 105))
    assert wrong(rows, steps, ORDERS, world=meter(swap(hour, closing, opening))) == []


@pytest.mark.parametrize(("reads", "known"), [("opening", (10.5, 15)), ("closing", (6, 10.5)), ("none", None)])
def test_a_swap_during_an_outage_without_a_read_leaves_that_side_missing(reads, known):
    rows = [*steady(0, 6.01, 1_000, 12), *steady(15, 24, 3 + 54, 12)]
    steps = [step(0, 6, 72)]
    steps += [step(*known, 54, ESTIMATED)] if known else []
    steps.append(step(15, 23.75, 105))
    world = meter(swap(10.5, 1_126, 3, reads))
    assert wrong(rows, steps, ("at_once", "one_by_one", "backwards"), world=world) == []


def test_a_ratio_that_changes_inside_a_silence_does_not_make_it_measured():
    rows = [*steady(0, 6.01, 1_000, 12), *steady(6.5, 6.6, 1_078, 12), *steady(10, 24, 1_120, 12)]
    world = meter(Event("ratio", at(8.25), value=2.0))
    steps = [step(0, 6.5, 78), step(6.5, 10, 21 + 2 * 21, ESTIMATED), step(10, 23.75, 2 * 165)]
    found = wrong(rows, steps, ("at_once", "one_by_one"), world=world)
    assert [line for line in found if "spread" not in line] == []


@pytest.mark.parametrize("q", [MANUAL, SUBSTITUTED])
def test_what_is_read_by_hand_or_substituted_is_not_measured(q):
    rows = [row._replace(q=q) if at(10) <= row.t_ms < at(12) else row for row in steady(0, 24, 1_000, 12)]
    steps = [step(0, 9.75, 117)]
    steps += [step(9.75 + k / 4, 10 + k / 4, 3, ESTIMATED) for k in range(9)]
    assert wrong(rows, [*steps, step(12, 23.75, 141)], QUICK) == []


def test_a_reading_by_hand_parts_a_silence_in_two_estimates():
    rows = [*steady(0, 6.01, 1_000, 12), reading(9, 1_110, MANUAL), *steady(15, 24, 1_180, 12)]
    steps = [step(0, 6, 72), step(6, 9, 38, ESTIMATED), step(9, 15, 70, ESTIMATED), step(15, 23.75, 105)]
    assert wrong(rows, steps, ORDERS) == []


def test_before_the_first_and_after_the_last_reading_parts_of_hours_are_missing():
    rows = steady(10.75, 30.3, 1_000, 12)
    assert wrong(rows, [step(10.75, 30.25, 234)], QUICK) == []
    bill = bill_of(meter(), main=rows)
    assert (bill.shares.measured_h, bill.shares.estimated_h) == (pytest.approx(19.5), 0)
    assert bill.shares.missing_h == pytest.approx(745 - 19.5)


def test_readings_a_day_apart_with_zeros_for_three_days():
    rows = [reading(24 * day, 1_000 + 24 * day if day not in {5, 6, 7} else 0.0) for day in range(20)]
    days = [*pairwise(range(5)), (4, 8), *pairwise(range(8, 20))]
    assert wrong(rows, [step(24 * a, 24 * b, 24 * (b - a), ESTIMATED) for a, b in days], ORDERS[:3]) == []


# Demand and charges


def heads(*names, price=None, **facts):
    world = meter(first=BEGIN, **facts)
    prices = price or (replace(FLAT[0], per_kw=40.0),)
    return replace(world, heads=tuple(replace(world.heads[0], name=name) for name in names), prices=prices)


def demand_of(bill):
    return [(float(line.quantity), float(line.amount)) for line in bill.lines if line.what == "demand"]


def test_the_backlog_of_a_silence_is_no_demand():
    rows = [*steady(0, 100, 1_000, 12), *steady(112, 745.1, 1_000 + 1_200 + 76 * 12, 12)]
    bill = bill_of(heads("main"), main=rows)
    assert demand_of(bill) == [(pytest.approx(12), pytest.approx(480))]


def test_a_backlog_of_less_than_two_hours_after_zeros_is_no_demand():
    rows = [*steady(0, 100, 1_000, 12), *flat(100, 101.5, 0.0), *steady(101.5, 745.1, 1_000 + 1_200 + 76, 12)]
    assert demand_of(bill_of(heads("main"), main=rows)) == [(pytest.approx(12), pytest.approx(480))]


def test_a_head_that_has_not_begun_does_not_hide_what_was_measured():
    rows = [*steady(0, 100, 1_000, 12), *steady(100, 101, 2_200, 100), *steady(101, 745.1, 2_300, 12)]
    bill = bill_of(heads("main", "side"), main=rows, side=steady(24 * 9, 745.1, 50, 5))
    assert demand_of(bill) == [(pytest.approx(100), pytest.approx(4_000))]


def test_several_heads_name_the_worst_of_their_shares():
    main = [row for row in steady(0, 745.1, 1_000, 12) if not at(50) < row.t_ms < at(60)]
    bill = bill_of(heads("main", "side"), main=main, side=steady(100, 745.1, 50, 5))
    assert bill.shares.missing_h == pytest.approx(100)
    assert bill.shares.measured_h == pytest.approx(645)


def test_fixed_charges_of_three_tariffs_sum_to_the_month():
    prices = tuple(
        Price(f"t{k}", "electricity", since, (("flat", 0.5),), fixed=900.0)
        for k, since in enumerate(("2000-01-01", "2026-10-11", "2026-10-20"))
    )
    begin, end = month_edges("2026-10", SHANGHAI)
    world = World("fixed", SHANGHAI, ("2026-10",), (Head("main", first=begin, last=end),), prices)
    rows = [reading((begin - BEGIN) / HOUR + k / 4, 1_000 + 3 * k) for k in range(744 * 4 + 1)]
    fixed = [float(line.amount) for line in bill_of(world, main=rows).lines if line.what == "fixed"]
    assert fixed[0] == pytest.approx(290.32)
    assert sum(fixed) == pytest.approx(900.00)


# Closed months and odd clocks


def test_a_silence_in_an_open_month_is_not_weighed_by_a_closed_months_older_hours():
    """September is closed with a flat use; then it turns out that only days used anything: October follows that."""
    zone, start = "UTC", instant("2026-09-10T00:00", "UTC")
    head = Head("main", poll=HOUR, first=start, last=start + 31 * DAY, load="office", size=20.0)
    gap = instant("2026-10-03T05:00", zone)
    silence = Event("silence", gap, gap + 30 * HOUR)
    world = World(
        "closed", zone, ("2026-09", "2026-10"), (replace(head, events=(silence,)),), FLAT, "late", 3, "2026-09"
    )
    assert judge(world) == []


@pytest.mark.parametrize("month", ["2026-04", "2026-10"])
def test_days_of_a_zone_whose_clocks_change_by_half_an_hour_are_exact(month):
    zone = "Australia/Lord_Howe"
    start, end = month_edges(month, zone)
    head = Head("main", first=start, last=end + HOUR, size=4.0)
    assert judge(World("half an hour", zone, (month,), (head,), FLAT)) == []


@pytest.mark.parametrize(
    ("zone", "month"),
    [
        ("Pacific/Apia", "2011-12"),
        ("America/St_Johns", "2026-11"),
        ("America/Sao_Paulo", "2018-11"),
        ("Asia/Kathmandu", "2026-02"),
        ("Europe/London", "2026-03"),
        ("Europe/London", "2026-10"),
        ("Africa/Casablanca", "2026-03"),
        ("Asia/Gaza", "2026-10"),
    ],
)
def test_a_month_in_which_clocks_change_is_exact(zone, month):
    start, end = month_edges(month, zone)
    head = Head("main", first=start - 3 * HOUR, last=end + HOUR, load="office", size=20.0)
    silence = Event("silence", start + 20 * DAY, start + 21 * DAY)
    assert judge(World("odd clocks", zone, (month,), (replace(head, events=(silence,)),), FLAT)) == []


def test_the_same_world_gives_the_same_month_at_every_poll():
    start, end = month_edges("2026-10", SHANGHAI)
    events = (
        Event("zeros", start + 100 * HOUR, start + 140 * HOUR),
        Event("neighbour", start + 200 * HOUR, start + 230 * HOUR, 300.0, 9.0),
        Event("silence", start + 300 * HOUR, start + 330 * HOUR),
        Event("ones", start + 500 * HOUR, start + 501 * HOUR, 65_535.0),
    )
    months = []
    for poll in (5, 15, 30, 60):
        head = Head("main", poll=poll * 60_000, first=start, last=end, opening=5_000.0, most=30.0, events=events)
        world = World("polls", SHANGHAI, ("2026-10",), (head,), FLAT)
        assert judge(world) == []
        with Meterhouse(world) as house:
            deliver(world, house, {"main": play(world, head)})
            months.append(float(house.bill("2026-10").utilities[0].quantity))
    assert max(months) - min(months) <= 0.02
    assert months[0] == pytest.approx(744 * 12, abs=0.02)
