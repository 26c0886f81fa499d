"""Two people change one record, each from what they saw: the second is told, and nobody's change is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.campus import estate, renamed
from rigs.poison import poison

from accounting.dirty import Dirty
from facility.errors import Rejected
from facility.work import AlertState, Cause, Finding, Severity, Verdict
from stores.records.accounting.closed_months import Adjustment, ClosedMonths
from stores.records.accounting.recomputations import Recomputations
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.errands import Errands
from stores.records.people import People
from stores.records.quarantine.quarantine import ItemState, Quarantine
from stores.records.registry import Registry
from stores.records.stale import Stale

HOUR = timedelta(hours=1)


@pytest.fixture
def registry(engine, now):
    registry = Registry(engine)
    registry.apply(estate(), by="anna", at=now)
    return registry


def with_serial(catalogue, meter, serial):
    meters = tuple(replace(one, serial=serial) if one.id == meter else one for one in catalogue.meters)
    return replace(catalogue, meters=meters)


@pytest.mark.parametrize("order", [("total", "door"), ("door", "total")])
def test_the_second_edit_of_one_version_is_refused_and_the_first_one_stands(registry, engine, now, order):
    first, second = (registry.revision(), registry.revision())
    quick, slow = order
    registry.edit(with_serial(first.catalogue, quick, "Q"), based_on=first.version, by="bob", at=now)
    with pytest.raises(Stale, match=rf"bob, 2026-11-23 09:30 UTC: changed meter {quick}: serial .* → 'Q'"):
        registry.edit(with_serial(second.catalogue, slow, "S"), based_on=second.version, by="kim", at=now)
    serials = {meter.id: meter.serial for meter in registry.load().meters}
    assert serials == {quick: "Q", slow: estate().meter[slow].serial}
    assert [entry.who for entry in Audit(engine).entries()] == ["bob", "anna"]
    again = registry.revision()
    registry.edit(with_serial(again.catalogue, slow, "S"), based_on=again.version, by="kim", at=now)
    assert {meter.id: meter.serial for meter in registry.load().meters} == {quick: "Q", slow: "S"}


def test_an_edit_of_a_version_that_is_to_come_is_refused(registry, now):
    with pytest.raises(Stale, match=r"the estate was changed since you looked at it"):
        registry.edit(renamed(estate(), "Hall"), based_on=2, by="kim", at=now)


def test_every_change_since_is_told(registry, now):
    seen = registry.revision()
    registry.edit(renamed(seen.catalogue, "Hall"), based_on=1, by="bob", at=now, reason="its name")
    registry.apply(renamed(estate(), "Great hall"), by="ann", at=now, accept=True)
    with pytest.raises(Stale) as refusal:
        registry.edit(with_serial(seen.catalogue, "total", "S"), based_on=seen.version, by="kim", at=now)
    assert [(deed.by, deed.what) for deed in refusal.value.deeds] == [
        ("bob", "its name: changed building main: name_en 'Main' → 'Hall'"),
        ("ann", "changed building main: name_en 'Hall' → 'Great hall'"),
    ]


@pytest.mark.parametrize("meanwhile", ["applied", "edited"])
def test_an_apply_is_held_to_the_difference_that_was_shown(registry, now, meanwhile):
    document = with_serial(estate(), "total", "S")
    shown = registry.difference(document)
    other = renamed(estate(), "Hall")
    if meanwhile == "applied":
        registry.apply(other, by="bob", at=now)
    else:
        registry.edit(other, based_on=1, by="bob", at=now)
    with pytest.raises(Stale, match=r"bob, .*name_en 'Main' → 'Hall'"):
        registry.apply(document, by="kim", at=now, accept=True, shown=shown)
    assert registry.load() == other
    registry.apply(document, by="kim", at=now, accept=True, shown=registry.difference(document))
    assert registry.load() == document


def test_an_apply_whose_difference_stands_goes_through(registry, now):
    document = with_serial(estate(), "total", "S")
    assert registry.apply(document, by="kim", at=now, shown=registry.difference(document))
    assert registry.load() == document


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


@pytest.fixture
def finding(now):
    return Finding("night_waste", "m/energy_import/total", "m", "b", now - HOUR, now, Severity.ACT, 0.9, ())


def take(casebook, seen, by, at):
    return casebook.acknowledge(seen.id, by, at, based_on=seen.acts)


def judge(casebook, seen, by, at):
    return casebook.close(seen.id, Verdict.FALSE_ALARM, Cause.EQUIPMENT, "a fair", by, at, based_on=seen.acts)


@pytest.mark.parametrize(("quick", "slow"), [(take, judge), (judge, take), (take, take), (judge, judge)])
def test_of_two_who_act_on_one_case_the_second_is_told_what_the_first_did(casebook, finding, now, quick, slow):
    seen = casebook.record(finding, money=None, notify=True)
    done = quick(casebook, seen, "bob", now)
    story = casebook.timeline(seen.id)
    with pytest.raises(Stale, match=rf"the case was changed since .*\n  bob, .*: {story[-1].what}"):
        slow(casebook, seen, "kim", now + HOUR)
    assert (casebook.alert(seen.id), casebook.timeline(seen.id)) == (done, story)


def test_a_verdict_is_not_taken_back_by_who_saw_an_earlier_one(casebook, finding, now):
    seen = judge(casebook, casebook.record(finding, money=None, notify=True), "bob", now)
    again = casebook.reopen(seen.id, "bob", now, based_on=seen.acts)
    stands = casebook.close(seen.id, Verdict.FIXED, Cause.EQUIPMENT, "", "ann", now + HOUR, based_on=again.acts)
    with pytest.raises(Stale) as refusal:
        casebook.reopen(seen.id, "kim", now + HOUR, based_on=seen.acts)
    assert [(deed.by, deed.what, deed.note) for deed in refusal.value.deeds] == [
        ("bob", "undone", ""),
        ("ann", "closed", "fixed"),
    ]
    assert casebook.alert(seen.id) == stands


def test_a_case_that_was_taken_by_another_is_not_given_back_for_them(casebook, finding, now):
    first = take(casebook, casebook.record(finding, money=None, notify=True), "bob", now)
    given_back = casebook.release(first.id, "bob", now, based_on=first.acts)
    take(casebook, given_back, "ann", now)
    with pytest.raises(Stale, match=r"ann, .*: acknowledged"):
        casebook.release(first.id, "bob", now, based_on=first.acts)
    assert casebook.alert(first.id).acknowledged_by == "ann"


def test_what_meterhouse_notes_meanwhile_does_not_make_a_verdict_stale(casebook, finding, now):
    seen = casebook.record(finding, money=None, notify=True)
    casebook.record(replace(finding, seen_at=now + HOUR), money=None, notify=True)
    casebook.resolve(finding.key, now + 2 * HOUR)
    with pytest.raises(Rejected, match=r"the alert is resolved, not open"):
        take(casebook, seen, "bob", now)
    assert judge(casebook, seen, "bob", now).state is AlertState.CLOSED


@pytest.fixture
def quarantine(engine, now):
    kept = Quarantine(engine)
    kept.put(poison(now, 1))
    return kept


def test_what_another_has_asked_for_is_not_discarded_unseen(quarantine, engine, now):
    errands = Errands(engine)
    asked = errands.ask("replay", 1, "bob", now)
    with pytest.raises(Stale, match=r"the item was changed since .*\n  bob, .*: asked"):
        quarantine.discard(1, "kim", "a test", now, based_on=ItemState.WAITING)
    assert [one.id for one in errands.waiting()] == [asked]
    quarantine.discard(1, "kim", "a test", now, based_on=ItemState.ASKED)
    assert errands.waiting() == []


def test_what_another_has_discarded_is_not_asked_for(quarantine, engine, now):
    quarantine.discard(1, "bob", "a test", now, based_on=ItemState.WAITING)
    with pytest.raises(Stale, match=r"bob, .*: discarded: a test"):
        Errands(engine).ask("replay", 1, "kim", now)
    with pytest.raises(Stale, match=r"bob, .*: discarded: a test"):
        quarantine.discard(1, "kim", "mine", now, based_on=ItemState.WAITING)
    assert quarantine.item(1).discard_reason == "a test"
    assert Errands(engine).waiting() == []


def test_of_two_languages_that_one_person_chooses_the_last_counts(engine, now):
    people = People(engine)
    session = people.redeem(people.invite("anna", now), now, 60)
    for language in ("zh-Hans", "en"):
        people.set_language("anna", language)
    assert people.person(session, now).language == "en"


def test_a_month_is_not_closed_with_a_bill_of_an_older_estate(registry, engine, now):
    books, version = ClosedMonths(engine), registry.version()
    registry.edit(with_serial(estate(), "total", "S"), based_on=version, by="bob", at=now)
    with pytest.raises(Stale, match=r"make the bill again.*\n  bob, .*serial 'A1' → 'S'"):
        books.close("main", "2026-10", {"total": "1"}, based_on=version, by="kim", at=now)
    assert books.closed() == frozenset()
    books.close("main", "2026-10", {"total": "2"}, based_on=version + 1, by="kim", at=now)
    assert books.closed_month("main", "2026-10").bill == {"total": "2"}


def test_a_difference_is_entered_once_by_whoever_computes_it_first(engine, now):
    books = ClosedMonths(engine)
    seen = books.newest_entry()
    found = Adjustment("b", "electricity", "m", "energy_import", "2026-09", now, "late", {"2026-09-01": {"qty": 2.0}})
    other = replace(found, month="2026-08")
    books.adjust([found], based_on=seen)
    with pytest.raises(Stale, match=r"the list of adjusting entries was changed .*\n  analytics, .*: m/2026-09: late"):
        books.adjust([other, found], based_on=seen)
    assert books.adjusted("m", "energy_import", "2026-08") == {}
    books.adjust([other], based_on=seen)
    assert books.adjusted("m", "energy_import", "2026-09") == {"2026-09-01": {"qty": 2.0}}


def test_a_piece_that_another_has_computed_is_not_noted_twice(engine, now):
    todo = Recomputations(engine)
    todo.ask([Dirty(("m/energy_import/total",), now - 3 * HOUR, None, "why")], by="bob", at=now, reason="")
    (one,) = todo.open_ones()
    todo.note(one.id, based_on=one.next_ms, next_ms=one.next_ms + 7, months={"2026-11": {}})
    for finished_at in (None, now):
        with pytest.raises(Stale, match=r"the recomputation was changed"):
            todo.note(one.id, based_on=one.next_ms, next_ms=one.next_ms + 3, months={}, finished_at=finished_at)
    assert (todo.open_ones()[0].next_ms, todo.open_ones()[0].months) == (one.next_ms + 7, {"2026-11": {}})
