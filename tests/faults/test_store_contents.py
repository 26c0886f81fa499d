"""A store that tells other readings than it has confirmed, and notes of ingest that the disk has changed."""

import json
import sqlite3
from contextlib import closing

import pytest
from rigs.influx_server import InfluxServer, make_ready, need_influxd
from rigs.ingest_rig import CATALOGUE, ENERGY, NOW_MS, POWER, batch
from rigs.patience import until
from rigs.store_rig import Rig, now_ms

from accounting.local_time import HOUR_MS
from facility.model import ReadingBatch
from ingest.entry import Entry, readings_of
from ingest.hours import by_point, seal_of
from ingest.journal import DEFAULT_ROOM, JournalRoom
from stores.readings.memory import MemoryStore
from stores.readings.port import Series

BEGIN_MS = (now_ms() - 86_400_000) // HOUR_MS * HOUR_MS


def reconciled(rig):
    answers = []
    rig.parts.housekeeping.asked.append(answers.append)
    until(lambda: answers)
    return answers[0]


def shown(rig, point=POWER):
    return rig.store.read([point], BEGIN_MS, BEGIN_MS + 30 * HOUR_MS)[point]


def changed_by_the_disk(rig, k, x):
    """What reads as another value from now on, behind everybody's back."""
    t_ms = int(shown(rig).t_ms[k])
    rig.store.store.write_many([ReadingBatch([POWER], [0], [t_ms], [x], [0])])


def rig_of(folder, store, room=DEFAULT_ROOM):
    rig = Rig(folder, "", store=store, room=room)
    rig.start()
    return rig


@pytest.fixture
def rig(tmp_path):
    running = rig_of(tmp_path, MemoryStore())
    yield running
    running.close()


def taken_in(rig, n=300, step_ms=60_000):
    rig.take_in(n, start_ms=BEGIN_MS - step_ms, step_ms=step_ms, rows=60)
    rig.wait_until_settled()


def test_a_value_that_an_influxdb_tells_otherwise_is_written_again(tmp_path):
    need_influxd()
    with InfluxServer() as server:
        make_ready(server.url, "town")
        rig = Rig(tmp_path, server.url)
        rig.start()
        taken_in(rig)
        assert reconciled(rig) == []
        changed_by_the_disk(rig, 70, 1e6)
        assert sum(total.total for total in rig.store.totals().values()) != rig.sum, "counts alone say nothing of it"
        (found,) = reconciled(rig)
        assert (found.agent, found.taken_in, found.stored, found.rewritten) == ("edge-1", 60, 60, 1)
        rig.check_nothing_is_lost()
        assert "told other readings" in rig.alarms["store_had_lost"]
        assert reconciled(rig) == []
        rig.close()


def test_it_is_found_without_being_asked_for(rig, monkeypatch):
    taken_in(rig)
    changed_by_the_disk(rig, 70, 1e6)
    rig.parts.housekeeping._contents_due_s = 0.0
    until(lambda: "store_had_lost" in rig.alarms)
    rig.check_nothing_is_lost()


def test_a_reading_whose_time_the_disk_has_changed_is_written_again_and_what_it_became_is_said(rig):
    taken_in(rig)
    rig.store.store._series[POWER].t_ms[70] += 17
    (found,) = reconciled(rig)
    assert found.rewritten == 1
    assert rig.alarms["store_damaged"].startswith("1 reading not as taken in")
    assert reconciled(rig) == [], "that it cannot be mended is said once"


def test_what_the_journal_has_no_more_is_asked_for_from_the_agent(tmp_path):
    rig = rig_of(tmp_path, MemoryStore(), JournalRoom(segment_bytes=500, kept_bytes=1))
    for _ in range(3):
        taken_in(rig, 60)
    until(lambda: len(rig.parts.files.journal.segments) == 1)
    changed_by_the_disk(rig, 5, 1e6)
    (found,) = reconciled(rig)
    assert (found.rewritten, found.asked_for) == (0, 60)
    reopened = rig.parts.store_writer.reopen.__self__.get_nowait()
    assert reopened.reopened == [(1, 60)]
    rig.close()


