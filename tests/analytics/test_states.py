"""What is kept of doors and leak sensors tells since when they are as they are, in whatever order readings come."""

import numpy as np
import pytest

from analytics.states import LOOK_BACK_MS, States
from facility.model import ReadingBatch
from stores.readings.memory import MemoryStore

NOW_MS = 1_790_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
POINTS = ("d/door_open/total", "l/leak/total")


def batch(point, t_ms, x):
    return ReadingBatch([point], [0] * len(t_ms), [int(t) for t in t_ms], [float(v) for v in x])


def tells(series):
    """What detectors ask of a series: its newest state, and the first reading of it after the last at rest."""
    if not len(series):
        return None
    rest = np.flatnonzero(series.x == 0)
    since = int(rest[-1]) + 1 if len(rest) else 0
    return float(series.x[-1]), int(series.t_ms[-1]), int(series.t_ms[since]) if series.x[-1] else None


class Counting:
    """Counts the rows and the calls with which a store is read."""

    def __init__(self, store):
        self.store, self.rows, self.calls = store, 0, 0

    def read(self, *asked):
        return self.counted(self.store.read(*asked))

    def read_switches(self, *asked):
        return self.counted(self.store.read_switches(*asked))

    def counted(self, found):
        self.calls += 1
        self.rows += sum(map(len, found.values()))
        return found


@pytest.mark.parametrize("seed", range(12))
def test_the_order_in_which_readings_come_changes_nothing(seed):
    rng, store = np.random.default_rng(seed), MemoryStore()
    states, cursor = States(store, POINTS), 0
    t_ms = NOW_MS - np.sort(rng.integers(0, 40 * DAY_MS, 60))
    x = np.repeat(rng.integers(0, 2, 20), 3)
    parts = np.array_split(rng.permutation(60), rng.integers(2, 20))
    states.read(NOW_MS)
    for k, part in enumerate(parts):
        values = x[part] if k % 5 else 1 - x[part]  # a wrong value at first, corrected later
        store.write(batch(POINTS[k % 2], t_ms[part], values))
        if k % 5 == 0:
            store.write(batch(POINTS[k % 2], t_ms[part], x[part]))
        changes = store.changes(cursor)
        cursor = changes.cursor
        states.take(changes.ranges, NOW_MS)
        whole = store.read(POINTS, NOW_MS - LOOK_BACK_MS, NOW_MS + 1)
        assert {p: tells(states.known[p]) for p in POINTS} == {p: tells(whole[p]) for p in POINTS}


def test_a_month_of_readings_is_read_once_and_then_only_what_is_new():
    store = MemoryStore()
    times = np.arange(NOW_MS - 30 * DAY_MS, NOW_MS, 60_000)
    for point in POINTS:
        store.write(batch(point, times, np.zeros(len(times))))
    counting = Counting(store)
    states, cursor = States(counting, POINTS), store.cursor()
    states.read(NOW_MS)
    assert counting.rows < 10, "sensors at rest need no history"
    counting.rows = counting.calls = 0
    for minute in range(10):
        at_ms = NOW_MS + minute * 60_000
        store.write(batch(POINTS[1], [at_ms], [minute >= 4]))
        changes = store.changes(cursor)
        cursor = changes.cursor
        states.take(changes.ranges, at_ms)
    assert counting.rows == counting.calls == 10
    assert tells(states.known[POINTS[1]]) == (1.0, NOW_MS + 9 * 60_000, NOW_MS + 4 * 60_000)
    assert len(states.known[POINTS[1]]) <= 4, "what tells no change is not kept"


def test_since_when_a_door_stands_open_is_found_however_long_ago_it_opened():
    store = MemoryStore()
    times = np.arange(NOW_MS - 30 * DAY_MS + HOUR_MS, NOW_MS, HOUR_MS)
    store.write(batch(POINTS[0], times, times >= NOW_MS - 20 * DAY_MS))
    states = States(store, POINTS)
    states.read(NOW_MS)
    opened_ms = int(times[times >= NOW_MS - 20 * DAY_MS][0])
    assert tells(states.known[POINTS[0]]) == (1.0, int(times[-1]), opened_ms)
    late_ms = NOW_MS - 5 * DAY_MS + 1
    store.write(batch(POINTS[0], [late_ms], [0.0]))
    states.take({POINTS[0]: (late_ms, late_ms)}, NOW_MS)
    assert tells(states.known[POINTS[0]])[2] == int(times[times > late_ms][0])
