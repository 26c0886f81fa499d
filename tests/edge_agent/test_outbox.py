"""The outbox keeps what it took: over a kill, over bit rot, over a full file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from math import fsum

import pytest

from edge_agent.outbox.file import set_aside, words_crc
from edge_agent.outbox.outbox import BACKLOG, LIVE, Outbox
from edge_agent.outbox.reader import Played, produced
from edge_agent.outbox.room import Room
from facility.errors import ConfigError

T0 = 1_700_000_000_000

WRITER = """
import sys
from pathlib import Path
from edge_agent.outbox.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), 0)
k = outbox.newest
while True:
    outbox.commit([("p", 1000 * (k + i), float(k + i), 0) for i in range(20)])
    k += 20
    print(k, flush=True)
"""


def samples(count, begin=0, point="p"):
    return [(point, T0 + 1000 * (begin + i), float(begin + i), 0) for i in range(count)]


def test_killed_while_writing_it_keeps_every_committed_row_and_no_hole(tmp_path):
    path = tmp_path / "outbox.db"
    committed = 0
    for pause_s in (0.05, 0.12, 0.03):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=dict(os.environ)
        )
        child.stdout.readline()
        time.sleep(pause_s)
        child.send_signal(signal.SIGKILL)
        printed = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        committed = int(printed[-1]) if printed else committed
        outbox = Outbox(path, 0)
        assert outbox.newest >= committed
        rows = outbox.rows(1, outbox.newest, 10**6)
        assert [(row[0], row[4]) for row in rows] == [(k + 1, float(k)) for k in range(outbox.newest)]
        outbox.close()


def test_numbers_go_on_after_a_restart_in_the_same_epoch(tmp_path):
    first = Outbox(tmp_path / "outbox.db", 0)
    assert first.commit(samples(3)) == 3
    epoch = first.epoch
    first.close()
    second = Outbox(tmp_path / "outbox.db", 0)
    assert (second.epoch, second.commit(samples(2, 10))) == (epoch, 5)
    second.close()


def test_a_row_that_the_disk_changed_is_found_set_aside_and_buried(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    outbox.commit(samples(10))
    outbox._db.execute("UPDATE reading SET x = x + 1e-9 WHERE seq IN (4, 5)")
    assert [row[0] for row in outbox.rows(1, 10, 100)] == [1, 2, 3]
    assert outbox.rows(5, 10, 100) == []
    assert [row[0] for row in outbox.rows(6, 10, 100)] == [6, 7, 8, 9, 10]
    assert outbox.reader.tombstones() == [(4, 5, "crc_mismatch")]
    assert outbox.reader._one("SELECT COUNT(*) FROM spoilt") == 2
    outbox.close()


def test_a_destroyed_file_is_set_aside_and_a_new_epoch_begins(tmp_path):
    path = tmp_path / "outbox.db"
    outbox = Outbox(path, 0)
    outbox.commit(samples(500))
    epoch = outbox.epoch
    outbox.close()
    with path.open("r+b") as file:
        file.write(os.urandom(4096))
    fresh = Outbox(path, 77)
    assert fresh.epoch != epoch
    assert fresh.newest == 0
    assert (tmp_path / "outbox.db.corrupt-77").exists()
    fresh.close()


def test_beyond_its_bound_the_oldest_telemetry_goes_first_and_leaves_tombstones(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, kept=["door"], room=Room(unstored_rows=1000))
    outbox.commit(samples(100))
    outbox.commit(samples(1, point="door"))
    outbox.commit(samples(1499, 100))
    outbox.tidy(1.0)
    assert outbox.reader.held() == 990
    assert outbox.reader.tombstones() == [(1, 100, "outbox_full"), (102, 611, "outbox_full")]
    assert outbox.reader.tombstone_at(300) == (102, 611, "outbox_full")
    assert outbox.reader.tombstone_at(101) is None
    assert [row[0] for row in outbox.rows(101, 2000, 5)] == [101]
    outbox.close()


def test_stored_rows_leave_after_the_replay_window_and_never_before(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(window_s=3600, window_rows=150))
    outbox.commit(samples(100))
    outbox.tidy(0.0)
    outbox.commit(samples(100, 100))
    outbox.tidy(1000.0)
    assert outbox.reader.held() == 200  # nothing is stored yet
    outbox.free(200)
    outbox.tidy(1001.0)
    assert outbox.oldest() == 51  # by count
    outbox.tidy(3601.0)
    assert outbox.oldest() == 101  # by running time
    assert outbox.newest == 200
    outbox.close()


def test_times_of_a_point_always_rise(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    outbox.commit([("p", 5000, 1.0, 0), ("p", 5000, 2.0, 0), ("q", 5000, 1.0, 0)])
    outbox.commit([("p", 4000, 3.0, 0)])
    outbox.commit([("p", 1000, 4.0, 0)], BACKLOG)  # recorded long ago: its time is its own
    outbox.close()
    again = Outbox(tmp_path / "outbox.db", 0)
    again.commit([("p", 4000, 5.0, 0)])
    assert [row[3] for row in again.rows(1, 9, 9)] == [5000, 5001, 5000, 5002, 1000, 5003]
    again.close()


def test_before_the_disk_is_full_stored_rows_go_early_and_then_the_oldest(tmp_path, monkeypatch):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    outbox.commit(samples(50_000))
    outbox.free(5000)
    spare_bytes = outbox._spare_bytes()
    assert spare_bytes > 0
    monkeypatch.setattr(outbox, "_spare_bytes", lambda: 20 * 2**20)
    outbox.tidy(1.0)
    assert (outbox.oldest(), outbox.is_tidy) == (5001, False)
    outbox.tidy(2.0)
    assert outbox.oldest() == 5001  # what is not stored stays while it can
    monkeypatch.setattr(outbox, "_spare_bytes", lambda: 2**20)
    outbox.tidy(3.0)
    assert outbox.reader.tombstones() == [(5001, 37_768, "no_room")]
    monkeypatch.undo()
    assert outbox._spare_bytes() > spare_bytes - 2**20  # its own free pages count: it does not drop for ever
    outbox.tidy(4.0)
    assert (outbox.reader.held(), outbox.is_tidy) == (12_232, True)
    outbox.close()


def test_a_commit_that_failed_leaves_neither_a_point_nor_a_time_behind(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    outbox.commit([("p", 5000, 1.0, 0)])
    with pytest.raises(sqlite3.IntegrityError):
        outbox.commit([("p", 9000, 1.0, 0), ("q", 9000, float("nan"), 0)])
    outbox.commit([("r", 6000, 1.0, 0), ("p", 6000, 1.0, 0)])
    assert [(row[0], outbox.name(row[2]), row[3]) for row in outbox.rows(1, 9, 9)] == [
        (1, "p", 5000),
        (2, "r", 6000),
        (3, "p", 6000),
    ]
    outbox.close()


def test_a_clock_set_back_by_hours_is_believed_and_no_time_is_given_twice(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    day = 86_400_000
    given = (T0, T0 + day, T0 + 1000, T0 + 900, T0 + day)
    for t_ms in given:
        outbox.commit([("p", t_ms, 1.0, 0)])
    outbox.close()
    again = Outbox(tmp_path / "outbox.db", 0)  # what is taken is known from the rows, not from memory
    again.commit([("p", T0 + 500, 1.0, 0), ("p", T0 + 1000, 1.0, 0), ("p", T0 + day, 1.0, 0)])
    times = [row[3] for row in again.rows(1, 9, 9)]
    assert times == [T0, T0 + day, T0 + 1000, T0 + 1001, T0 + day + 1, T0 + 500, T0 + 1002, T0 + day + 2]
    assert len(set(times)) == len(times)
    again.close()


def test_only_a_time_whose_row_is_still_held_is_passed_over_after_a_step_back(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(window_rows=1, ballast_bytes=0))
    for t_ms in (T0, T0 + 1, T0 + 10**7):
        outbox.commit([("p", t_ms, 1.0, 0)])
    outbox.free(2)
    outbox.tidy(0.0)
    assert outbox.oldest() == 3
    outbox.commit([("p", T0, 2.0, 0), ("p", T0 + 10**7, 2.0, 0)])
    assert [row[3] for row in outbox.rows(4, 9, 9)] == [T0, T0 + 10**7 + 1]
    outbox.close()


def test_another_store_is_remembered_together_with_the_mark_that_it_takes_back(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    outbox.commit(samples(10))
    outbox.free(10)
    outbox.tidy(0.0)
    outbox.rewind("store-2")
    outbox.close()  # without tidying, as a kill does
    again = Outbox(tmp_path / "outbox.db", 0)
    assert (again.reader.fact("store_id"), again.store_hw) == ("store-2", 0)
    again.close()


def test_what_was_dropped_counts_as_held_until_its_tombstone_is_stored(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(window_rows=0, unstored_rows=1000))
    outbox.commit(samples(1500))
    outbox.tidy(0.0)
    assert outbox.reader.tombstones() == [(1, 510, "outbox_full")]
    assert outbox.oldest() == 1  # else the server would take 1 … 510 for stored and never hear why they are gone
    outbox.free(1500)
    outbox.tidy(1.0)
    assert (outbox.oldest(), outbox.reader.held()) == (1501, 0)
    outbox.close()


def test_backlog_that_is_not_stored_is_counted_without_live_and_dropped_rows(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(unstored_rows=1000))
    outbox.commit(samples(600), BACKLOG)
    outbox.commit(samples(700), LIVE)
    assert outbox.unstored_backlog() == 600
    outbox.tidy(0.0)  # drops 310
    assert outbox.unstored_backlog() == 290
    outbox.free(400)
    assert outbox.unstored_backlog() == 200
    outbox.free(1299)
    assert outbox.unstored_backlog() == 0
    outbox.close()


def test_produced_counts_and_sums_every_point_while_the_agent_runs(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    outbox.commit([("a", 1, 0.1, 0)] * 10 + [("b", 1, 2.0, 0)])
    outbox.commit([("a", 1, 1e16, 0)], BACKLOG, Played("f", 1, 1))
    outbox.free(5)
    assert produced(tmp_path / "outbox.db") == {"a": (11, fsum([0.1] * 10 + [1e16])), "b": (1, 2.0)}
    outbox.close()


def test_a_second_agent_is_refused(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0)
    with pytest.raises(ConfigError, match="another agent already uses"):
        Outbox(tmp_path / "outbox.db", 0)
    outbox.close()


def test_damage_to_an_index_is_mended_at_the_next_start(tmp_path):
    path = tmp_path / "outbox.db"
    outbox = Outbox(path, 0)
    outbox.commit(samples(300))
    change = "UPDATE sqlite_master SET sql = replace(sql, 'lane = {}', 'lane = {}') WHERE name = 'reading_live'"
    outbox._db.execute("PRAGMA writable_schema = ON")
    outbox._db.execute(change.format(0, 9))
    outbox.close()
    wrong = sqlite3.connect(path)
    wrong.execute("INSERT INTO reading VALUES (301, 0, 1, 1, 1.0, 0, 7)")  # the index is not told
    wrong.execute("PRAGMA writable_schema = ON")
    wrong.execute(change.format(9, 0))
    wrong.execute("INSERT OR REPLACE INTO fact VALUES ('newest', '301', ?)", (words_crc("newest", "301"),))
    wrong.commit()
    wrong.close()
    running = Outbox(path, 0)
    running.free(301)
    running._room = Room(window_rows=0, ballast_bytes=0)
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        running.tidy(0.0)
    running.close()
    mended = Outbox(path, 0, room=Room(window_rows=0, ballast_bytes=0))
    assert (mended.epoch, mended.newest, set_aside(path)) == (outbox.epoch, 301, 0)
    mended.free(301)
    mended.tidy(0.0)
    assert mended.reader.held() == 0
    mended.close()


def test_the_file_is_bounded_in_bytes_too(tmp_path):
    room = Room(file_bytes=2 * 2**20, ballast_bytes=2**18)
    outbox = Outbox(tmp_path / "outbox.db", 0, room=room)
    for begin in range(0, 60_000, 2000):
        outbox.commit(samples(2000, begin))
        for _ in range(8):
            outbox.tidy(1.0)
    assert (tmp_path / "outbox.db").stat().st_size < 2.2 * 2**20
    assert outbox.reader.held() + sum(last - first + 1 for first, last, _ in outbox.reader.tombstones()) == 60_000
    assert {reason for *_, reason in outbox.reader.tombstones()} == {"no_room"}
    outbox.close()
