"""What people hand in is taken in whole by ingest, and taken back whole; neither disturbs what agents sent."""

import sqlite3
from datetime import UTC, datetime

import pytest
from rigs.ingest_rig import ENERGY, FOREIGN, LEVELLESS, NOW_MS, POWER, batch
from rigs.patience import until

from facility.errors import Rejected
from facility.model import Quality, ReadingBatch
from ingest.imports import EPOCH, MOST_ROWS, import_entries
from stores.records.audit import Audit
from stores.records.imports.book import ImportState, ProposedImport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
START_MS = NOW_MS // HOUR_MS * HOUR_MS - 400 * HOUR_MS


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr("ingest.errand_runner.EVERY_S", 0.05)


def by_hand(*rows):
    """Rows of (point, t_ms, x)."""
    points = sorted({row[0] for row in rows})
    p, t, x = zip(*((points.index(point), t, x) for point, t, x in rows), strict=True)
    return ReadingBatch(points, list(p), list(t), list(x), [int(Quality.MANUAL)] * len(rows))


def proposed(ingest, readings, digest="a" * 64, by="anna"):
    return ingest.imports.propose(ProposedImport("reads.csv", digest, "register", readings), by, NOW)


def came_to(ingest, number, state):
    until(lambda: ingest.imports.one(number).state is state)
    return ingest.imports.one(number)


def taken_in(ingest, readings, digest="a" * 64):
    number = proposed(ingest, readings, digest)
    ingest.imports.confirm(number, "anna", NOW)
    came_to(ingest, number, ImportState.STORED)
    return number


def rows_of(ingest, point):
    series = ingest.readings.read([point], 0, 2**62)[point]
    return list(zip(series.t_ms.tolist(), series.x.tolist(), series.q.tolist(), strict=True))


def test_an_import_is_stored_as_entered_by_hand_and_undone_without_a_trace_in_the_figures(ingest, edge, tmp_path):
    live = [START_MS + i * HOUR_MS for i in range(3)]
    edge.send(batch(n=3, ep=tmp_path.name, points=[ENERGY], t=live, x=[10.0, 11.0, 12.0]))
    until(lambda: len(rows_of(ingest, ENERGY)) == 3)
    rows = [(ENERGY, START_MS + i * HOUR_MS // 2, 10 + i / 2) for i in (1, 3)] + [(FOREIGN, START_MS, 5.0)]
    number = taken_in(ingest, by_hand(*rows))
    assert [q for _, _, q in rows_of(ingest, ENERGY)] == [0, 3, 0, 3, 0]
    assert rows_of(ingest, FOREIGN) == [(START_MS, 5.0, 3)], "meters of several agents in one import"
    cursor = ingest.readings.cursor()
    ingest.imports.undo(number, "bert", "the wrong meter", NOW)
    done = came_to(ingest, number, ImportState.UNDONE)
    assert (done.undone_by, done.reason) == ("bert", "the wrong meter")
    assert rows_of(ingest, ENERGY) == [(t, x, 0) for t, x in zip(live, (10.0, 11.0, 12.0), strict=True)]
    assert rows_of(ingest, FOREIGN) == []
    assert ingest.readings.changes(cursor).ranges.keys() == {ENERGY, FOREIGN}, "so that all is computed again"
    assert {one.what for one in Audit(ingest.engine).entries()} == {"import.propose", "import.confirm", "import.undo"}


def test_what_was_undone_is_no_loss_and_may_be_handed_in_again(ingest):
    readings = by_hand(*((ENERGY, START_MS + i * HOUR_MS, float(i)) for i in range(5)))
    number = taken_in(ingest, readings)
    ingest.imports.undo(number, "anna", "once more", NOW)
    came_to(ingest, number, ImportState.UNDONE)
    reconcile = ingest.errands.ask("reconcile", None, "anna", NOW)
    until(lambda: ingest.errands.errands([reconcile])[0].done_at)
    assert ingest.errands.errands([reconcile])[0].outcome == "the store holds everything that was taken in."
    assert ingest.parts.housekeeping.contents.check(0) == []
    taken_in(ingest, readings)
    assert len(rows_of(ingest, ENERGY)) == 5


def test_one_reading_that_may_not_pass_refuses_the_whole_import(ingest):
    for point, x, why in ((LEVELLESS, 5.0, "no_level"), (POWER, 1e9, "out_of_range"), ("gone/x/total", 1, "unknown")):
        rows = [(ENERGY, START_MS, 1.0), (point, START_MS, float(x))]
        number = proposed(ingest, by_hand(*rows), digest=f"{why:64}")
        ingest.imports.confirm(number, "anna", NOW)
        assert why in came_to(ingest, number, ImportState.REFUSED).outcome
    assert ingest.stored() == {}


def test_no_agent_may_retract(ingest, edge, tmp_path):
    edge.send(batch(n=1, ep=tmp_path.name, q=[int(Quality.RETRACTED)]))
    until(ingest.quarantine.items)
    assert ingest.quarantine.items()[0].reason == "unknown_quality"


def test_a_store_that_lost_an_import_gets_it_from_the_records_once_the_journal_is_gone(ingest, tmp_path, monkeypatch):
    number = taken_in(ingest, by_hand(*((ENERGY, START_MS + i * HOUR_MS // 4, float(i)) for i in range(8))))
    reconciler = ingest.parts.housekeeping.reconciler
    counted = reconciler.hours.contents("edge-1", START_MS, reconciler.hours.open(ingest.watermarks.cursor))
    monkeypatch.setattr(reconciler.hours, "gone", lambda *_: {f"{EPOCH}{number}": counted})
    with sqlite3.connect(tmp_path / "readings.db") as db:
        assert db.execute("DELETE FROM reading").rowcount == 8
    reconciler.ask_for_gone("edge-1", START_MS)
    until(lambda: len(rows_of(ingest, ENERGY)) == 8)
    assert ingest.imports.one(number).state is ImportState.STORED


def test_a_long_import_comes_in_parts_of_which_the_last_one_tells(ingest):
    n = 2 * MOST_ROWS + 1
    readings = ReadingBatch([ENERGY], [0] * n, [START_MS + i for i in range(n)], [1.0] * n, [3] * n)
    entries = import_entries(7, readings, ingest.parts.doorway.gate, NOW_MS)
    assert [(len(one.readings), one.of_import) for one in entries] == [(MOST_ROWS, 0), (MOST_ROWS, 0), (1, 7)]
    assert not any(one.claimed for one in entries), "an agent's numbers stay as they are"
    with pytest.raises(Rejected, match="in_future"):
        import_entries(7, by_hand((ENERGY, NOW_MS + 10 * HOUR_MS, 1.0)), ingest.parts.doorway.gate, NOW_MS)
