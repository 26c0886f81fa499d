"""A backup holds all that a server keeps, for whoever has the key alone, and is taken while the server runs."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime

import pyrage
import pytest
from rigs.command_line import meterhouse
from rigs.fault_rig import small_disk
from rigs.patience import until

from facility.errors import Unavailable
from facility.model import ReadingBatch
from meterhouse.backup import snapshot, writing
from meterhouse.backup.contents import contents
from meterhouse.backup.sources import sources_of
from meterhouse.settings import Settings
from stores.readings import open_readings


def opened(file, key):
    """What age itself makes of it: name → content."""
    identity = pyrage.x25519.Identity.from_str(key.read_text().strip())
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(file.read_bytes(), [identity]))) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def test_it_holds_what_is_kept_and_nothing_that_passes(backup, key):
    names = list(opened(backup, key))
    assert (names[0], names[-1]) == ("backup.json", "manifest.json")
    kept = [name.removeprefix("folder/") for name in names[1:-1]]
    assert kept[0] == "ingest.db", "what it calls stored is in all that is copied later"
    assert kept[-2:] == ["records.db", "readings.db"]
    assert {"site.yaml", "settings.env", "secrets/ca.key", "broker/accounts", "folder.json"} < set(kept)
    assert {"own-profiles/maker/model.yaml", "journal/00000000000000000000.seg"} < set(kept)
    passing = ("logs/", "processes/", "broker/kept", "up.", ".lock", ".pulse", ".corrupt", "-wal", "-shm")
    assert [name for name in kept if any(word in name for word in passing)] == []


def test_its_manifest_counts_what_is_in_it(backup, key, folder):
    parts = {part["name"]: part for part in json.loads(opened(backup, key)["manifest.json"])["parts"]}
    with closing(sqlite3.connect(folder / "readings.db")) as readings:
        assert parts["readings.db"]["rows"] == {
            "reading": readings.execute("SELECT count(*) FROM reading").fetchone()[0]
        }
    assert parts["records.db"]["rows"]["building"] == 1


def test_nobody_else_can_read_it_and_the_server_cannot_either(backup, key, folder):
    secret = key.read_text().strip().encode()
    assert b"Town hall" not in backup.read_bytes()
    assert [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()] == []
    assert backup.stat().st_mode & 0o077 == 0
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(backup.read_bytes(), [pyrage.x25519.Identity.generate()])


def test_the_key_is_shown_once(key, folder):
    again = meterhouse("backup", "--new-key", data=folder)
    assert again.returncode == 2
    assert "backups have a key already" in again.stderr
    assert "AGE-SECRET-KEY" not in again.stdout + again.stderr


def test_what_lacks_is_one_sentence(folder, tmp_path):
    (folder / "secrets" / "backup-recipients").unlink()
    for words, data, sentence in (
        (("--to", tmp_path / "to"), folder, "backups have no key yet: 'meterhouse backup --new-key' makes one"),
        ((), folder, "no folder for backups: say --to FOLDER, or set METERHOUSE_BACKUP"),
        (("--to", tmp_path / "to"), tmp_path / "none", "there is no server in"),
    ):
        done = meterhouse("backup", *words, data=data)
        assert done.returncode == 2
        assert done.stderr.startswith(sentence), done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_used_is_one_sentence(folder):
    for name, wrong in (("METERHOUSE_BACKUP_AT", "25:00"), ("METERHOUSE_BACKUP_KEEP", "0")):
        for command in ("backup", "doctor"):
            done = meterhouse(command, data=folder, **{name: wrong})
            assert (done.returncode, done.stderr.startswith(f"{name}: '{wrong}' cannot be used")) == (2, True)


def test_what_is_written_meanwhile_tears_nothing(folder, key, tmp_path):
    """A thread writes to the readings all the time: the copy is of one moment."""
    stop, written = threading.Event(), []

    def write():
        with closing(open_readings(f"sqlite://{folder / 'readings.db'}")) as store:
            while not stop.is_set():
                at = 10_000 * len(written)
                store.write(
                    ReadingBatch(
                        ["a/energy_import/total", "b/energy_import/total"], [0, 1], [at, at], [1.0, 1.0], [0, 0]
                    )
                )
                written.append(at)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: len(written) > 10)
        done = meterhouse("backup", "--to", tmp_path / "to", "--json", data=folder)
        before = len(written)
        until(lambda: len(written) > before)
    finally:
        stop.set()
        writer.join()
    assert done.returncode == 0, done.stderr
    (tmp_path / "copy.db").write_bytes(opened(next((tmp_path / "to").iterdir()), key)["folder/readings.db"])
    with closing(open_readings(f"sqlite://{tmp_path / 'copy.db'}")) as copy:
        totals = copy.totals()
        assert totals["a/energy_import/total"] == totals["b/energy_import/total"]
        assert 10 < totals["a/energy_import/total"].count <= len(written)
        assert not copy.count_spoilt(lambda: None).readings
    assert json.loads(done.stdout)["readings"] == sum(one.count for one in totals.values())


def test_a_full_disk_leaves_no_half_of_one_and_is_told(folder, key, tmp_path):
    with small_disk(tmp_path / "disk", "80m") as disk:
        (disk / "full").write_bytes(bytes(78 * 2**20))
        done = meterhouse("backup", "--to", disk / "to", data=folder)
        assert done.returncode == 1
        assert "has not enough room for a backup" in done.stderr
        assert list((disk / "to").iterdir()) == []
    assert "has not enough room" in json.loads((folder / "backup.json").read_text())["failed"]
    assert not (folder / ".backup").exists()


def test_a_disk_that_fills_midway_leaves_no_half_of_one(folder, key, tmp_path, monkeypatch):
    for module in (snapshot, writing):
        monkeypatch.setattr(module, "check_room", lambda *_: None)  # there was room when it was begun
    with (folder / "recording").open("wb") as file:
        file.truncate(4 * 2**20)
    with small_disk(tmp_path / "disk", "2m") as disk:
        with pytest.raises(Unavailable, match=r"the backup in .* cannot be written: No space left on device"):
            writing.write_backup(sources_of(Settings(data=folder)), disk, datetime.now(UTC))
        assert list(disk.iterdir()) == []


@pytest.mark.parametrize("at", ["copied", "sealed", "whole"])
def test_one_that_is_killed_leaves_the_folder_as_it_was_and_no_half_of_one(at, folder, key, tmp_path):
    """Right after the first copy of a database, midway of the archive, and before it has its name."""
    to, before = tmp_path / "to", {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    program = tmp_path / "killed.py"
    program.write_text(f"""
