"""What the disk has changed in the store comes back from the journal, and what cannot come back is said."""

import sqlite3
from contextlib import closing

import pytest
from rigs.ingest_process import Debian, Served
from rigs.ingest_rig import NOW_MS, POWER, Client, Ingest, batch
from rigs.patience import until
from rigs.servers import need_mosquitto

from facility import wire
from facility.errors import StoreUnavailable
from facility.system_alarm import SystemAlarm
from ingest.journal import JournalRoom

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def debian():
    need_mosquitto()
    with Debian() as started:
        yield started


def reconciled(ingest):
    answers = []
    ingest.parts.housekeeping.asked.append(answers.append)
    until(lambda: answers)
    return answers[0]


def change(folder, what, where):
    with closing(sqlite3.connect(folder / "readings.db")) as db, db:
        return db.execute(f"UPDATE reading SET {what} WHERE {where}").rowcount  # noqa: S608 - our own words


def readable(ingest):
    """What is stored; nothing before the file has been mended."""
    try:
        return ingest.stored()
    except StoreUnavailable:
        return {}


def test_a_changed_value_is_told_and_written_again_from_the_journal(ingest, edge, tmp_path):
    edge.send(batch(1, 50, ep=tmp_path.name))
    until(lambda: edge.heard and edge.acks()[-1].store_hw == 50)
    before = ingest.readings.read([POWER], 0, 2**62)[POWER]
    assert change(tmp_path, "x = x * 2", "x < 20") == 19
    (found,) = reconciled(ingest)
    assert (found.taken_in, found.rewritten) == (50, 19)
    after = ingest.readings.read([POWER], 0, 2**62)[POWER]
    assert after.x.tolist() == before.x.tolist()
    alarms = ingest.parts.status.as_status(0).alarms
    assert "19 readings and 0 figures changed by the disk" in alarms[SystemAlarm.STORE_DAMAGED]
    assert reconciled(ingest) == []
    assert SystemAlarm.STORE_DAMAGED not in ingest.parts.status.as_status(0).alarms


def test_what_nobody_has_any_more_is_said_for_good(tmp_path, broker, edge):
    ingest = Ingest(tmp_path, broker, room=JournalRoom(segment_bytes=2_000, kept_bytes=0)).start()
    ingest.readings.write(batch(1, 1, points=("old/power/total",), t=[NOW_MS - 40 * 24 * HOUR_MS]).readings())
    change(tmp_path, "x = 7.5", "TRUE")
    reconciled(ingest)
    words = ingest.parts.status.as_status(0).alarms[SystemAlarm.STORE_DAMAGED]
    assert words == "1 reading changed by the disk, which nobody has any more"
    reconciled(ingest)
    assert ingest.parts.status.as_status(0).alarms[SystemAlarm.STORE_DAMAGED] == words
    ingest.close()


@pytest.mark.parametrize("spoil", ["a page of readings", "the header", "a table's making"])
def test_a_damaged_file_is_mended_at_the_start_and_every_reading_comes_back(tmp_path, debian, spoil):
    with (
        Served(tmp_path, debian) as ingest,
        closing(Client(debian, "edge-1", wire.ack_topic("edge-1"))) as edge,
    ):
        epoch = spoil[:6].strip().replace(" ", "-")
        for first in range(1, 2001, 250):
            edge.send(batch(first, 250, ep=epoch))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 2000)
        before = ingest.stored()
        ingest.stop()
        file = ingest.folder / "readings.db"
        with closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reading'").fetchone()
        content = bytearray(file.read_bytes())
        if spoil == "a page of readings":
            content[4096 * (page - 1) : 4096 * (page - 1) + 600] = bytes(600)
        elif spoil == "the header":
            content[3] ^= 4
        else:
            at = content.index(b"t_ms INTEGER NOT NULL, x REAL")
            content[at] ^= 1
        file.write_bytes(content)
        ingest.start()
        ingest.until(lambda: readable(ingest) == before)
        assert list(ingest.folder.glob("readings.db.corrupt-*")), "the damaged one is kept for a person"
        assert "store_mended" in ingest.log


def test_a_store_put_back_to_an_older_copy_of_itself_gets_back_all_that_it_lacks(tmp_path, debian):
    """All, however old: the look after a start goes back a week, and these readings are older."""
    with (
        Served(tmp_path, debian) as ingest,
        closing(Client(debian, "edge-1", wire.ack_topic("edge-1"))) as edge,
    ):
        t = [NOW_MS - 40 * 24 * HOUR_MS + 1000 * i for i in range(40)]
        edge.send(batch(1, 20, t=t[:20], ep="older", lane="backlog"))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 20)
        ingest.stop()
        file = ingest.folder / "readings.db"
        with closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        older = file.read_bytes()
        ingest.start()
        edge.send(batch(21, 20, t=t[20:], ep="older", lane="backlog"))
        ingest.until(lambda: edge.acks()[-1].store_hw == 40)
        ingest.stop()
        for log in ("-wal", "-shm"):
            file.with_name(file.name + log).unlink(missing_ok=True)
        file.write_bytes(older)
        ingest.start()
        ingest.until(lambda: ingest.count() == 40)
