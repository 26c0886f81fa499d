"""The audit chain notices every kind of tampering."""

import shutil
import sqlite3

import pytest
import sqlalchemy as sa
from rigs.patience import within

from facility.errors import ConfigError, StoreUnavailable
from stores.records.audit import Audit
from stores.records.audit_seal import GENESIS, content_of, seal_of
from stores.records.database import open_records, writing


@pytest.fixture
def audit(engine, now):
    audit = Audit(engine)
    for i in range(5):
        audit.append(now, "anna", "alert.close", f"case-{i}", "fixed")
    return audit


def test_an_empty_chain_and_a_whole_one_are_true(engine, audit):
    assert audit.verify()
    assert [entry.seq for entry in audit.entries(limit=2)] == [5, 4]


def test_entries_are_turned_over_page_by_page(audit):
    first = audit.entries(limit=2)
    assert [entry.seq for entry in audit.entries(before=first[-1].seq, limit=2)] == [3, 2]
    assert audit.entries(before=1) == []


def test_a_chain_without_entries_is_true(engine):
    assert Audit(engine).verify()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET detail = 'expected' WHERE seq = 3",
        "UPDATE audit SET who = 'eve' WHERE seq = 5",
        "UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 1",
        "UPDATE audit SET seq = 9 WHERE seq = 5",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 5",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 6, at, who, what, subject, detail, hash FROM audit WHERE seq = 5",
        "DELETE FROM audit_head",
    ],
)
def test_X4_tampering_is_detected(engine, audit, tampering):
    with writing(engine) as connection:
        connection.execute(sa.text(tampering))
    assert not audit.verify()


@pytest.fixture
def kept(tmp_path, migrated, now):
    """Five entries in a folder of their own, sealed with a key: the folder, and the trail."""
    folder = tmp_path / "kept"
    folder.mkdir()
    shutil.copy(migrated, folder / "records.db")
    engine = open_records(f"sqlite:///{folder}/records.db")
    audit = Audit(engine)
    for i in range(5):
        audit.append(now, "anna", "alert.close", f"case-{i}", "fixed")
    yield folder, audit
    engine.dispose()


def tamper(folder, *statements):
    with sqlite3.connect(folder / "records.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def reseal(folder, first, key=None):
    """What somebody does who may write the database and knows how entries are sealed, yet has no key."""
    with sqlite3.connect(folder / "records.db") as connection:
        seal = GENESIS
        for row in connection.execute(
            "SELECT seq, at, who, what, subject, detail, hash FROM audit ORDER BY seq"
        ).fetchall():
            seal = seal_of(key, content_of(seal, *row[:6])) if row[0] >= first else row[6]
            connection.execute("UPDATE audit SET hash = ? WHERE seq = ?", (seal, row[0]))
        connection.execute("UPDATE audit_head SET hash = ?, seal = NULL", (seal,))
    connection.close()


def test_the_key_is_ours_alone_and_seals_from_the_first_entry_on(kept):
    folder, audit = kept
    key = folder / "records.audit.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text() not in (folder / "records.db").read_bytes().decode("latin-1")
    look = audit.look_through()
    assert (look.entries, look.keyed_from, look.fault) == (5, 1, "")


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        (["UPDATE audit SET who = 'eve' WHERE seq = 3"], "entry 3 was changed"),
        (["DELETE FROM audit WHERE seq = 2"], "entry 2 is missing"),
        (["DELETE FROM audit WHERE seq = 5"], "the trail ends with entry 4; entries that were written: 5"),
        (
            [
                "DELETE FROM audit WHERE seq = 5",
                "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)",
            ],
            "the end at entry 4 was moved",
        ),
        (["UPDATE audit SET seq = 9 WHERE seq = 4", "UPDATE audit SET seq = 4 WHERE seq = 5"], "entry 4 was changed"),
    ],
)
def test_what_is_wrong_first_is_named(kept, tampering, fault):
    folder, audit = kept
    tamper(folder, *tampering)
    assert audit.look_through().fault == fault


def test_a_trail_that_is_gone_is_missed(kept):
    folder, audit = kept
    assert audit.verify()
    tamper(folder, "DELETE FROM audit", "DELETE FROM audit_head")
    assert audit.look_through().fault == "the trail ends with entry 0; entries that were found on the last look: 5"


def test_who_has_no_key_cannot_write_the_trail_anew(kept):
    folder, audit = kept
    tamper(folder, "UPDATE audit SET who = 'eve' WHERE seq = 2")
    reseal(folder, 2)
    assert audit.look_through().fault == "entry 2 was changed"
    reseal(folder, 2, b"another key")
    assert audit.look_through().fault == "entry 2 was changed"


