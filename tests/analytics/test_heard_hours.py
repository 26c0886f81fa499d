"""How well a counter was heard, by hand: silences, standing registers, suspect readings, steps back, a month's edge."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rigs.rollup_hall import batch, estate, fed, ms, rows, steady

from accounting.calendars import SiteCalendar
from accounting.local_time import HOUR_MS, MINUTE_MS
from analytics.rollups.quality import HeardHours, heard
from facility.model import Point
from facility.quantities import Quantity
from stores.readings.memory import MemoryStore
from stores.readings.port import Series

POINT = "m0/energy_import/total"
EDGES = np.arange(5) * HOUR_MS


def series(*minutes, x=None, q=None):
    t_ms = np.array(minutes, np.int64) * MINUTE_MS
    return Series(t_ms, np.arange(len(t_ms), dtype=float) if x is None else np.array(x, float),
                  np.zeros(len(t_ms), np.uint8) if q is None else np.array(q, np.uint8))  # fmt: skip


def fields(found, known_ms=4 * HOUR_MS):
    return {name: column.tolist() for name, column in heard(found, EDGES, known_ms).items()}


def test_a_silence_is_heard_in_no_hour_that_it_covers_and_counts_where_it_begins():
    found = fields(series(0, 30, 60, 90, 230, 240))
    assert found["heard"] == pytest.approx([1.0, 0.5, 0.0, 1 / 6])
    assert found["gaps"] == [0.0, 1.0, 0.0, 0.0]


def test_two_hours_between_two_readings_are_no_silence_and_one_that_lasts_is():
    assert fields(series(0, 120, 240))["heard"] == [1.0] * 4
    still = fields(series(0, 60, 90))
    assert still["heard"] == pytest.approx([1.0, 0.5, 0.0, 0.0])
    assert still["gaps"] == [0.0, 1.0, 0.0, 0.0]
    assert fields(series(0, 60, 90), known_ms=3 * HOUR_MS)["gaps"] == [0.0] * 4, "it may be heard in time yet"


def test_a_register_that_stands_is_flat_and_one_read_once_says_nothing():
    found = fields(series(0, 20, 60, 80, 120, 180, 200, x=[5, 5, 5, 6, 6, 6, 6]))
    assert found["flat"][:2] == [1.0, 0.0]
    assert np.isnan(found["flat"][2])
    assert found["flat"][3] == 1.0


def test_suspect_readings_and_steps_back_are_counted_in_their_hour():
    found = fields(series(0, 30, 60, 90, 120, x=[5, 9, 4, 5, 3], q=[0, 2, 0, 2, 2]))
    assert found["spikes"] == [1.0, 1.0, 1.0, 0.0]
    assert found["negative"] == [0.0, 1.0, 1.0, 0.0]


def hours_of(store):
    found = rows(store, "usage_1h", {"meter": "m0"})
    return {name: dict(zip(found.t_ms.tolist(), column.tolist(), strict=True)) for name, column in found.fields.items()}


@pytest.fixture
def hall():
    store, catalogue = MemoryStore(), estate()
    return store, HeardHours(store, catalogue, SiteCalendar(catalogue.site))


def test_hours_follow_each_other_over_the_end_of_a_month_and_a_change_of_the_clocks(hall):
    store, quality = hall
    store.write(batch(POINT, *steady("2026-03-28T22:00", "2026-04-01T02:00", 900_000)))
    for hour in range(ms("2026-03-28T23:00"), ms("2026-04-01T01:00") + 1, HOUR_MS):
        quality.end_hours(hour - HOUR_MS, hour)
    found = hours_of(store)
    assert sorted(found["heard"]) == list(range(ms("2026-03-28T22:00"), ms("2026-04-01T01:00"), HOUR_MS))
    assert set(found["heard"].values()) == {1.0}


def test_a_silent_meter_has_hours_of_nothing_and_one_never_heard_has_none(hall):
    store, quality = hall
    quality.end_hours(ms("2026-04-01T09:00"), ms("2026-04-01T10:00"))
    assert store.read_rollup("usage_1h", {}, 0, 2**52) == []
    store.write(batch(POINT, *steady("2026-04-01T06:00", "2026-04-01T08:00", 900_000)))
    for hour in range(9, 14):
        quality.end_hours(ms(f"2026-04-01T{hour - 1:02}:00"), ms(f"2026-04-01T{hour:02}:00"))
    found = hours_of(store)
    assert [found["heard"][ms(f"2026-04-01T{hour:02}:00")] for hour in range(6, 13)] == [1, 1, 0, 0, 0, 0, 0]
    assert found["gaps"][ms("2026-04-01T08:00")] == 1.0


def test_completeness_is_that_of_the_use(hall):
    store, quality = hall
    t_ms, x = steady("2026-04-01T00:00", "2026-04-02T00:00", 600_000)
    kept = (t_ms < ms("2026-04-01T07:20")) | (t_ms > ms("2026-04-01T12:30"))
    fed(estate(), batch(POINT, t_ms[kept], x[kept]), store=store)
    quality.end_hours(ms("2026-04-01T00:00"), ms("2026-04-02T00:00"))
    use = rows(store, "usage_1h", {"meter": "m0"})
    expected = dict(zip(use.t_ms.tolist(), use.fields["completeness"].tolist(), strict=True))
    found = hours_of(store)["heard"]
    assert found == pytest.approx({t: expected[t] for t in found})


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
def test_hours_of_readings_that_come_late_are_those_of_readings_in_time(hall, order):
    store, quality = hall
    catalogue = estate()
    now = ms("2026-04-03T00:00")
    t_ms, x = steady("2026-04-01T00:00", "2026-04-02T00:00", 1_500_000)
    t_ms, x = np.delete(t_ms, slice(20, 30)), np.delete(x, slice(20, 30))
    expected = MemoryStore()
    expected.write(batch(POINT, t_ms, x))
    HeardHours(expected, catalogue, SiteCalendar(catalogue.site)).take_late({POINT: (t_ms[0], t_ms[-1])}, now, expected)
    parts = np.array_split(np.arange(len(t_ms)), 4)
    for k in order:
        store.write(batch(POINT, t_ms[parts[k]], x[parts[k]]))
        quality.take_late({POINT: (int(t_ms[parts[k]][0]), int(t_ms[parts[k]][-1]))}, now, store)
    found = hours_of(store)
    for name, column in hours_of(expected).items():
        assert found[name] == pytest.approx(column, nan_ok=True), name


def test_counters_that_were_written_late_together_are_read_and_written_together():
    meters = [f"m{k}" for k in range(40)]
    town = replace(
        estate(),
        meters=tuple(replace(estate().meter["m0"], id=meter) for meter in meters),
        points=tuple(Point(meter, Quantity.ENERGY_IMPORT) for meter in meters),
        installations=(),
    )
    store, asked = MemoryStore(), []
    t_ms, x = steady("2026-04-01T00:00", "2026-04-02T00:00", 900_000)
    for k, point in enumerate(town.points):
        store.write(batch(point.id, t_ms + 1000 * k, x))

    def noted(name):
        return lambda *what: asked.append(name) or getattr(store, name)(*what)

    counted = SimpleNamespace(**{name: noted(name) for name in ("read", "read_before", "write_rollup")})
    ranges = {p.id: (int(t_ms[0]) + 1000 * k, int(t_ms[-1]) + 1000 * k) for k, p in enumerate(town.points)}
    HeardHours(store, town, SiteCalendar(town.site)).take_late(ranges, ms("2026-04-03T00:00"), counted)
    assert len(asked) <= 6, "their hours differ at an edge at most"
    assert len(store.read_rollup("usage_1h", {}, 0, 2**52)) == len(meters)
