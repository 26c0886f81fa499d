"""A case from its first finding to its verdict, and every step back."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from facility.errors import Rejected
from facility.quantities import Utility
from facility.work import (
    AlertState,
    Cause,
    Evidence,
    Excess,
    Finding,
    Money,
    Severity,
    Verdict,
    alert_id,
    over_at,
    still_shows,
)
from stores.records.audit import Audit
from stores.records.casebook import Casebook

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


@pytest.fixture
def finding(now):
    return Finding(
        detector="night_waste",
        point="main/energy_import/total",
        meter="main",
        building="b1",
        since=now - 3 * HOUR,
        seen_at=now,
        severity=Severity.ACT,
        confidence=0.9,
        evidence=(Evidence("main/energy_import/total", now - DAY, now, "usage"),),
        params={"extra_qty": 12.5, "unit": "kWh", "since_at": "2026-11-23T06:30:00Z"},
        excess=Excess(12.5, "kWh", 100.0),
        utility=Utility.ELECTRICITY,
    )


def later(finding, by, **changes):
    return replace(finding, seen_at=finding.seen_at + by, **changes)


MONEY = Money(3.0, 24.0, "GBP")


def whats(casebook, alert):
    return [event.what for event in casebook.timeline(alert.id)]


def test_a_finding_opens_a_case(casebook, finding):
    alert = casebook.record(finding, money=MONEY, notify=False)
    assert alert.id == alert_id(finding)
    assert (alert.state, alert.count, alert.notify) == (AlertState.OPEN, 1, False)
    assert (alert.message_id, alert.params) == ("alert.night_waste", finding.params)
    assert (alert.evidence, alert.excess, alert.money) == (finding.evidence, finding.excess, MONEY)
    assert (alert.since, alert.raised_at, alert.last_seen_at) == (finding.since, finding.seen_at, finding.seen_at)
    assert alert.raised_at.tzinfo is not None
    assert casebook.alert(alert.id) == alert
    assert whats(casebook, alert) == ["opened"]


def test_further_findings_bring_the_case_up_to_date(casebook, finding):
    first = casebook.record(finding, money=MONEY, notify=True)
    more = later(finding, HOUR, since=finding.since + HOUR, severity=Severity.URGENT, params={"n": 2}, excess=None)
    second = casebook.record(more, money=None, notify=False)
    assert second.id == first.id
    assert (second.count, second.severity, second.params) == (2, Severity.URGENT, {"n": 2})
    assert (second.excess, second.money) == (None, None)
    assert (second.since, second.raised_at, second.notify) == (first.since, first.raised_at, True)
    assert second.last_seen_at == more.seen_at


def test_a_finding_seen_before_changes_nothing(casebook, finding):
    casebook.record(finding, money=MONEY, notify=True)
    after = casebook.record(later(finding, HOUR), money=MONEY, notify=True)
    assert casebook.record(finding, money=None, notify=True) == after
    casebook.resolve(finding.key, finding.seen_at + 2 * HOUR)
    assert casebook.record(finding, money=None, notify=True).state is AlertState.RESOLVED
    assert len(casebook.alerts()) == 1


def test_a_cause_that_goes_away_resolves_the_case(casebook, finding, now):
    casebook.record(finding, money=None, notify=True)
    assert casebook.resolve(finding.key, now - HOUR) is None, "it was seen later than that"
    alert = casebook.resolve(finding.key, now + HOUR)
    assert (alert.state, alert.resolved_at) == (AlertState.RESOLVED, now + HOUR)
    assert casebook.resolve(finding.key, now + HOUR) is None
    assert casebook.resolve("no/such/key", now) is None


def test_a_cause_that_returns_within_a_day_reopens_the_case(casebook, finding, now):
    first = casebook.record(finding, money=None, notify=True)
    casebook.acknowledge(first.id, "anna", now, based_on=0)
    casebook.resolve(finding.key, now + HOUR)
    back = casebook.record(later(finding, DAY, since=now + 23 * HOUR), money=None, notify=True)
    assert (back.id, back.state, back.count) == (first.id, AlertState.OPEN, 2)
    assert (back.resolved_at, back.acknowledged_by) == (None, "")
    assert whats(casebook, first) == ["opened", "acknowledged", "resolved", "reopened"]


def test_a_cause_that_returns_after_a_day_is_a_new_case(casebook, finding, now):
    first = casebook.record(finding, money=None, notify=True)
    casebook.resolve(finding.key, now + HOUR)
    again = casebook.record(later(finding, 26 * HOUR, since=now + DAY), money=None, notify=True)
    assert again.id != first.id
    assert [a.id for a in casebook.alerts()] == [again.id, first.id]


@pytest.mark.parametrize("verdict", [Verdict.EXPECTED, Verdict.ACCEPTED, Verdict.FALSE_ALARM])
def test_after_such_a_verdict_there_is_a_week_of_quiet(casebook, finding, now, verdict):
    first = casebook.record(finding, money=None, notify=True)
    closed = casebook.close(first.id, verdict, Cause.PROCESS, "a fair", "anna", now + HOUR, based_on=0)
    fresh = {"since": now + 2 * HOUR}
    assert casebook.record(later(finding, 6 * DAY, **fresh), money=MONEY, notify=True) == closed
    assert casebook.record(later(finding, 7 * DAY + HOUR, **fresh), money=MONEY, notify=True).id != first.id


NO_HOLDS = {}


def fixed_at(casebook, finding, at):
    """Of what costs nothing: what does is measured for three nights."""
    first = casebook.record(replace(finding, excess=None), money=None, notify=True)
    fixed = casebook.close(first.id, Verdict.FIXED, Cause.EQUIPMENT, "valve", "anna", at, based_on=0)
    assert (fixed.state, fixed.closed_at) == (AlertState.BEING_CHECKED, at)
    return fixed


def test_what_was_fixed_and_shows_anew_is_open_again_at_once(casebook, finding, now):
    fixed = fixed_at(casebook, finding, now + HOUR)
    anew = casebook.record(later(finding, 2 * HOUR, since=now + 1.5 * HOUR), money=None, notify=True)
    assert (anew.id, anew.state, anew.verdict, anew.closed_at) == (fixed.id, AlertState.OPEN, None, None)
    assert whats(casebook, fixed) == ["opened", "closed", "reopened"]


def test_what_was_fixed_may_show_for_a_day_and_says_so(casebook, finding, now):
    fixed = fixed_at(casebook, finding, now + HOUR)
    assert not still_shows(fixed)
    shown = casebook.record(later(finding, 1.5 * HOUR), money=MONEY, notify=True)
    assert (shown.id, shown.state, shown.verdict) == (fixed.id, AlertState.BEING_CHECKED, Verdict.FIXED)
    assert still_shows(shown)
    assert casebook.being_checked() == {finding.building: 1}
    assert casebook.settle(now + 24 * HOUR, NO_HOLDS) == [], "it was seen less than a day ago"
    again = casebook.record(later(finding, 25 * HOUR), money=None, notify=True)
    assert (again.id, again.state, again.verdict, again.closed_at) == (fixed.id, AlertState.OPEN, None, None)


def test_what_was_fixed_is_closed_once_its_cause_has_been_gone_for_a_day(casebook, finding, now):
    fixed = fixed_at(casebook, finding, now + HOUR)
    casebook.record(later(finding, 5 * HOUR, excess=None), money=None, notify=True)
    assert casebook.settle(now + 28 * HOUR, NO_HOLDS) == []
    (closed,) = casebook.settle(now + 29 * HOUR, NO_HOLDS)
    assert (closed.id, closed.state, closed.closed_at) == (fixed.id, AlertState.CLOSED, fixed.closed_at)
    assert (casebook.being_checked(), whats(casebook, fixed)) == ({}, ["opened", "closed", "checked"])
    assert casebook.settle(now + 90 * HOUR, NO_HOLDS) == []
    anew = casebook.record(later(finding, 40 * HOUR, since=now + 39 * HOUR), money=None, notify=True)
    assert anew.id != fixed.id, "that is another case"


def test_a_detector_that_looks_seldom_must_have_looked_before_it_is_closed(casebook, finding, now):
    fixed_at(casebook, finding, now)
    assert casebook.settle(now + 71 * HOUR, {"night_waste": 72 * HOUR}) == []
    assert len(casebook.settle(now + 72 * HOUR, {"night_waste": 72 * HOUR})) == 1


def test_what_had_gone_away_a_day_before_it_was_fixed_needs_no_check(casebook, finding, now):
    first = casebook.record(replace(finding, excess=None), money=None, notify=True)
    casebook.resolve(finding.key, now + HOUR)
    closed = casebook.close(first.id, Verdict.FIXED, Cause.EQUIPMENT, "", "anna", now + 26 * HOUR, based_on=0)
    assert closed.state is AlertState.CLOSED


def test_who_errs_opens_again_what_is_being_checked(casebook, finding, now):
    fixed = fixed_at(casebook, finding, now + HOUR)
    assert casebook.resolve(finding.key, now + 2 * HOUR) is None, "a verdict stands: it does not merely go away"
    undone = casebook.reopen(fixed.id, "anna", now + 3 * HOUR, based_on=1)
    assert (undone.state, undone.verdict, casebook.being_checked()) == (AlertState.OPEN, None, {})
    assert casebook.resolve(finding.key, now + 4 * HOUR).state is AlertState.RESOLVED


def test_it_has_not_ended_for_who_draws_it_while_it_is_being_checked(casebook, finding, now):
    fixed = fixed_at(casebook, finding, now + HOUR)
    assert over_at(fixed) is None
    (closed,) = casebook.settle(now + 26 * HOUR, NO_HOLDS)
    assert over_at(closed) == now + HOUR


def test_a_person_takes_a_case_and_gives_it_back(casebook, finding, now):
    opened = casebook.record(finding, money=MONEY, notify=True)
    taken = casebook.acknowledge(opened.id, "anna", now + HOUR, based_on=0)
    assert (taken.state, taken.acknowledged_by, taken.acknowledged_at) == (AlertState.ACKNOWLEDGED, "anna", now + HOUR)
    assert casebook.record(later(finding, 2 * HOUR), money=None, notify=True).state is AlertState.ACKNOWLEDGED
    with pytest.raises(Rejected, match="the alert is acknowledged, not open"):
        casebook.acknowledge(opened.id, "bob", now, based_on=1)
    given_back = casebook.release(opened.id, "anna", now + 2 * HOUR, based_on=1)
    assert (given_back.state, given_back.acknowledged_by, given_back.acknowledged_at) == (AlertState.OPEN, "", None)


@pytest.mark.parametrize("before", ["open", "acknowledged", "resolved"])
def test_a_verdict_can_be_undone(casebook, finding, now, before):
    case = casebook.record(finding, money=MONEY, notify=True)
    if before == "acknowledged":
        case = casebook.acknowledge(case.id, "anna", now, based_on=0)
    if before == "resolved":
        case = casebook.resolve(finding.key, now)
    closed = casebook.close(
        case.id, Verdict.FIXED, Cause.EQUIPMENT, "valve shut", "anna", now + HOUR, based_on=case.acts
    )
    assert (closed.state, closed.verdict, closed.verdict_note) == (
        AlertState.BEING_CHECKED,
        Verdict.FIXED,
        "valve shut",
    )
    assert closed.closed_at == now + HOUR
    undone = casebook.reopen(case.id, "anna", now + 2 * HOUR, based_on=closed.acts)
    assert undone == replace(case, acts=closed.acts + 1)
    assert casebook.timeline(case.id)[-1].what == "undone"


def test_a_verdict_cannot_be_undone_while_a_newer_case_is_open(casebook, finding, now):
    case = casebook.record(finding, money=None, notify=True)
    casebook.close(case.id, Verdict.DUPLICATE, Cause.EQUIPMENT, "", "anna", now, based_on=0)
    casebook.record(later(finding, HOUR, since=now), money=None, notify=True)
    with pytest.raises(Rejected, match="a newer case"):
        casebook.reopen(case.id, "anna", now, based_on=1)


def test_steps_that_make_no_sense_are_refused(casebook, finding, now):
    case = casebook.record(finding, money=None, notify=True)
    with pytest.raises(Rejected, match="the alert is open, not acknowledged"):
        casebook.release(case.id, "anna", now, based_on=0)
    with pytest.raises(Rejected, match="not being_checked or closed"):
        casebook.reopen(case.id, "anna", now, based_on=0)
    casebook.close(case.id, Verdict.DUPLICATE, Cause.EQUIPMENT, "", "anna", now, based_on=0)
    with pytest.raises(Rejected, match="the alert is closed"):
        casebook.close(case.id, Verdict.FIXED, Cause.EQUIPMENT, "", "anna", now, based_on=1)
    with pytest.raises(Rejected, match="there is no alert"):
        casebook.acknowledge(uuid4(), "anna", now, based_on=0)
    assert casebook.alert(uuid4()) is None
    assert [entry.what for entry in Audit(casebook._engine).entries()] == ["alert.closed"]


def test_each_act_of_a_person_is_told_and_audited(casebook, engine, finding, now):
    case = casebook.record(finding, money=None, notify=True)
    casebook.acknowledge(case.id, "anna", now, based_on=0)
    casebook.release(case.id, "anna", now, based_on=1)
    casebook.close(case.id, Verdict.EXPECTED, Cause.EQUIPMENT, "a fair", "bob", now, based_on=2)
    casebook.reopen(case.id, "bob", now, based_on=3)
    steps = ["acknowledged", "released", "closed", "undone"]
    assert whats(casebook, case) == ["opened", *steps]
    assert casebook.timeline(case.id)[3].note == "expected: a fair"
    entries = Audit(engine).entries()[::-1]
    assert [(e.who, e.what) for e in entries] == [
        (who, f"alert.{step}") for who, step in zip(["anna", "anna", "bob", "bob"], steps, strict=True)
    ]
    assert {e.subject for e in entries} == {str(case.id)}
    assert Audit(engine).verify()
