"""What people are asked to do stands whichever command the folder of the release before goes through: cases, plans,
work orders, the roster, who is told of what, and the letters that wait.
"""

import json
import shutil
from pathlib import Path

import pytest
from rigs.command_line import meterhouse
from rigs.postgres_server import Databases, PostgresServer
from rigs.released_town import RELEASES, unpacked

from stores.records.database import NEWEST

OF_NOW = {"on_shift", "works", "shifts"}
"""What depends on when it is asked."""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Unpacked once, and left as it is: each command works in another place."""
    return unpacked(RELEASES[-1], tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def backup(town, tmp_path_factory):
    """The key, and a backup of the folder as the release before left it."""
    place = tmp_path_factory.mktemp("backups")
    made = meterhouse("backup", "--new-key", data=town.home / "data")
    assert made.returncode == 0, made.stderr
    (place / "key").write_text(made.stdout.splitlines()[-1])
    before = (town.home / "data" / "records.db").read_bytes()
    done = meterhouse("backup", "--to", place, "--json", data=town.home / "data")
    assert done.returncode == 0, done.stderr
    assert (town.home / "data" / "records.db").read_bytes() == before, "it looks, and brings nothing up to date"
    return place / "key", Path(json.loads(done.stdout)["file"])


@pytest.fixture
def folder(town, tmp_path):
    """As the release before left it, in a place of its own for each test."""
    return shutil.copytree(town.home / "data", tmp_path / "data")


@pytest.fixture(scope="module")
def databases():
    with PostgresServer() as server:
        yield Databases(server)


@pytest.fixture
def postgres(databases):
    """The URL of an empty database."""
    return databases.server.url(databases.make(template="template1"))


def lasting(said):
    """Without what changes while nothing happens."""
    if isinstance(said, dict):
        return {name: lasting(value) for name, value in said.items() if name not in OF_NOW}
    return [lasting(one) for one in said] if isinstance(said, list) else said


def held_to(then, now):
    """What was said then, as far as it is said still: a later release may say more of each thing."""
    if isinstance(then, dict):
        return {name: held_to(value, now.get(name)) for name, value in then.items()} if isinstance(now, dict) else now
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [held_to(*pair) for pair in zip(then, now, strict=True)]
    return now


def stands(town, folder, **env):
    """Hold what each command says to what the release before has said."""
    for words, then in town.facts["told"].items():
        done = meterhouse(*words.split(), "--json", data=folder, **env)
        assert done.returncode == 0, (words, done.stderr)
        assert held_to(lasting(then), json.loads(done.stdout)) == lasting(then), words


def test_after_a_backup_and_a_restore(town, backup, tmp_path):
    key, file = backup
    done = meterhouse("restore", file, "--key", key, data=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    stands(town, tmp_path / "data")


def test_after_an_upgrade_and_the_way_back_is_byte_by_byte(town, folder):
    before = {name: (folder / name).read_bytes() for name in ("records.db", "readings.db")}
    done = meterhouse("upgrade", "--json", data=folder)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["schema_before"] < NEWEST, said["schema"]) == (True, NEWEST)
    stands(town, folder)
    assert meterhouse("audit", "verify", data=folder).returncode == 0
    done = meterhouse("rollback", data=folder)
    assert done.returncode == 0, done.stderr
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_after_the_records_moved_to_postgresql_and_back(town, folder, postgres, tmp_path):
    before = (folder / "records.db").read_bytes()
    done = meterhouse("records", "migrate", data=folder, METERHOUSE_RECORDS_TO=postgres)
    assert done.returncode == 0, done.stderr
    assert (folder / "records.db").read_bytes() == before, "the source stays as it is, in its own schema"
    assert not list(folder.glob(".records-*"))
    there = f"{postgres}&audit_key={folder / 'records.audit.key'}"
    stands(town, folder, METERHOUSE_RECORDS=there)
    back = f"sqlite:///{tmp_path / 'back' / 'records.db'}"
    (tmp_path / "back").mkdir()
    done = meterhouse("records", "migrate", data=folder, METERHOUSE_RECORDS=there, METERHOUSE_RECORDS_TO=back)
    assert done.returncode == 0, done.stderr
    stands(town, folder, METERHOUSE_RECORDS=back)


def test_after_a_backup_of_records_in_postgresql_and_a_restore_into_an_empty_one(town, folder, databases, tmp_path):
    """Half a year later: one was lost with its machine. A database that holds records is never written over."""

    def at(place):
        url = databases.server.url(databases.make(template="template1"))
        return {"METERHOUSE_RECORDS": f"{url}&audit_key={place / 'records.audit.key'}"}

    new, first = tmp_path / "new", at(folder)
    done = meterhouse("records", "migrate", "--to", first["METERHOUSE_RECORDS"], data=folder)
    assert done.returncode == 0, done.stderr
    (folder / "records.db").unlink()
    (folder / "secrets" / "backup-recipients").unlink(missing_ok=True)
    made = meterhouse("backup", "--new-key", data=folder, **first)
    assert made.returncode == 0, made.stderr
    (tmp_path / "key").write_text(made.stdout.splitlines()[-1])
    done = meterhouse("backup", "--to", tmp_path / "to", "--json", data=folder, **first)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["records"] > 50
    for words in ("upgrade", "rollback"):
        refused = meterhouse(words, data=folder, **first)
        assert (refused.returncode, refused.stderr.startswith("the records are in a PostgreSQL")) == (2, True)
    second = at(new)
    restore = ("restore", made["file"], "--key", tmp_path / "key", "--data", new)
    done = meterhouse(*restore, **second)
    assert done.returncode == 0, done.stderr
    stands(town, new, **second)
    assert meterhouse("audit", "verify", data=new, **second).returncode == 0
    lines = json.loads(meterhouse("doctor", "--json", data=new, **second).stdout)["lines"]
    assert {line["name"]: line["how"] for line in lines}["records"] == "well"
    before = {path: path.read_bytes() for path in new.rglob("*") if path.is_file()}
    again = meterhouse(*restore, **second)
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
    assert "holds records already" in again.stderr
    assert {path: path.read_bytes() for path in new.rglob("*") if path.is_file()} == before
    stands(town, new, **second)


def test_the_doctor_looks_at_it_and_changes_nothing(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = meterhouse("doctor", "--json", data=folder)
    assert done.returncode == 2, "nothing runs there"
    lines = {line["name"]: line for line in json.loads(done.stdout)["lines"]}
    assert (lines["records"]["how"], "0023" in lines["records"]["found"]) == ("care", True)
    now = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path: now.get(path) for path in before if not path.name.endswith(("-shm", "-wal"))} == {
        path: content for path, content in before.items() if not path.name.endswith(("-shm", "-wal"))
    }
