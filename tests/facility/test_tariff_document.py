"""Tariffs, notices and armed hours in a site.yaml: read whole, and every mistake told with its line."""

import datetime as dt

import pytest
from rigs.estate import PROFILES, SITE

from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.model import DayHours
from facility.tariff import Period

TARIFFS = """\
  tariffs:
    - id: five
      utility: electricity
      valid_from: 2026-01-01
      basis: notice 1093
      prices: {sharp: 1.2, peak: 1.0, flat: 0.7, valley: 0.4, deep: 0.2}
      otherwise: flat
      rules:
        - {period: peak, slots: ["08:30-11:00", "16:00-21:00"], days: [workday]}
        - {period: valley, slots: ["22:00-06:00"]}
        - {period: sharp, slots: ["18:00-20:00"], dates: ["07-15..08-31", "12-15..01-31"]}
        - {period: deep, slots: ["11:00-15:00"], days: [long_holiday]}
      tiers: {cycle: year, steps: [{above: 2760, plus: 0.05}, {above: 4800, plus: 0.3}]}
      capacity: {kva: 630, per_kva_month: 22}
      demand: {per_kw_month: 38, declared_kw: 400, tolerance: 0.05, penalty_factor: 2}
      fixed_per_month: 12.5
    - id: water
      utility: water
      valid_from: 2026-01-01
      basis: contract 8
      buildings: [hall]
      prices: {flat: 3.2}
departments:
"""


def load(tariffs=TARIFFS, text=SITE):
    return load_site(text.replace("departments:\n", tariffs, 1), "site.yaml", PROFILES)


def problem(tariffs, text=SITE):
    with pytest.raises(ConfigError) as caught:
        load(tariffs, text)
    return str(caught.value)


def test_a_tariff_is_read_whole():
    five, water = load().site.tariffs
    assert five.price[Period.DEEP] == 0.2
    assert five.rules[1].spans() == ((1320, 1440), (0, 360))
    assert five.rules[2].dates == (((7, 15), (8, 31)), ((12, 15), (1, 31)))
    assert five.tiers.steps[1].above == 4_800
    assert (five.demand.declared_kw, five.capacity.kva, five.fixed_per_month) == (400, 630, 12.5)
    assert (water.otherwise, water.buildings, water.is_flat) == (Period.FLAT, ("hall",), True)


def test_an_export_with_tariffs_loads_as_the_same_estate():
    assert load_site(dump_site(load()), "site.yaml", PROFILES) == load()


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("      otherwise: flat\n", "", 15, ["tariff 'five' has a hole: 01-01 (mon, workday) 06:00-08:30"]),
        (
            '["22:00-06:00"]',
            '["20:00-06:00"]',
            23,
            ["'five' overlaps", "20:00-21:00", "'peak' (rule 1)", "'valley' (rule 2)"],
        ),
        ('"16:00-21:00"', '"16:00-25:00"', 22, ["'16:00-25:00' is no slot of a day", "08:30-11:00"]),
        ("07-15..08-31", "02-30..08-31", 24, ["'02-30..08-31' is no range of dates", "07-15..08-31"]),
        ("days: [workday]", "days: [weekday]", 22, ["unknown day 'weekday'", "workday, restday"]),
        ("sharp: 1.2, ", "", 24, ["'sharp' has no price", "peak, flat, valley, deep"]),
        ("above: 4800", "above: 2000", 26, ["steps do not rise"]),
        ("basis: notice 1093", "basis: ''", 18, ["basis is empty", "not empty"]),
        ("buildings: [hall]", "buildings: [hull]", 34, ["unknown building 'hull'", "hall"]),
        ("utility: water", "utility: electricity", 32, []),
        ("2026-01-01\n      basis: notice", "2021-01-01\n      basis: notice", 17, ["both begin on 2021-01-01"]),
        ("cycle: year", "cycle: week", 26, ["cycle is 'week' (allowed: month, year)"]),
        ("kva: 630", "kva: -1", 27, ["kva is '-1'", "more than 0"]),
    ],
)
def test_a_mistake_in_a_tariff_is_told_with_its_line(before, after, line, words):
    assert before in TARIFFS
    if not words:  # a building's own tariff may begin with the estate's
        assert load(TARIFFS.replace(before, after, 1)).site.tariffs[1].buildings == ("hall",)
        return
    text = problem(TARIFFS.replace(before, after, 1))
    assert f"site.yaml:{line}: " in text
    assert all(word in text for word in words), text


def test_two_flat_prices_of_a_utility_from_one_day_are_refused():
    flat = "    - {utility: electricity, per_unit: 0.3, valid_from: 2021-01-01, basis: contract 7}\n"
    with pytest.raises(ConfigError) as caught:
        load_site(SITE.replace(flat, 2 * flat), "site.yaml", PROFILES)
    line = SITE.splitlines().index(flat.rstrip("\n")) + 2
    assert f"site.yaml:{line}: two flat prices of electricity both begin on 2021-01-01" in str(caught.value)
    load_site(SITE.replace(flat, flat + flat.replace("2021-01-01", "2022-01-01")), "site.yaml", PROFILES)


def test_two_tariffs_of_one_building_from_one_day_overlap():
    five, water = TARIFFS.index("    - id: five"), TARIFFS.index("    - id: water")
    again = TARIFFS[five:water].replace("five", "six")
    text = problem(TARIFFS[:water] + again + TARIFFS[water:])
    assert "tariffs 'five' and 'six' overlap: both begin on 2026-01-01" in text


NOTICE = (
    "    notices:\n      - {year: 2027, basis: notice 7, workdays: [2027-02-07], days_off: [2027-02-05]}\n  prices:\n"
)


def test_a_notice_and_armed_hours_are_read_and_exported():
    text = SITE.replace("  prices:\n", NOTICE).replace(
        'sat: "09:00-12:00"}', 'sat: "09:00-12:00"}\n    armed: {mon-fri: "22:00-06:00"}'
    )
    estate = load("departments:\n", text)
    assert estate.site.notices[0].workdays == (dt.date(2027, 2, 7),)
    assert estate.building["hall"].armed[4] == DayHours(dt.time(22), dt.time(6))
    assert load_site(dump_site(estate), "site.yaml", PROFILES) == estate


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[2027-02-07]", "[2026-02-07]", "2026-02-07 is not in 2027"),
        ("[2027-02-05]", "[2027-02-07]", "2027-02-07 is both worked and off"),
        ("basis: notice 7, ", "", "'basis' is missing"),
    ],
)
def test_a_mistake_in_a_notice_is_told_with_its_line(before, after, words):
    text = SITE.replace("  prices:\n", NOTICE.replace(before, after, 1))
    sentence = problem("departments:\n", text)
    assert words in sentence
    assert "site.yaml:13: " in sentence
