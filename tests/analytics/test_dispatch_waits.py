"""What is asleep, folded, planned or too much for today waits, and is offered when its time comes; and its figures."""

from datetime import UTC, datetime, timedelta

import pytest
from rigs.dispatch_desk import DispatchDesk
from rigs.letter_desk import CONSOLE

from analytics.letters.courier import Post
from facility.order import OrderState, Skill, Work
from facility.work import Severity
from stores.records.case_figures import case_figures
from stores.records.case_list import CaseFilter
from stores.records.letters.letter import Haste, LetterState
from stores.records.orders.order_figures import OrderFigures
from stores.records.planned_events import PlanKind, PlannedEvent
from stores.records.roster.worker import Rank


@pytest.fixture
def desk(records):
    return DispatchDesk(records, datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


def test_what_leads_see_of_orders_is_how_soon_people_are_asked_and_how_much_is_done_in_time(desk):
    for name in ("ann", "bea"):
        desk.person(name)
    slow, called = desk.ask(), desk.ask()
    desk.orders.call_off(called.id, "", "boss", desk.clock(), based_on=0)
    alert = desk.find()
    desk.clock.pass_by(seconds=4)
    desk.turn()
    urgent = desk.order(alert)
    desk.orders.give(urgent.id, "ann", "boss", desk.clock(), based_on=urgent.acts)
    desk.orders.finish(urgent.id, Work(), "ann", desk.clock(), based_on=urgent.acts + 1)
    desk.orders.rate(urgent.id, 4, "", "boss", desk.clock())
    figures = case_figures(desk.records, desk.clock(), CaseFilter()).orders
    assert figures == OrderFigures(orders=3, due=1, in_time=1, assigned_p95_s=4.0, rating=4.0)
    late = desk.clock() + timedelta(days=30)
    assert case_figures(desk.records, late, CaseFilter()).orders.due == 2, slow
    assert case_figures(desk.records, late, CaseFilter(["elsewhere"])).orders.orders == 0


def test_what_sleeps_or_is_told_with_another_case_is_offered_to_nobody_until_it_wakes(desk):
    desk.person("ann")
    alert = desk.find()
    desk.turn()
    assert desk.order(alert).state is OrderState.OFFERED
    desk.casebook.snooze(alert.id, desk.clock() + timedelta(hours=4), "party", "kim", desk.clock(), based_on=0)
    desk.turn()
    assert desk.order(alert).state is OrderState.CALLED_OFF
    assert [one for one in desk.letters.all_of() if desk.letters.orders_of(one.id)] == [], "nothing is left to tell"
    desk.clock.pass_by(hours=3)
    desk.turn()
    assert len(desk.orders.of()) == 1
    desk.clock.pass_by(hours=1)
    desk.casebook.wake_all(desk.clock())
    desk.turn()
    again = desk.order(alert)
    assert (again.state, len(desk.orders.of())) == (OrderState.OFFERED, 2)
    parent = desk.find(detector="silent_agent")
    desk.casebook.fold([alert.key], parent.id, desk.clock())
    desk.turn()
    assert desk.orders.one(again.id).state is OrderState.CALLED_OFF
    assert desk.order(parent).state is OrderState.OFFERED
    assert len(desk.orders.of()) == 3


def test_what_is_put_aside_by_a_plan_is_ordered_when_the_plan_ends(desk):
    desk.person("ann")
    now = desk.clock()
    event = PlannedEvent(PlanKind.EVENT, "main", now - timedelta(hours=1), now + timedelta(hours=2), "sports day")
    desk.casebook.plans.add(event, "kim", now)
    alert = desk.find(Severity.ACT)
    desk.turn()
    assert desk.orders.of() == []
    desk.clock.pass_by(hours=2)
    desk.casebook.wake_all(desk.clock())
    desk.turn()
    assert desk.order(alert).state is OrderState.OFFERED


def test_who_slept_in_somebodys_hands_wakes_there(desk):
    desk.person("ann")
    alert = desk.find()
    desk.turn()
    order = desk.order(alert)
    desk.orders.accept(order.id, "ann", desk.clock(), based_on=0)
    case = desk.casebook.alert(alert.id)
    desk.casebook.snooze(alert.id, desk.clock() + timedelta(hours=4), "part", "ann", desk.clock(), based_on=case.acts)
    desk.turn()
    assert desk.orders.one(order.id).state is OrderState.ACCEPTED
    desk.clock.pass_by(hours=4)
    desk.casebook.wake_all(desk.clock())
    desk.turn()
    assert [(one.id, one.state, one.assignee) for one in desk.orders.of()] == [(order.id, OrderState.ACCEPTED, "ann")]


def full_today(desk, *, lead=False):
    """Somebody who has had their one order of today, and another that waits."""
    desk.person("ann", most_a_day=1)
    if lead:
        desk.person("lee", skills=(), rank=Rank.LEAD)
    desk.ask()
    desk.turn()
    waits = desk.ask()
    desk.turn()
    return desk.orders.one(waits.id)


def digests(desk, states=(LetterState.WAITING,)):
    return [one for one in desk.letters.all_of(list(states)) if one.haste is Haste.DAILY]


def carried(desk, letter) -> Post | None:
    return desk.clerk.post_of(letter, desk.letters, desk.clock(), takes_address=True)


def test_who_has_had_enough_for_today_reads_of_what_waits_in_the_mornings_digest(desk):
    waits = full_today(desk)
    assert waits.state is OrderState.WAITING
    desk.ask(severity=Severity.WATCH)
    desk.turn()
    desk.turn()
    [letter] = digests(desk)
    assert (letter.name, letter.due_at) == ("ann", datetime(2026, 11, 24, 0, 0, tzinfo=UTC)), "08:00 of the site"
    post = carried(desk, letter)
    assert post.subject.startswith("2 work orders wait for somebody: Mend it")
    assert f"{CONSOLE}/orders/{waits.id}" in post.body


def test_a_digest_of_which_nothing_is_left_does_not_leave(desk):
    waits = full_today(desk)
    [letter] = digests(desk)
    desk.orders.call_off(waits.id, "", "boss", desk.clock(), based_on=0)
    assert carried(desk, letter) is None


def test_a_digest_names_nothing_that_its_reader_could_not_do(desk):
    full_today(desk)
    desk.ask(skill=Skill.WATER, building="lib")
    [letter] = digests(desk)
    desk.person("ann", skills={Skill.GENERAL}, places=("main",), most_a_day=1)
    desk.turn()
    assert carried(desk, letter).subject.startswith("A work order waits for somebody")


def test_a_lead_on_shift_is_asked_before_anything_waits_for_the_morning(desk):
    assert full_today(desk, lead=True).assignee == "lee"
    assert digests(desk) == []


def test_what_is_urgent_waits_for_no_digest(desk):
    desk.person("ann", most_a_day=1)
    for _ in range(3):
        desk.ask(severity=Severity.URGENT)
    desk.turn()
    assert {one.assignee for one in desk.orders.of()} == {"ann"}
    assert digests(desk) == []
