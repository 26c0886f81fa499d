"""What alerts cost under a tariff of several tiers, and when a door's sensor is armed."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from rigs.rollup_hall import estate, ms
from rigs.worlds import CATALOGUE, POINT, START, START_MS

from accounting.local_time import HOUR_MS
from analytics.alerts import Alerting
from analytics.models import Models
from analytics.window import blind_window, read_window
from facility.model import DayHours
from facility.quantities import Utility
from facility.tariff import Period, Tariff, TariffRule
from facility.work import Excess, Finding, Severity
from stores.readings.memory import MemoryStore
from stores.records.casebook import Casebook
from stores.records.database import open_records

TARIFF = Tariff(
    "day-and-night",
    Utility.ELECTRICITY,
    date(2021, 1, 1),
    "contract",
    ((Period.PEAK, 0.4), (Period.VALLEY, 0.1)),
    (TariffRule(Period.PEAK, ((480, 1200),)),),
    Period.VALLEY,
)
PRICED = replace(CATALOGUE, site=replace(CATALOGUE.site, tariffs=(TARIFF,)))
LONDON = ZoneInfo("Europe/London")


def night_waste(since, seen):
    return Finding(
        detector="night_waste",
        point=POINT["lights"],
        meter="lights",
        building="hall",
        since=since,
        seen_at=seen,
        severity=Severity.ACT,
        confidence=0.9,
        evidence=(),
        params={},
        excess=Excess(100.0, "kWh", 240.0),
        utility=Utility.ELECTRICITY,
    )


def test_an_excess_costs_the_mean_price_since_it_began_and_a_day_of_it_the_last_days(tmp_path):
    records = open_records(f"sqlite:///{tmp_path}/records.db")
    alerting = Alerting(PRICED, Casebook(records))
    at_night = datetime(2026, 3, 3, 1, tzinfo=LONDON), datetime(2026, 3, 3, 5, tzinfo=LONDON)
    money = alerting.price(night_waste(*at_night))
    assert money.to_date == pytest.approx(100 * 0.1)
    assert money.per_day == pytest.approx(240 * (12 * 0.4 + 12 * 0.1) / 24)
    by_day = alerting.price(night_waste(at_night[0] + timedelta(hours=6), at_night[1] + timedelta(hours=6)))
    assert by_day.to_date == pytest.approx(100 * (0.1 + 3 * 0.4) / 4)
    records.dispose()


def test_the_half_hour_that_comes_twice_counts_as_half_of_one_in_a_mean_price(tmp_path):
    records, lord_howe = open_records(f"sqlite:///{tmp_path}/records.db"), ZoneInfo("Australia/Lord_Howe")
    early = replace(TARIFF, rules=(TariffRule(Period.PEAK, ((120, 240),)),))
    alerting = Alerting(
        replace(PRICED, site=replace(PRICED.site, timezone=str(lord_howe), tariffs=(early,))), Casebook(records)
    )
    since, seen = (datetime(2026, 4, 5, hour, tzinfo=lord_howe) for hour in (0, 3))
    money = alerting.price(night_waste(since, seen))
    assert money.to_date == pytest.approx(100 * (2.5 * 0.1 + 0.4) / 3.5, abs=0.005)
    assert money.per_day == pytest.approx(
        240 * (22.5 * 0.1 + 1.5 * 0.4) / 24, abs=0.005
    )  # from 03:30 of the day before
    records.dispose()


def test_a_window_prices_each_hour_and_opens_doors_only_outside_armed_hours():
    armed = replace(CATALOGUE.buildings[0], armed={day: DayHours(time(20), time(6)) for day in range(5)})
    catalogue = replace(PRICED, buildings=(armed,))
    start = START_MS + 24 * HOUR_MS
    window = read_window(MemoryStore(), catalogue, Models(), start, start + 24 * HOUR_MS)
    scene = window.scene(START + timedelta(hours=48))
    hours = [scene.is_open(armed, start + hour * HOUR_MS) for hour in (5, 6, 12, 19, 20)]
    assert hours == [False, True, True, True, False]
    plain = read_window(MemoryStore(), CATALOGUE, Models(), start, start + 24 * HOUR_MS).scene(START)
    assert [plain.is_open(armed, start + hour * HOUR_MS) for hour in (7, 8, 17, 18)] == [False, True, True, False]


def test_armed_hours_hold_before_any_hour_was_looked_at():
    """A door is looked at from the first second on: what it is judged by must be what it is judged by later."""
    catalogue = estate()
    hall = replace(catalogue.buildings[0], armed={day: DayHours(time(12), time(13)) for day in range(7)})
    window = blind_window(replace(catalogue, buildings=(hall,)), ms("2026-04-01T15:30"))
    hours = [round((t_ms - ms("2026-04-01T00:00")) / HOUR_MS) for t_ms in window.edges_ms[:-1].tolist()]
    shut = [hour for hour, is_open in zip(hours, window.open_hours["hall"].tolist(), strict=True) if not is_open]
    assert [hour for hour in shut if 0 <= hour < 24] == [12]
