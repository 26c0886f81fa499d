"""Copying an estate's readings and rollups to a store that keeps less, or has less to begin with."""

import re
import time

import numpy as np
import pytest
from rigs.influx_server import make_ready
from rigs.influx_town import POWER, USAGE, Registry

from accounting.local_time import DAY_MS
from facility.model import ReadingBatch
from stores.readings import migrate, open_readings
from stores.readings.influx.setup import Retention
from stores.readings.memory import MemoryStore
from stores.readings.migrate import copy
from stores.readings.port import RollupSeries

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture
def influx(server):
    """Make an empty store that keeps for so many days."""
    opened = []

    def make(raw_days=0, hourly_days=0):
        url = server.url_of(f"t{time.time_ns()}")
        make_ready(url, "town", Retention(raw_days, hourly_days))
        opened.append(open_readings(url, Registry()))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def daily_readings(days):
    t_ms = [NOW_MS - day * DAY_MS for day in range(days)]
    return ReadingBatch([POWER], [0] * days, t_ms, [float(day) for day in range(days)])


def hours(*days_ago):
    t_ms = np.array([NOW_MS - day * DAY_MS for day in days_ago])
    return RollupSeries(USAGE, t_ms, {"qty": np.ones(len(t_ms))})


def move(source, target, tell=lambda _: None):
    return copy(source, target, tell)


def test_a_large_point_and_the_comparing_are_told_part_by_part():
    source, target, steps = MemoryStore(), MemoryStore(), []
    t_ms = [NOW_MS - i * 60_000 for i in range(50_000)]  # 35 days
    source.write(ReadingBatch([POWER], [0] * 50_000, t_ms, [1.0] * 50_000))
    move(source, target, steps.append)
    doing = list(dict.fromkeys(progress.doing for progress in steps))
    assert [words for words in doing if "points" in words] == ["copy_points", "compare_points"]
    for words, rows in (("copy_points", 50_000), ("compare_points", 100_000)):
        seen = [progress for progress in steps if progress.doing == words]
        assert (seen[0].rows, seen[0].of, seen[-1].rows, seen[-1].done) == (0, 1, rows, 1)
        assert len({progress.rows for progress in seen if not progress.done}) >= 4
    assert (steps[-1].done, steps[-1].of, steps[-1].rows) == (1, 1, 100_000)


class Watched(MemoryStore):
    """Knows the most rows of a rollup that it was asked for at once."""

    most_rows = 0

    def read_rollup(self, *words):
        found = super().read_rollup(*words)
        self.most_rows = max(self.most_rows, sum(len(series) for series in found))
        return found


def test_of_the_rollups_of_a_large_estate_only_a_part_is_held_at_once(monkeypatch):
    monkeypatch.setattr(migrate, "MOST_ROLLUP_ROWS", 500)
    source, target = Watched(), Watched()
    points = [f"m{i}/energy_import/total" for i in range(40)]
    source.write(ReadingBatch(points, list(range(40)), [NOW_MS] * 40, [1.0] * 40))
    hours_ms = np.arange(100) * 3_600_000
    usage = [RollupSeries(USAGE | {"meter": f"m{i}"}, hours_ms, {"qty": np.ones(100)}) for i in range(40)]
    source.write_rollup("usage_1h", usage)
    copied = move(source, target)
    assert (copied.rows, copied.differences) == (4_000, [])
    assert 400 < max(source.most_rows, target.most_rows) <= 500


def test_rollups_that_outlived_their_readings_are_copied(influx):
    source, target = influx(), MemoryStore()
    source.write(daily_readings(1))
    source.write_rollup("usage_1h", [hours(4_000, 400, 0)])
    copied = move(source, target)
    assert (copied.rows, copied.differences) == (3, [])
    (series,) = target.read_rollup("usage_1h", {}, 0, 2 * NOW_MS)
    assert series.t_ms.tolist() == hours(4_000, 400, 0).t_ms.tolist()
    assert move(source, target).rows == 0


def test_rollups_without_any_readings_are_copied(influx):
    source, target = MemoryStore(), influx()
    source.write_rollup("usage_1h", [hours(5)])
    assert (move(source, target).rows, target.rollup_stretch("usage_1h")) == (1, (NOW_MS - 5 * DAY_MS,) * 2)


def test_what_the_target_still_keeps_is_copied_and_the_rest_is_said(influx):
    source, target = MemoryStore(), influx(raw_days=100, hourly_days=100)
    source.write(daily_readings(400))
    source.write_rollup("usage_1h", [hours(400, 300, 10, 0)])
    copied = move(source, target)
    # a file of the server spans 7 and 100 days: what lies in the oldest one is kept until all of it is too old
    assert 100 <= copied.readings <= 107
    assert copied.rows == 2
    assert target.totals()[POWER].count == copied.readings
    said = "\n".join(copied.differences)
    assert "active_power/total is refused: beyond_retention" in said
    assert "usage_1h is refused: beyond_retention" in said
    assert re.search(r"usage_1h, building hall.*: rows in the source: 2, others in the target: 0", said)
    assert f"400 readings, sum {sum(range(400)):.1f} in the source; {copied.readings} readings" in said


def test_one_reading_of_another_type_costs_only_itself(influx):
    source, target = MemoryStore(), influx()
    source.write(daily_readings(60))
    target._wire.write("raw", b"reading,meter=m9 value=1i %d" % (NOW_MS - 30 * DAY_MS))  # for its week, an integer
    copied = move(source, target)
    assert 60 - 7 <= copied.readings < 60
    assert "field_type_conflict" in copied.differences[0]
