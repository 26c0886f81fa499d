"""What a store has lost comes back: from the journal where it is still there, else from the agent."""

import dataclasses
import sqlite3

import pytest
from rigs.ingest_rig import CATALOGUE, ENERGY, NOW_MS, POWER, Ingest, batch
from rigs.patience import until

from facility.ranges import RangeSet
from ingest.entry import Entry, readings_of
from ingest.gate import Gate
from ingest.hours import HourCounts, runs
from ingest.journal import JournalRoom

HOUR_MS = 3_600_000
START_MS = NOW_MS // HOUR_MS * HOUR_MS - 3 * HOUR_MS


def said(first, n, epoch, start_ms=START_MS, step_ms=60_000):
    t = [start_ms + i * step_ms for i in range(n)]
    return batch(first, n, t=t, p=[i % 2 for i in range(n)], points=[POWER, ENERGY], ep=epoch, lane="backlog")


@pytest.fixture
def lose(tmp_path):
    """Takes stored readings away behind the store's back, as a damaged log does."""

    def take_away(where):
        with sqlite3.connect(tmp_path / "readings.db") as db:
            return db.execute(f"DELETE FROM reading WHERE {where}").rowcount  # noqa: S608 - our own words

    return take_away


def stored_up_to(edge):
    return edge.acks()[-1].store_hw if edge.heard else 0


def reconciled(ingest):
    answers = []
    ingest.parts.housekeeping.asked.append(answers.append)
    until(lambda: answers)
    return answers[0]


def test_what_the_store_has_lost_is_written_again_from_the_journal(ingest, edge, lose, tmp_path):
    edge.send(said(1, 150, tmp_path.name))
    until(lambda: stored_up_to(edge) == 150)
    before = ingest.readings.totals()
    assert reconciled(ingest) == []
    assert lose(f"t_ms >= {START_MS + HOUR_MS}") == 90
    found = reconciled(ingest)
    assert [(d.agent, d.taken_in, d.stored, d.rewritten, d.asked_for) for d in found] == [
        ("edge-1", 60, 0, 60, 0),
        ("edge-1", 30, 0, 30, 0),
    ]
    assert ingest.readings.totals() == before
    assert reconciled(ingest) == []


def test_S7_what_the_journal_no_longer_holds_is_asked_for_from_the_agent(tmp_path, broker, edge, lose):
    epoch = tmp_path.name
    ingest = Ingest(tmp_path, broker, room=JournalRoom(segment_bytes=500, kept_bytes=1)).start()
    try:
        for first, start_ms in ((1, START_MS), (61, START_MS + HOUR_MS), (121, START_MS + 2 * HOUR_MS)):
            edge.send(said(first, 60, epoch, start_ms))
            until(lambda: stored_up_to(edge) == first + 59)  # noqa: B023 - awaited here
        until(lambda: len(ingest.journal.segments) == 1)
        before = ingest.readings.totals()
        assert lose(f"t_ms < {START_MS + HOUR_MS}") == 60
        ((_, hour_ms, taken_in, stored, rewritten, asked_for),) = [
            tuple(getattr(d, name) for name in d.__slots__) for d in reconciled(ingest)
        ]
        assert (hour_ms, taken_in, stored, rewritten, asked_for) == (START_MS, 60, 0, 0, 60)
        until(lambda: any(ack.nack == [(1, 60)] for ack in edge.acks()))
        edge.send(said(1, 60, epoch))  # the agent's window still holds them
        until(lambda: edge.acks()[-1].store_hw == 180 and ingest.readings.totals() == before)
        assert reconciled(ingest) == []
        assert ingest.watermarks.totals() == {"stored": 240, "quarantined": 0, "reopened": 60}
    finally:
        ingest.close()


def test_a_meter_taken_from_the_estate_is_not_missed(ingest, edge, tmp_path):
    edge.send(said(1, 60, tmp_path.name))
    until(lambda: stored_up_to(edge) == 60)
    fewer = dataclasses.replace(CATALOGUE, points=tuple(p for p in CATALOGUE.points if p.id != ENERGY))
    ingest.parts.doorway.gate = Gate(fewer)
    assert reconciled(ingest) == []
    ingest.parts.doorway.gate = Gate(CATALOGUE)
    assert reconciled(ingest) == []


def test_two_readings_of_one_instant_are_no_loss_and_are_looked_into_once(ingest, edge, tmp_path):
    edge.send(batch(1, 3, t=[START_MS, START_MS, START_MS + 1], ep=tmp_path.name))
    until(lambda: stored_up_to(edge) == 3)
    assert reconciled(ingest) == []
    assert ingest.parts.housekeeping.reconciler.hours.since(0, ingest.watermarks.cursor) == {
        ("edge-1", START_MS): {POWER: 2}
    }


