"""Records go from SQLite to PostgreSQL and back, whole and compared; a target that holds any is refused."""

import json

import pytest
import sqlalchemy as sa
from rigs.command_line import meterhouse
from rigs.released_town import RELEASES, unpacked

from facility.errors import ConfigError, StoreUnavailable
from stores.records import copying
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.columns import METADATA
from stores.records.copying import copy_records
from stores.records.database import open_records, writing
from stores.records.errands import Errands
from stores.records.registry import Registry


@pytest.fixture
def town(tmp_path):
    return unpacked(RELEASES[0], tmp_path)


@pytest.fixture
def filled(town):
    engine = open_records(town.env["METERHOUSE_RECORDS"])
    yield engine
    engine.dispose()


def whole(engine):
    """Table → its rows, in any order."""
    with engine.connect() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(sa.select(table)))
            for table in METADATA.sorted_tables
        }


def test_all_of_it_goes_over_and_is_used_as_before(filled, engine, town):
    copied = copy_records(filled, engine)
    assert whole(engine) == whole(filled)
    assert copied["alert"] == 2
    assert sum(copied.values()) == sum(map(len, whole(filled).values()))
    assert Registry(engine).load() == Registry(filled).load()
    assert Casebook(engine).alerts() == Casebook(filled).alerts()
    with engine.connect() as ours, filled.connect() as theirs:
        seals = sa.text("SELECT seq, hash FROM audit ORDER BY seq")
        assert ours.execute(seals).all() == theirs.execute(seals).all()
    assert Audit(engine).verify()


def test_numbers_go_on_behind_those_that_were_copied(filled, engine, town):
    copy_records(filled, engine)
    before = whole(engine)["errand"]
    Errands(engine).ask("reconcile", None, "Ada", town.made_at)
    assert len(whole(engine)["errand"]) == len(before) + 1


def test_back_again_it_is_the_same(filled, engine, tmp_path):
    copy_records(filled, engine)
    back = open_records(f"sqlite:///{tmp_path}/back.db")
    copy_records(engine, back)
    assert whole(back) == whole(filled)
    back.dispose()


def test_a_database_that_holds_records_is_refused_and_stays(filled, engine):
    with writing(engine) as connection:
        connection.execute(sa.text("INSERT INTO watched (site, cursor, rules) VALUES ('other', 1, 1)"))
    before = whole(engine)
    with pytest.raises(ConfigError, match="holds records already"):
        copy_records(filled, engine)
    assert whole(engine) == before


def test_a_copy_that_differs_is_undone(filled, engine, monkeypatch):
    copy = copying._copy

    def careless(table, source, target):
        count = copy(table, source, target)
        if table.name == "alert":
            target.execute(sa.text("UPDATE alert SET detector = 'another'"))
        return count

    monkeypatch.setattr(copying, "_copy", careless)
    with pytest.raises(StoreUnavailable, match="the copy differs from the records in alert: nothing was copied"):
        copy_records(filled, engine)
    assert not any(whole(engine).values())


def test_the_command_copies_counts_and_refuses(town, empty_url, tmp_path):
    env, data = {"METERHOUSE_RECORDS_TO": empty_url}, town.home / "data"
    done = meterhouse("records", "migrate", "--json", data=data, **env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tables"]["alert"] == 2
    again = meterhouse("records", "migrate", data=data, **env)
    assert (again.returncode, "holds records already" in again.stderr) == (2, True)
    same = meterhouse("records", "migrate", "--to", town.env["METERHOUSE_RECORDS"], data=data)
    assert (same.returncode, "where the records are already: name another database" in same.stderr) == (2, True)
    for url in ("nonsense", "mysql://host/db"):
        wrong = meterhouse("records", "migrate", "--to", url, data=data)
        assert (wrong.returncode, len(wrong.stderr.splitlines()), "(allowed: sqlite" in wrong.stderr) == (2, 1, True)
    none = meterhouse("records", "migrate", data=tmp_path, METERHOUSE_RECORDS_TO=f"sqlite:///{tmp_path}/x.db")
    assert (none.returncode, "does not exist" in none.stderr) == (1, True)
    assert not (tmp_path / "x.db").exists()


def test_a_backup_holds_records_in_postgresql_and_brings_them_into_an_empty_one(town, databases, tmp_path):
    url, other = (databases.server.url(databases.make()) for _ in range(2))
    assert meterhouse("records", "migrate", "--to", url, data=town.home / "data").returncode == 0
    data, key = tmp_path / "data", tmp_path / "key.txt"
    data.mkdir()
    (data / "settings.env").write_text(f"METERHOUSE_RECORDS={url}\nMETERHOUSE_SETTINGS_VERSION=1\n")
    key.write_text(meterhouse("backup", "--new-key", data=data).stdout.splitlines()[-1])
    made = meterhouse("backup", "--to", tmp_path, "--json", data=data)
    assert made.returncode == 0, made.stderr
    file = json.loads(made.stdout)["file"]
    refused = meterhouse("restore", file, "--key", key, data=tmp_path / "new")
    assert (refused.returncode, "holds records already" in refused.stderr) == (2, True)
    assert not (tmp_path / "new").exists()
    done = meterhouse("restore", file, "--key", key, data=tmp_path / "new", METERHOUSE_RECORDS=other)
    assert done.returncode == 0, done.stderr
    assert f"METERHOUSE_RECORDS={other}" in (tmp_path / "new" / "settings.env").read_text()
    assert not (tmp_path / "new" / "records.db").exists()
    ours, theirs = open_records(url), open_records(other)
    assert whole(theirs) == whole(ours)
    assert whole(theirs)["alert"]
    ours.dispose()
    theirs.dispose()
