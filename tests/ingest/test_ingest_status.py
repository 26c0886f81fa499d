"""What ingest says of itself, and what it knows of earlier stores from one run to the next."""

import json
import sqlite3

import pytest

from facility import wire
from facility.status import AgentStatus
from ingest.confirmed import note_store
from ingest.status import IngestStatus
from ingest.watermarks import Watermarks

OLD, NEW = "/srv/readings.db", "http://db:8086, database meterhouse"


@pytest.fixture
def run(tmp_path):
    """One run of ingest: it began with so many readings stored ever, stores some more, and tells."""

    def one(store, begun, ended, notes="ingest.db"):
        watermarks = Watermarks(tmp_path / notes)
        status = IngestStatus(lambda: 0.0)
        totals(watermarks, begun)
        status.count(watermarks.totals())
        status.begin(store, note_store(watermarks, tmp_path, store), 0)
        totals(watermarks, ended)
        status.count(watermarks.totals())
        watermarks.close()
        seen = status.as_status(0)
        return seen.facts["store"], seen.figures["confirmed"]

    return one


def totals(watermarks, stored):
    watermarks._totals = {"stored": stored}


def test_what_another_store_has_confirmed_is_no_promise_of_this_one(run):
    assert run(OLD, 0, 100) == (OLD, 100)
    assert run(OLD, 100, 150) == (OLD, 150)
    assert run(NEW, 150, 170) == (NEW, 20)
    assert run(NEW, 175, 180) == (NEW, 30)
    assert run(OLD, 180, 180) == (OLD, 0)


def test_totals_that_began_anew_are_all_of_this_store(run):
    run(OLD, 0, 100)
    run(NEW, 100, 110)
    assert run(NEW, 0, 7, notes="new.db") == (NEW, 7)
    assert run(NEW, 0, 7) == (NEW, 7)


def test_the_file_of_an_earlier_meterhouse_is_taken_over_once(run, tmp_path):
    file = tmp_path / "ingest.json"
    content = json.dumps({"stored": 100, "confirmed": {"store": OLD, "readings": 60}})
    file.write_text(content)
    assert run(OLD, 100, 110) == (OLD, 70)
    assert not file.exists()
    file.write_text(content.replace("60", "0"))  # a stranger's
    assert run(OLD, 110, 110) == (OLD, 70)


@pytest.mark.parametrize("before", ["", "{", '{"stored": 100}', "[]"])
def test_of_readings_before_stores_were_named_nothing_is_known(run, tmp_path, before):
    (tmp_path / "ingest.json").write_text(before)
    assert run(NEW, 100, 105) == (NEW, 5)


def test_a_disk_without_room_keeps_nobody_from_taking_readings_in(tmp_path, logged):
    file = tmp_path / "ingest.json"
    file.write_text(json.dumps({"stored": 100, "confirmed": {"store": OLD, "readings": 60}}))
    watermarks = Watermarks(tmp_path / "ingest.db")
    totals(watermarks, 100)
    other = sqlite3.connect(tmp_path / "ingest.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    watermarks.connection.execute("PRAGMA busy_timeout = 10")
    assert note_store(watermarks, tmp_path, OLD) == 40
    assert "store_cannot_be_noted" in {line["event"] for line in logged}
    assert file.exists()  # the next start finds what this one found
    other.execute("ROLLBACK")
    other.close()
    assert note_store(watermarks, tmp_path, OLD) == 40
    assert not file.exists()
    watermarks.close()


def test_an_agent_is_as_old_as_its_last_word_by_our_own_clock():
    now_s = 1000.0
    status = IngestStatus(lambda: now_s)
    status.note_watermark("edge-2", "e2", 9)
    status.note_agent("edge-1", wire.Status(v=1, dev="edge-1", state="online", at_ms=1, figures={"rows": 3.0}))
    status.note_watermark("edge-1", "e1", 7)
    now_s = 1020.0
    first, second = sorted(status.agents(), key=lambda one: one.agent)
    assert first == AgentStatus("edge-1", "online", 20.0, {"rows": 3.0}, {}, "e1", 7)
    assert second == AgentStatus("edge-2", "unknown", None, {}, {}, "e2", 9)


def test_the_state_is_the_first_alarm_and_before_the_estate_that_it_waits(logged):
    status = IngestStatus(lambda: 0.0)
    assert status.as_status(0).state == "waiting_for_estate"
    status.begin(NEW, 0, 5)
    assert status.as_status(3).state == "running"
    for _ in range(2):
        status.alarm("store_unavailable", "it does not answer")
    assert (status.as_status(0).state, status.as_status(0).alarms) == (
        "store_unavailable", {"store_unavailable": "it does not answer"}
    )  # fmt: skip
    for _ in range(2):
        status.all_clear("store_unavailable")
    assert status.as_status(0).state == "running"
    assert [line["event"] for line in logged] == ["alarm", "over"]


def test_an_agent_that_the_estate_has_at_last_is_not_turned_away_any_more():
    now = [0.0]
    status = IngestStatus(lambda: now[0])
    refused = lambda: status.as_status(0).alarms.get("agents_refused")  # noqa: E731
    status.note_turned_away("edge-1", "unknown_agent")
    now[0] = 1.0
    status.note_turned_away("edge-2", "unknown_agent")
    assert refused() == "edge-2: unknown_agent"
    status.note_agent("edge-2", wire.Status(v=1, dev="edge-2", state="online", figures={}))
    assert refused() == "edge-1: unknown_agent", "who is still strange stays an alarm"
    status.note_agent("edge-1", wire.Status(v=1, dev="edge-1", state="online", figures={}))
    assert refused() is None


def test_an_agent_that_signs_as_another_stays_an_alarm_while_the_other_tells():
    now = [0.0]
    status = IngestStatus(lambda: now[0])
    status.note_turned_away("edge-1", "wrong_sender")
    status.note_agent("edge-1", wire.Status(v=1, dev="edge-1", state="online", figures={}))
    assert status.as_status(0).alarms["agents_refused"] == "edge-1: wrong_sender"
    now[0] = 601.0
    status.note_broker(0, 0)
    assert "agents_refused" not in status.as_status(0).alarms


def test_names_without_end_are_kept_by_the_hundred():
    status = IngestStatus(lambda: 0.0)
    for n in range(1000):
        status.note_turned_away(f"nobody-{n}", "unknown_agent")
    assert status.as_status(0).alarms["agents_refused"].startswith("nobody-")
    assert len(status._turned_away) == 100