def test_an_older_copy_that_is_put_back_is_noticed_after_a_look(kept, now):
    folder, audit = kept
    shutil.copy(folder / "records.db", folder / "older.db")
    wal = folder / "records.db-wal"
    if wal.exists():
        shutil.copy(wal, folder / "older.db-wal")
    audit.append(now, "anna", "alert.close", "case-5", "fixed")
    assert audit.look_through().entries == 6
    old = open_records(f"sqlite:///{folder}/older.db?audit_key={folder}/records.audit.key")
    assert Audit(old).look_through().fault == "the trail ends with entry 5; entries that were found on the last look: 6"
    Audit(old).append(now, "eve", "alert.close", "case-5", "another")
    assert Audit(old).look_through().fault == "entry 6 is another than was found on the last look"
    old.dispose()


def test_a_folder_of_before_is_sealed_from_its_next_entry_on(kept, now):
    folder, audit = kept
    (folder / "records.audit.key").unlink()
    reseal(folder, 1)  # as an older Meterhouse sealed them
    assert audit.look_through().fault == ""
    audit.append(now, "anna", "alert.close", "case-5", "fixed")
    look = audit.look_through()
    assert (look.entries, look.keyed_from, look.fault) == (6, 6, "")
    tamper(folder, "UPDATE audit SET who = 'eve' WHERE seq = 2")
    assert audit.look_through().fault == "entry 2 was changed"
    _reseal_until(folder, 5)
    assert audit.look_through().fault == "entry 6 was changed"  # it holds the seal of what stood before


def _reseal_until(folder, last):
    with sqlite3.connect(folder / "records.db") as connection:
        seal = GENESIS
        query = "SELECT seq, at, who, what, subject, detail FROM audit WHERE seq <= ? ORDER BY seq"
        for row in connection.execute(query, (last,)).fetchall():
            seal = seal_of(None, content_of(seal, *row))
            connection.execute("UPDATE audit SET hash = ? WHERE seq = ?", (seal, row[0]))
    connection.close()


def test_without_its_key_nothing_is_done_until_a_person_accepts_that(kept, now):
    folder, audit = kept
    (folder / "records.audit.key").unlink()
    with pytest.raises(StoreUnavailable, match=r"the key of the audit trail is not in .*records\.audit\.key"):
        audit.append(now, "anna", "alert.close", "case-5", "fixed")
    assert audit.look_through().fault in {"the key that sealed it is not there", "entry 1 was changed"}
    look = audit.accept(now, "anna", "restored from a backup without its key")
    assert (look.entries, look.keyed_from, look.fault) == (6, 6, "")
    newest = audit.entries(limit=1)[0]
    assert (newest.who, newest.what, newest.subject) == ("anna", "audit.accept", "entry 1 was changed")


def test_a_trail_with_gaps_goes_on_once_a_person_accepts_it(kept, now):
    folder, audit = kept
    tamper(folder, "DELETE FROM audit WHERE seq = 2", "DELETE FROM audit WHERE seq = 5")
    assert audit.look_through().fault == "entry 2 is missing"
    assert audit.accept(now, "anna", "looked into").fault == ""
    audit.append(now, "anna", "alert.close", "case-6")
    assert audit.look_through().fault == ""
    assert [entry.seq for entry in audit.entries()] == [6, 5, 4, 3, 1]
    with pytest.raises(ConfigError, match="reason"):
        audit.accept(now, "anna", " ")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_read_is_refused_with_what_mends_it(kept, now, mode):
    folder, audit = kept
    key = folder / "records.audit.key"
    key.chmod(mode)
    with pytest.raises(ConfigError, match=rf"chmod 600 {key}"):
        audit.look_through()
    with pytest.raises(StoreUnavailable, match=rf"chmod 600 {key}"):
        audit.append(now, "anna", "look", "main")


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"key": "zz", "first": 1, "before": "chained"}', "\xff"])
def test_a_key_that_is_none_seals_nothing(kept, now, content):
    folder, audit = kept
    (folder / "records.audit.key").write_text(content, encoding="utf-8")
    with pytest.raises(StoreUnavailable, match=r"records\.audit\.key"):
        audit.append(now, "anna", "look", "main")


def test_a_long_trail_is_looked_through_without_being_held(kept, now):
    folder, audit = kept
    with sqlite3.connect(folder / "records.db") as connection:
        secret = bytes.fromhex((folder / "records.audit.key").read_text().split('"')[3])
        seal = connection.execute("SELECT hash FROM audit WHERE seq = 5").fetchone()[0]
        at = "2026-11-23T09:30:00.000000+00:00"
        for seq in range(6, 20_005):
            row = (seq, at, "anna", "alert.close", f"case-{seq}", "fixed")
            seal = seal_of(secret, content_of(seal, *row))
            connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, seal))
        connection.execute("UPDATE audit_head SET seq = ?, hash = ?", (seq, seal))
    connection.close()
    with within(0.4 + 20 * 20_000 / 1_000_000):
        look = audit.look_through()
    assert look.fault == "the end at entry 20004 was moved"  # all entries are right
