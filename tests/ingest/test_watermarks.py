import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from facility.errors import ConfigError, StoreUnavailable
from ingest.entry import Entry
from ingest.watermarks import Watermarks

STREAM = ("edge-1", "e1")


@pytest.fixture
def reopen(tmp_path):
    opened = []

    def make():
        opened.append(Watermarks(tmp_path / "ingest.db"))
        return opened[-1]

    yield make
    for watermarks in opened:
        watermarks.close()


def entry(first, last, **more):
    return Entry(*STREAM, 0, claimed=[(first, last)], **more)


def test_what_is_advanced_survives_with_its_cursor(reopen):
    first = reopen()
    first.advance(100, [entry(1, 5), entry(8, 9)], 0)
    first.advance(200, [entry(6, 6)], 0)
    second = reopen()
    assert (second.cursor, list(second.stored(STREAM))) == (200, [(1, 6), (8, 9)])
    assert second.store_id == first.store_id


def test_a_failed_step_moves_nothing_and_may_be_repeated(reopen, tmp_path):
    watermarks = reopen()
    watermarks.connection.execute("PRAGMA busy_timeout=0")
    other = sqlite3.connect(tmp_path / "ingest.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stone = entry(1, 5, tombs=[(1, 5, "full")])
    with pytest.raises(StoreUnavailable):
        watermarks.advance(100, [stone], 0)
    assert (watermarks.cursor, watermarks.stored(STREAM).watermark, watermarks.tombstones()) == (0, 0, [])
    other.execute("ROLLBACK")
    other.close()
    watermarks.advance(100, [stone], 0)
    again = reopen()
    assert (again.stored(STREAM).watermark, again.tombstones()) == (5, [(*STREAM, 1, 5, "full")])


def test_reopened_numbers_are_counted_once_and_come_again(reopen):
    watermarks = reopen()
    watermarks.advance(100, [entry(1, 10)], 0)
    watermarks.advance(200, [Entry(*STREAM, 0, reopened=[(3, 5), (20, 30)])], 0)
    assert list(watermarks.stored(STREAM)) == [(1, 2), (6, 10)]
    assert watermarks.totals()["reopened"] == 3


def test_streams_do_not_mix(reopen):
    watermarks = reopen()
    watermarks.advance(100, [entry(1, 5)], 0)
    assert watermarks.stored(("edge-1", "e2")).watermark == watermarks.stored(("edge-2", "e1")).watermark == 0


def test_a_file_of_a_newer_meterhouse_is_refused_and_what_is_no_database_is_set_aside(tmp_path):
    newer = sqlite3.connect(tmp_path / "ingest.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ConfigError, match="newer Meterhouse"):
        Watermarks(tmp_path / "ingest.db")
    (tmp_path / "text.db").write_text("no database at all, but long enough to look at" * 30)
    anew = Watermarks(tmp_path / "text.db")
    assert Path(anew.kept_as).read_text().startswith("no database at all")
    anew.close()


def test_a_group_writes_a_few_small_pages(reopen, tmp_path):
    watermarks, wal = reopen(), tmp_path / "ingest.db-wal"
    watermarks.advance(100, [entry(1, 5)], 0)
    before = wal.stat().st_size
    watermarks.advance(200, [entry(6, 9)], 0)
    assert 0 < wal.stat().st_size - before <= 4096


def spoil(path, statement):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE progress SET value = value + 4096 WHERE name = 'cursor'",
        "UPDATE watermark SET ranges = '[[1, 1030]]'",
        "UPDATE watermark SET agent = 'edge-3'",
        "UPDATE total SET readings = readings + 64 WHERE name = 'stored'",
        "UPDATE store SET id = 'x'",
        "the first page",
    ],
)
def test_notes_that_the_disk_has_changed_are_set_aside_and_begun_anew(tmp_path, statement):
    path = tmp_path / "ingest.db"
    before = Watermarks(path)
    before.advance(100, [Entry("edge-1", "e1", 1, claimed=[(1, 6)])], 1)
    store_id = before.store_id
    before.close()
    again = Watermarks(path)
    assert (again.store_id, again.cursor, again.kept_as) == (store_id, 100, ""), "what is sound stays"
    again.close()
    if statement == "the first page":
        with path.open("r+b") as file:
            file.seek(20)
            file.write(bytes(300))
    else:
        spoil(path, statement)
    anew = Watermarks(path)
    assert (anew.cursor, anew.streams()) == (0, {})
    assert anew.store_id not in {store_id, "x"}, "agents go back to their oldest row"
    assert len(list(tmp_path.glob("ingest.db.corrupt-*"))) == 1
    anew.close()
