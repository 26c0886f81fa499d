"""The live picture: what it takes from a store, when, and how fast counters run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rigs.sample import NOW

from facility.errors import StoreUnavailable
from facility.model import ReadingBatch
from stores.readings.live import LiveValues
from stores.readings.memory import MemoryStore

POWER = "lib-power/active_power/total"


def write(store, point, x, at):
    store.write(ReadingBatch(points=[point], p=[0], t_ms=[round(at.timestamp() * 1000)], x=[x], q=[]))


def test_the_picture_changes_only_when_something_was_written():
    store = MemoryStore()
    live = LiveValues(store)
    write(store, POWER, 1000.0, NOW)
    live.refresh()
    first = live.picture
    live.refresh()
    assert live.picture is first
    write(store, POWER, 2000.0, NOW + timedelta(seconds=10))
    live.refresh()
    assert live.picture.values[POWER].x == 2000.0
    assert live.picture.version > first.version


class FirstLookStore(MemoryStore):
    """A store that takes minutes to tell every change, and is away when it is first asked for values."""

    is_away = True

    def changes(self, cursor):
        assert cursor, "all changes were asked for, and only the cursor was wanted"
        return super().changes(cursor)

    def latest(self, points=None):
        if self.is_away:
            self.is_away = False
            raise StoreUnavailable("restarting")
        return super().latest(points)


def test_the_first_look_asks_for_no_change_and_is_repeated_where_the_store_was_away():
    store = FirstLookStore()
    live = LiveValues(store)
    live.refresh()
    write(store, POWER, 1000.0, NOW)
    with pytest.raises(StoreUnavailable):
        live.refresh()
    live.refresh()
    assert live.picture.values[POWER].x == 1000.0


def test_a_counter_has_a_speed_and_a_reset_has_none():
    store = MemoryStore()
    live = LiveValues(store)
    counter = "lib-water/water_volume/total"
    write(store, counter, 100.0, NOW - timedelta(minutes=5))
    live.refresh()
    assert counter not in live.picture.per_hour
    write(store, counter, 100.5, NOW)
    live.refresh()
    assert live.picture.per_hour[counter] == pytest.approx(6.0)
    write(store, counter, 0.0, NOW + timedelta(seconds=10))
    live.refresh()
    assert counter not in live.picture.per_hour


METER = "lib-power/energy_import/total"


def speeds(shown):
    """How fast a counter runs after each of its readings, one a minute; None: nobody knows."""
    store = MemoryStore()
    live, found = LiveValues(store), []
    for minute, x in enumerate(shown):
        write(store, METER, x, NOW + timedelta(minutes=minute))
        live.refresh()
        found.append(live.picture.per_hour.get(METER))
    return found


@pytest.mark.parametrize("false", [0.0, 4_294_967.295])
def test_a_register_in_doubt_runs_at_no_speed_and_its_return_is_no_flow(false):
    before, after = [60_000 + k * 0.1 for k in range(15)], [60_003.5 + k * 0.1 for k in range(5)]
    found = speeds([*before, *[false] * 20, *after])
    assert found[1:15] == pytest.approx([6.0] * 14)
    assert found[15:36] == [None] * 21
    assert found[36:] == pytest.approx([6.0] * 4)


def test_a_register_that_begins_again_runs_at_the_speed_of_its_growth():
    found = speeds([*[60_000 + k * 0.1 for k in range(15)], *[0.0] * 15, *[0.1 + k * 0.1 for k in range(5)]])
    assert found[15:31] == [None] * 16
    assert found[31:] == pytest.approx([6.0] * 4)
