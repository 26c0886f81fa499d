"""What waits for its rollups: oldest first, nothing lost, and it says for how long."""

import pytest
from rigs.worlds import at

from analytics.rollups.pending import Pending
from analytics.state import WatchState
from stores.readings.port import Changes
from stores.records.status.watched import Watched


@pytest.fixture
def pending():
    return Pending(5, lambda point: not point.startswith("gauge"))


def test_the_oldest_come_first_and_a_point_that_waits_keeps_its_place(pending):
    pending.add(Changes(6, {"a": (10, 20), "gauge": (1, 2), "b": (5, 6)}), 1_000)
    pending.add(Changes(8, {"c": (1, 1), "a": (5, 12)}), 2_000)
    assert pending.take(2) == {"a": (5, 20), "b": (5, 6)}
    pending.add(Changes(9, {"a": (30, 31)}), 3_000)
    pending.finish()
    assert pending.take(9) == {"c": (1, 1), "a": (30, 31)}


def test_what_waits_holds_the_cursor_and_tells_since_when(pending):
    assert (pending.done_cursor, pending.done_ms) == (5, None)
    pending.add(Changes(6, {}), 1_000)
    assert (pending.done_cursor, pending.done_ms) == (6, 1_000)
    pending.add(Changes(7, {"a": (1, 1)}), 2_000)
    pending.add(Changes(8, {"b": (1, 1)}), 3_000)
    assert (pending.done_cursor, pending.done_ms) == (6, 1_000), "it was written after the look before"
    pending.take(1)
    assert pending.done_cursor == 6, "what is in hand is not done"
    pending.finish()
    assert (pending.done_cursor, pending.done_ms) == (7, 2_000)
    pending.take(1)
    pending.finish()
    assert (pending.done_cursor, pending.done_ms) == (8, 3_000)


def test_what_could_not_be_computed_is_the_oldest_again(pending):
    pending.add(Changes(6, {"a": (1, 1), "b": (2, 2)}), 1_000)
    assert pending.take(1) == {"a": (1, 1)}
    pending.add(Changes(7, {"a": (7, 8)}), 2_000)
    pending.give_back()
    assert pending.take(1) == {"a": (1, 8)}


def test_one_counter_that_fails_holds_up_no_other(pending):
    pending.add(Changes(6, dict.fromkeys("abcd", (1, 1))), 1_000)
    done = []
    for _ in range(12):
        if taken := pending.take(3):
            if "b" in taken:
                pending.finish(has_failed=True)
            else:
                done += taken
                pending.finish()
    assert sorted(done) == ["a", "c", "d"]
    assert pending.done_cursor == 5, "what fails is tried again after a restart too"


def test_status_says_how_far_behind_it_is_and_too_far_is_an_alarm():
    state = WatchState("live", 1.0, Watched(3, at(4)), 0, rolled_up_ms=1_000_000)
    hour_ms = round(at(5).timestamp() * 1000)
    fresh = WatchState("live", 1.0, Watched(3, at(4)), 0, hour_ms).as_status({}, hour_ms + 9_000)
    assert (fresh.figures["rollups_behind_s"], fresh.figures["hours_behind_s"], fresh.alarms) == (0, 0, {})
    assert "behind" not in fresh.facts
    short = WatchState("live", 1.0, Watched(3, at(4)), 0, hour_ms).as_status({}, hour_ms + 43_000)
    assert (short.facts["behind"], short.figures["rollups_behind_s"], short.alarms) == ("rollups 40 s behind", 40, {})
    late = WatchState("live", 1.0, Watched(3, at(4)), 0, hour_ms).as_status({}, hour_ms + 1_200_000)
    assert late.alarms == {"analytics_behind": "rollups 1200 s behind, hours 1140 s behind"}
    waiting = WatchState("rollups", 0.5, Watched(3, None), 0, hour_ms).as_status({}, hour_ms + 1_200_000)
    assert waiting.alarms == {}, "history that is still coming in is no fault"
    assert state.as_status({}).figures.keys() == {"done", "alerts", "cursor"}
