"""One work order with all that a page of it shows, and a link by which anybody reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from facility.order import OrderPlace, OrderWish, Skill
from facility.work import Severity
from rigs.photos import jpeg
from stores.records.orders.order_files import OrderFiles
from stores.records.orders.orders import Orders
from stores.records.orders.report_places import ReportPlaces
from stores.records.roster.roster import Roster
from stores.records.roster.worker import Worker, WorkShift


def order_paths(sample, name):
    """The pages of work orders, for somebody who has an account: one waits, one is theirs."""
    now = datetime.now(UTC)
    orders, roster = Orders(sample.records), Roster(sample.records)
    roster.put(Worker(name, frozenset({Skill.WATER, Skill.CLIMATE}), frozenset({"lib"})), "test", now)
    roster.plan([WorkShift(name, now - timedelta(hours=1), now + timedelta(hours=7))], [], "test", now)
    case = sample.alerts["continuous_flow"]
    of_case = OrderWish(
        OrderPlace("lib", meter=case.meter), Skill.WATER, Severity.URGENT, alert=None, title="Stop the leak"
    )
    waits = orders.make(of_case, name, now)
    wish = OrderWish(OrderPlace("lib"), Skill.CLIMATE, Severity.ACT, "Set the timer back", "It runs at night.", name)
    order = orders.make(wish, name, now)
    orders.give(order.id, name, "test", now, based_on=0)
    OrderFiles(sample.records).add(order.id, "timer.jpg", jpeg(), name, now)
    link = ReportPlaces(sample.records).make(OrderPlace("lib"), "test", now)
    return {
        "orders": "/orders", "order_list": "/orders?show=list", "order": f"/orders/{order.id}",
        "order_waits": f"/orders/{waits.id}", "order_new": f"/orders/new?alert={case.id}", "my_day": "/orders/mine",
        "roster": "/orders/roster", "report": f"/report?at={link}", "report_none": "/report?at=x",
        "report_rate": "/report?rate=x",
    }  # fmt: skip
