"""A backup is put back whole, or what stood there stands: whatever is wrong is one sentence."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pyrage
import pytest
from rigs.command_line import meterhouse
from rigs.fault_rig import small_disk
from rigs.patience import PATIENCE_S, until

from facility.errors import Unavailable
from facility.status import ProcessStatus, ServerProcess
from meterhouse.backup import manifest as words
from meterhouse.backup import restoring
from meterhouse.backup.keys import read_identities
from meterhouse.backup.sealing import END, header, padding, seal
from process.health import HealthServer, note_file
from process.lock import FileLock
from stores.records.status.teller import Teller, this_instance


def everything(folder):
    """Path → content of all that is in a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def columns_of(file):
    """Table → its columns, without what differs elsewhere: the schema is brought up, processes tell of themselves."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('alembic_version', 'process_status')"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute(tables)]
        return {name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")] for name in names}


def lasting(file, columns):
    """What stands in these columns, in whatever order: a newer schema has more of them."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        asked = {name: ", ".join(f'"{one}"' for one in some) for name, some in columns.items()}
        return {name: sorted(map(repr, database.execute(f"SELECT {of} FROM {name}"))) for name, of in asked.items()}  # noqa: S608 - names of ours


def stored(folder):
    """Every reading."""
    with closing(sqlite3.connect(f"file:{folder}/readings.db?mode=ro", uri=True)) as readings:
        return readings.execute("SELECT series, t_ms, x, q FROM reading ORDER BY series, t_ms").fetchall()


def restore(backup, key, data, *more, **env):
    return meterhouse("restore", backup, "--key", key, *more, data=data, **env)


@pytest.fixture
def stands(folder, backup):
    """Asserts that a restore was refused with one sentence, and the folder is as it was."""
    before = everything(folder)

    def check(done, sentence, code=2):
        assert done.returncode == code, done.stderr
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert everything(folder) == before
        assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]

    return check


def test_a_server_comes_back_on_another_machine(folder, backup, key, tmp_path):
    new = tmp_path / "machine" / "data"
    new.parent.mkdir()
    done = restore(backup, key, new)
    assert done.returncode == 0, done.stderr
    assert "Restored to" in done.stdout
    for name in ("site.yaml", "secrets/ca.key", "journal/00000000000000000000.seg", "secrets/backup-recipients"):
        assert (new / name).read_bytes() == (folder / name).read_bytes()
    assert (new / "secrets/ca.key").stat().st_mode & 0o077 == 0
    old = columns_of(folder / "records.db")
    assert lasting(new / "records.db", old) == lasting(folder / "records.db", old)
    assert stored(new) == stored(folder)
    assert len(stored(new)) > 3_000


def test_it_takes_the_place_of_the_folder_which_stays_beside_it(folder, backup, key):
    (folder / "site.yaml").write_text("# changed since\n")
    changed = everything(folder)
    done = restore(backup, key, folder, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (folder / "site.yaml").read_text() == "# written by people\n"
    assert everything(type(folder)(said["before"])) == changed
    assert (said["site"], said["files"] > 10, said["readings"] > 3_000) == ("town", True, True)


def test_the_store_has_another_name_so_that_agents_send_again(folder, backup, key):
    def name():
        with closing(sqlite3.connect(folder / "ingest.db")) as notes:
            return notes.execute("SELECT id FROM store").fetchall()

    (before,) = name()
    assert restore(backup, key, folder).returncode == 0
    (after,) = name()
    assert before != after


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
def test_what_root_makes_belongs_to_the_account_of_the_server(folder, key, tmp_path):
    """Who restores, backs up by hand or makes a key is often root; the server is not, and could not read it."""
    place, nobody = tmp_path / "backups", 65534
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody, nobody)
    (folder / "secrets" / "backup-recipients").unlink()
    key.write_text(meterhouse("backup", "--new-key", data=folder).stdout.splitlines()[-1])
    done = meterhouse("backup", "--to", place, "--json", data=folder)
    assert done.returncode == 0, done.stderr
    assert place.stat().st_uid == nobody
    backup = json.loads(done.stdout)["file"]
    for _ in range(2):
        assert [path for path in (folder, *folder.rglob("*")) if path.stat().st_uid != nobody] == []
        assert restore(backup, key, folder).returncode == 0