def test_hours_are_counted_with_their_numbers():
    rows = batch(10, 5, t=[START_MS, START_MS + 1, START_MS + HOUR_MS, START_MS + 2, START_MS + 3]).readings()
    whole = Entry("a", "e", 0, claimed=[(10, 14)], readings=readings_of(rows))
    assert list(runs(whole)) == [(START_MS, 10, 11), (START_MS + HOUR_MS, 12, 12), (START_MS, 13, 14)]
    parts = Entry("a", "e", 0, claimed=[(10, 16)], readings=readings_of(rows, [10, 12, 14, 15, 16]))
    assert list(runs(parts)) == [
        (START_MS, 10, 10), (START_MS, 12, 12), (START_MS + HOUR_MS, 14, 14), (START_MS, 15, 16),
    ]  # fmt: skip
    assert list(runs(Entry("a", "e", 0, claimed=[(1, 1)]))) == []


def test_a_damaged_journal_frame_comes_again_from_its_agent(tmp_path, broker, edge):
    epoch = tmp_path.name
    first = Ingest(tmp_path, broker).start()
    first.store.is_up = False
    edge.send(batch(1, 5, ep=epoch))
    until(lambda: edge.heard)
    edge.send(batch(6, 5, ep=epoch))
    until(lambda: edge.acks()[-1].journal_hw == 10)
    first.close()
    (segment,) = (tmp_path / "journal").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[data.index(POWER.encode())] ^= 4
    segment.write_bytes(data)
    second = Ingest(tmp_path, broker).start()
    try:
        edge.send(batch(11, 5, ep=epoch))
        until(lambda: second.stored().get(POWER) == 10)
        edge.send(batch(1, 5, ep=epoch))
        until(lambda: edge.acks()[-1].store_hw == 15)
        assert second.stored() == {POWER: 15}
    finally:
        second.close()


def test_a_lost_journal_begins_anew_where_the_store_is(tmp_path, broker, edge):
    epoch = tmp_path.name
    first = Ingest(tmp_path, broker).start()
    edge.send(batch(1, 5, ep=epoch))
    until(lambda: stored_up_to(edge) == 5)
    first.close()
    for segment in (tmp_path / "journal").glob("*.seg"):
        segment.unlink()
    second = Ingest(tmp_path, broker).start()
    try:
        edge.send(batch(4, 5, ep=epoch))
        until(lambda: stored_up_to(edge) == 8)
        assert list(second.parts.files.streams.of(("edge-1", epoch))) == list(RangeSet([(1, 8)]))
        assert second.watermarks.totals()["stored"] == 8
    finally:
        second.close()


def test_a_journal_whose_stored_end_is_lost_goes_on_behind_it(tmp_path, broker, edge):
    epoch = tmp_path.name
    first = Ingest(tmp_path, broker).start()
    for n in (1, 6):
        edge.send(batch(n, 5, ep=epoch))
        until(lambda: stored_up_to(edge) == n + 4)  # noqa: B023 - awaited here
    first.close()
    (segment,) = (tmp_path / "journal").glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-40])
    second = Ingest(tmp_path, broker).start()
    try:
        edge.send(batch(11, 1, ep=epoch))  # shorter than what is missing
        until(lambda: stored_up_to(edge) == 11)
        edge.send(batch(6, 5, ep=epoch))
        edge.send(batch(12, 1, ep=epoch))
        until(lambda: stored_up_to(edge) == 12)
        assert second.stored() == {POWER: 12}
        assert second.watermarks.totals() == {"stored": 12, "quarantined": 0, "reopened": 0}
        assert reconciled(second) == []
    finally:
        second.close()


def test_hours_survive_a_restart(tmp_path, broker, edge):
    ingest = Ingest(tmp_path, broker, room=JournalRoom(segment_bytes=500)).start()
    for first in (1, 61, 121):
        edge.send(said(first, 60, tmp_path.name))
    until(lambda: stored_up_to(edge) == 180)
    counts = dict(ingest.parts.housekeeping.reconciler.hours.since(0, ingest.watermarks.cursor))
    ingest.close()
    again = Ingest(tmp_path, broker)
    fresh = HourCounts(again.watermarks.connection, again.journal)
    assert dict(fresh.since(0, again.watermarks.cursor)) == counts == {("edge-1", START_MS): {POWER: 90, ENERGY: 90}}
    again.close()
