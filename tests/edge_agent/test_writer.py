"""What becomes of readings while the disk takes nothing: they wait, the oldest go, and nothing goes unexplained."""

from __future__ import annotations

from rigs.patience import until

from edge_agent import writer as edge_writer
from edge_agent.clock import EARLIEST_MS, ReadingClock
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.room import Room
from edge_agent.writer import Writer

NOW_MS = EARLIEST_MS + 10**9


def samples(count, begin=0):
    return [("p", NOW_MS + begin + i, float(begin + i), 0) for i in range(count)]


def test_what_a_full_disk_crowded_out_of_memory_gets_numbers_and_a_tombstone(tmp_path, monkeypatch):
    monkeypatch.setattr(edge_writer, "MOST_WAITING", 1000)
    monkeypatch.setattr(edge_writer, "RETRY_S", 0.05)
    outbox = Outbox(tmp_path / "outbox.db", NOW_MS, room=Room(ballast_bytes=0))
    outbox.commit([("p", NOW_MS - 1, -1.0, 0)])
    outbox._db.execute("PRAGMA max_page_count = 1").fetchall()  # not less than it has: it can grow by no page
    clock = ReadingClock(lambda: NOW_MS, lambda: 10**9, is_synchronised=lambda: True)
    writer = Writer(outbox, lambda: None, clock, "boot", commit_s=0.01)
    writer.start()
    try:
        for begin in range(0, 4000, 500):
            writer.put(samples(500, begin))
        until(lambda: outbox.is_full)
        assert outbox.reader.held() == 1
        outbox._db.execute("PRAGMA max_page_count = 100000").fetchall()
    finally:
        writer.stop()
    assert writer.lost >= 2000
    assert outbox.reader.tombstones() == [(2, 1 + writer.lost, "disk_full")]
    kept = outbox.rows(2 + writer.lost, 9999, 9999)
    assert [row[4] for row in kept] == [float(k) for k in range(writer.lost, 4000)]
    assert outbox.newest == 4001
    outbox.close()


def test_an_alarm_waits_in_memory_longer_than_telemetry_that_came_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(edge_writer, "MOST_WAITING", 1000)
    outbox = Outbox(tmp_path / "outbox.db", NOW_MS, kept=["smoke"])
    writer = Writer(outbox, lambda: None, ReadingClock(lambda: NOW_MS, lambda: 10**9), "boot")
    writer.put([("smoke", NOW_MS, 1.0, 0)])
    for begin in range(0, 4000, 500):
        writer.put(samples(500, begin))
    writer.start()
    writer.stop()
    rows = outbox.rows(writer.lost + 1, 9999, 9999)
    assert writer.lost + len(rows) == 4001
    assert outbox.name(rows[0][2]) == "smoke"
    assert rows[-1][4] == 3999.0
    outbox.close()