def test_two_readings_of_one_time_are_one_and_nothing_is_wrong(rig):
    taken_in(rig, 50)
    message = batch(51, 1, points=(POWER,), t=[int(shown(rig).t_ms[3])], x=[7.0], lane="backlog")
    rig.take(message)
    rig.wait_until_settled()
    assert reconciled(rig) == []
    assert shown(rig).x[3] == 7.0
    changed_by_the_disk(rig, 9, 1e6)
    assert [one.rewritten for one in reconciled(rig)] == [1], "it is still held to what was taken in"


def test_an_hour_of_our_own_notes_that_the_disk_has_changed_is_counted_again(rig, tmp_path, logged):
    taken_in(rig)
    journal, hours = rig.parts.files.journal, rig.parts.housekeeping.reconciler.hours
    rig.pause()
    journal.rotate(rig.pipeline.streams.state())
    hours.note(rig.parts.files.watermarks.cursor)
    with closing(sqlite3.connect(tmp_path / "ingest.db")) as db:
        ((points, hour_ms),) = db.execute("SELECT points, hour_ms FROM hour ORDER BY hour_ms LIMIT 1").fetchall()
        fewer = {point: n ^ 4 for point, n in json.loads(points).items()}
        db.execute("UPDATE hour SET points = ? WHERE hour_ms = ?", (json.dumps(fewer), hour_ms))
        db.commit()
    counts = hours.since(0, rig.parts.files.watermarks.cursor)
    assert sum(count.total() for count in counts.values()) == 300
    assert hours.lost == 0
    assert [line["event"] for line in logged if line["event"].startswith("hours")] == ["hours_spoilt"]


def test_an_hour_that_nobody_can_count_again_is_said(tmp_path):
    rig = rig_of(tmp_path, MemoryStore(), JournalRoom(segment_bytes=500, kept_bytes=1))
    for _ in range(3):
        taken_in(rig, 60)
    until(lambda: len(rig.parts.files.journal.segments) == 1)
    with closing(sqlite3.connect(tmp_path / "ingest.db")) as db:
        db.execute("UPDATE hour SET ranges = '[[1, 61]]' WHERE segment = (SELECT min(segment) FROM hour)")
        db.commit()
    assert reconciled(rig) == []
    until(lambda: "cannot be compared" in rig.alarms.get("journal_damaged", ""))
    rig.close()


def test_what_readings_come_to_does_not_depend_on_their_order_and_misses_no_bit():
    rows = batch(
        1,
        4,
        points=(POWER, ENERGY),
        p=[0, 1, 0, 0],
        t=[NOW_MS, NOW_MS, NOW_MS + 1, NOW_MS + 2],
        x=[1.0, 2.0, 3.0, -0.0],
    )
    entry = Entry(
        "edge-1",
        "e1",
        NOW_MS,
        claimed=[(1, 4)],
        readings=readings_of(ReadingBatch(rows.points, rows.p, rows.t, rows.x, [0, 0, 2, 0])),
    )
    sums = {point: (n, seal) for _, point, n, seal in by_point(entry)}
    assert [n for n, _ in sums.values()] == [3, 1]
    store = MemoryStore()
    store.write_many([entry.readings.batch()])
    there = store.read([POWER, ENERGY], NOW_MS, NOW_MS + 10)
    assert {point: (len(one), seal_of(one)) for point, one in there.items()} == sums
    power = there[POWER]
    for column in ("t_ms", "x", "q"):
        flipped = {name: getattr(power, name).copy() for name in ("t_ms", "x", "q")}
        flipped[column].view("u1")[0] ^= 1
        assert seal_of(Series(**flipped)) != seal_of(power)
    assert CATALOGUE.point[POWER]
