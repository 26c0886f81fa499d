import datetime as dt

import pytest

from facility.errors import Rejected
from facility.levels import Level, parse_level
from facility.model import Point, Reading
from facility.quantities import ACCOUNTED, BY_WORD, Kind, Quantity, Utility

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_reading_is_a_finite_number(value):
    with pytest.raises(Rejected, match="not_finite"):
        Reading("a/x/total", NOON, value)


def test_a_reading_has_a_time_zone():
    with pytest.raises(Rejected, match="naive_time"):
        Reading("a/x/total", NOON.replace(tzinfo=None), 1.0)


def test_words_are_unique_and_ranges_are_ranges():
    assert len(BY_WORD) == len(Quantity)
    assert all(q.low < q.high for q in Quantity)
    assert all(q.word.isidentifier() for q in Quantity)


def test_every_utility_is_accounted_by_a_counter_in_its_unit():
    for utility in Utility:
        assert ACCOUNTED[utility].kind is Kind.COUNTER
        assert ACCOUNTED[utility].unit == utility.unit


def test_a_point_may_narrow_its_range():
    assert Point("m", Quantity.TEMPERATURE, low=-5).range == (-5, 200)


def test_levels_are_ordered_and_core_is_refused():
    assert parse_level("public") < parse_level("important") == Level.IMPORTANT
    with pytest.raises(Rejected, match="core_data"):
        parse_level("core")
    with pytest.raises(Rejected, match="unknown_level"):
        parse_level("secret")
