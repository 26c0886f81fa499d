"""Another system hears each step of a work order, in order, under one id, whatever becomes of it meanwhile."""

from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from rigs.dispatch_desk import DispatchDesk
from rigs.mailboxes import WebAddress
from rigs.patience import until

from analytics.dispatch.order_hook import OrderHook
from analytics.metrics import Rounds
from facility.errors import ConfigError
from stores.records.orders.order_telling import OrderTelling


@pytest.fixture
def hook():
    with WebAddress() as address:
        yield address


@pytest.fixture
def desk(records):
    made = DispatchDesk(records, datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    made.person("kim")
    return made


def hook_to(desk, url):
    found = OrderHook(url, OrderTelling(desk.records), Rounds(monotonic))
    found._stop.set()  # it does not wait between tries
    return found


def url_of(address):
    return address.url.replace("json://", "http://")


def test_each_step_arrives_once_in_order_and_none_of_before(desk, hook):
    desk.ask()
    teller = hook_to(desk, url_of(hook))
    assert not teller.turn()
    order = desk.ask()
    desk.turn()
    desk.orders.accept(order.id, "kim", desk.clock(), based_on=0)
    while teller.turn():
        pass
    said = [body["what"] for _, body in hook.heard]
    assert [what for what in said if what != "offered_worker"] == ["made", "accepted"]
    assert hook.heard[-1][1]["order"]["assignee"] == "kim"
    assert len(set(hook.ids)) == len(hook.ids)
    assert [body["id"] for _, body in hook.heard] == hook.ids


@pytest.mark.parametrize("fault", ["500", "404", "302"])
def test_what_is_not_taken_comes_again_under_the_same_id(desk, hook, fault):
    teller = hook_to(desk, url_of(hook))
    teller.turn()
    desk.ask()
    hook.fault = fault
    assert not teller.turn()
    assert "the answer was" in teller._why
    hook.fault = "slow"
    assert teller.turn()
    again = OrderTelling(desk.records)
    assert again.next() is None or again.next().step.what != "made"
    assert len(hook.heard) == 1


def test_nobody_there_is_said_and_kept(desk):
    teller = hook_to(desk, "http://127.0.0.1:9/hook")
    teller.turn()
    desk.ask()
    assert not teller.turn()
    assert teller._why == "ConnectionRefusedError"
    assert OrderTelling(desk.records).next().step.what == "made"


def test_an_address_that_is_none_is_refused_without_its_key(desk):
    with pytest.raises(ConfigError, match="METERHOUSE_ORDERS_HOOK") as refused:
        hook_to(desk, "ftp://user:s3cr3t@cmms/hook")
    assert "s3cr3t" not in str(refused.value)


def test_it_runs_beside_the_rest(desk, hook):
    telling = OrderTelling(desk.records)
    telling.next()
    with OrderHook(url_of(hook), telling, Rounds(monotonic)):
        desk.clock.now += timedelta(seconds=1)
        desk.ask()
        until(lambda: hook.heard)
