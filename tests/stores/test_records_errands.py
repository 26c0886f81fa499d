"""What people ask of ingest is asked once, answered once, and on record."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.poison import poison

from facility.errors import Rejected
from stores.records.audit import Audit
from stores.records.errands import LEASE, Errand, Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine
from stores.records.stale import Stale

MINUTE = timedelta(minutes=1)


@pytest.fixture
def quarantine(engine):
    return Quarantine(engine)


@pytest.fixture
def errands(engine):
    return Errands(engine)


@pytest.fixture
def item(quarantine, now):
    quarantine.put(poison(now, 1))
    return quarantine.items()[0].id


def test_a_replay_is_asked_once_while_it_is_open(errands, quarantine, item, engine, now):
    first = errands.ask("replay", item, "anna", now)
    assert errands.ask("replay", item, "bert", now) == first
    assert errands.waiting() == [Errand(first, "replay", item, "anna", now, None, "")]
    assert quarantine.item(item).state is ItemState.ASKED
    (entry,) = Audit(engine).entries()
    assert (entry.who, entry.what, entry.subject) == ("anna", "quarantine.replay", str(item))


def test_a_replay_is_for_one_ingest_and_a_comparison_for_all(errands, item, now):
    replay = errands.ask("replay", item, "anna", now)
    compare = errands.ask("reconcile", None, "anna", now)
    assert [one.id for one in errands.take("one", now)] == [replay, compare]
    assert [one.id for one in errands.take("two", now)] == [compare]
    assert [one.id for one in errands.take("one", now + LEASE)] == [replay, compare], "it goes on with its own"
    assert [one.id for one in errands.take("two", now + LEASE + MINUTE)] == [compare], "and was heard of just now"
    assert [one.id for one in errands.take("two", now + 2 * LEASE + MINUTE)] == [replay, compare]
    assert [one.id for one in errands.take("one", now + 2 * LEASE + MINUTE)] == [compare]
    errands.settle(replay, "stored", now)
    errands.settle(compare, "the same", now)
    assert errands.take("one", now) == []


def test_an_answer_is_kept_and_the_next_one_changes_nothing(errands, quarantine, item, now):
    asked = errands.ask("replay", item, "anna", now)
    errands.settle(asked, "refused again: unknown_point", now)
    errands.settle(asked, "something else", now)
    (done,) = errands.errands([asked])
    assert (done.outcome, done.done_at) == ("refused again: unknown_point", now)
    assert errands.waiting() == []
    assert quarantine.item(item).state is ItemState.WAITING
    again = errands.ask("replay", item, "anna", now)
    assert again != asked
    assert [one.id for one in errands.of_item(item)] == [asked, again]
    assert errands.newest([item]).id == again
    assert errands.newest([item + 1]) is None


def test_closing_an_item_answers_who_asked(errands, quarantine, item, now):
    asked = errands.ask("replay", item, "anna", now)
    quarantine.close_replayed(item, "stored 1 reading", now)
    assert errands.errands([asked])[0].outcome == "stored 1 reading"
    assert errands.waiting() == []


def test_discarding_an_item_takes_the_wish_back(errands, quarantine, item, now):
    asked = errands.ask("replay", item, "anna", now)
    quarantine.discard(item, "bert", "a test device", now, based_on=ItemState.ASKED)
    assert (errands.waiting(), errands.errands([asked])[0].outcome) == ([], "discarded")
    assert quarantine.item(item).state is ItemState.DISCARDED


@pytest.mark.parametrize("other", [None, 77])
def test_what_does_not_wait_is_not_asked_for(errands, quarantine, item, now, engine, other):
    quarantine.close_replayed(item, "stored 1 reading", now)
    with pytest.raises(Stale, match=r"the item was changed since you looked at it.*\n  meterhouse, .*stored 1 reading"):
        errands.ask("replay", item, "anna", now)
    with pytest.raises(Rejected, match=r"there is no item .* in quarantine"):
        errands.ask("replay", other, "anna", now)
    assert Audit(engine).entries() == []


def test_an_item_without_its_payload_cannot_be_replayed(engine, errands, now):
    Quarantine(engine, bound_bytes=1).put(poison(now, 1))
    with pytest.raises(Rejected, match="kept without its payload"):
        errands.ask("replay", 1, "anna", now)
    assert errands.ask_all("anna", now) == []


def test_all_of_one_reason_are_asked_for_with_one_entry_in_the_audit(errands, quarantine, item, engine, now):
    quarantine.put(poison(now, 2), replace(poison(now, 3), reason="no_level"), poison(now, 4))
    before = errands.ask("replay", item, "anna", now)
    asked = errands.ask_all("anna", now, reason="unknown_point")
    assert (len(asked), asked[0]) == (3, before)
    assert {one.item for one in errands.waiting()} == {1, 2, 4}
    assert Audit(engine).entries()[0].detail == "2 items of reason unknown_point"
    assert errands.ask_all("anna", now, reason="unknown_point") == asked
    assert len(Audit(engine).entries()) == 2


def test_a_comparison_is_asked_beside_replays_and_answered_oldest_first(errands, item, now):
    replay = errands.ask("replay", item, "anna", now)
    compare = errands.ask("reconcile", None, "anna", now)
    assert errands.ask("reconcile", None, "bert", now) == compare
    assert [one.id for one in errands.waiting()] == [replay, compare]
    assert [one.id for one in errands.waiting(limit=1)] == [replay]
    errands.settle(compare, "edge-1: 0 differences\nedge-2: 0 differences", now)
    assert errands.errands([compare])[0].outcome.count("\n") == 1
