"""The demo's people are sent to what is open, and their letters stay on the machine, whatever is started how often."""

from datetime import UTC, datetime, time, timedelta
from time import monotonic

import pytest
from rigs.campus import estate
from rigs.dispatch_desk import dispatcher_of
from rigs.letter_desk import Clock, finding

from analytics.letters.couriers import read_couriers
from analytics.letters.post_office import PostOffice
from analytics.metrics import Rounds
from facility.order import OrderState
from facility.work import Severity
from meterhouse.demo.roster import COURIER, PEOPLE, order_open_cases, put_roster
from stores.mailbox import Mailbox
from stores.records.casebook import Casebook
from stores.records.letters.contacts import Contacts
from stores.records.letters.letters import Letters
from stores.records.orders.orders import Orders
from stores.records.registry import Registry
from stores.records.roster.roster import Roster

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.fixture
def demo(records):
    Registry(records).apply(estate(), by="demo", at=NOW)
    put_roster(records, "Europe/London", NOW)
    return records


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_at_every_hour_of_two_weeks_somebody_who_knows_everything_is_on_shift(demo, hour):
    for day in (0, 7, 13):
        at = datetime.combine(NOW.date() + timedelta(days=day), time(hour), UTC)
        assert "Duty engineer" in {one.name for one in Roster(demo).shifts(at, at + timedelta(minutes=1))}


def test_a_second_start_doubles_nobody(demo):
    put_roster(demo, "Europe/London", NOW)
    assert [one.name for one in Roster(demo).workers()] == sorted(one.name for one in PEOPLE)
    assert len(Contacts(demo).all_of()) == len(PEOPLE)


def test_what_history_found_is_ordered_once_offered_and_told_in_the_mailbox(demo, tmp_path):
    clock, casebook = Clock(NOW), Casebook(demo)
    leak = casebook.record(finding(NOW, Severity.URGENT), money=None, notify=False)
    casebook.record(finding(NOW, Severity.WATCH, "drift"), money=None, notify=False)
    assert order_open_cases(demo, NOW) == 1
    assert order_open_cases(demo, NOW) == 0
    dispatcher, clerk = dispatcher_of(demo, clock, couriers=(COURIER,))
    while dispatcher.turn():
        pass
    [order] = Orders(demo).of()
    assert (order.wish.alert, order.state) == (leak.id, OrderState.OFFERED)
    couriers = read_couriers(f"{COURIER}=folder://{tmp_path}/mail%20box")
    office = PostOffice(Letters(demo), Contacts(demo), clerk, couriers, clock, Rounds(monotonic))
    while office.carry(COURIER):
        pass
    [(_, letter)] = Mailbox(tmp_path / "mail box").letters()
    assert letter.address == next(one.contact.address for one in PEOPLE if one.name == order.assignee)
    assert f"/orders/{order.id}" in letter.body
