"""The newest reading of each gauge and minute, whatever comes late or again."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rigs.rollup_hall import assert_same, batch, estate, everything, ms, rows

from accounting.local_time import DAY_MS, MINUTE_MS
from analytics.rollups.minutes import Minutes
from facility.errors import StoreUnavailable
from facility.model import Point
from facility.quantities import Quantity
from stores.readings.memory import MemoryStore

POWER, SKY, ENERGY = "m0/active_power/total", "sky/temperature/total", "m0/energy_import/total"
BEGIN = ms("2026-03-31T23:58")


def hall():
    catalogue = estate()
    return replace(catalogue, points=(*catalogue.points, Point("m0", Quantity.ACTIVE_POWER)))


def at(*seconds):
    return [BEGIN + 1000 * second for second in seconds]


def live(*batches, store=None):
    """A store after each batch was taken up, a minute later each."""
    store = store or MemoryStore()
    minutes, cursor, now = Minutes(store, hall(), 0), 0, BEGIN
    minutes.add(store.changes(0), now)
    for one in batches:
        store.write(one)
        changes = store.changes(cursor)
        cursor, now = changes.cursor, now + MINUTE_MS
        minutes.add(changes, now)
        while minutes.step(now):
            pass
    assert minutes.done_cursor == cursor
    return store


def test_a_minute_has_its_newest_reading_and_how_many_there_were():
    store = live(batch(POWER, at(0, 20, 50, 130, 170), [1.0, 2.0, 3.0, 4.0, 5.0]))
    series = rows(store, "live", {"meter": "m0"})
    assert dict(series.tags) == {
        "site": "town", "building": "hall", "utility": "electricity", "meter": "m0", "role": "head",
        "quantity": "active_power", "channel": "total",
    }  # fmt: skip
    assert series.t_ms.tolist() == at(0, 120), "a minute in which nothing was heard has no row"
    assert (series.fields["value"].tolist(), series.fields["n"].tolist()) == ([3.0, 5.0], [3.0, 2.0])


def test_a_sensor_of_no_utility_has_its_minutes_and_a_counter_has_none():
    store = live(batch(SKY, at(0), [8.0]), batch(ENERGY, at(0, 60), [1.0, 2.0]))
    (series,) = store.read_rollup("live", {}, 0, 2**52)
    assert (series.tags["meter"], series.tags["utility"], series.fields["value"].tolist()) == ("sky", "", [8.0])


def test_a_suspect_reading_is_not_shown_and_a_minute_of_nothing_else_is_empty():
    store = live(batch(POWER, at(0, 20, 60), [1.0, 999.0, 998.0], [0, 2, 2]))
    series = rows(store, "live", {"meter": "m0"})
    assert series.fields["value"].tolist()[0] == 1.0
    assert np.isnan(series.fields["value"][1:]).all()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_what_comes_late_or_again_gives_the_same_minutes(order):
    t_ms = np.arange(BEGIN - 3 * DAY_MS, BEGIN, 17_000)
    x = np.sin(t_ms / 1e7)
    parts = np.array_split(np.arange(len(t_ms)), 4)
    pieces = [batch(POWER, t_ms[parts[k]], x[parts[k]]) for k in order]
    expected = everything(live(batch(POWER, t_ms, x)))
    assert_same(everything(live(*pieces)), expected)
    assert_same(everything(live(*pieces, *pieces)), expected)


def test_they_are_written_once_a_minute_and_wait_where_no_store_is():
    store = MemoryStore()
    minutes = Minutes(store, hall(), 0)
    store.write(batch(POWER, at(0), [1.0]))
    changes = store.changes(0)
    minutes.add(changes, BEGIN)
    working, minutes._store = minutes._store, SimpleNamespace(read=broken)
    with pytest.raises(StoreUnavailable):
        minutes.step(BEGIN)
    assert minutes.done_cursor == 0
    minutes._store = working
    assert [minutes.step(BEGIN), minutes.step(BEGIN)] == [True, False]
    store.write(batch(POWER, at(10), [2.0]))
    minutes.add(store.changes(changes.cursor), BEGIN)
    assert not minutes.step(BEGIN + 30_000), "it waits for the next minute"
    assert minutes.step(BEGIN + MINUTE_MS)
    assert rows(store, "live", {"meter": "m0"}).fields["value"].tolist() == [2.0]


def test_gauges_let_counters_go_first_for_half_a_minute_and_no_longer():
    store = MemoryStore()
    minutes = Minutes(store, hall(), 0)
    store.write(batch(POWER, at(0), [1.0]))
    minutes.add(store.changes(0), BEGIN)
    assert minutes.step(BEGIN + 29_999, others_wait=True), "there is more to do once the others are done"
    assert minutes.done_cursor == 0
    assert minutes.step(BEGIN + 30_000, others_wait=True)
    minutes.step(BEGIN + 30_001)
    store.write(batch(POWER, at(61), [2.0]))
    minutes.add(store.changes(minutes.done_cursor), BEGIN + 61_000)
    assert minutes.step(BEGIN + 61_000), "nobody waits"


def test_of_a_store_that_nobody_has_looked_at_the_last_two_hours_are_taken():
    store = MemoryStore()
    store.write(batch(POWER, np.arange(BEGIN - DAY_MS, BEGIN + 1, MINUTE_MS), np.zeros(1441)))
    store.write(batch(SKY, [BEGIN - DAY_MS], [8.0]))
    minutes = Minutes(store, hall(), 0)
    minutes.add(store.changes(0), BEGIN)
    while minutes.step(BEGIN):
        pass
    (series,) = store.read_rollup("live", {}, 0, 2**52)
    assert series.t_ms.tolist() == list(range(BEGIN - 120 * MINUTE_MS, BEGIN + 1, MINUTE_MS))


def test_after_an_outage_many_gauges_are_read_and_written_together():
    gauges = [Point(f"m{k}", Quantity.ACTIVE_POWER) for k in range(300)]
    meters = tuple(replace(estate().meter["m0"], id=point.meter) for point in gauges)
    town = replace(estate(), meters=meters, points=tuple(gauges), installations=())
    store, asked = MemoryStore(), []
    t_ms = np.arange(BEGIN, BEGIN + 30 * MINUTE_MS, MINUTE_MS)
    for point in gauges:
        store.write(batch(point.id, t_ms, t_ms / 1e9))
    counted = SimpleNamespace(
        read=lambda *what: asked.append("read") or store.read(*what),
        write_rollup=lambda *what: asked.append("write") or store.write_rollup(*what),
    )
    Minutes(counted, town, 1).update({point.id: (BEGIN, BEGIN + 30 * MINUTE_MS - 1) for point in gauges})
    assert len(asked) <= 4, "two days are touched"
    found = store.read_rollup("live", {}, 0, 2**52)
    assert len(found) == len(gauges)
    assert all(one.t_ms.tolist() == t_ms.tolist() for one in found)


def broken(*_):
    raise StoreUnavailable("gone")
