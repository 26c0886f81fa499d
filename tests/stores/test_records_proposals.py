"""Adjusting entries that wait for a person: found where stored months are judged anew, on a bill once accepted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rigs.at_once import at_once
from rigs.campus import estate
from rigs.old_records import make_old

from accounting.dirty import Dirty
from facility.errors import ConfigError, Rejected
from facility.ledger.installation import BEGINNING
from stores.records.accounting.closed_months import Adjustment, ClosedMonths
from stores.records.accounting.judging import judge_anew
from stores.records.accounting.proposals import EntryState, Proposals
from stores.records.accounting.recomputations import Recomputations, ask
from stores.records.audit import Audit
from stores.records.database import open_records, writing
from stores.records.status.watched import RULES, Watched, Watches

LATER = timedelta(days=30)


@pytest.fixture
def found(now):
    less = {"2026-09-01": {"qty": -50.0, "cost": -20.0}, "2026-09-02": {"qty": -14.5, "est_qty": 3.0}}
    return Adjustment("main", "electricity", "total", "energy_import", "2026-09", now, "judged anew", less)


def judging(engine, at, point="total/energy_import/total"):
    with writing(engine) as connection:
        ask(connection, [Dirty((point,), BEGINNING, None, "main")], by="m", at=at, reason="r", proposes=True)
    return Recomputations(engine).newest()[0]


def finish(engine, one, at):
    Recomputations(engine).note(one.id, based_on=one.next_ms, next_ms=one.last_ms + 1, months={}, finished_at=at)


def on_bills(engine):
    return ClosedMonths(engine).adjustments("main", BEGINNING, datetime(2027, 6, 1, tzinfo=UTC))


def propose(engine, found, at):
    one = judging(engine, at)
    ClosedMonths(engine).adjust([found], based_on=0)
    finish(engine, one, at)
    (proposal,) = Proposals(engine).open_ones()
    return proposal


def test_what_is_found_while_a_counter_is_judged_anew_is_proposed_and_on_no_bill(engine, found, now):
    proposal = propose(engine, found, now)
    assert (proposal.state, proposal.meter, proposal.month) == (EntryState.PROPOSED, "total", "2026-09")
    assert (proposal.sum_of("qty"), proposal.sum_of("cost"), proposal.sum_of("est_qty")) == (-64.5, -20, 3)
    assert on_bills(engine) == []
    assert ClosedMonths(engine).adjusted("total", "energy_import", "2026-09") == found.differences
    assert Audit(engine).entries()[0].what == "account.propose"


def test_another_counter_and_what_is_found_afterwards_are_entered(engine, found, now):
    propose(engine, found, now)
    judging(engine, now, "other/energy_import/total")
    late = replace(found, differences={"2026-09-03": {"qty": 1.0}}, reason="late")
    ClosedMonths(engine).adjust([late], based_on=ClosedMonths(engine).newest_entry())
    assert on_bills(engine) == [late]
    assert len(Proposals(engine).open_ones()) == 1


def test_an_accepted_entry_stands_on_the_bill_of_the_month_in_which_it_was_accepted(engine, found, now):
    number = propose(engine, found, now).number
    done = Proposals(engine).decide(number, enter=True, by="li", at=now + LATER, reason=" zeros at night ")
    assert (done.state, done.at, done.decided_by, done.decision) == ("entered", now + LATER, "li", "zeros at night")
    assert on_bills(engine) == [replace(found, at=now + LATER)]
    assert Proposals(engine).open_ones() == []
    assert Proposals(engine).all_of("main") == [done]
    assert Proposals(engine).all_of("annex") == []
    entry = Audit(engine).entries()[0]
    assert (entry.who, entry.what, entry.subject) == ("li", "account.accept-entry", "total/2026-09")
    assert entry.detail == f"entry {number}: zeros at night"


def test_a_dismissed_entry_stands_on_no_bill_and_is_not_found_again(engine, found, now):
    number = propose(engine, found, now).number
    done = Proposals(engine).decide(number, enter=False, by="li", at=now, reason="agreed with the tenant")
    assert done.state is EntryState.DISMISSED
    assert (on_bills(engine), Proposals(engine).open_ones(), Proposals(engine).all_of()) == ([], [], [done])
    assert ClosedMonths(engine).adjusted("total", "energy_import", "2026-09") == found.differences


def test_what_cannot_be_decided_is_told(engine, found, now):
    proposals = Proposals(engine)
    number = propose(engine, found, now).number
    decision = {"by": "li", "at": now, "reason": "r"}
    with pytest.raises(ConfigError, match="reason: is empty"):
        proposals.decide(number, enter=True, **{**decision, "reason": " "})
    with pytest.raises(Rejected, match="there is no proposed entry 99"):
        proposals.decide(99, enter=True, **decision)
    ClosedMonths(engine).adjust([found], based_on=number)
    with pytest.raises(Rejected, match=f"there is no proposed entry {number + 1}"):
        proposals.decide(number + 1, enter=True, **decision)
    proposals.decide(number, enter=False, **decision)
    with pytest.raises(Rejected, match=rf"entry {number} is dismissed by li, .*: r"):
        proposals.decide(number, enter=True, **decision)


@pytest.mark.parametrize("enter", [True, False])
def test_a_decision_is_taken_back_and_made_again(engine, found, now, enter):
    proposals, number = Proposals(engine), propose(engine, found, now).number
    proposals.decide(number, enter=enter, by="li", at=now, reason="r")
    again = proposals.ask_again(number, by="wang", at=now + LATER, reason=" the wrong entry ")
    assert (again.state, again.at, again.decided) == (EntryState.PROPOSED, now + LATER, None)
    assert (on_bills(engine), proposals.open_ones()) == ([], [again])
    assert ClosedMonths(engine).adjusted("total", "energy_import", "2026-09") == found.differences
    entry = Audit(engine).entries()[0]
    assert (entry.who, entry.what, entry.detail) == ("wang", "account.ask-again", f"entry {number}: the wrong entry")
    assert proposals.decide(number, enter=True, by="li", at=now + LATER, reason="r").state is EntryState.ENTERED


def test_what_cannot_be_taken_back_is_told(engine, found, now):
    proposals, number = Proposals(engine), propose(engine, found, now).number
    act = {"by": "li", "at": now, "reason": "r"}
    with pytest.raises(Rejected, match=f"nobody has decided about entry {number}"):
        proposals.ask_again(number, **act)
    ClosedMonths(engine).adjust([found], based_on=number)
    with pytest.raises(Rejected, match="there is no proposed entry"):
        proposals.ask_again(number + 1, **act)
    assert proposals.entry(number + 1) is None
    proposals.decide(number, enter=True, **act)
    with pytest.raises(ConfigError, match="reason: is empty"):
        proposals.ask_again(number, **{**act, "reason": " "})
    books = ClosedMonths(engine)
    books.close("annex", "2026-11", {}, based_on=0, by="li", at=now + LATER)
    books.close("main", "2026-11", {}, based_on=0, by="li", at=now + LATER)
    with pytest.raises(Rejected, match=f"entry {number} stands on the bill of 2026-11, which is closed"):
        proposals.ask_again(number, **act)
    assert len(on_bills(engine)) == 2


def test_a_dismissed_entry_is_taken_back_whatever_was_closed_since(engine, found, now):
    number = propose(engine, found, now).number
    Proposals(engine).decide(number, enter=False, by="li", at=now, reason="r")
    ClosedMonths(engine).close("main", "2026-11", {}, based_on=0, by="li", at=now + LATER)
    assert Proposals(engine).ask_again(number, by="li", at=now + LATER, reason="r").state is EntryState.PROPOSED


def test_of_many_who_decide_one_is_heard(records_url, engine, found, now):
    number = propose(engine, found, now).number
    decision = {"by": "li", "at": now, "reason": "r"}
    got = at_once(
        records_url, 6, lambda records, who: Proposals(records).decide(number, enter=who % 2 == 0, **decision)
    )
    assert sum(isinstance(one, Rejected) for one in got) == 5


def test_figures_of_older_rules_are_judged_anew_once_whoever_asks(records_url, engine, now):
    Watches(engine).note("campus", Watched(77, now, rules=1))
    got = at_once(records_url, 6, lambda records, _: judge_anew(records, estate(), now))
    assert sorted(got) == [0] * 5 + [max(got)]
    asked = Recomputations(engine).open_ones()
    assert {point for one in asked for point in one.points} == {point.id for point in estate().counters}
    assert all((one.first_ms, one.proposes, one.by) == (0, True, "meterhouse") for one in asked)
    assert all(one.reason.startswith("stored figures are judged anew: false spells, demand") for one in asked)
    assert Watches(engine).watched("campus") == Watched(77, now)


def test_figures_of_these_rules_and_sites_that_were_never_watched_are_left_alone(engine, now):
    assert judge_anew(engine, estate(), now) == 0
    Watches(engine).note("campus", Watched(77, now))
    assert judge_anew(engine, estate(), now) == 0
    assert Recomputations(engine).open_ones() == []


def test_entries_and_watches_of_an_older_schema_are_entered_ones_of_older_rules(empty_url, found, now):
    at = now.isoformat(timespec="microseconds")
    row = {name: getattr(found, name) for name in Adjustment.__slots__} | {"at": at}
    make_old(empty_url, "0007", {"adjustment": [row], "watched": [{"site": "campus", "cursor": 7, "through": at}]})
    engine = open_records(empty_url)
    assert on_bills(engine) == [found]
    assert Proposals(engine).all_of() == []
    assert Watches(engine).watched("campus") == Watched(7, now, rules=RULES - 1)
    assert judge_anew(engine, estate(), now) > 0
    engine.dispose()


def test_the_books_say_when_each_month_was_closed(engine, now):
    books = ClosedMonths(engine)
    assert books.closing_times() == {}
    for k, month in enumerate(("2026-09", "2026-10")):
        books.close("main", month, {"total": k}, based_on=0, by="li", at=now + k * LATER)
    assert books.closing_times() == {("main", "2026-09"): now, ("main", "2026-10"): now + LATER}
    assert frozenset(books.closing_times()) == books.closed()
