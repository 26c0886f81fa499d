"""The records' schema: made by its steps, refused where it is newer, reached or said to be out of reach."""

import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from threading import Timer
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from rigs.old_records import make_old
from rigs.poison import poison
from rigs.postgres_server import PostgresServer

from facility.errors import ConfigError, Rejected, StoreUnavailable
from facility.model import Name
from stores.records import database as opening
from stores.records import tables
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.columns import METADATA
from stores.records.database import NEWEST, open_records, present_schema, writing
from stores.records.errands import Errands
from stores.records.people import People
from stores.records.quarantine.quarantine import ItemState, Quarantine
from stores.records.registry import EstateDifference, Registry
from stores.records.stale import Stale


def test_the_steps_make_the_tables_that_the_code_knows(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_records_of_the_first_schema_are_brought_up_with_what_they_hold(empty_url, now):
    """The step adds to what is there: items wait as before, and their sizes are known."""
    blank = dict.fromkeys(("stage", "detail", "topic", "agent", "epoch", "discarded_by", "discard_reason"), "")
    item = {**blank, "kind": "reading", "count": 3, "received_at": now.isoformat(timespec="microseconds")}
    rows = [
        {
            **item,
            "digest": reason,
            "reason": reason,
            "payload": b"{\x00}",
            "discarded_at": item["received_at"] if closed else None,
        }
        for reason, closed in (("unknown_point", False), ("malformed", True))
    ]
    make_old(empty_url, "0001", {"quarantine": rows})
    engine = open_records(empty_url)
    quarantine = Quarantine(engine)
    (item,) = quarantine.items()
    assert (item.reason, item.payload, item.received_at) == ("unknown_point", b"{\x00}", now)
    assert quarantine.item(2).state is ItemState.DISCARDED
    assert (quarantine.counts(), quarantine.size().bytes) == ({"unknown_point": 3}, 3)
    assert Errands(engine).ask("replay", item.id, "anna", now) == 1
    engine.dispose()


def old_case(at, **more):
    """A row of the table of alerts, as schemas from the first on have it."""
    texts = (
        "key",
        "open_key",
        "detector",
        "building",
        "meter",
        "point",
        "message_id",
        "acknowledged_by",
        "verdict_note",
    )
    row = dict.fromkeys(texts, "x") | {"notify": True, "params": {}, "evidence": {}}
    row |= dict.fromkeys(("since", "raised_at", "last_seen_at"), at)
    return row | dict.fromkeys(("severity", "count", "confidence"), 1) | more


def test_what_was_fixed_within_a_day_is_being_checked_from_the_sixteenth_schema_on(empty_url):
    """One case of a key at most, the newest, and none where another is open: who comes next must find one alone."""
    now = datetime.now(UTC)

    def stamp(hours_ago):
        return (now - timedelta(hours=hours_ago)).isoformat(timespec="microseconds")

    def closed(name, key, hours_ago, verdict="fixed"):
        ids[name] = str(uuid4())
        more = {"state": "closed", "verdict": verdict, "closed_at": stamp(hours_ago), "open_key": None, "acts": 1}
        return old_case(stamp(hours_ago + 5), id=ids[name], key=key, **more)

    ids = {"open": str(uuid4())}
    running = {
        "id": ids["open"],
        "key": "d",
        "open_key": "d",
        "state": "open",
        "verdict": None,
        "closed_at": None,
        "acts": 0,
    }
    rows = [
        closed("newest", "a", 2), closed("older", "a", 9), closed("long ago", "b", 30),
        closed("no fault", "c", 2, "expected"),
        closed("beside an open one", "d", 3), old_case(stamp(1), **running),
    ]  # fmt: skip
    make_old(empty_url, "0015", {"alert": rows})
    engine = open_records(empty_url)
    states = {str(alert.id): alert.state for alert in Casebook(engine).alerts()}
    assert {name: states[one].value for name, one in ids.items()} == {
        "newest": "being_checked", "older": "closed", "long ago": "closed", "no fault": "closed",
        "beside an open one": "closed", "open": "open",
    }  # fmt: skip
    assert Casebook(engine).being_checked() == {"x": 1}
    engine.dispose()


def test_cases_of_the_third_schema_know_how_often_people_acted(empty_url, now):
    """Acts of Meterhouse are none; a revision of then says nothing of what it changed."""
    at, case = now.isoformat(timespec="microseconds"), str(uuid4())
    row = old_case(at, id=case, state="acknowledged")
    steps = [("opened", ""), ("acknowledged", "anna"), ("released", "anna"), ("acknowledged", "bob")]
    events = [{"alert": case, "at": at, "what": what, "by": by, "note": ""} for what, by in steps]
    old = {"alert": [row], "case_event": events, "revision": [{"version": 1, "at": at, "by": "anna", "document": {}}]}
    make_old(empty_url, "0003", old)
    engine = open_records(empty_url)
    casebook = Casebook(engine)
    (alert,) = casebook.alerts()
    assert alert.acts == 3
    with pytest.raises(Stale, match="bob"):
        casebook.release(alert.id, "kim", now, based_on=2)
    assert casebook.release(alert.id, "kim", now, based_on=3).acts == 4
    assert Registry(engine).version() == 1
    engine.dispose()


def test_the_banner_of_the_fourth_schema_stands_and_its_applied_document_with_it(empty_url, now):
    """What was applied with the old names is the same as what the registry has with the new: nothing was edited."""
    named = {"name_en": "Town", "name_zh": "", "timezone": "Europe/London", "currency": "GBP", "position": 0}
    holidays = {"holiday_country": "", "holiday_subdivision": "", "holiday_shift_days": 0}
    site = named | holidays | {"notice_en": "Heating works", "notice_zh": "供暖改造"}
    applied = {"version": 1, "at": now.isoformat(timespec="microseconds"), "by": "anna", "summary": ""}
    applied |= {"document": {"site": {"town": site}}}
    make_old(empty_url, "0004", {"site": [{"id": "town", **site}], "revision": [applied]})
    engine = open_records(empty_url)
    registry = Registry(engine)
    assert registry.load().site.banner == Name("Heating works", "供暖改造")
    assert registry.difference(registry.load()) == EstateDifference(1, [], [])
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


@pytest.mark.parametrize("where", ["127.0.0.1:1/records", "/records?host=/absent"])
def test_a_server_that_does_not_answer_may_answer_later_and_its_password_is_told_to_nobody(where):
    with pytest.raises(StoreUnavailable, match=r"cannot be reached: .*connection to server") as refusal:
        open_records(f"postgresql+psycopg://me:secret@{where}")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(("change", "why"), [("database", "does not exist"), ("username", "role .* does not exist")])
def test_a_server_that_refuses_is_a_persons_business(databases, change, why):
    url = sa.make_url(databases.server.url("absent")).set(**{change: "nobody"})
    with pytest.raises(ConfigError, match=f"cannot be used: .*FATAL: .*{why}"):
        open_records(url.render_as_string())


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        open_records(f"sqlite:///{tmp_path}/absent/records.db")


def test_a_strange_file_is_refused(tmp_path):
    path = tmp_path / "records.db"
    path.write_text("not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(ConfigError, match=r"records\.db cannot be used: file is not a database"):
        open_records(f"sqlite:///{path}")


def test_who_writes_waits_for_who_writes_and_not_for_ever(engine, records_url, monkeypatch, now):
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_S", 0.05)
    impatient = open_records(records_url)
    with writing(engine):
        with pytest.raises(StoreUnavailable, match=r"the records cannot be reached: .*(locked|lock timeout)"):
            Audit(impatient).append(now, "anna", "look", "main")
        assert Audit(impatient).entries() == [], "who only reads waits for nobody"
    Audit(impatient).append(now, "anna", "look", "main")
    assert len(Audit(engine).entries()) == 1
    impatient.dispose()


def test_a_read_sees_one_state_whatever_is_written_meanwhile(engine, records_url, now):
    writer = open_records(records_url)
    count = sa.select(sa.func.count()).select_from(tables.person)
    with engine.connect() as connection:
        before = connection.execute(count).scalar_one()
        People(writer).invite("anna", now)
        assert connection.execute(count).scalar_one() == before
    writer.dispose()


def test_records_that_have_gone_are_unavailable(tmp_path, now):
    folder = tmp_path / "disk"
    folder.mkdir()
    engine = open_records(f"sqlite:///{folder}/records.db")
    engine.dispose()
    shutil.rmtree(folder)
    with pytest.raises(StoreUnavailable, match="the records cannot be reached"):
        Audit(engine).append(now, "anna", "look", "main")


def test_a_process_that_is_told_to_end_in_the_middle_of_a_query_ends(engine):
    def leave(*_):
        sys.exit(3)

    sa.event.listen(engine, "after_cursor_execute", leave)  # where a signal may meet it
    with pytest.raises(SystemExit, match="3"):
        present_schema(engine)
    sa.event.remove(engine, "after_cursor_execute", leave)
    assert present_schema(engine) == NEWEST


def test_a_server_that_dies_is_unavailable_and_its_records_are_there_when_it_is_back(now):
    with PostgresServer() as server:
        engine = open_records(server.url("postgres"))
        Audit(engine).append(now, "anna", "look", "main")
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="the records cannot be reached"):
                Audit(engine).append(now, "anna", "look", "main")
        server.start()
        Audit(engine).append(now, "anna", "look", "main")
        assert len(Audit(engine).entries()) == 2
        engine.dispose()


def test_a_writer_that_hangs_is_cut_off_where_the_server_can(databases, now, monkeypatch):
    monkeypatch.setattr(opening, "IDLE_TIMEOUT_S", 1.0)
    name = databases.make()
    engine = open_records(databases.server.url(name))

    def hang():
        with writing(engine) as hangs:
            hangs.execute(sa.insert(tables.person).values(name="anna", language="en", created_at=now))
            People(engine).invite("bert", now)
            hangs.execute(sa.select(tables.person))

    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        hang()
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.person.c.name)).scalars().all() == ["bert"]
    engine.dispose()
    databases.drop(name)


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