import os, signal, sys
from pathlib import Path
from meterhouse.backup import writing
killed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if {at!r} == "copied":
    copied = writing.snapshot
    writing.snapshot = lambda *words: (copied(*words), killed())
elif {at!r} == "sealed":
    drawn = writing.seal
    def half(pieces, out, recipients):
        def some():
            for n, piece in enumerate(pieces):
                yield piece
                if n == 12:
                    out.flush()
                    killed()
        drawn(some(), out, recipients)
    writing.seal = half
else:
    Path.rename = killed
from meterhouse.cli import main
sys.argv = ["meterhouse", "backup", "--to", {str(to)!r}]
main()
""")
    env = {name: word for name, word in os.environ.items() if not name.startswith("METERHOUSE_")}
    done = subprocess.run([sys.executable, program], env=env | {"METERHOUSE_DATA": str(folder)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not list(to.glob("*.age"))
    now = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path: content for path, content in now.items() if path in before} == before
    assert {path.name for path in now.keys() - before.keys()} <= {
        "backup.lock",
        "ingest.db",
        "ingest.db-shm",
        "ingest.db-wal",
    }
    done = meterhouse("backup", "--to", to, data=folder)
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in to.iterdir()] == [".age"], "what it left is cleared away by the next"
    assert not (folder / ".backup").exists()


def test_a_folder_of_backups_within_the_data_folder_is_no_part_of_one(folder, key):
    for _ in range(2):
        assert meterhouse("backup", "--to", folder / "backups", data=folder).returncode == 0
    assert not [found.name for found in contents(folder, {}, folder / "backups") if "backups/" in found.name]


def test_only_so_many_nightly_ones_stay(folder, key, tmp_path):
    to = tmp_path / "to"
    to.mkdir()
    old = [to / f"meterhouse-town-2026010{n}T000000Z.tar.age" for n in range(1, 5)]
    others = [to / "meterhouse-town-hall-20260101T000000Z.tar.age", to / "notes.txt"]
    for file in (*old, *others):
        file.write_text("")
    done = meterhouse("backup", "--nightly", data=folder, METERHOUSE_BACKUP=str(to), METERHOUSE_BACKUP_KEEP="2")
    assert done.returncode == 0, done.stderr
    left = {path.name for path in to.iterdir()}
    assert {file.name for file in others} < left
    assert len(left) == 4
    assert old[-1].name in left
