"""What is kept aside, at the terminal: looked at, asked for, given up; with and without an ingest that answers."""

import json
import re
import threading
from datetime import UTC, datetime

import msgspec
import pytest
from rigs.command_line import meterhouse
from rigs.patience import within

from meterhouse.answers.quarantine import ItemsAnswer, Replays, ShownItem
from meterhouse.commands.quarantine import size_sentence
from meterhouse.commands.reconcile import ReconcileAnswer
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine, QuarantineItem
from wording.texts import load_texts

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def refused(n, reason="unknown_point", payload=b'{"points":["x"]}', count=3):
    return QuarantineItem(
        received_at=NOW, stage="check", kind="reading", reason=reason, detail="x = 1", topic="up/edge-1/live",
        agent=f"edge-{n % 2}", epoch="e1", first_seq=n, last_seq=n, count=count, payload=payload,
    )  # fmt: skip


@pytest.fixture
def records(tmp_path):
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    yield engine
    engine.dispose()


@pytest.fixture
def quarantine(records):
    return Quarantine(records)


@pytest.fixture
def answering(records):
    """What ingest does, as far as a person at a terminal sees it: it stores, and says so."""
    errands, quarantine, stop = Errands(records), Quarantine(records), threading.Event()

    def answer():
        while not stop.wait(0.05):
            for errand in errands.waiting():
                if errand.what == "replay":
                    quarantine.close_replayed(errand.item, "stored 3 readings", NOW)
                else:
                    errands.settle(errand.id, "edge-1  0 missing\nedge-2  4 rewritten", NOW)

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_the_list_holds_what_waits_and_with_all_what_is_closed(quarantine, tmp_path):
    quarantine.put(refused(1), refused(2), refused(3, "malformed", count=0))
    quarantine.discard(1, "anna", "a test device", NOW, based_on=ItemState.WAITING)
    printed = meterhouse("quarantine", "list", data=tmp_path).stdout
    assert [line.split()[0] for line in printed.splitlines()[2:]] == ["3", "2"]
    assert "1 unreadable message" in printed
    assert "Discarded" in meterhouse("quarantine", "list", "--all", data=tmp_path).stdout
    assert "edge-0" not in meterhouse("quarantine", "list", "--agent", "edge-1", data=tmp_path).stdout
    assert meterhouse("quarantine", "list", "--reason", "late", data=tmp_path).stdout.startswith("nothing of this kind")
    assert "items shown: 1 of 2" in meterhouse("quarantine", "list", "--limit", "1", data=tmp_path).stdout


def test_an_item_is_shown_without_what_a_terminal_would_obey(quarantine, tmp_path):
    quarantine.put(refused(1, payload=b"\x1b[2J{}"))
    Errands(open_records(f"sqlite:///{tmp_path}/records.db")).ask("replay", 1, "anna", NOW)
    printed = meterhouse("quarantine", "show", "1", data=tmp_path).stdout
    assert "\x1b" not in printed
    assert re.search(r"State +Asked\n", printed)
    assert re.search(r"Reason +unknown_point: Point that the estate does not have\n +Add the meter", printed)
    assert re.search(r"2026-11-26 09:30:00Z +anna asked for a replay\n", printed)


def test_a_program_reads_items_as_json(quarantine, tmp_path):
    def answered(shape, *words):
        done = meterhouse("quarantine", *words, "--json", data=tmp_path)
        assert done.stderr == ""
        return msgspec.json.decode(done.stdout, type=shape)

    assert answered(ItemsAnswer, "list") == ItemsAnswer([], answered(ItemsAnswer, "list").size)
    quarantine.put(refused(1), refused(2, "malformed", payload=b"{", count=0))
    listed = answered(ItemsAnswer, "list")
    assert [(one.id, one.state, one.readings) for one in listed.items] == [(2, "waiting", None), (1, "waiting", 3)]
    assert (listed.size.items, listed.items[0].received_at) == (2, NOW)
    shown = answered(ShownItem, "show", "1")
    assert (shown.item, shown.payload, shown.errands) == (listed.items[1], '{"points":["x"]}', [])
    asked = answered(Replays, "replay", "1", "--wait", "0").errands
    assert [(one.item, one.done_at, one.outcome) for one in asked] == [(1, None, None)]
    missing = meterhouse("quarantine", "show", "9", "--json", data=tmp_path)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert json.loads(missing.stderr)["error"]["message"] == "ITEM: there is no item 9 in quarantine"