def test_the_newest_schema_is_what_the_steps_lead_to(empty_url):
    engine = open_records(empty_url)
    assert present_schema(engine) == NEWEST
    engine.dispose()


def test_records_that_are_up_to_date_are_opened_without_alembic(records_url):
    look = (
        f"import sys, stores.records.database as it; it.open_records({records_url!r}); print('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_new_file_that_somebody_uses_is_waited_for(tmp_path):
    """SQLite's busy timeout does not hold for the switch to WAL."""
    other = sqlite3.connect(tmp_path / "records.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE strange (x)")
    done = Timer(0.2, other.execute, ("ROLLBACK",))
    done.start()
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    assert present_schema(engine) == NEWEST
    done.join()
    engine.dispose()
    other.close()


def test_what_no_database_can_hold_is_kept_as_far_as_it_can_be(engine, now):
    quarantine, audit = Quarantine(engine), Audit(engine)
    quarantine.put(replace(poison(now, 1), detail="a\0b \ud800 \N{SNOWMAN} 电", agent="\0"))
    assert quarantine.items()[0].detail == "a\ufffdb \ufffd \N{SNOWMAN} 电"
    assert [item.agent for item in quarantine.items(agents=["\0"])] == ["\ufffd"]
    audit.append(now, "anna", "look", "ma\0in", "half \ud83d")
    assert audit.entries()[0].subject == "ma\ufffdin"
    assert audit.verify()


@pytest.mark.parametrize("number", [0, 2**31, 10**18 - 1, 2**63 - 1])
def test_an_id_that_cannot_be_is_not_there(engine, now, number):
    assert Quarantine(engine).item(number) is None
    assert Quarantine(engine).items(before=number) == []
    assert Errands(engine).of_item(number) == []
    with pytest.raises(Rejected, match="there is no item"):
        Errands(engine).ask("replay", number, "anna", now)


def test_records_on_a_full_disk_open_once_there_is_room(small_disk, migrated):
    shutil.copy(migrated, small_disk / "records.db")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_records(f"sqlite:///{small_disk}/records.db")
    filler.unlink()
    open_records(f"sqlite:///{small_disk}/records.db").dispose()
