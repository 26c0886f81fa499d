"""Somebody from outside whose work in one building ends on a day: what they may before it, and what is left after."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from rigs.patience import PATIENCE_S
from rigs.photos import jpeg
from rigs.sample import NOW
from rigs.serving import served
from rigs.visitor import post

from facility.order import OrderPlace, OrderWish, Skill
from facility.rights import Role
from facility.work import Severity
from stores.records.accounts.grants import Grants
from stores.records.audit import Audit, AuditFilter
from stores.records.letters.take_links import TakeLinks
from stores.records.orders.order_files import OrderFiles
from stores.records.orders.orders import Orders

NAME = "Plumber"
LAST_DAY = NOW.date() + timedelta(days=2)


@pytest.fixture
def clock():
    return [NOW + timedelta(seconds=1)]


@pytest.fixture
def console(sample, clock):
    with served(sample.store, sample.records, lambda: clock[0], session_s=10 * 86_400, idle_s=10 * 86_400) as (at, _):
        yield at


@pytest.fixture
def browser(console):
    opened = []

    def new():
        kept = {"headers": {"accept": "text/html", "user-agent": "a browser"}, "trust_env": False}
        opened.append(httpx.Client(base_url=console, timeout=PATIENCE_S, **kept))
        return opened[-1]

    yield new
    for one in opened:
        one.close()


def test_a_contractor_of_one_building_until_a_day(browser, sample, clock):
    """Let in by the page People; from the midnight after their last day on they find nothing, and no page says why."""
    admin, records = browser(), sample.records
    admin.cookies.set("meterhouse_session", sample.session("Root"))
    form = {"role": "contractor", "where": "building:lib", "level": "internal", "until": LAST_DAY.isoformat()}
    link = re.search(r"token=([^\"&]+)", post(admin, "/people", name=NAME, **form).text)[1]
    (grant,) = Grants(records).of(NAME, clock[0])
    assert (grant.role, grant.until) == (Role.CONTRACTOR, midnight_after(LAST_DAY))

    them, orders, now = browser(), Orders(records), clock[0]
    assert them.post("/sign-in", data={"token": link}).status_code == 303
    case = next(one for one in sample.alerts.values() if one.building == "lib" and one.state.value == "open")
    wish = OrderWish(OrderPlace("lib"), Skill.WATER, Severity.ACT, "Mend the tap", "", "Root")
    order = orders.give(orders.make(wish, "Root", now).id, NAME, "Root", now, based_on=0)
    photo = OrderFiles(records).add(order.id, "tap.jpg", jpeg(), NAME, now)
    take = {"alert": str(case.id), "token": TakeLinks(records).make(NAME, case.id, midnight_after(LAST_DAY))}
    theirs = [
        "/buildings/lib", "/live?of=lib", f"/alerts/{case.id}", f"/api/cases/{case.id}", "/api/buildings/lib/today",
        f"/orders/{order.id}", f"/orders/{order.id}/files/{photo}", f"/api/orders/{order.id}",
    ]  # fmt: skip
    clock[0] = midnight_after(LAST_DAY) - timedelta(seconds=1)
    assert [them.get(path).status_code for path in theirs] == [200] * len(theirs)
    assert them.get("/take", params=take).status_code == 200

    clock[0] = midnight_after(LAST_DAY)
    denied = len(Audit(records).entries(among=AuditFilter(who=NAME, what="access.denied"), limit=1000))
    assert [them.get(path).status_code for path in theirs] == [404] * len(theirs)
    acts = (f"/alerts/{case.id}/acknowledge", f"/orders/{order.id}/finish", f"/orders/{order.id}/arrive")
    assert [post(them, path, acts=order.acts).status_code for path in acts] == [404] * len(acts)
    assert them.get("/orders/table.csv").status_code == 403
    after = Audit(records).entries(among=AuditFilter(who=NAME, what="access.denied"), limit=1000)
    assert len(after) - denied == len(theirs) + len(acts) + 1
    for path in ("/", "/alerts?state=all", "/casework", "/quarantine", "/imports", "/spells", "/account"):
        answer = them.get(path)
        assert answer.status_code in {200, 303}, path
        assert "Riverside Library" not in answer.text, path
    assert them.get("/take", params=take).status_code == 403
    assert them.post("/take", data=take).status_code == 403
    assert orders.one(order.id).acts == order.acts


def midnight_after(day):
    """On the site's clock."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo("Europe/London"))
