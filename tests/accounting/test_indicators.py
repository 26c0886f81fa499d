"""Indicators by hand: twelve months, degree days, the minimum night flow."""

from datetime import date

import numpy as np
import pytest

from accounting.indicators import degree_days, night_minimum, night_reference, rating, year_before, year_sums
from accounting.local_time import day_number, day_of_number

NAN = float("nan")


def numbers(first, last):
    return np.arange(day_number(date.fromisoformat(first)), day_number(date.fromisoformat(last)) + 1)


@pytest.mark.parametrize(
    ("day", "before"),
    [
        ("2026-03-31", "2025-03-31"),
        ("2026-02-28", "2025-02-28"),
        ("2028-02-29", "2027-02-28"),
        ("2029-02-28", "2028-02-28"),
        ("2026-01-01", "2025-01-01"),
    ],
)
def test_the_same_day_of_the_year_before(day, before):
    (found,) = year_before(numbers(day, day))
    assert day_of_number(int(found)).isoformat() == before


def test_twelve_months_are_the_days_after_the_same_day_of_the_year_before():
    days = numbers("2027-03-01", "2028-03-02")
    qty = np.ones(len(days))
    found = dict(zip(days.tolist(), year_sums(days, qty, qty > 0).tolist(), strict=True))
    assert np.isnan(found[day_number(date(2028, 2, 27))])  # they would begin on 2027-02-28
    assert found[day_number(date(2028, 2, 28))] == 365  # 2027-03-01 … 2028-02-28
    assert found[day_number(date(2028, 2, 29))] == 366  # 2027-03-01 … 2028-02-29
    assert found[day_number(date(2028, 3, 1))] == 366


def test_a_day_that_is_not_known_leaves_no_sum_of_its_twelve_months():
    days = numbers("2025-01-01", "2027-01-10")
    qty, known = np.arange(float(len(days))), np.ones(len(days), np.bool_)
    known[9] = False  # 10 January 2025
    sums = year_sums(days, qty, known)
    assert np.isnan(sums[: 365 + 9]).all()
    assert sums[365 + 9] == qty[10 : 365 + 10].sum()
    hole = np.delete(np.arange(len(days)), 400)
    assert np.isnan(year_sums(days[hole], qty[hole], known[hole] | True)[400:-10]).all()


def test_degree_days_by_hand():
    heating, cooling = degree_days(np.array([-2.0, 18.0, 21.0, 26.0, 30.5, NAN]))
    assert heating.tolist()[:5] == [20.0, 0.0, 0.0, 0.0, 0.0]
    assert cooling.tolist()[:5] == [0.0, 0.0, 0.0, 0.0, 4.5]
    assert np.isnan([heating[5], cooling[5]]).all()


def test_a_rating_of_100_is_typical():
    assert rating(np.array([95.0, 47.5, 190.0]), 95.0).tolist() == [100.0, 50.0, 200.0]


def test_the_night_flow_is_the_least_of_the_night_and_needs_all_of_it():
    flow = np.array([9.0, 4.0, 3.0, 1.0, 9.0, NAN, 3.0, 0.0, 5.0, 5.0])
    night = np.array([False, True, True, False, False, True, True, True, False, False])
    found = night_minimum(flow, night, np.array([0, 4, 8]))
    assert found[0] == 3.0
    assert np.isnan(found[1:]).all()  # an hour is not known; a day without a night


def test_the_reference_is_of_the_nights_before_and_needs_seven():
    days = np.delete(np.arange(40), 3)
    minimum = np.arange(39.0)
    reference = night_reference(days, minimum)
    assert np.isnan(reference[:7]).all()
    assert reference[7] == pytest.approx(np.quantile(minimum[:7], 0.2))
    assert reference[38] == pytest.approx(np.quantile(minimum[10:38], 0.2))  # days 11 … 38 before day 39
    minimum[33:] = 500.0  # a leak of five nights does not become what is expected
    assert night_reference(days, minimum)[38] < 20
