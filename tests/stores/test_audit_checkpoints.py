"""Signed checkpoints that are kept elsewhere tell of a trail that was cut off, and of an older copy put back."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from datetime import timedelta

import pytest
from rigs.sample import NOW

from facility.errors import ConfigError, StoreUnavailable
from stores.records.audit import Audit
from stores.records.audit_checkpoint import NAME, read_checkpoints, signed_by, signed_checkpoint
from stores.records.audit_shipping import check_place, ship
from stores.records.database import open_records


@pytest.fixture
def folder(tmp_path, migrated):
    made = tmp_path / "kept"
    made.mkdir()
    shutil.copy(migrated, made / "records.db")
    return made


@pytest.fixture
def opened(folder):
    """The trail anew, as a process finds the folder; whatever was open before is closed."""
    engines = []

    def audit():
        for engine in engines:
            engine.dispose()
        engines.append(open_records(f"sqlite:///{folder}/records.db"))
        return Audit(engines[-1])

    yield audit
    engines[-1].dispose()


def grow(audit, entries, who="anna"):
    for i in range(entries):
        audit.append(NOW, who, "alert.close", f"case-{i}")


def sign(audit, file):
    ship(signed_checkpoint(*audit.end(), NOW), str(file))


def look(audit, file):
    kept = read_checkpoints(file)
    return audit.look_through(lambda key: signed_by(kept, key))


def kept_copy(folder, tmp_path):
    """The whole folder as it is now: records, key and mark."""
    return shutil.copytree(folder, tmp_path / "copy")


def put_back(copy, folder):
    for file in folder.iterdir():
        file.unlink()
    shutil.copytree(copy, folder, dirs_exist_ok=True)


def test_a_whole_trail_is_as_its_checkpoints_say(opened, tmp_path):
    audit, file = opened(), tmp_path / "elsewhere"
    for _ in range(3):
        grow(audit, 2)
        sign(audit, file)
    assert [one.entries for one in read_checkpoints(file)] == [2, 4, 6]
    assert look(audit, file).fault == ""


def test_an_older_copy_of_the_whole_folder_is_named(opened, folder, tmp_path):
    """Records, key and mark of yesterday fit each other: only what is kept elsewhere tells."""
    audit, file = opened(), tmp_path / "elsewhere"
    grow(audit, 3)
    assert audit.verify()
    copy = kept_copy(folder, tmp_path)
    grow(audit, 4)
    sign(audit, file)
    put_back(copy, folder)
    audit = opened()
    assert audit.verify()
    said = "the trail ends with entry 3, and a checkpoint signs 7: it was cut off, or an older copy was put back"
    assert look(audit, file).fault == said
    grow(audit, 9, "bo")
    said = "entry 7 is another than a checkpoint signs: an older copy was put back and went on"
    assert look(audit, file).fault == said
    put_back(copy, folder)
    audit = opened()
    grow(audit, 4, "bo")
    sign(audit, file)
    assert look(audit, file).fault.startswith("two checkpoints sign different ends at entry 7")


def test_who_has_the_key_and_cuts_the_end_off_is_named(opened, folder, tmp_path):
    """The head is sealed anew with the key, and the mark is gone: as whoever has our own account could."""
    audit, file = opened(), tmp_path / "elsewhere"
    grow(audit, 5)
    copy = kept_copy(folder, tmp_path)
    grow(audit, 1)
    sign(audit, file)
    put_back(copy, folder)
    (folder / "records.audit.mark").unlink(missing_ok=True)
    assert opened().verify()
    assert look(opened(), file).fault.startswith("the trail ends with entry 5, and a checkpoint signs 6")


def test_a_copy_of_before_a_new_key_is_named(opened, folder, tmp_path):
    audit, file = opened(), tmp_path / "elsewhere"
    grow(audit, 3)
    sign(audit, file)
    copy = kept_copy(folder, tmp_path)
    with sqlite3.connect(folder / "records.db") as connection:
        connection.execute("UPDATE audit SET who = 'eve' WHERE seq = 2")
    connection.close()
    audit = opened()
    audit.accept(NOW, "Ada", "looked into")
    assert look(audit, file).fault.startswith("the newest checkpoint is signed with another key")
    sign(audit, file)
    assert look(audit, file).fault == ""
    put_back(copy, folder)
    assert look(opened(), file).fault.startswith("the newest checkpoint is signed with another key")


@pytest.mark.parametrize("field", ["entries", "seal", "at", "signature"])
def test_a_checkpoint_that_was_changed_is_named(opened, tmp_path, field):
    audit, file = opened(), tmp_path / "elsewhere"
    grow(audit, 5)
    sign(audit, file)
    said = json.loads(file.read_text())
    said[field] = 3 if field == "entries" else said[field][::-1]
    file.write_text(json.dumps(said))
    assert "is not signed by the key that it names" in look(audit, file).fault


def test_other_lines_and_half_a_line_are_passed_over(opened, tmp_path):
    audit, file = opened(), tmp_path / "elsewhere"
    grow(audit, 1)
    file.write_bytes(b"\xff\xfe garbage\n" + f'{{"{NAME}": 1, "entries": 7, "se'.encode())
    sign(audit, file)
    grow(audit, 1)
    sign(audit, file)
    file.write_text(file.read_text(errors="replace").replace("{", "Nov 30 host meterhouse: {"))
    assert [one.entries for one in read_checkpoints(file)] == [1, 2]
    assert look(audit, file).fault == ""


def test_a_file_that_is_gone_is_told(opened, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_checkpoints(tmp_path / "none")
    audit = opened()
    grow(audit, 1)
    with pytest.raises(StoreUnavailable, match="cannot be shipped"):
        sign(audit, tmp_path / "no" / "folder")


@pytest.mark.parametrize("kind", ["udp", "tcp", "unix"])
def test_a_syslog_hears_it_as_the_standards_have_it(opened, tmp_path, kind):
    audit = opened()
    grow(audit, 2)
    signed = signed_checkpoint(*audit.end(), NOW + timedelta(hours=1))
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.bind(str(tmp_path / "log") if kind == "unix" else ("127.0.0.1", 0))
        if kind == "tcp":
            server.listen()
        at = f"://{tmp_path}/log" if kind == "unix" else f"://127.0.0.1:{server.getsockname()[1]}"
        ship(signed, check_place(("syslog+tcp" if kind == "tcp" else "syslog") + at))
        if kind == "tcp":
            with server.accept()[0] as line, line.makefile("rb") as said:
                length, _, heard = said.read().partition(b" ")
            assert int(length) == len(heard)
        else:
            heard = server.recv(4096)
    assert heard.startswith(f"<110>1 {signed.at} ".encode())
    assert json.loads(heard[heard.index(b"{") :])["entries"] == 2


@pytest.mark.parametrize("place", ["some/file", "http://host", "syslog://", "syslog+tcp://", "syslog://h:99999", "x"])
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(ConfigError, match="METERHOUSE_AUDIT_CHECKPOINTS"):
        check_place(place)


def test_nothing_is_forgotten_after_half_a_year(opened):
    """No entry is ever deleted; what is asked for is longer than six months (Cybersecurity Law, article 21)."""
    audit = opened()
    audit.append(NOW - timedelta(days=400), "anna", "person.sign_in", "anna")
    grow(audit, 3)
    assert audit.look_through().entries == 4
    assert audit.entries()[-1].what == "person.sign_in"
