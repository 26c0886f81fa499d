"""How much of a quota is spent and how many people there were, day by day, by pencil and paper."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from rigs.rollup_hall import HALL, batch, estate, ms, rows, steady

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS
from analytics.rollups.writer import RollupWriter
from facility.factors import Carrier, FactorSet
from facility.quantities import Utility
from facility.stated import Figure, FigureKind, Indicator, Quota, Stated
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries

POINT = "m0/energy_import/total"
SINCE = date(2020, 1, 1)
AREA = Figure(FigureKind.FLOOR_AREA, 100.0, SINCE, "plan", "hall")
PERSONS = Figure(FigureKind.PERSONS, 40.0, SINCE, "list", "hall")
PER_M2 = Quota(Indicator.ELECTRICITY_PER_M2, 73.0, SINCE, "rule")
COAL = FactorSet("coal", SINCE, "GB/T 2589", ((Carrier.ELECTRICITY, 0.5),))


def stating(*quotas, figures=(AREA, PERSONS), sets=()):
    hall = estate()
    return replace(hall, site=replace(hall.site, factor_sets=sets), stated=Stated(figures, quotas=quotas))


def with_days(catalogue, first, use):
    """A store whose days of electricity from ``first`` on used so much, and the writer of that estate."""
    store, calendar = MemoryStore(), SiteCalendar(catalogue.site)
    start = ms(f"{first}T00:00")
    edges = calendar.day_edges(start, start + (len(use) - 1) * DAY_MS + 1)
    known = np.where(np.isnan(use), 0.0, 1.0)
    fields = {"qty": np.array(use, float), "completeness": known, "estimated": np.zeros(len(use)), "heads": known}
    tags = {"site": catalogue.site.id, **HALL}
    store.write_rollup("building_1d", [RollupSeries(tags, edges[: len(use)], fields)])
    return store, RollupWriter(store, catalogue)


def spent(store, period, utility="electricity", building="hall"):
    """The rows of a quota by local day's stamp."""
    found = store.read_rollup("quota", {"building": building, "utility": utility, "period": period}, 0, 2**52)
    if not found:
        return {}
    (one,) = found
    return {
        int(t): {name: column[k] for name, column in one.fields.items() if column[k] == column[k]}
        for k, t in enumerate(one.t_ms)
    }


def test_a_year_and_its_months_are_told_day_by_day_as_readings_come_in():
    catalogue, store = stating(PER_M2), MemoryStore()
    t_ms, x = steady("2026-01-01T00:00", "2026-02-11T00:00", 900_000)
    store.write(batch(POINT, t_ms, x))
    RollupWriter(store, catalogue).update(store.changes(0).ranges)
    year = spent(store, "year")[ms("2026-02-10T00:00")]
    assert year["quota"] == pytest.approx(7300.0)
    assert year["due"] == pytest.approx(20.0 * 41)
    assert year["used"] == pytest.approx(48.0 * 41)
    assert year["projected"] == pytest.approx(48.0 * 365)
    month = spent(store, "month")[ms("2026-02-10T00:00")]
    assert month == pytest.approx({"quota": 560.0, "due": 200.0, "used": 480.0, "projected": 48.0 * 28})


def test_a_year_is_shared_as_the_year_before_was_used():
    use = [30.0 if day < 31 else 10.0 for day in range(365)] + [12.0] * 31
    store, writer = with_days(stating(PER_M2), "2025-01-01", use)
    writer.derived.update({("hall", Utility.ELECTRICITY): (ms("2026-01-31T00:00"), ms("2026-01-31T12:00"))})
    whole = 31 * 30 + 334 * 10
    assert spent(store, "month")[ms("2026-01-31T00:00")]["quota"] == pytest.approx(7300.0 * 930 / whole)
    year = spent(store, "year")[ms("2026-01-31T00:00")]
    assert (year["due"], year["projected"]) == pytest.approx((7300.0 * 930 / whole, 31 * 12 * whole / 930))


