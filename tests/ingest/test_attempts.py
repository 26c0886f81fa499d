"""A message that ingest may have died over is looked at alone, after the others, and at most three times."""

import json
import threading
from types import SimpleNamespace

import pytest
from rigs.ingest_rig import Ingest

from facility.errors import StoreUnavailable
from ingest.attempts import MOST_ATTEMPTS, Attempts
from ingest.intake import GROUPS_PUT_FIRST
from ingest.subscriber import Inbound

TOPIC = "meterhouse/1/up/edge-1/live"


def message(text, mid=1):
    return Inbound(1, mid, TOPIC, text.encode(), None)


def die_with(folder, *messages):
    attempts = Attempts(folder)
    attempts.begin(messages)
    attempts.close()


def test_deaths_are_counted_over_restarts_and_what_went_well_is_cleared(tmp_path):
    die_with(tmp_path, message("a"), message("b"), message("c"))
    die_with(tmp_path, message("a"))  # a shorter note than the last: nothing of that one may be left in it
    attempts = Attempts(tmp_path)
    assert [attempts.deaths(message(text)) for text in "abcd"] == [2, 1, 1, 0]
    attempts.begin([message("b")])
    attempts.clear(message("b"))
    attempts.end()
    attempts.close()
    assert Attempts(tmp_path).deaths(message("b")) == 0
    die_with(tmp_path, message("a"))
    assert Attempts(tmp_path).is_hopeless(message("a"))
    assert MOST_ATTEMPTS == 3


def test_a_torn_note_begins_anew(tmp_path):
    (tmp_path / "attempts.json").write_text('{"abc": 1')
    assert Attempts(tmp_path).deaths(message("a")) == 0


@pytest.fixture
def intake(tmp_path, monkeypatch):
    """An intake after two deaths, the second over ``bad`` alone; ``waiting`` are the groups that it finds."""
    die_with(tmp_path, message("good"), message("bad"))
    die_with(tmp_path, message("bad"))
    ingest = Ingest(tmp_path, SimpleNamespace(url_for=lambda _: "mqtt://ingest:word@127.0.0.1:1"))
    made, waiting = ingest.intake, []
    monkeypatch.setattr(ingest.subscriber, "take", lambda *_: waiting.pop(0) if waiting else [])
    yield SimpleNamespace(waiting=waiting, take=lambda: made._take(0.0))
    ingest.close()


def taken(intake, turns):
    return [[m.payload.decode() for m in intake.take()] for _ in range(turns)]


def test_good_messages_go_first_and_the_likeliest_culprit_last(intake):
    intake.waiting += [[message("bad")], [message("good")], [message("new 1"), message("new 2")], []]
    assert taken(intake, 6) == [[], [], ["new 1", "new 2"], ["good"], ["bad"], []]


def test_a_suspect_does_not_wait_for_ever(intake):
    intake.waiting += [[message("good")], *([message(f"new {i}")] for i in range(50))]
    found = taken(intake, 30)
    assert found.index(["good"]) == GROUPS_PUT_FIRST + 1
    assert json.dumps(found).count("new") == 28


def test_an_orderly_stop_while_the_disk_is_full_is_no_death(tmp_path, monkeypatch):
    def full(*_):
        raise StoreUnavailable("no room")

    for _ in range(MOST_ATTEMPTS + 1):
        ingest = Ingest(tmp_path, SimpleNamespace(url_for=lambda _: "mqtt://ingest:word@127.0.0.1:1"))
        monkeypatch.setattr(ingest.subscriber, "take", lambda *_: [message("not even JSON")])
        monkeypatch.setattr(ingest.journal, "append", full)
        threading.Timer(0.1, ingest.stop.set).start()
        ingest.intake.take_in(0.0, ingest.stop)
        ingest.close()
    again = Attempts(tmp_path)
    assert again.deaths(message("not even JSON")) == 0
    again.close()


def test_what_an_earlier_group_left_behind_its_first_line_is_nobodys_death(tmp_path):
    attempts = Attempts(tmp_path)
    long, short = [message(f"one of many {i}") for i in range(50)], message("alone")
    attempts.begin(long)
    attempts.end()
    attempts.begin([short])
    attempts.close()
    again = Attempts(tmp_path)
    assert (again.deaths(short), {again.deaths(one) for one in long}) == (1, {0})
    again.close()


def test_a_group_makes_no_new_page_of_the_note(tmp_path):
    attempts = Attempts(tmp_path)
    attempts.begin([message("a"), message("b")])
    size = (tmp_path / "attempts.now").stat().st_size
    attempts.end()
    assert (tmp_path / "attempts.now").stat().st_size == size
    attempts.close()
