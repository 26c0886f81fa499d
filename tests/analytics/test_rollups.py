"""Rollups: late data, idempotence, local days, building totals, costs and outdoor temperature."""

import numpy as np
import pytest
from rigs.rollup_hall import HALL, assert_same, batch, estate, everything, fed, ms, rows, steady

from accounting.calendars import Occupancy
from accounting.local_time import HOUR_MS
from analytics.rollups.writer import RollupWriter
from stores.readings.port import RollupSeries


@pytest.mark.parametrize(
    ("day", "next_day", "length"), [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25)]
)
def test_a_day_when_the_clocks_change_holds_all_its_hours(day, next_day, length):
    store = fed(estate(), batch("m0/energy_import/total", *steady(f"{day}T00:00", f"{next_day}T00:00")))
    found = rows(store, "usage_1d")
    assert found.t_ms.tolist() == [ms(f"{day}T00:00")]
    assert found.fields["qty"][0] == pytest.approx(2 * length)
    assert found.fields["complete"][0] == 1
    assert found.fields["cost"][0] == pytest.approx(0.6 * length)
    assert rows(store, "building_1d").fields["base_qty"][0] == pytest.approx(2 * length)


def test_an_hour_is_complete_only_when_it_is_over():
    t_ms, x = steady("2026-01-07T10:00", "2026-01-07T11:30", 10_000)
    found = rows(fed(estate(), batch("m0/energy_import/total", t_ms, x)), "usage_1h")
    assert found.fields["complete"].tolist() == [1, 0]
    assert found.fields["qty"].tolist() == pytest.approx([2, 1])
    assert found.fields["completeness"].tolist() == pytest.approx([1, 0.5])
    assert found.fields["peak_kw"].tolist() == pytest.approx([2, 2])
    assert found.fields["occ"].tolist() == [Occupancy.WORK] * 2


def test_a_day_knows_what_day_it_is():
    store = fed(estate(), batch("m0/energy_import/total", *steady("2026-01-01T00:00", "2026-01-04T00:00")))
    assert rows(store, "usage_1d").fields["occ"].tolist() == [Occupancy.HOLIDAY, Occupancy.WORK, Occupancy.WEEKEND]


def noisy(seed, point, hours=96):
    """Two-minute to hourly readings with an outage, a spike, a zero glitch, a small step back and a reset."""
    rng = np.random.default_rng(seed)
    t_ms = ms("2026-03-27T00:00") + np.arange(hours * 4) * 900_000
    x = 1_000 + np.cumsum(rng.random(len(t_ms)))
    x[60], x[90:92], x[200:] = 4_000, 0, x[200:] - x[199]
    x[150:152] = x[149] - 2
    kept = (np.arange(len(t_ms)) < 300) | (np.arange(len(t_ms)) > 340)
    return [batch(point, [t], [v]) for t, v in zip(t_ms[kept], x[kept], strict=True)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3))])
def test_late_and_shuffled_and_repeated_readings_give_the_same_rollups_as_readings_in_order(seed):
    catalogue = estate(heads=2)
    readings = noisy(seed, "m0/energy_import/total") + noisy(seed + 9, "m1/energy_import/total")
    t_ms = [one.t_ms[0] for one in readings[:300]]
    readings.append(batch("sky/temperature/total", t_ms, np.arange(300.0)))
    in_order = fed(catalogue, *sorted(readings, key=lambda one: one.t_ms[0]))
    readings = [readings[i] for i in np.random.default_rng(seed).permutation(len(readings))]
    whole = fed(catalogue, *readings[:50])
    writer = RollupWriter(whole, catalogue)
    for start in range(50, len(readings), 37):
        cursor = whole.changes(0).cursor
        whole.write_many(readings[start : start + 37])
        for _ in range(2):
            writer.update(whole.changes(cursor).ranges)
    assert_same(everything(whole), everything(in_order))


def test_a_backlog_after_an_outage_replaces_the_estimate():
    t_ms, x = steady("2026-01-05T00:00", "2026-01-08T00:00")
    x = x + np.cumsum(np.arange(len(x)) % 5)
    late = slice(20, 40)
    point = "m0/energy_import/total"
    store = fed(estate(), batch(point, np.delete(t_ms, late), np.delete(x, late)))
    before = rows(store, "usage_1h")
    assert before.fields["qty"].sum() == pytest.approx(x[-1] - x[0])
    assert (before.fields["est_qty"] > 0).sum() == 21
    writer = RollupWriter(store, estate())
    store.write(batch(point, t_ms[late], x[late]))
    writer.update({point: (int(t_ms[20]), int(t_ms[39]))})
    after = rows(store, "usage_1h")
    assert after.fields["qty"].tolist() == pytest.approx(np.diff(x).tolist())
    assert not after.fields["est_qty"].any()
    assert rows(store, "usage_1d").fields["complete"].tolist() == [1, 1, 1]


def test_suspect_readings_stay_out_of_totals():
    t_ms, x = steady("2026-01-05T00:00", "2026-01-05T05:00")
    x[3] += 300
    found = rows(fed(estate(), batch("m0/energy_import/total", t_ms, x, [0, 0, 0, 2, 0, 0])), "usage_1h")
    assert found.fields["qty"].tolist() == pytest.approx([2.0] * 5)


def test_a_building_is_missing_while_one_of_its_head_meters_is():
    catalogue = estate(heads=2)
    t_ms, x = steady("2026-01-05T00:00", "2026-01-05T06:00", 900_000)
    first = batch("m0/energy_import/total", t_ms, x)
    store = fed(catalogue, first)
    assert np.isnan(rows(store, "building_1h").fields["qty"]).all()
    store = fed(catalogue, first, batch("m1/energy_import/total", t_ms, 2 * x))
    total = rows(store, "building_1h")
    assert total.fields["qty"].tolist() == pytest.approx([6.0] * 6)
    assert total.fields["complete"].all()


def test_a_building_peak_is_coincident():
    t_ms = ms("2026-01-05T00:00") + np.arange(5) * 900_000
    early, late = [0, 4, 4, 4, 4], [0, 0, 0, 0, 4]
    store = fed(estate(2), batch("m0/energy_import/total", t_ms, early), batch("m1/energy_import/total", t_ms, late))
    assert rows(store, "building_1h").fields["peak_kw"].tolist() == pytest.approx([16.0])


def test_the_band_of_another_hand_survives():
    t_ms, x = steady("2026-01-05T00:00", "2026-01-05T06:00")
    one = batch("m0/energy_import/total", t_ms, x)
    store = fed(estate(), one)
    tags = {"site": "town", **HALL}
    store.write_rollup("building_1h", [RollupSeries(tags, t_ms[:1], {"expected": np.array([7.0])})])
    RollupWriter(store, estate()).update({"m0/energy_import/total": (int(t_ms[0]), int(t_ms[-1]))})
    assert rows(store, "building_1h").fields["expected"][0] == 7


def test_outdoor_temperature_is_the_mean_of_the_hour_and_of_the_day():
    t_ms = ms("2026-01-05T00:00") + np.arange(8) * HOUR_MS // 4
    store = fed(estate(), batch("sky/temperature/total", t_ms, [1, 2, 3, 4, 5, 6, 7, 8]))
    assert rows(store, "building_1h").fields["t_out"].tolist() == [2.5, 6.5]
    assert rows(store, "building_1d").fields["t_out"].tolist() == [4.5]
