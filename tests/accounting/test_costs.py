"""Flat dated prices in local days."""

from datetime import UTC, date, datetime

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.costs import flat_cost, unpriced_days
from accounting.local_time import HOUR_MS
from facility.model import Name, Price, Site
from facility.quantities import Utility

CALENDAR = SiteCalendar(Site("s", Name("s"), "Asia/Shanghai", "CNY"))
PRICES = (
    Price(Utility.ELECTRICITY, 0.8, date(2026, 3, 2)),
    Price(Utility.ELECTRICITY, 0.5, date(2026, 3, 1)),
    Price(Utility.WATER, 9.0, date(2020, 1, 1)),
)
NOON = round(datetime(2026, 2, 28, 15, tzinfo=UTC).timestamp()) * 1000  # 23:00 in Shanghai


def test_a_price_holds_from_local_midnight_on():
    start_ms = NOON + np.array([0, 1, 25]) * HOUR_MS
    cost = flat_cost(np.full(3, 10.0), start_ms, Utility.ELECTRICITY, PRICES, CALENDAR)
    assert np.isnan(cost[0])
    assert cost[1:].tolist() == [5.0, 8.0]


def test_days_without_a_price_are_named_and_missing_use_costs_nothing_known():
    start_ms = NOON + np.arange(3) * HOUR_MS
    assert unpriced_days(start_ms, Utility.ELECTRICITY, PRICES, CALENDAR) == (date(2026, 2, 28),)
    assert unpriced_days(start_ms, Utility.GAS, PRICES, CALENDAR) == (date(2026, 2, 28), date(2026, 3, 1))
    assert np.isnan(flat_cost(np.array([np.nan]), start_ms[-1:], Utility.ELECTRICITY, PRICES, CALENDAR)).all()