def test_items_are_listed_in_the_readers_language(quarantine, tmp_path):
    quarantine.put(refused(1))
    printed = meterhouse("quarantine", "list", data=tmp_path, METERHOUSE_LANGUAGE="zh-Hans").stdout
    assert printed.startswith("编号  接收时间")
    assert "待处理" in printed
    shown = meterhouse("quarantine", "show", "1", "--language", "zh-Hans", data=tmp_path).stdout
    assert "unknown_point: 未登记的测点\n" in shown


def test_a_replay_prints_what_came_of_each_item(quarantine, answering, tmp_path):
    quarantine.put(refused(1), refused(2), refused(3, "malformed"))
    done = meterhouse("quarantine", "replay", "--reason", "unknown_point", data=tmp_path)
    assert done.stdout.splitlines() == [
        "asked for the replay of 2 items.",
        "item  outcome",
        "────  ─────────────────",
        "   1  stored 3 readings",
        "   2  stored 3 readings",
    ]
    assert "asked for the replay of 1 item." in meterhouse("quarantine", "replay", "3", data=tmp_path).stdout
    assert quarantine.size().items == 0
    assert meterhouse("quarantine", "replay", "--all", data=tmp_path).stdout == "nothing to replay.\n"


def test_a_replay_without_ingest_says_that_it_is_asked(quarantine, records, tmp_path):
    quarantine.put(refused(1))
    with within(30):
        done = meterhouse("quarantine", "replay", "1", "--wait", "0.3", data=tmp_path)
    assert done.stdout.splitlines() == [
        "asked for the replay of 1 item.",
        "1 item: asked; ingest has not answered within 0.3 s, it will when it runs.",
    ]
    assert quarantine.item(1).state is ItemState.ASKED
    assert Audit(records).entries()[0].what == "quarantine.replay"


@pytest.mark.parametrize("words", [(), ("1", "--all"), ("--all", "--reason", "late")])
def test_a_replay_of_nothing_or_of_two_things_is_refused(tmp_path, words):
    done = meterhouse("quarantine", "replay", *words, data=tmp_path)
    assert done.returncode == 2
    assert "--reason REASON" in done.stderr


def test_what_is_not_there_is_neither_replayed_nor_discarded(quarantine, tmp_path):
    for command in (("replay", "7"), ("discard", "7", "--reason", "x")):
        done = meterhouse("quarantine", *command, data=tmp_path)
        assert done.returncode == 2
        assert "ITEM: there is no item 7 in quarantine" in done.stderr


def test_giving_up_needs_a_reason_and_is_audited(quarantine, records, tmp_path):
    quarantine.put(refused(1))
    assert meterhouse("quarantine", "discard", "1", "--reason", "  ", data=tmp_path).returncode == 2
    assert quarantine.size().items == 1
    done = meterhouse("quarantine", "discard", "1", "--reason", "a test device", data=tmp_path)
    assert done.stdout == "item 1 discarded.\n"
    assert Audit(records).entries()[0].detail == "a test device"
    again = meterhouse("quarantine", "discard", "1", "--reason", "again", data=tmp_path)
    assert again.returncode == 1


def test_a_nearly_full_quarantine_raises_an_alarm_on_the_first_line(records):
    small = Quarantine(records, bound_bytes=20)
    small.put(refused(1), refused(2))
    assert size_sentence(load_texts("en"), small.size()) == (
        "ALARM: The quarantine is 80% full (0.0 of 0 MiB). Kept without payload for want of room: 1."
        " Reason, range and count are kept. Replay or discard what waits."
    )


def test_a_comparison_prints_its_outcome_as_it_is(quarantine, answering, tmp_path):
    done = meterhouse("reconcile", data=tmp_path)
    assert done.stdout == "edge-1  0 missing\nedge-2  4 rewritten\n"
    errand = msgspec.json.decode(meterhouse("reconcile", "--json", data=tmp_path).stdout, type=ReconcileAnswer).errand
    assert (errand.what, errand.item, errand.done_at) == ("reconcile", None, NOW)


def test_a_comparison_without_ingest_says_that_it_is_asked(tmp_path):
    done = meterhouse("reconcile", "--wait", "0", data=tmp_path)
    assert done.returncode == 0
    assert "ingest has not answered within 0 s" in done.stdout
