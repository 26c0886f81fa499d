"""Means of gauges by the hour: slid on from the window before, they are what a window read anew has."""

from dataclasses import replace

import numpy as np
from rigs.worlds import START_MS, WITH_GAUGES

from analytics.grid import Grid
from analytics.levels import LEVEL_H, levelled_points, read_levels
from analytics.scene import Window
from facility.model import ReadingBatch
from stores.readings.memory import MemoryStore

HOUR_MS = 3_600_000
FREEZER = "freezer/temperature/total"
MINUTES = 200 * 60


def window(levels, skipped, edges):
    return replace(Window(WITH_GAUGES, edges, {}, {}, {}, {}), levels=levels, levels_skipped=skipped)


def edges_from(hour, hours):
    return START_MS + HOUR_MS * np.arange(hour, hour + hours + 1, dtype=np.int64)


def write(store, first, last):
    t_ms = [START_MS + minute * 60_000 for minute in range(first, last, 5)]
    x = [-20.0 + (t // 60_000) % 7 for t in t_ms]
    store.write(ReadingBatch([FREEZER], [0] * len(x), t_ms, x))


def test_what_is_looked_at_are_rooms_cold_stores_outdoors_and_phases():
    found = set(levelled_points(WITH_GAUGES))
    assert {FREEZER, "air/temperature/total", "outdoor/temperature/total", "main/current/l1"} <= found
    assert not [point for point in found if point.startswith(("door", "lights", "water"))]


def test_a_window_that_slides_has_what_one_read_anew_has():
    store = MemoryStore()
    write(store, 0, 100 * 60)
    before_edges = edges_from(0, 120)
    before = window(*read_levels(store, WITH_GAUGES, Grid(before_edges), START_MS + 100 * HOUR_MS, None), before_edges)
    assert before.levels_end_ms == START_MS + 100 * HOUR_MS
    write(store, 100 * 60, 104 * 60)
    write(store, 98 * 60 + 1, 99 * 60)  # came late
    edges = edges_from(3, 120)
    now = START_MS + 103 * HOUR_MS
    slid, skipped = read_levels(store, WITH_GAUGES, Grid(edges), now, before)
    anew, same = read_levels(store, WITH_GAUGES, Grid(edges), now, None)
    assert skipped == same == 100 - LEVEL_H
    np.testing.assert_allclose(slid[FREEZER], anew[FREEZER])
    assert np.isfinite(slid[FREEZER]).all()
    assert len(slid[FREEZER]) == LEVEL_H
    assert np.isnan(slid["air/temperature/total"]).all()


def test_an_estate_without_such_gauges_reads_nothing():
    found, _ = read_levels(None, replace(WITH_GAUGES, points=()), Grid(edges_from(0, 50)), START_MS, None)
    assert found == {}
