"""Cases from the command line: each step, its JSON, and what is refused by the name of the option."""

import json
from datetime import UTC, datetime

import pytest
from rigs.campus import estate
from rigs.command_line import meterhouse
from rigs.letter_desk import finding

from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry


@pytest.fixture
def data(migrated, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "records.db").write_bytes(migrated.read_bytes())
    records = open_records(f"sqlite:///{folder}/records.db")
    Registry(records).apply(estate(), by="test", at=datetime.now(UTC))
    Casebook(records).record(finding(datetime.now(UTC)), money=None, notify=True)
    records.dispose()
    return folder


def said(data, *words):
    done = meterhouse("cases", *words, "--json", data=data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_case_is_worked_on_from_listing_to_figures(data):
    (listed,) = said(data, "list")["alerts"]
    begins = listed["id"][:8]
    assert said(data, "take", begins, "--by", "kim")["case"]["acknowledged_by"] == "kim"
    snoozed = said(data, "snooze", begins, "--until", "tomorrow", "--reason", "the plumber comes", "--by", "kim")
    assert snoozed["case"]["state"] == "snoozed"
    assert said(data, "list", "--state", "snoozed")["alerts"][0]["id"] == listed["id"]
    assert said(data, "wake", begins, "--by", "kim")["case"]["state"] == "acknowledged"
    assert said(data, "give-back", begins, "--by", "kim")["case"]["state"] == "open"
    closed = said(
        data, "close", begins, "--verdict", "accepted", "--cause", "process", "--note", "agreed", "--by", "kim"
    )
    assert (closed["case"]["state"], closed["cause"], closed["verdict_note"]) == ("closed", "process", "agreed")
    assert [step["what"] for step in closed["steps"]] == [
        "opened", "acknowledged", "snoozed", "woken", "released", "closed",
    ]  # fmt: skip
    figures = said(data, "figures")["figures"]
    assert (figures["judged"], figures["by_cause"]) == (1, [{"name": "process", "judged": 1, "real": 1}])
    assert said(data, "reopen", begins, "--by", "kim")["case"]["state"] == "open"
    for language, word in (("en", "kim took it"), ("zh-Hans", "kim")):
        shown = meterhouse("cases", "show", begins, "--language", language, data=data)
        assert word in shown.stdout


def test_what_is_planned_is_noted_listed_and_withdrawn(data):
    words = (
        "plan",
        "main",
        "--from",
        "2030-12-01T08:00",
        "--to",
        "2030-12-01T18:00",
        "--reason",
        "the main is flushed",
    )
    plan = said(data, *words)
    assert (plan["kind"], plan["building"], plan["meter"], plan["every_week"]) == ("maintenance", "main", None, False)
    assert said(data, "plans")["plans"] == [plan]
    assert "the main is flushed" in meterhouse("cases", "plans", "--language", "zh-Hans", data=data).stdout
    assert said(data, "withdraw", str(plan["plan"]))["plans"] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "zzzz"), "no case begins with 'zzzz'"),
        (("show", "a"), "CASE"),
        (("list", "--building", "nowhere"), "there is no building 'nowhere'"),
        (("plan", "nowhere", "--from", "2030-01-01", "--to", "2030-01-02", "--reason", "x"), "BUILDING"),
        (("plan", "main", "--from", "soon", "--to", "2030-01-02", "--reason", "x"), "--from: 'soon' is no time"),
        (("plan", "main", "--from", "2030-01-02", "--to", "2030-01-01", "--reason", "x"), "--to"),
        (("plan", "main", "--meter", "m9", "--from", "2030-01-01", "--to", "2030-01-02", "--reason", "x"), "--meter"),
        (("withdraw", "99"), "there is no planned event 99"),
    ],
)
def test_a_mistake_is_named(data, words, why):
    done = meterhouse("cases", *words, data=data)
    assert done.returncode == 2, done.stderr
    assert why in done.stderr


@pytest.mark.parametrize(
    ("until", "reason", "why"), [("never", "x", "--until"), ("2020-01-01", "x", "--until"), ("1h", " ", "--reason")]
)
def test_a_snooze_that_cannot_be_is_refused_by_its_option(data, until, reason, why):
    begins = said(data, "list")["alerts"][0]["id"]
    done = meterhouse("cases", "snooze", begins, "--until", until, "--reason", reason, data=data)
    assert done.returncode == 2
    assert why in done.stderr
