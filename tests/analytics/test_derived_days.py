"""What days tell beside use and cost, by hand: days of 23 and 25 hours, month edges, a swap, silent meters."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.rollup_hall import HALL, assert_same, batch, estate, everything, fed, meter, ms, rows, steady

from accounting.local_time import DAY_MS, HOUR_MS
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import BEGINNING, Installation
from facility.model import MeterRole, Point
from facility.quantities import Quantity, Utility
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS

POINT, SKY = "m0/energy_import/total", "sky/temperature/total"
WATER = {"building": "hall", "utility": "water"}


def with_meters(*meters, area=None):
    """The hall with more meters, each with the counter of its utility."""
    catalogue = estate()
    counters = {Utility.ELECTRICITY: Quantity.ENERGY_IMPORT, Utility.WATER: Quantity.WATER_VOLUME}
    return replace(
        catalogue,
        buildings=(replace(catalogue.buildings[0], floor_area_m2=area),),
        meters=(*catalogue.meters, *meters),
        points=(*catalogue.points, *(Point(one.id, counters[one.utility]) for one in meters)),
    )


def day(store, name, text, tags=HALL):
    """The fields of one day that are not absent."""
    series = rows(store, name, tags)
    (row,) = np.flatnonzero(series.t_ms == ms(text))
    return {field: column[row] for field, column in series.fields.items() if column[row] == column[row]}


@pytest.mark.parametrize(
    ("date", "end", "hours", "at_one"),
    [
        ("2026-03-29", "2026-03-30", 23, None),
        ("2026-10-25", "2026-10-26", 25, 4.0),
        ("2026-03-31", "2026-04-01", 24, 2.0),
    ],
)
def test_a_profile_has_the_hours_of_the_clock_and_adds_up_to_the_day(date, end, hours, at_one):
    t_ms, x = steady(f"{date}T00:00", f"{end}T03:00", 900_000)
    store = fed(estate(), batch(POINT, t_ms, x))
    profile = day(store, "profile_day", f"{end}T00:00")
    assert profile.get("qty_01") == (None if at_one is None else pytest.approx(at_one))
    assert len(profile) == min(hours, 24)
    assert sum(profile.values()) == pytest.approx(2.0 * hours)
    assert sum(profile.values()) == pytest.approx(day(store, "building_1d", f"{date}T00:00")["qty"])


def test_an_hour_that_nobody_knows_is_absent_from_the_profile_and_no_zero():
    store = fed(estate(), batch(POINT, *steady("2026-04-01T09:00", "2026-04-02T00:00", 900_000)))
    profile = day(store, "profile_day", "2026-04-02T00:00")
    assert sorted(profile) == [f"qty_{hour:02}" for hour in range(9, 24)]


def expect(store, start, hours, expected):
    t_ms = ms(start) + np.arange(hours) * HOUR_MS
    fields = {"expected": np.full(hours, expected), "lo": np.full(hours, 1.0), "hi": np.full(hours, 3.0)}
    fields["excess_cost"] = np.full(hours, 0.1)
    store.write_rollup("building_1h", [RollupSeries({"site": "town", **HALL}, t_ms, fields)])


def test_what_was_expected_of_a_day_is_that_of_its_known_hours():
    catalogue = estate()
    store = MemoryStore()
    writer = RollupWriter(store, catalogue)
    store.write(batch(POINT, *steady("2026-04-01T00:00", "2026-04-02T10:30", 900_000)))
    writer.update(store.changes(0).ranges)
    assert "expected" not in day(store, "building_1d", "2026-04-01T00:00")
    expect(store, "2026-04-01T00:00", 72, 1.5)
    writer.derived.end_hours(ms("2026-04-01T00:00"), ms("2026-04-02T11:00"), {})
    first, second = (day(store, "building_1d", f"2026-04-0{k}T00:00") for k in (1, 2))
    assert {name: first[name] for name in ("expected", "lo", "hi", "excess_cost")} == pytest.approx(
        {"expected": 36.0, "lo": 24.0, "hi": 72.0, "excess_cost": 2.4}
    )
    assert second["expected"] == pytest.approx(1.5 * 10.5)  # the last hour is half known
    assert second["qty"] == pytest.approx(21.0)
    ratios = {k: v for k, v in day(store, "profile_day", "2026-04-02T00:00").items() if k.startswith("ratio")}
    assert list(ratios.values()) == pytest.approx([2.0 / 1.5] * 24)


def test_a_day_with_an_hour_that_no_model_expects_has_no_expected():
    catalogue, store = estate(), MemoryStore()
    writer = RollupWriter(store, catalogue)
    store.write(batch(POINT, *steady("2026-04-01T00:00", "2026-04-02T00:00", 900_000)))
    writer.update(store.changes(0).ranges)
    expect(store, "2026-04-01T00:00", 23, 1.5)
    writer.derived.end_hours(ms("2026-04-01T00:00"), ms("2026-04-02T00:00"), {})
    assert "expected" not in day(store, "building_1d", "2026-04-01T00:00")


SUBS = (meter("s0", role=MeterRole.SUB), meter("s1", role=MeterRole.SUB), meter("c", role=MeterRole.CHECK))


def test_what_no_sub_meter_has_is_unaccounted_and_a_silent_one_leaves_it_unknown():
    span = ("2026-04-01T00:00", "2026-04-03T00:00", 900_000)
    head = batch(POINT, *steady(*span, per_hour=10.0))
    one, two = (batch(f"s{k}/energy_import/total", *steady(*span, per_hour=3.0 + k)) for k in (0, 1))
    store = fed(with_meters(*SUBS), head, one)
    assert "unaccounted" not in day(store, "building_1d", "2026-04-01T00:00")
    for order in ((head, one, two), (two, one, head)):
        store = fed(with_meters(*SUBS), *order)
        assert day(store, "building_1d", "2026-04-01T00:00")["unaccounted"] == pytest.approx(24 * (10 - 3 - 4))
    assert "unaccounted" not in day(fed(estate(), head), "building_1d", "2026-04-01T00:00")


def test_a_swap_of_a_sub_meter_changes_nothing_of_what_is_unaccounted():
    span = ("2026-04-01T00:00", "2026-04-03T00:00", 900_000)
    t_ms, x = steady(*span, per_hour=3.0)
    swap = ms("2026-04-01T12:00")
    after = np.where(t_ms < swap, x, x - x[t_ms == swap] + 7.0)
    at = datetime.fromtimestamp(swap / 1000, UTC)
    catalogue = with_meters(SUBS[0])
    opening = Installation("s0", since=at, serial="new", opening=7.0, closing=float(x[t_ms == swap][0]))
    catalogue = replace(catalogue, installations=(Installation("s0", since=BEGINNING, serial="old"), opening))
    head = batch(POINT, *steady(*span, per_hour=10.0))
    store = fed(catalogue, head, batch("s0/energy_import/total", t_ms, after))
    assert day(store, "building_1d", "2026-04-01T00:00")["unaccounted"] == pytest.approx(24 * 7)


def test_use_per_area_is_that_of_twelve_months_and_of_no_fewer():
    span = ("2025-03-31T00:00", "2026-04-03T00:00")
    t_ms, x = steady(*span)
    store = fed(with_meters(area=1000.0), batch(POINT, t_ms, x))
    assert "eui12" not in day(store, "building_1d", "2026-03-29T00:00")
    assert day(store, "building_1d", "2026-03-30T00:00")["eui12"] == pytest.approx(365 * 48 / 1000)
    assert "eui12" not in day(fed(estate(), batch(POINT, t_ms, x)), "building_1d", "2026-03-31T00:00")


def test_a_correction_of_an_old_day_reaches_every_use_per_area_that_holds_it():
    t_ms, x = steady("2025-03-31T00:00", "2026-05-03T00:00")
    wrong = x.copy()
    wrong[2_000:2_010] += 1.0
    piece = slice(1_990, 2_020)
    catalogue = with_meters(area=1000.0)
    corrected = fed(catalogue, batch(POINT, t_ms, wrong), batch(POINT, t_ms[piece], x[piece]))
    assert_same(everything(corrected), everything(fed(catalogue, batch(POINT, t_ms, x))))


def water(nights, litres=30.0, start="2026-03-01T00:00"):
    """A register with 1 m³/h by day and some litres in the quietest hour of each night, every quarter of an hour."""
    t_ms = np.arange(ms(start), ms(start) + nights * DAY_MS + 1, 900_000)
    hour = (t_ms[:-1] - ms(start)) // HOUR_MS % 24
    flow = np.where(hour == 3, litres / 1000, np.where((hour >= 1) & (hour < 5), 0.1, 1.0))
    return t_ms, 10 + np.concatenate(([0.0], np.cumsum(flow / 4)))


WATERED = with_meters(meter("w", Utility.WATER))


def test_the_minimum_night_flow_and_what_nights_before_lead_to_expect():
    store = fed(WATERED, batch("w/water_volume/total", *water(20)))
    assert day(store, "building_1d", "2026-03-05T00:00", WATER)["mnf_lph"] == pytest.approx(30.0)
    assert "mnf_ref_lph" not in day(store, "building_1d", "2026-03-07T00:00", WATER)
    assert day(store, "building_1d", "2026-03-08T00:00", WATER)["mnf_ref_lph"] == pytest.approx(30.0)
    assert "mnf_lph" not in day(fed(estate(), batch(POINT, *steady("2026-03-01T00:00", "2026-03-03T00:00"))),
                                "building_1d", "2026-03-01T00:00")  # fmt: skip


def test_a_night_in_which_the_meter_was_silent_has_no_minimum_flow():
    t_ms, x = water(10)
    silent = (t_ms > ms("2026-03-04T00:30")) & (t_ms < ms("2026-03-04T04:00"))
    store = fed(WATERED, batch("w/water_volume/total", t_ms[~silent], x[~silent]))
    assert "mnf_lph" not in day(store, "building_1d", "2026-03-04T00:00", WATER)
    assert day(store, "building_1d", "2026-03-05T00:00", WATER)["mnf_lph"] == pytest.approx(30.0)


def test_nights_that_come_late_and_in_any_order_give_the_same_references():
    t_ms, x = water(40)
    pieces = np.array_split(np.arange(len(t_ms)), 8)
    late = fed(
        WATERED,
        *(batch("w/water_volume/total", t_ms[part], x[part]) for part in (pieces[k] for k in (3, 0, 7, 1, 2, 6, 4, 5))),
    )
    assert_same(everything(late), everything(fed(WATERED, batch("w/water_volume/total", t_ms, x))))


def test_degree_days_need_weather_of_every_hour():
    use = batch(POINT, *steady("2026-04-01T00:00", "2026-04-03T00:00"))
    t_ms = np.arange(ms("2026-04-01T00:00"), ms("2026-04-02T12:00"), HOUR_MS)
    store = fed(estate(), use, batch(SKY, t_ms, np.full(len(t_ms), 8.0)))
    first, second = (day(store, "building_1d", f"2026-04-0{k}T00:00") for k in (1, 2))
    assert (first["hdd"], first["cdd"]) == (10.0, 0.0)
    assert not {"hdd", "cdd"} & second.keys()
    assert second["t_out"] == 8.0


def test_the_day_that_lasts_waits_for_its_hours_and_those_before_do_not():
    catalogue, store = with_meters(area=1.0), MemoryStore()
    writer = RollupWriter(store, catalogue)
    read = batch(POINT, *steady("2026-04-01T00:00", "2026-04-02T10:30", 900_000))
    store.write(read)
    writer.update(store.changes(0).ranges, now_ms=ms("2026-04-02T10:31"))
    assert rows(store, "profile_day").t_ms.tolist() == [ms("2026-04-02T00:00")]
    writer.derived.end_hours(ms("2026-04-02T09:00"), ms("2026-04-02T10:00"), {})
    assert rows(store, "profile_day").t_ms.tolist() == [ms("2026-04-02T00:00"), ms("2026-04-03T00:00")]
    assert_same(
        everything(store),
        everything(fed(catalogue, batch(POINT, *steady("2026-04-01T00:00", "2026-04-02T10:30", 900_000)))),
    )


def test_a_store_of_before_has_its_days_made_once_its_next_hour_ends():
    catalogue, read = with_meters(area=10.0), batch(POINT, *steady("2026-01-01T00:00", "2026-04-02T10:00"))
    store, now = fed(catalogue, read), ms("2026-04-02T10:00")
    expected = everything(store)
    store.delete_rollup("profile_day", {}, 0, 2**52)
    days = rows(store, "building_1d")
    made = [
        name for name in days.fields if name not in ROLLUPS["usage_1d"].fields and name not in {"base_qty", "t_out"}
    ]
    store.write_rollup("building_1d", [replace(days, fields={name: days.fields[name] * np.nan for name in made})])
    RollupWriter(store, catalogue).derived.end_hours(now - HOUR_MS, now, {})
    assert_same(everything(store), expected)
