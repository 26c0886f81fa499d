"""Prices of every shape in use, each against a cost worked out by hand."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.calendars import SiteCalendar
from accounting.charges import capacity_charge, demand_charge, demand_parts, tier_parts
from accounting.local_time import HOUR_MS, MINUTE_MS, day_number
from accounting.tariffs import NO_PERIOD, PERIODS, Tariffs, minute_periods
from facility.model import Name, Notice, Price, Site
from facility.quantities import Utility
from facility.tariff import Capacity, Demand, Period, Step, Tariff, TariffRule, Tiers, faults_of

SHARP, PEAK, FLAT, VALLEY, DEEP = PERIODS
PRICES = {SHARP: 1.6, PEAK: 1.2, FLAT: 0.8, VALLEY: 0.4, DEEP: 0.2}
ALL_YEAR = ()


def slots(text):
    found = []
    for span in text.split():
        start, end = (int(at.partition(":")[0]) * 60 + int(at.partition(":")[2] or 0) for at in span.split("-"))
        found.append((start, end))
    return tuple(found)


def months(*numbers):
    return tuple(((m, 1), (m, 31)) for m in numbers)


def tariff(*rules, otherwise=FLAT, valid_from=date(2020, 1, 1), **more):
    made = tuple(TariffRule(period, slots(text), *rest) for period, text, *rest in rules)
    prices = tuple(PRICES.items())
    return Tariff("t", Utility.ELECTRICITY, valid_from, "a notice", prices, made, otherwise, **more)


def site(*tariffs, zone="Asia/Shanghai", country="CN", **more):
    return Site("s", Name("s"), zone, "CNY", country, tariffs=tariffs, **more)


def pricing(one, start, end=None, step_ms=MINUTE_MS, building="b", zone="Asia/Shanghai", **more):
    """Pricing of every minute (or longer step) of local days from ``start`` up to ``end``, excluded."""
    estate = one if isinstance(one, Site) else site(one, zone=zone, **more)
    calendar = SiteCalendar(estate)
    first = midnight(start, zone)
    last = midnight(end, zone) if end else first + 24 * HOUR_MS
    return Tariffs(estate, calendar).price(Utility.ELECTRICITY, building, np.arange(first, last + 1, step_ms))


def midnight(text, zone="Asia/Shanghai"):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def minutes(priced):
    """Minutes of each period, by its word."""
    return {period.value: int(n) for period, n in zip(PERIODS, priced.shares.sum(axis=0).round(), strict=True) if n}


def cost_of_one_kwh_a_minute(one, day, **more):
    priced = pricing(one, day, **more)
    return priced.cost(np.ones(len(priced.tariff))).sum()


JIANGSU = tariff(
    (PEAK, "14:00-22:00", months(1, 2, 6, 7, 8, 12)),
    (VALLEY, "22:00-02:00 11:00-13:00", months(1, 2, 6, 7, 8, 12)),
    (VALLEY, "02:00-06:00 10:00-14:00", months(3, 4, 5, 9, 10, 11)),
    (PEAK, "15:00-22:00", months(3, 4, 5, 9, 10, 11)),
)
HENAN = tariff(
    (PEAK, "16:00-24:00"),
    (VALLEY, "00:00-07:00"),
    (VALLEY, "11:00-14:00", months(3, 4, 5, 9, 10, 11)),
    (PEAK, "11:00-12:00", months(6, 7, 8)),
)
ANHUI = tariff(
    (PEAK, "16:00-24:00"),
    (VALLEY, "02:00-08:00"),
    (SHARP, "20:00-22:00", (((7, 15), (8, 31)),)),
    (SHARP, "19:00-21:00", (((12, 15), (1, 31)),)),
    (DEEP, "11:00-15:00", (), frozenset({"long_holiday"})),
)
GUANGDONG = tariff(
    (PEAK, "10:00-12:00 14:00-19:00"),
    (VALLEY, "00:00-08:00"),
    (SHARP, "11:00-12:00 15:00-17:00", months(7, 8, 9)),
)
SHANGHAI = tariff(
    (PEAK, "08:00-10:00 13:00-14:00 18:00-20:00", months(7, 8, 9)), (VALLEY, "22:00-05:00", months(7, 8, 9))
)


def test_a_slot_over_midnight_is_cheap_on_both_sides_of_it():
    priced = pricing(JIANGSU, "2026-07-08")
    assert minutes(priced) == {"peak": 480, "flat": 600, "valley": 360}
    codes = priced.shares.argmax(axis=1)
    assert {int(codes[m]) for m in (0, 119, 1320, 1439)} == {PERIODS.index(VALLEY)}
    assert codes[120] == codes[1319 - 480] == PERIODS.index(FLAT)
    assert cost_of_one_kwh_a_minute(JIANGSU, "2026-07-08") == pytest.approx(480 * 1.2 + 600 * 0.8 + 360 * 0.4)


def test_a_midday_valley_of_spring_and_autumn_is_none_in_summer():
    assert minutes(pricing(HENAN, "2026-04-15")) == {"peak": 480, "flat": 360, "valley": 600}
    assert minutes(pricing(HENAN, "2026-07-15")) == {"peak": 540, "flat": 480, "valley": 420}
    assert cost_of_one_kwh_a_minute(HENAN, "2026-04-15") == pytest.approx(480 * 1.2 + 360 * 0.8 + 600 * 0.4)


@pytest.mark.parametrize(
    ("day", "sharp"),
    [
        ("2026-07-14", 0),
        ("2026-07-15", 120),
        ("2026-08-31", 120),
        ("2026-09-01", 0),
        ("2026-12-14", 0),
        ("2026-12-15", 120),
        ("2026-01-31", 120),
        ("2026-02-01", 0),
    ],
)
def test_a_season_that_starts_mid_month_starts_that_day_and_may_pass_the_years_end(day, sharp):
    assert minutes(pricing(ANHUI, day)).get("sharp", 0) == sharp


def test_a_deep_valley_of_long_holidays_holds_on_2026_10_03_and_not_on_a_single_day_off():
    assert minutes(pricing(ANHUI, "2026-10-03")) == {"peak": 480, "flat": 360, "valley": 360, "deep": 240}
    assert minutes(pricing(ANHUI, "2026-10-04"))["deep"] == 240  # the Sunday inside the holiday
    assert "deep" not in minutes(pricing(ANHUI, "2026-10-10"))  # a make-up Saturday
    assert "deep" not in minutes(pricing(ANHUI, "2026-10-17"))  # a plain Saturday
    assert cost_of_one_kwh_a_minute(ANHUI, "2026-10-03") == pytest.approx(480 * 1.2 + 360 * 0.8 + 360 * 0.4 + 240 * 0.2)


def test_sharp_slots_inside_peak_slots_win():
    assert minutes(pricing(GUANGDONG, "2026-08-05")) == {"sharp": 180, "peak": 240, "flat": 540, "valley": 480}
    assert minutes(pricing(GUANGDONG, "2026-05-06")) == {"peak": 420, "flat": 540, "valley": 480}
    assert cost_of_one_kwh_a_minute(GUANGDONG, "2026-08-05") == pytest.approx(
        180 * 1.6 + 240 * 1.2 + 540 * 0.8 + 480 * 0.4
    )


def test_a_region_may_suspend_its_sharp_price():
    yunnan = tariff((PEAK, "09:00-12:00 17:00-22:00"), (VALLEY, "23:00-07:00"))
    assert minutes(pricing(yunnan, "2026-07-15")) == {"peak": 480, "flat": 480, "valley": 480}


def test_shanghai_in_summer():
    assert minutes(pricing(SHANGHAI, "2026-08-05")) == {"peak": 300, "flat": 720, "valley": 420}
    assert minutes(pricing(SHANGHAI, "2026-06-03")) == {"flat": 1440}


@pytest.mark.parametrize("one", [JIANGSU, HENAN, ANHUI, GUANGDONG, SHANGHAI])
def test_every_day_of_the_year_has_1440_minutes_each_of_one_period(one):
    days = np.arange(day_number(date(2026, 1, 1)), day_number(date(2027, 1, 1)))
    codes, which = minute_periods(one, SiteCalendar(site(one)).day_kinds(days))
    assert codes.shape[1] == 1440
    assert codes.max() < NO_PERIOD
    assert len(which) == 365
    assert faults_of(one) == []
    priced = pricing(one, "2026-01-01", "2027-01-01", step_ms=HOUR_MS // 4)
    assert priced.shares.sum(axis=1).tolist() == pytest.approx([1.0] * len(priced.tariff))


@pytest.mark.parametrize(
    ("day", "next_day", "length"), [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25)]
)
def test_a_day_when_the_clocks_change_has_all_its_minutes_once(day, next_day, length):
    night = tariff((VALLEY, "00:30-07:30"))
    priced = pricing(night, day, next_day, zone="Europe/London", country="GB")
    assert minutes(priced) == {"flat": 1440 - 420, "valley": 420 + (length - 24) * 60}
    hourly = pricing(night, day, next_day, step_ms=HOUR_MS, zone="Europe/London", country="GB")
    assert minutes(priced) == {
        p.value: round(60 * n) for p, n in zip(PERIODS, hourly.shares.sum(axis=0), strict=True) if n
    }


def test_half_past_eight_splits_an_hour_and_a_quarter_to_the_minute():
    one = tariff((PEAK, "08:30-11:10"))
    hours = pricing(one, "2026-06-03", step_ms=HOUR_MS)
    assert hours.shares[8].tolist() == [0, 0.5, 0.5, 0, 0]
    assert hours.cost(np.full(24, 10.0))[8] == pytest.approx(5 * 1.2 + 5 * 0.8)
    assert hours.shares[11, 1] == pytest.approx(10 / 60)
    qty, cost = hours.by_period(np.full(24, 6.0))
    assert (qty[11, 1], cost[11, 1]) == (pytest.approx(1.0), pytest.approx(1.2))
    assert qty.sum() == pytest.approx(24 * 6)


def test_weekdays_workdays_and_holidays_have_their_own_rules():
    one = tariff(
        (PEAK, "08:00-20:00", (), frozenset({"workday"})),
        (VALLEY, "08:00-20:00", (), frozenset({"restday", "holiday"})),
        (DEEP, "12:00-13:00", (), frozenset({"sun"})),
    )
    assert minutes(pricing(one, "2026-02-14")) == {"peak": 720, "flat": 720}  # a make-up Saturday
    assert minutes(pricing(one, "2026-02-16")) == {"flat": 720, "valley": 720}  # a Monday off
    assert minutes(pricing(one, "2026-09-20"))["deep"] == 60  # a make-up Sunday is worked, and a Sunday


def test_a_notice_of_our_own_moves_a_workday():
    one = tariff((PEAK, "08:00-20:00", (), frozenset({"workday"})))
    notice = Notice(2027, "notice of 2026-11", workdays=(date(2027, 2, 6),), days_off=(date(2027, 2, 5),))
    assert minutes(pricing(one, "2027-02-06", notices=(notice,)))["peak"] == 720
    assert "peak" not in minutes(pricing(one, "2027-02-05", notices=(notice,)))
    assert "peak" not in minutes(pricing(one, "2027-02-06"))


def test_yesterday_keeps_yesterdays_price():
    old, new = (
        Price(Utility.ELECTRICITY, 0.5, date(2026, 1, 1)),
        tariff((PEAK, "08:00-20:00"), valid_from=date(2026, 3, 2)),
    )
    priced = pricing(site(new, prices=(old,)), "2026-03-01", "2026-03-03", step_ms=HOUR_MS)
    cost = priced.cost(np.ones(48))
    assert cost[:24].sum() == pytest.approx(12.0)
    assert cost[24:].sum() == pytest.approx(12 * 1.2 + 12 * 0.8)
    assert [priced.tariffs[k].id for k in (priced.tariff[0], priced.tariff[-1])] == ["flat-electricity", "t"]


def test_a_building_of_its_own_tariff_pays_that_and_days_without_a_price_are_named():
    own = tariff((PEAK, "00:00-24:00"), buildings=("lab",), valid_from=date(2026, 3, 2))
    estate = site(own, prices=(Price(Utility.ELECTRICITY, 0.5, date(2026, 3, 1)),))
    tariffs = Tariffs(estate, SiteCalendar(estate))
    edges = np.arange(midnight("2026-02-28"), midnight("2026-03-03") + 1, HOUR_MS)
    priced = tariffs.price(Utility.ELECTRICITY, "lab", edges).unit_prices
    assert np.isnan(priced[:24]).all()
    assert (set(priced[24:48]), set(priced[48:])) == ({0.5}, {1.2})
    assert set(tariffs.price(Utility.ELECTRICITY, "hall", edges).unit_prices[24:]) == {0.5}
    assert (tariffs.price(Utility.ELECTRICITY, "lab", edges).tariff < 0).tolist() == [True] * 24 + [False] * 48
    assert tariffs.has_periods(Utility.ELECTRICITY, "lab")
    assert not tariffs.has_periods(Utility.ELECTRICITY, "hall")


@pytest.mark.parametrize(
    ("zone", "next_from", "last"),
    [
        ("Asia/Shanghai", date(2026, 3, 1), date(2026, 2, 28)),
        ("Pacific/Apia", date(2011, 12, 31), date(2011, 12, 29)),  # there was no 30 December
        ("Pacific/Apia", date(2011, 12, 30), date(2011, 12, 29)),
        ("America/Sao_Paulo", date(2017, 10, 15), date(2017, 10, 14)),  # that day has no midnight
        ("America/Sao_Paulo", date(2017, 10, 16), date(2017, 10, 15)),
        ("America/St_Johns", date(2009, 11, 1), date(2009, 10, 31)),  # clocks go back over midnight
    ],
)
def test_a_tariff_holds_up_to_the_last_day_that_there_was_before_the_next(zone, next_from, last):
    first = tariff((PEAK, "00:00-24:00"), valid_from=date(2000, 1, 1))
    second = replace(first, valid_from=next_from)
    estate = site(first, second, zone=zone, country="")
    tariffs = Tariffs(estate, SiteCalendar(estate))
    assert tariffs.valid_until(Utility.ELECTRICITY, "b", first) == last
    assert tariffs.valid_until(Utility.ELECTRICITY, "b", second) is None


def test_missing_use_costs_nothing_known():
    priced = pricing(GUANGDONG, "2026-08-05", step_ms=HOUR_MS)
    qty = np.full(24, np.nan)
    assert np.isnan(priced.cost(qty)).all()
    assert np.isnan(priced.by_period(qty)[0]).all()


def test_holes_and_overlaps_are_found_on_the_day_they_happen():
    hole = tariff((PEAK, "08:00-22:00"), (VALLEY, "22:00-07:30"), otherwise=None)
    assert [fault.span for fault in faults_of(hole)] == ["07:30-08:00"]
    twice = tariff((PEAK, "08:00-12:00"), (VALLEY, "11:00-13:00", months(7)))
    (fault,) = faults_of(twice)
    assert (fault.at, fault.span, fault.rules) == ((7, 1), "11:00-12:00", (0, 1))
    on_holidays = tariff((PEAK, "08:00-12:00"), (VALLEY, "11:00-13:00", (), frozenset({"holiday"})))
    assert faults_of(on_holidays)[0].day[1] in {"holiday", "long_holiday"}


def test_tiers_cost_more_above_each_step():
    tiers = Tiers("year", (Step(2_760, 0.05), Step(4_800, 0.30)))
    assert tier_parts(tiers, 0, 2_000).tolist() == [0, 0]
    assert tier_parts(tiers, 2_000, 3_500).tolist() == [2_040, 700]
    assert tier_parts(tiers, 5_000, 100).tolist() == [0, 100]
    surcharge = tier_parts(tiers, 2_000, 3_500) @ [0.05, 0.30]
    assert surcharge == pytest.approx(2_040 * 0.05 + 700 * 0.30)


def test_capacity_is_paid_by_kva_and_demand_as_declared_with_a_penalty_above():
    assert capacity_charge(Capacity(630, 22.5)) == pytest.approx(14_175)
    assert demand_charge(Demand(38.4), 412.5) == pytest.approx(15_840)
    declared = Demand(38.4, declared_kw=400)
    assert demand_charge(declared, 350) == demand_charge(declared, 420) == pytest.approx(15_360)
    assert demand_parts(declared, 450) == (400, pytest.approx(30))
    assert demand_charge(declared, 450) == pytest.approx((400 + 2 * 30) * 38.4)


def test_all_periods_have_a_rank_and_a_price():
    assert {Period.SHARP, Period.DEEP, Period.PEAK, Period.VALLEY, Period.FLAT} == set(PRICES)


MINUTE = st.integers(0, 95).map(lambda quarter: quarter * 15)
RULES = st.builds(
    TariffRule,
    period=st.sampled_from(PERIODS),
    slots=st.lists(st.tuples(MINUTE, MINUTE).filter(lambda slot: slot[0] != slot[1]), min_size=1, max_size=2).map(
        tuple
    ),
    dates=st.sampled_from([(), (((7, 15), (8, 31)),), (((12, 15), (1, 31)),)]),
    days=st.sampled_from([(), ("workday",), ("restday", "holiday"), ("long_holiday",), ("sun",)]).map(frozenset),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(RULES, max_size=5), st.sampled_from([None, FLAT]))
def test_a_tariff_without_faults_gives_every_minute_of_every_day_one_period(rules, otherwise):
    one = Tariff("t", Utility.ELECTRICITY, date(2020, 1, 1), "b", tuple(PRICES.items()), tuple(rules), otherwise)
    days = np.arange(day_number(date(2026, 1, 1)), day_number(date(2027, 1, 1)))
    codes, _ = minute_periods(one, SiteCalendar(site(one)).day_kinds(days))
    faults = faults_of(one)
    if not faults:
        assert codes.max() < NO_PERIOD
        priced = pricing(one, "2026-07-20", step_ms=HOUR_MS)
        assert priced.shares.sum(axis=1).tolist() == pytest.approx([1.0] * 24)
    if (codes == NO_PERIOD).any():
        assert faults