def test_a_day_that_is_not_known_leaves_all_that_was_used_since_then_unknown_and_no_zero():
    store, writer = with_days(stating(PER_M2), "2026-01-01", [5.0, 5.0, float("nan"), 5.0])
    writer.derived.update({("hall", Utility.ELECTRICITY): (ms("2026-01-01T00:00"), ms("2026-01-04T12:00"))})
    used = [one.get("used") for one in spent(store, "year").values()]
    assert used == [5.0, 10.0, None, None]


def test_the_lesser_of_two_quotas_binds_and_a_buildings_own_goes_before_that_of_all():
    person = Quota(Indicator.ELECTRICITY_PER_PERSON, 100.0, SINCE, "rule")
    own = Quota(Indicator.ELECTRICITY_PER_PERSON, 10.0, SINCE, "own rule", building="hall")
    for quotas, allowed in (((PER_M2, person), 4000.0), ((PER_M2, person, own), 400.0), ((PER_M2,), 7300.0)):
        store, writer = with_days(stating(*quotas), "2026-01-01", [5.0])
        writer.derived.update({("hall", Utility.ELECTRICITY): (ms("2026-01-01T00:00"), ms("2026-01-01T12:00"))})
        assert spent(store, "year")[ms("2026-01-01T00:00")]["quota"] == allowed


def test_standard_coal_is_counted_by_the_set_that_the_quota_names():
    later = FactorSet("equal", date(2025, 1, 1), "2025", ((Carrier.ELECTRICITY, 3.0),))
    quota = Quota(Indicator.ENERGY_PER_M2, 2.0, SINCE, "rule", factor_set="coal")
    store, writer = with_days(stating(quota, sets=(COAL, later)), "2026-01-01", [6.0, 6.0])
    writer.derived.update({("hall", Utility.ELECTRICITY): (ms("2026-01-01T00:00"), ms("2026-01-02T12:00"))})
    assert [(one["quota"], one["used"]) for one in spent(store, "year", "").values()] == [(200.0, 3.0), (200.0, 6.0)]


def test_nothing_is_told_where_the_area_is_not_stated_for_all_of_the_year():
    late = replace(AREA, valid_from=date(2026, 3, 1))
    store, writer = with_days(stating(PER_M2, figures=(late,)), "2026-01-01", [6.0])
    writer.derived.update({("hall", Utility.ELECTRICITY): (ms("2026-01-01T00:00"), ms("2026-01-01T12:00"))})
    assert spent(store, "year") == {}


def test_what_is_corrected_late_reaches_every_day_after_it():
    store, writer = with_days(stating(PER_M2), "2026-01-01", [5.0] * 5)
    total = "hall", Utility.ELECTRICITY
    writer.derived.update({total: (ms("2026-01-01T00:00"), ms("2026-01-05T12:00"))})
    (days,) = store.read_rollup("building_1d", HALL, 0, 2**52)
    store.write_rollup("building_1d", [RollupSeries(days.tags, days.t_ms[1:2], {"qty": np.array([7.0])})])
    writer.derived.update({total: (ms("2026-01-02T00:00"), ms("2026-01-02T12:00"))})
    assert [one["used"] for one in spent(store, "year").values()] == [5.0, 12.0, 17.0, 22.0, 27.0]


def test_another_statement_holds_from_the_next_hour_on_and_a_quota_that_is_gone_leaves_no_row():
    store, writer = with_days(stating(PER_M2), "2026-01-01", [5.0, 5.0])
    hour = ms("2026-01-02T12:00"), ms("2026-01-02T13:00")
    writer.derived.end_hours(*hour, {})
    assert [one["quota"] for one in spent(store, "year").values()] == [7300.0, 7300.0]
    assert rows(store, "building_1d", HALL).fields["persons"].tolist() == [40.0, 40.0]
    moved = replace(PERSONS, value=60.0, valid_from=date(2026, 1, 2))
    RollupWriter(store, stating(figures=(AREA, PERSONS, moved))).derived.end_hours(*hour, {})
    assert spent(store, "year") == spent(store, "month") == {}
    assert rows(store, "building_1d", HALL).fields["persons"].tolist() == [40.0, 60.0]
