"""``meterhouse upgrade`` and ``rollback``, from the release before with its data: whole, or the folder is as it was."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse
from rigs.fault_rig import small_disk
from rigs.patience import PATIENCE_S
from rigs.released_town import RELEASES, unpacked

from facility.errors import MeterhouseError
from ingest.watermarks import SCHEMA_VERSION
from meterhouse.backup import upgrade as upgrading
from meterhouse.settings import Settings
from process.lock import FileLock
from stores.records.database import NEWEST


@pytest.fixture(params=RELEASES)
def town(request, tmp_path):
    return unpacked(request.param, tmp_path)


def everything(folder):
    """Path → content; what SQLite leaves beside a file that was only looked at is none of it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith((".lock", "-shm")))
    whole = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    return {name: content for name, content in whole.items() if content or not name.endswith("-wal")}


def one(file, query):
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchone()[0]


def schema(folder):
    return one(folder / "records.db", "SELECT version_num FROM alembic_version")


def test_up_and_down_again_with_all_that_was_there(town):
    data = town.home / "data"
    before, old = everything(data), schema(data)
    done = meterhouse("upgrade", "--json", data=data)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["schema_before"], said["schema"], schema(data)) == (old, NEWEST, NEWEST)
    kept = type(data)(said["before"])
    assert everything(kept).keys() >= before.keys() - {"ingest.db-wal"}
    assert one(data / "readings.db", "SELECT count(*) FROM reading") == one(
        kept / "readings.db", "SELECT count(*) FROM reading"
    )
    assert one(data / "records.db", "SELECT count(*) FROM audit") == one(
        kept / "records.db", "SELECT count(*) FROM audit"
    )
    again = meterhouse("upgrade", data=data)
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)
    versions = one(data / "ingest.db", "PRAGMA user_version"), one(kept / "ingest.db", "PRAGMA user_version")
    assert versions[0] == SCHEMA_VERSION >= versions[1]
    back = meterhouse("rollback", "--json", data=data)
    assert back.returncode == 0, back.stderr
    assert schema(data) == old
    assert one(data / "ingest.db", "PRAGMA user_version") == versions[1], "the release before can read it"
    restored = everything(data)
    for name in {"records.db", "readings.db", "ingest.json"} & before.keys():
        assert restored[name] == before[name]


def test_a_way_back_that_loses_something_is_refused_and_says_what(town):
    data = town.home / "data"
    assert meterhouse("upgrade", data=data).returncode == 0
    with closing(sqlite3.connect(data / "readings.db")) as readings, readings:
        readings.execute("INSERT INTO reading (series, t_ms, x, q) VALUES (1, 1, 1, 0), (1, 2, 1, 0)")
    refused = meterhouse("rollback", data=data)
    assert refused.returncode == 2
    assert "since the upgrade 2 readings and 0 acts of people came" in refused.stderr
    assert schema(data) == NEWEST
    done = meterhouse("rollback", "--give-up", data=data)
    assert done.returncode == 0, done.stderr
    assert "readings: 2, acts: 0" in done.stdout
    nothing = meterhouse("rollback", data=town.home / "edge")
    assert nothing.returncode != 0


def test_what_cannot_be_upgraded_is_one_sentence_and_stays(town, tmp_path):
    data = town.home / "data"
    held = FileLock(data / "ingest.lock", "")
    before = everything(data)
    for words, env, sentence in (
        (("upgrade",), {}, "a server runs in"),
        (("rollback",), {}, "a server runs in"),
        (("upgrade",), {"METERHOUSE_RECORDS": "postgresql+psycopg://u@h/d"}, "the records are in a PostgreSQL"),
        (("upgrade",), {"METERHOUSE_STORE": f"sqlite://{tmp_path}/elsewhere/readings.db"}, "does not lie in"),
    ):
        done = meterhouse(*words, data=data, **env)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert sentence in done.stderr
    held.release()
    assert (meterhouse("rollback", data=data).stderr).startswith("nothing of before an upgrade lies beside")
    (data / "folder.json").write_text('{"version": 99}')
    assert "was written by a newer Meterhouse" in meterhouse("upgrade", data=data).stderr
    (data / "folder.json").unlink()
    was = schema(data)
    with closing(sqlite3.connect(data / "records.db")) as records, records:
        records.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "were written by a newer Meterhouse" in meterhouse("upgrade", data=data).stderr
    with closing(sqlite3.connect(data / "records.db")) as records, records:
        records.execute("UPDATE alembic_version SET version_num = ?", (was,))
    assert everything(data).keys() == before.keys()


