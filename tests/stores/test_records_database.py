"""The records' schema: made by its steps, refused where it is newer, reached or said to be out of reach."""

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from facility.errors import ConfigError, StoreUnavailable
from stores.records import database, tables
from stores.records.audit import Audit
from stores.records.database import NEWEST, open_records, present_schema, writing
from stores.records.errands import Errands
from stores.records.people import People
from stores.records.quarantine.quarantine import ItemState, Quarantine


def test_the_steps_make_the_tables_that_the_code_knows(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.METADATA) == []


def test_records_of_the_first_schema_are_brought_up_with_what_they_hold(records_url, now):
    """The step adds to what is there: items wait as before, and their sizes are known."""
    old = sa.create_engine(records_url)
    config = Config()
    config.set_main_option("script_location", "stores:migrations")
    config.set_main_option("path_separator", "os")
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        at = now.isoformat(timespec="microseconds")
        insert = sa.text(
            "INSERT INTO quarantine (digest, received_at, stage, kind, reason, detail, topic, agent, epoch, count,"
            " payload, discarded_at, discarded_by, discard_reason)"
            " VALUES (:reason, :at, '', 'reading', :reason, '', '', '', '', 3, :payload, :closed, '', '')"
        )
        for reason, closed in (("unknown_point", None), ("malformed", at)):
            connection.execute(insert, {"reason": reason, "at": at, "payload": b"{\x00}", "closed": closed})
    old.dispose()
    engine = open_records(records_url)
    quarantine = Quarantine(engine)
    (item,) = quarantine.items()
    assert (item.reason, item.payload, item.received_at) == ("unknown_point", b"{\x00}", now)
    assert quarantine.item(2).state is ItemState.DISCARDED
    assert (quarantine.counts(), quarantine.size().bytes) == ({"unknown_point": 3}, 3)
    assert Errands(engine).ask("replay", item.id, "anna", now) == 1
    engine.dispose()


def test_opening_again_keeps_what_is_there(records_url, engine, now):
    People(engine).invite("anna", now)
    again = open_records(records_url)
    assert len(Audit(again).entries()) == 1
    again.dispose()


def test_records_of_a_newer_meterhouse_are_refused(records_url, engine):
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"written by a newer Meterhouse \(schema 9999, this one reads \d+\)"):
        open_records(records_url)


@pytest.mark.parametrize("url", ["", "records.db", "sqlite:///records.db", "sqlite://", "mysql://me:secret@host/db"])
def test_another_url_is_refused_naming_what_is_allowed(url):
    with pytest.raises(ConfigError, match=r"allowed: sqlite:////absolute/path") as refusal:
        open_records(url)
    assert "secret" not in str(refusal.value)


def test_a_server_that_cannot_be_used_is_refused_without_its_password():
    with pytest.raises(ConfigError, match="postgresql") as refusal:
        open_records("postgresql+psycopg://me:secret@127.0.0.1:1/records")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("table", tables.METADATA.sorted_tables, ids=str)
def test_postgresql_can_hold_every_table(table):
    assert str(CreateTable(table).compile(dialect=postgresql.dialect())).strip().startswith("CREATE TABLE")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        open_records(f"sqlite:///{tmp_path}/absent/records.db")


def test_a_strange_file_is_refused(tmp_path):
    path = tmp_path / "records.db"
    path.write_text("not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(ConfigError, match=r"records\.db cannot be used: file is not a database"):
        open_records(f"sqlite:///{path}")


def test_a_locked_database_is_unavailable(records_url, tmp_path, monkeypatch, now):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    engine = open_records(records_url)
    other = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        Audit(engine).append(now, "anna", "look", "main")
    other.execute("ROLLBACK")
    other.close()
    Audit(engine).append(now, "anna", "look", "main")
    assert len(Audit(engine).entries()) == 1
    engine.dispose()


def test_records_that_have_gone_are_unavailable(tmp_path, now):
    folder = tmp_path / "disk"
    folder.mkdir()
    engine = open_records(f"sqlite:///{folder}/records.db")
    engine.dispose()
    shutil.rmtree(folder)
    with pytest.raises(StoreUnavailable, match="the records cannot be reached"):
        Audit(engine).append(now, "anna", "look", "main")


def test_writers_wait_for_each_other(engine, records_url, now):
    engines = [engine, open_records(records_url)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: Audit(engines[i % 2]).append(now, f"p{i}", "look", "main"), range(40)))
    assert len(Audit(engine).entries()) == 40
    assert Audit(engine).verify()
    engines[1].dispose()


def test_a_write_that_fails_leaves_nothing(engine, now):
    def write_and_fail():
        with writing(engine) as connection:
            connection.execute(sa.insert(tables.person).values(name="anna", language="en", created_at=now))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_and_fail()
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.person)).all() == []


def test_instants_come_back_aware_and_exact(engine):
    written = datetime(2026, 11, 23, 17, 30, 0, 123456, timezone(timedelta(hours=8)))
    Audit(engine).append(written, "anna", "look", "main")
    (entry,) = Audit(engine).entries()
    assert entry.at == written
    assert entry.at.tzinfo == UTC


def test_a_naive_time_is_refused(engine):
    with pytest.raises(sa.exc.StatementError, match="has no time zone"), writing(engine) as connection:
        connection.execute(
            sa.insert(tables.person).values(name="a", language="en", created_at=datetime(2026, 1, 1))  # noqa: DTZ001
        )


def test_the_newest_schema_is_what_the_steps_lead_to(tmp_path):
    engine = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    assert present_schema(engine) == NEWEST
    engine.dispose()


def test_records_that_are_up_to_date_are_opened_without_alembic(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.db'}"
    open_records(url).dispose()
    look = f"import sys, stores.records.database as it; it.open_records({url!r}); print('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False\n"
