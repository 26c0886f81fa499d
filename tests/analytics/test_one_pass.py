"""A pass over many counters asks the store once for all of them, and leaves it as passes over each alone would."""

import contextlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from rigs.rollup_hall import assert_same, batch, estate, everything, fed, ms

from accounting.spells import SpellsInMemory
from analytics.rollups.one_pass import OnePass
from analytics.rollups.writer import RollupWriter
from facility.errors import StoreUnavailable
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries

BEGIN_MS = ms("2026-03-20T00:00")
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
METERS = 30


def town():
    """Copies of the hall's meter, all of them heads."""
    hall = estate()
    one, point = hall.meters[0], hall.points[0]
    meters = [replace(one, id=f"m{k}", unit=f"{k}") for k in range(METERS)]
    points = [replace(point, meter=meter.id) for meter in meters]
    return replace(hall, meters=(*meters, *hall.meters[1:]), points=(*points, *hall.points[1:]))


class Asked:
    """Counts what is asked of a store, and fails at will."""

    def __init__(self, store):
        self.store, self.calls, self.breaks_after = store, Counter(), None

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls[name] += 1
            if self.breaks_after is not None:
                self.breaks_after -= 1
                if self.breaks_after < 0:
                    raise StoreUnavailable("broken off")
            return getattr(self.store, name)(*args, **kwargs)

        return call


def readings(catalogue, minutes, begin=0):
    at = BEGIN_MS + np.arange(begin, begin + minutes) * MINUTE_MS
    for k, point in enumerate(p for p in catalogue.points if p.quantity.is_counter):
        yield batch(point.id, at + k * 977, 100 * k + at / HOUR_MS % 1000)


def ranges(store, cursor):
    changes = store.changes(cursor)
    return changes.cursor, changes.ranges


def test_what_a_pass_asks_does_not_grow_with_the_counters():
    catalogue = town()
    asked = Asked(MemoryStore())
    asked.store.write_many(list(readings(catalogue, 900)))
    writer = RollupWriter(asked, catalogue)
    cursor, found = ranges(asked.store, 0)
    writer.update(found)
    asked.store.write_many(list(readings(catalogue, 1, begin=900)))
    _, found = ranges(asked.store, cursor)
    assert len(found) >= METERS
    for now_ms, written in ((BEGIN_MS + 901 * MINUTE_MS, 1), (BEGIN_MS + 3_000 * MINUTE_MS, 2)):
        asked.calls.clear()
        writer.update(found, now_ms=now_ms)
        assert asked.calls["write_rollups"] == written  # once the day is over, what follows from it too
        assert sum(asked.calls.values()) < 12, asked.calls


def test_what_a_first_pass_over_days_asks_does_not_grow_with_the_counters():
    catalogue = town()
    asked = Asked(MemoryStore())
    asked.store.write_many(list(readings(catalogue, 2 * 1440)))
    RollupWriter(asked, catalogue).update(ranges(asked.store, 0)[1], now_ms=BEGIN_MS + 2 * 1440 * MINUTE_MS)
    assert sum(asked.calls.values()) < 20, asked.calls


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_rollups_are_the_same_however_many_counters_a_pass_takes(at_once):
    catalogue = town()
    store, expected = MemoryStore(), MemoryStore()
    expected.write_many([one for k in range(4) for one in readings(catalogue, 300, 300 * k)])
    RollupWriter(expected, catalogue).update(expected.changes(0).ranges)
    writer, cursor = RollupWriter(store, catalogue), 0
    for k in (0, 1, 3, 2):  # the third part comes late
        store.write_many(list(readings(catalogue, 300, 300 * k)))
        cursor, found = ranges(store, cursor)
        for j in range(0, len(found), at_once):
            some = list(found)[j : j + at_once]
            writer.update({point: found[point] for point in some})
    assert_same(everything(store), everything(expected))


@pytest.mark.parametrize("breaks_after", range(0, 60, 3))
def test_a_pass_that_is_broken_off_and_made_again_leaves_what_one_would_have(breaks_after):
    """Also where it had found that a spell of days ago is over: its hours are computed again in the second pass."""
    point = "m0/energy_import/total"
    catalogue, row = estate(), np.arange(96)
    steady = 5_000 + 10.0 * row
    wrong = np.where((row >= 40) & (row < 80), 0.0, steady)
    t_ms = BEGIN_MS + row * HOUR_MS
    expected = fed(catalogue, batch(point, t_ms, wrong))
    asked, spells = Asked(MemoryStore()), SpellsInMemory()
    writer, cursor = RollupWriter(asked, catalogue, spells=spells), 0
    for part in (slice(0, 60), slice(60, 96)):
        asked.store.write(batch(point, t_ms[part], wrong[part]))
        cursor, found = ranges(asked.store, cursor)
        if part.start:
            asked.breaks_after = breaks_after
            with contextlib.suppress(StoreUnavailable):
                writer.update(found)
            asked.breaks_after = None
        writer.update(found)
    assert_same(everything(asked.store), everything(expected))


def test_what_waits_to_be_written_is_read():
    store = MemoryStore()
    seen = OnePass(store)
    tags = {"site": "s", "building": "b", "utility": "electricity"}
    old, new = (RollupSeries(tags, np.array([0, HOUR_MS]), {"qty": np.array(q)}) for q in ([1.0, 2.0], [3.0, 4.0]))
    store.write_rollup("building_1h", [old])
    seen.begin({})
    seen.read_ahead("building_1h", [tags], (0, 9 * HOUR_MS), ["qty"])
    assert seen.read_rollup("building_1h", tags, HOUR_MS, 2 * HOUR_MS, ["qty"])[0].fields["qty"].tolist() == [2.0]
    seen.write_rollup("building_1h", [new])
    assert store.read_rollup("building_1h", tags, 0, 9 * HOUR_MS)[0].fields["qty"].tolist() == [1.0, 2.0]
    for asked in (tags, {"building": "b"}, {}):
        assert seen.read_rollup("building_1h", asked, 0, 9 * HOUR_MS, ["qty"])[0].fields["qty"].tolist() == [3.0, 4.0]
    seen.end()


def test_rows_of_one_rollup_are_written_by_one_call_for_a_server_asks_once_a_call_what_they_take_away():
    store, catalogue, written = MemoryStore(), town(), []
    for one in readings(catalogue, 90):
        store.write(one)
    whole = store.write_rollups
    store.write_rollups = lambda rollups: written.append([name for name, _ in rollups]) or whole(rollups)
    RollupWriter(store, catalogue).update(store.changes(0).ranges, now_ms=BEGIN_MS + 90 * MINUTE_MS)
    assert written[0] == list(dict.fromkeys(written[0]))
    assert {"usage_1h", "usage_1d", "building_1h", "building_1d"} <= set(written[0])