def test_a_look_changes_nothing_and_counts(folder, backup, key, tmp_path):
    done = restore(backup, key, tmp_path / "nowhere", "--check", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["readings"] > 3_000
    assert not (tmp_path / "nowhere").exists()


def test_a_wrong_key_is_refused(folder, backup, stands, tmp_path):
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(f"# of another server\n{pyrage.x25519.Identity.generate()}\n")
    stands(restore(backup, wrong, folder), "the key does not open the backup")
    wrong.write_text("correct horse battery staple")
    stands(
        restore(backup, wrong, folder), "holds no key of a backup (allowed: a line that begins with AGE-SECRET-KEY-)"
    )
    wrong.write_text("")
    stands(restore(backup, wrong, folder), "holds no key of a backup: it is empty")
    stands(restore(backup, tmp_path / "none", folder), "cannot be read: No such file or directory")


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.5, 0.999999])
def test_half_a_backup_is_refused(share, folder, backup, key, stands):
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * share)])
    done = restore(backup, key, folder)
    stands(done, "is cut short or was changed" if share > 0.1 else "is no backup")


def test_a_changed_byte_is_refused(folder, backup, key, stands):
    whole = bytearray(backup.read_bytes())
    whole[len(whole) // 2] ^= 1
    backup.write_bytes(whole)
    stands(restore(backup, key, folder), "is cut short or was changed")
    backup.write_text("no backup at all\n" * 100)
    stands(restore(backup, key, folder), "is no backup")


def test_the_backup_of_another_site_is_refused(folder, backup, key, stands):
    said = json.loads((folder / "folder.json").read_text())
    other = folder.parent.parent / "other"
    shutil.copytree(folder, other)
    (other / "folder.json").write_text(json.dumps(said | {"id": "another"}))
    done = restore(backup, key, other)
    assert (done.returncode, "is the backup of another server (site town)" in done.stderr) == (2, True)
    (other / "folder.json").unlink()  # one of before says no id: the site in its records decides
    with closing(sqlite3.connect(other / "records.db")) as records, records:
        records.execute("UPDATE site SET id = 'village'")
    done = restore(backup, key, other)
    assert (done.returncode, "is the backup of another server (site town)" in done.stderr) == (2, True)


def made_up(backup, key, head, *files, last=None):
    """A backup that was written otherwise."""
    recipient = pyrage.x25519.Identity.from_str(key.read_text().strip()).to_public()
    parts = [words.KeptFile(name=name, size=len(content), sha256="0" * 64) for name, content in files]
    documents = [("backup.json", head), *((f"folder/{name}", content) for name, content in files)]
    documents.append(("manifest.json", words.written(words.Manifest(parts=parts))))

    def pieces():
        for name, content in documents[:last]:
            yield header(name, len(content), 0o600, 0) + content + padding(len(content))
        yield END

    with backup.open("wb") as out:
        seal(pieces(), out, [recipient])


def head(**other):
    said = {
        "form": words.FORM, "meterhouse": "0.1.0", "site": "town", "folder_id": "", "made_at": datetime.now(UTC),
        "folder_version": 1, "records_schema": "0001", "watermarks_schema": 1, "expected_bytes": 1,
    }  # fmt: skip
    return words.written(words.Head(**(said | other)))


def test_the_backup_of_a_newer_meterhouse_is_refused(folder, backup, key, stands):
    for newer in ({"form": 99}, {"records_schema": "9999"}, {"folder_version": 99}, {"watermarks_schema": 99}):
        made_up(backup, key, head(meterhouse="9.0.0", **newer))
        stands(restore(backup, key, folder), "was written by a newer Meterhouse")


def test_what_does_not_hold_what_it_names_is_refused(folder, backup, key, stands):
    said = json.loads((folder / "folder.json").read_text())["id"]
    ours = head(folder_id=said)
    made_up(backup, key, ours, ("a", b"content"))  # its digest is another
    stands(restore(backup, key, folder), "does not hold the files that it names")
    made_up(backup, key, ours, ("../outside", b"content"))
    stands(restore(backup, key, folder), "names a file outside of the data folder")
    made_up(backup, key, ours, ("a", b"content"), last=-1)
    stands(restore(backup, key, folder), "is cut short: its end is missing")
    made_up(backup, key, b'{"form": 1}')
    stands(restore(backup, key, folder), "what the backup says of itself cannot be read")
    made_up(backup, key, b"[]")
    stands(restore(backup, key, folder), "what the backup says of itself cannot be read")


def test_a_site_that_runs_is_refused(folder, backup, key, stands):
    for name in ("up.lock", "ingest.lock"):
        held = FileLock(folder / name, "")
        done = restore(backup, key, folder)
        held.release()
        assert (done.returncode, "a server runs in" in done.stderr) == (2, True)
        (folder / name).unlink()
    teller = Teller(None, this_instance(ServerProcess.CONSOLE, folder), ProcessStatus)  # holds no lock, and answers
    with HealthServer("", teller.health, note=note_file(folder, "console")):
        done = restore(backup, key, folder)
    assert (done.returncode, "a server runs in" in done.stderr) == (2, True)
    (folder / "ingest.lock").touch()
    stands(restore(backup.with_name("none"), key, folder), "cannot be read: No such file or directory")


def test_a_folder_of_others_is_left_alone(backup, key, tmp_path):
    others = tmp_path / "others"
    others.mkdir()
    (others / "letter.txt").write_text("dear")
    done = restore(backup, key, others)
    assert (done.returncode, "holds other files and no server" in done.stderr) == (2, True)
    (others / "letter.txt").unlink()
    assert restore(backup, key, others).returncode == 0, "an empty folder is as good as none"


def test_a_full_disk_leaves_what_stood_there(backup, key, folder, tmp_path):
    with small_disk(tmp_path / "disk", "70m") as disk:
        shutil.copytree(folder, disk / "data")
        before = everything(disk / "data")
        (disk / "full").write_bytes(bytes(68 * 2**20))
        done = restore(backup, key, disk / "data")
        assert done.returncode == 1
        assert "has not enough room for the backup" in done.stderr
        assert everything(disk / "data") == before
        assert sorted(path.name for path in disk.iterdir()) == ["data", "full"]


def test_a_disk_that_fills_midway_leaves_what_stood_there(backup, key, folder, tmp_path, monkeypatch):
    """There was room when it began: somebody else's file takes it."""
    monkeypatch.setattr(restoring, "check_room", lambda *_: None)
    identities = read_identities(key)
    with small_disk(tmp_path / "disk", "16m") as disk:
        shutil.copytree(folder, disk / "data")
        before = everything(disk / "data")
        (disk / "taken").write_bytes(bytes(shutil.disk_usage(disk).free - 2**18))
        with pytest.raises(Unavailable, match=r"cannot be written: No space left on device$"):
            restoring.restore_backup(backup, identities, disk / "data", datetime.now(UTC))
        assert everything(disk / "data") == before
        assert sorted(path.name for path in disk.iterdir()) == ["data", "taken"]


def test_a_new_volume_is_filled_and_one_that_holds_a_server_stands(backup, key, folder, tmp_path):
    """As a container has it: the folder cannot be exchanged, and a folder within it is a volume as well."""
    with small_disk(tmp_path / "data", "96m") as data, small_disk(data / "broker", "8m"):
        done = restore(backup, key, data)
        assert done.returncode == 0, done.stderr
        assert stored(data) == stored(folder)
        assert (data / "broker/accounts").read_text() == "edge-1:digest"
        assert not [path for path in data.iterdir() if path.name.startswith(".")]
        before = everything(data)
        again = restore(backup, key, data)
        assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
        assert "is a volume and holds" in again.stderr
        assert everything(data) == before


def test_a_volume_that_was_filled_by_half_starts_nothing_and_is_filled_again(backup, key, folder, tmp_path):
    with small_disk(tmp_path / "data", "96m") as data:
        program = tmp_path / "killed.py"
        program.write_text(f"""
import os, signal, shutil, sys
move, moved = shutil.move, []
def once(*words):
    moved.append(words)
    if len(moved) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    move(*words)
from meterhouse.backup import filling
filling.shutil.move = once
from meterhouse.cli import main
sys.argv = ["meterhouse", "restore", {str(backup)!r}, "--key", {str(key)!r}, "--data", {str(data)!r}]
main()
""")
        assert subprocess.run([sys.executable, program], check=False).returncode == -signal.SIGKILL
        for command in ("ingest", "console", "settings show"):
            refused = meterhouse(*command.split(), data=data)
            assert (refused.returncode, "was cut off, and files are missing" in refused.stderr) == (2, True), command
        done = restore(backup, key, data)
        assert done.returncode == 0, done.stderr
        assert stored(data) == stored(folder)


def test_one_that_is_killed_midway_leaves_what_stood_there(folder, backup, key, tmp_path):
    """It reads from a pipe into which half a backup comes, and no more."""
    before, whole = everything(folder), backup.read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "meterhouse", "restore", pipe, "--key", key, "--data", folder]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process, pipe.open("wb") as half:
        half.write(whole[: len(whole) // 2])
        half.flush()
        until(lambda: any(path.stat().st_size for path in folder.parent.glob("data.restoring-*/ingest.db")))
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    assert everything(folder) == before
    assert restore(backup, key, folder).returncode == 0
    assert not list(folder.parent.glob("data.restoring-*")), "what it left is cleared away by the next"
