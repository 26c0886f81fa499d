"""What cases do between opening and closing: sleep, wake, flap, fold, wait out what was planned, prove a saving."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from facility.errors import Rejected
from facility.work import AlertState, Cause, Evidence, Excess, Finding, Money, Saving, Severity, Verdict
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.letters.letter import TOLD
from stores.records.planned_events import PlanKind, PlannedEvent, PlannedEvents

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


@pytest.fixture
def plans(engine):
    return PlannedEvents(engine)


@pytest.fixture
def finding(now):
    return Finding(
        detector="continuous_flow",
        point="w/water_volume/total",
        meter="w",
        building="b1",
        since=now - 3 * HOUR,
        seen_at=now,
        severity=Severity.ACT,
        confidence=0.9,
        evidence=(Evidence("w/water_volume/total", now - DAY, now, "usage"),),
        excess=Excess(0.5, "m3", 2.0),
    )


def later(finding, by, **changes):
    return replace(finding, seen_at=finding.seen_at + by, **changes)


def record(casebook, finding):
    return casebook.record(finding, money=Money(3.0, 12.0, "CNY"), notify=True)


def whats(casebook, alert):
    return [event.what for event in casebook.timeline(alert.id)]


def steps_for_letters(casebook, alert):
    return [what for what in whats(casebook, alert) if what in TOLD]


def test_a_snoozed_case_is_still_seen_and_told_to_nobody_until_its_time(casebook, finding, now):
    case = record(casebook, finding)
    snoozed = casebook.snooze(case.id, now + 4 * HOUR, "the plumber comes at noon", "kim", now, based_on=0)
    assert (snoozed.state, snoozed.snoozed_until) == (AlertState.SNOOZED, now + 4 * HOUR)
    seen = record(casebook, later(finding, 3 * HOUR))
    assert (seen.state, seen.count) == (AlertState.SNOOZED, 2)
    assert casebook.unsettled() == {}
    awake = record(casebook, later(finding, 4 * HOUR))
    assert (awake.id, awake.state) == (case.id, AlertState.OPEN)
    assert steps_for_letters(casebook, case) == ["opened", "woke"]


def test_a_case_wakes_by_the_clock_though_nothing_is_found_meanwhile(casebook, finding, now):
    case = record(casebook, finding)
    case = casebook.acknowledge(case.id, "kim", now, based_on=0)
    casebook.snooze(case.id, now + HOUR, "lunch", "kim", now, based_on=1)
    assert casebook.wake_all(now + HOUR - timedelta(seconds=1)) == []
    (awake,) = casebook.wake_all(now + HOUR)
    assert (awake.state, awake.acknowledged_by) == (AlertState.ACKNOWLEDGED, "kim")
    assert casebook.wake_all(now + 2 * HOUR) == []


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        ({"excess": Excess(1.0, "m3", 3.9)}, False),
        ({"excess": Excess(1.0, "m3", 4.0)}, True),
        ({"severity": Severity.URGENT}, True),
        ({"excess": None}, False),
    ],
)
def test_what_doubles_or_becomes_worse_wakes_its_case(casebook, finding, now, change, wakes):
    case = record(casebook, finding)
    casebook.snooze(case.id, now + DAY, "later", "kim", now, based_on=0)
    seen = record(casebook, later(finding, HOUR, **change))
    assert (seen.state is AlertState.OPEN) == wakes
    assert ("woke" in whats(casebook, case)) == wakes


@pytest.mark.parametrize(
    ("until", "reason"), [(timedelta(0), "x"), (-HOUR, "x"), (14 * DAY + HOUR, "x"), (HOUR, ""), (HOUR, " \n")]
)
def test_a_snooze_needs_a_reason_and_an_end_within_two_weeks(casebook, finding, now, until, reason):
    case = record(casebook, finding)
    with pytest.raises(Rejected):
        casebook.snooze(case.id, now + until, reason, "kim", now, based_on=0)
    assert casebook.alert(case.id) == case


def test_only_what_runs_is_snoozed_and_only_what_sleeps_is_woken(casebook, engine, finding, now):
    case = record(casebook, finding)
    with pytest.raises(Rejected, match="the alert is open, not snoozed"):
        casebook.wake(case.id, "kim", now, based_on=0)
    casebook.snooze(case.id, now + DAY, "later", "kim", now, based_on=0)
    assert casebook.wake(case.id, "kim", now, based_on=1).state is AlertState.OPEN
    casebook.resolve(finding.key, now + HOUR)
    with pytest.raises(Rejected, match="the alert is resolved"):
        casebook.snooze(case.id, now + DAY, "later", "kim", now, based_on=2)
    assert sorted(entry.what for entry in Audit(engine).entries()) == ["alert.snoozed", "alert.woken"]


def test_what_is_snoozed_can_be_closed_and_goes_away_by_itself(casebook, finding, now):
    case = record(casebook, finding)
    casebook.snooze(case.id, now + DAY, "later", "kim", now, based_on=0)
    gone = casebook.resolve(finding.key, now + HOUR)
    assert gone.state is AlertState.RESOLVED
    closed = casebook.close(case.id, Verdict.ACCEPTED, Cause.PROCESS, "", "kim", now + HOUR, based_on=1)
    assert (closed.state, closed.cause, closed.snoozed_until) == (AlertState.CLOSED, Cause.PROCESS, None)
    assert casebook.wake_all(now + 2 * DAY) == []


def test_what_comes_and_goes_is_told_four_times_and_then_held_open(casebook, finding, now):
    """Ten times on and off within five hours."""
    case = record(casebook, finding)
    for n in range(10):
        at = timedelta(minutes=30 * n)
        casebook.resolve(finding.key, now + at + timedelta(minutes=10))
        record(casebook, later(finding, at + timedelta(minutes=20), since=now + at + timedelta(minutes=20)))
    assert steps_for_letters(casebook, case) == ["opened", "reopened", "reopened", "flapped"]
    last = casebook.alert(case.id).last_seen_at
    assert casebook.resolve(finding.key, last + 5 * HOUR) is None
    assert casebook.resolve(finding.key, last + 6 * HOUR).state is AlertState.RESOLVED
    assert len(casebook.alerts()) == 1


def plan(now, **changes):
    fields = {"kind": PlanKind.MAINTENANCE, "building": "b1", "begins_at": now - HOUR, "ends_at": now + 6 * HOUR}
    return PlannedEvent(**{**fields, "reason": "the main is flushed", **changes})


def test_what_is_found_in_maintenance_waits_until_its_end(casebook, plans, finding, now):
    plans.add(plan(now), "ann", now - DAY)
    case = record(casebook, finding)
    assert (case.state, case.snoozed_until) == (AlertState.SNOOZED, now + 6 * HOUR)
    assert steps_for_letters(casebook, case) == []
    assert record(casebook, later(finding, 6 * HOUR)).state is AlertState.OPEN
    assert steps_for_letters(casebook, case) == ["woke"]


def test_what_ends_with_the_maintenance_needs_nobodys_verdict_and_silences_nothing_after(casebook, plans, finding, now):
    plans.add(plan(now), "ann", now - DAY)
    case = record(casebook, finding)
    gone = casebook.resolve(finding.key, now + 5 * HOUR)
    assert (gone.state, gone.verdict) == (AlertState.CLOSED, None)
    assert whats(casebook, case) == ["put_aside", "passed"]
    after = record(casebook, later(finding, 8 * HOUR, since=now + 7 * HOUR))
    assert (after.state, steps_for_letters(casebook, after)) == (AlertState.OPEN, ["opened"])


@pytest.mark.parametrize(
    "change",
    [{"building": "b2"}, {"meter": "other"}, {"detector": "spike"}, {"ends_at": "before"}, {"gone": True}],
)
def test_what_is_planned_elsewhere_hides_nothing(casebook, plans, finding, now, change):
    made = {name: now - timedelta(minutes=1) if value == "before" else value for name, value in change.items()}
    is_gone = made.pop("gone", False)
    kept = plans.add(plan(now, **made), "ann", now - DAY)
    if is_gone:
        plans.withdraw(kept.id, "ann", now - HOUR)
    assert record(casebook, finding).state is AlertState.OPEN


def test_what_is_urgent_is_told_in_maintenance_too(casebook, plans, finding, now):
    plans.add(plan(now), "ann", now - DAY)
    assert record(casebook, replace(finding, severity=Severity.URGENT)).state is AlertState.OPEN
    other = replace(finding, meter="x")
    assert record(casebook, other).state is AlertState.SNOOZED
    assert record(casebook, later(other, HOUR, severity=Severity.URGENT)).state is AlertState.OPEN


def test_an_event_of_every_week_is_told_by_the_clocks_of_its_site():
    begins = datetime(2026, 3, 5, 18, tzinfo=UTC)  # Thursday, 18:00 in London, winter time
    event = plan(begins, begins_at=begins, ends_at=begins + 4 * HOUR, every_week=True, zone="Europe/London")
    assert event.end_at(begins + timedelta(weeks=2)) == begins + timedelta(weeks=2) + 4 * HOUR
    summer = datetime(2026, 4, 2, 17, tzinfo=UTC)  # 18:00 again
    assert event.end_at(summer) == summer + 4 * HOUR
    assert event.end_at(summer - timedelta(minutes=1)) is None
    assert event.end_at(summer + 4 * HOUR) is None
    assert event.end_at(begins - timedelta(weeks=1)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"reason": " "},
        {"reason": "x" * 501},
        {"ends_at": "begin"},
        {"ends_at": timedelta(days=15)},
        {"every_week": True, "ends_at": timedelta(days=8)},
        {"begins_at": timedelta(days=-3), "ends_at": timedelta(days=-2)},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(plans, now, change):
    made = {name: now + value if isinstance(value, timedelta) else value for name, value in change.items()}
    if made.get("ends_at") == "begin":
        made["ends_at"] = now - HOUR
    with pytest.raises(Rejected):
        plans.add(plan(now, **made), "ann", now)
    assert plans.all_of() == []


def test_plans_are_listed_withdrawn_once_and_audited(plans, engine, now):
    kept = plans.add(plan(now), "ann", now)
    weekly = plans.add(plan(now, building="b2", kind=PlanKind.EVENT, every_week=True), "ann", now)
    assert plans.all_of(["b2"]) == [weekly] == plans.all_of(from_at=now + DAY)
    assert plans.event(kept.id) == kept
    plans.withdraw(kept.id, "bob", now)
    with pytest.raises(Rejected, match="there is no planned event"):
        plans.withdraw(kept.id, "bob", now)
    with pytest.raises(Rejected):
        plans.withdraw(999, "bob", now)
    assert plans.event(kept.id) is None
    assert [entry.what for entry in Audit(engine).entries()].count("planned_event.withdrawn") == 1


def test_cases_are_folded_unless_somebody_has_them_in_hand(casebook, finding, now):
    parent = record(casebook, replace(finding, detector="silent_gateway"))
    first, second = (record(casebook, replace(finding, meter=f"m{n}")) for n in range(2))
    casebook.acknowledge(second.id, "kim", now, based_on=0)
    keys = [first.key, second.key, parent.key, "no/such/key"]
    (folded,) = casebook.fold(keys, parent.id, now + HOUR)
    assert (folded.id, folded.state, folded.verdict) == (first.id, AlertState.CLOSED, Verdict.DUPLICATE)
    assert casebook.folded_into(parent.id) == [folded]
    assert casebook.fold(keys, parent.id, now + HOUR) == []
    anew = record(casebook, later(replace(finding, meter="m0"), 2 * HOUR, since=now + 1.5 * HOUR))
    assert anew.id != first.id


def fixed(casebook, finding, now):
    case = record(casebook, finding)
    return casebook.close(case.id, Verdict.FIXED, Cause.EQUIPMENT, "valve", "kim", now, based_on=0)


def test_what_was_fixed_is_measured_for_three_nights_and_its_saving_confirmed(casebook, finding, now):
    case = fixed(casebook, finding, now)
    saving = Saving(1.8, "m3", 3, 10.8, "CNY")
    assert casebook.settle(now + 3 * DAY - HOUR, {}, lambda _: saving) == []
    (closed,) = casebook.settle(now + 3 * DAY, {}, lambda _: saving)
    assert (closed.state, closed.saving) == (AlertState.CLOSED, saving)
    last = casebook.timeline(case.id)[-1]
    assert (last.what, last.note) == ("saved", "1.8 m3")


def test_what_saves_less_than_half_is_open_again_and_steps_for_letters(casebook, finding, now):
    case = fixed(casebook, finding, now)
    (again,) = casebook.settle(now + 3 * DAY, {}, lambda _: Saving(0.9, "m3", 3))
    assert (again.state, again.verdict, again.cause, again.saving) == (AlertState.OPEN, None, None, None)
    assert steps_for_letters(casebook, case) == ["opened", "not_saved"]
    assert casebook.alert(case.id).last_seen_at == now + 3 * DAY, "it runs until its detector has looked"


def test_what_cannot_be_measured_is_closed_without_a_figure(casebook, finding, now):
    case = fixed(casebook, finding, now)
    (closed,) = casebook.settle(now + 3 * DAY, {})
    assert (closed.state, closed.saving, whats(casebook, case)[-1]) == (AlertState.CLOSED, None, "checked")


def test_the_same_findings_again_make_no_second_case_and_no_second_step(casebook, plans, finding, now):
    """A replay of everything that was found, over cases that slept, came back and were put aside."""
    plans.add(plan(now, detector="spike"), "ann", now - DAY)
    found = [finding, replace(finding, detector="spike"), *(later(finding, n * HOUR) for n in range(1, 5))]
    for one in found:
        record(casebook, one)
    casebook.snooze(casebook.record(found[-1], money=None, notify=True).id, now + DAY, "x", "kim", now, based_on=0)
    before = casebook.alerts(), [whats(casebook, one) for one in casebook.alerts()]
    for one in found:
        record(casebook, one)
    assert (casebook.alerts(), [whats(casebook, one) for one in casebook.alerts()]) == before