@pytest.mark.parametrize("at", ["copied", "records", "readings", "exchanged", 2, 20, 60])
def test_one_that_is_killed_leaves_the_folder_as_it_was(at, tmp_path):
    """It is stopped by a signal of its own, right after the copy, after the records, after the readings, before its
    last step, and at a statement that changes the records."""
    town = unpacked(RELEASES[0], tmp_path)
    data = town.home / "data"
    before = everything(data)
    program = tmp_path / "killed.py"
    program.write_text(f"""
import os, signal, sys
from meterhouse.backup import upgrade
names = {{"copied": "say_version", "records": "open_readings", "readings": "Watermarks"}}
if {at!r} == "exchanged":
    from meterhouse.backup import exchange
    exchange._exchange = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
elif {at!r} in names:
    setattr(upgrade, names[{at!r}], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
else:
    from sqlalchemy import Engine, event
    changes = []
    @event.listens_for(Engine, "after_cursor_execute")
    def killed(_connection, _cursor, statement, *_):
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN")):
            changes.append(statement)
        if len(changes) == {at!r}:
            os.kill(os.getpid(), signal.SIGKILL)
from meterhouse.cli import main
sys.argv = ["meterhouse", "upgrade"]
main()
""")
    env = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
    done = subprocess.run(
        [sys.executable, program], env=env | {"METERHOUSE_DATA": str(data)}, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert everything(data) == before
    assert list(data.parent.glob("data.before-upgrade-*" if at == "exchanged" else "data.upgrading-*"))
    refused = meterhouse("rollback", data=data)
    assert (refused.returncode, refused.stderr.startswith("nothing of before an upgrade lies beside")) == (2, True)
    assert everything(data) == before
    assert meterhouse("upgrade", data=data).returncode == 0
    assert not list(data.parent.glob("data.upgrading-*"))
    assert schema(data) == NEWEST


@pytest.mark.parametrize("when", ["files are copied", "stores are brought up"])
def test_a_disk_that_fills_midway_leaves_the_folder_as_it_was(town, tmp_path, monkeypatch, when):
    """There was room when it began."""
    monkeypatch.setattr(upgrading, "check_room", lambda *_: None)
    with small_disk(tmp_path / "disk", "16m") as disk:
        shutil.copytree(town.home / "data", disk / "data")
        before = everything(disk / "data")
        copied = sum(-(-path.stat().st_size // 4096) * 4096 for path in (disk / "data").rglob("*") if path.is_file())
        left = 2**18 if when == "files are copied" else copied + 12 * 4096
        (disk / "taken").write_bytes(bytes(shutil.disk_usage(disk).free - left))
        with pytest.raises(MeterhouseError) as caught:
            upgrading.upgrade(Settings(data=disk / "data"), datetime.now(UTC))
        assert len(str(caught.value).splitlines()) == 1
        assert re.search(r"No space left on device|disk is full|disk I/O error", str(caught.value))
        assert everything(disk / "data") == before
        assert sorted(path.name for path in disk.iterdir()) == ["data", "taken"]


def test_a_copy_that_has_no_room_leaves_the_folder_as_it_was(town, tmp_path):
    with small_disk(tmp_path / "disk", "70m") as disk:
        shutil.copytree(town.home / "data", disk / "data")
        (disk / "full").write_bytes(bytes(68 * 2**20))
        before = everything(disk / "data")
        done = meterhouse("upgrade", data=disk / "data")
        assert (done.returncode, "has not enough room for a copy" in done.stderr) == (1, True)
        assert everything(disk / "data") == before
