"""Work orders as rows, and as they come back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from facility.errors import Rejected
from facility.order import CHAINS, OPEN, OrderPlace, OrderState, OrderWish, Skill, Work, WorkOrder
from facility.work import Severity
from stores.records.orders.tables import work_order
from stores.records.tables import alert as alerts

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection, RowMapping

    from stores.records.case_list import CaseFilter


REPORTED = "report/"
"""How the origin of an order begins that somebody without an account asked for."""


@unique
class OfferOutcome(StrEnum):
    """What became of an offer."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class OrderStep:
    """One step of an order's story; ``by`` is empty where Meterhouse itself took it."""

    at: datetime
    what: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to look at: of these buildings (None: all), of one person, in some states, about an alert."""

    buildings: Collection[str] | None = None
    of: str | None = None
    states: Collection[OrderState] | None = None
    alert: UUID | None = None
    number: int | None = None
    cases: CaseFilter | None = None
    """Of the orders of cases only those of these cases, and those that ``reader`` has or asked for."""
    reader: str = ""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As the database is asked."""
        o = work_order.c
        wanted: list[sa.ColumnElement[bool]] = []
        wanted += [] if self.buildings is None else [o.building.in_(sorted(self.buildings))]
        wanted += [] if self.of is None else [o.assignee == self.of]
        wanted += [] if self.states is None else [o.state.in_([one.value for one in self.states])]
        wanted += [] if self.alert is None else [o.alert == str(self.alert)]
        wanted += [] if self.number is None else [o.id == self.number]
        if self.cases is None or not (limits := self.cases.conditions()):
            return wanted
        shown = sa.select(alerts.c.id).where(*limits)
        asked = (o.requested_by == self.reader) & o.origin.not_like(f"{REPORTED}%")
        mine = (o.assignee == self.reader) | asked
        return [*wanted, o.alert.is_(None) | o.alert.in_(shown) | mine]


def wish_row(wish: OrderWish, origin: str, at: datetime) -> dict[str, Any]:
    """A new order, without its number."""
    return {
        "origin": origin,
        "alert": str(wish.alert) if wish.alert else None,
        "building": wish.place.building,
        "space": wish.place.space,
        "meter": wish.place.meter,
        "skill": wish.skill.value,
        "severity": int(wish.severity),
        "title": wish.title,
        "note": wish.note,
        "requested_by": wish.requested_by,
        "state": OrderState.WAITING.value,
        "assignee": "",
        "turn": 0,
        "created_at": at,
        "due_at": at + CHAINS[wish.severity].due,
        "parts": "",
        "signed_by": "",
        "ticked": [],
        "rating_note": "",
        "acts": 0,
    }


def order_of(row: RowMapping) -> WorkOrder:
    """The order that a row stands for."""
    wish = OrderWish(
        OrderPlace(row["building"], row["space"], row["meter"]),
        Skill(row["skill"]),
        Severity(row["severity"]),
        row["title"],
        row["note"],
        row["requested_by"],
        UUID(row["alert"]) if row["alert"] else None,
    )
    same = (
        *("id", "assignee", "created_at", "due_at", "answer_by", "accepted_at", "arrived_at", "ended_at"),
        *("rating", "rating_note", "erased_at", "acts"),
    )
    work = Work(row["parts"], row["cost"], row["signed_by"], tuple(row["ticked"]))
    state, is_reported = OrderState(row["state"]), row["origin"].startswith(REPORTED)
    return WorkOrder(wish=wish, state=state, work=work, is_reported=is_reported, **{name: row[name] for name in same})


def find_orders(connection: Connection, among: OrderFilter, limit: int | None = None) -> list[WorkOrder]:
    """Orders, open ones first, then those that are due first."""
    o = work_order.c
    is_open = sa.case((o.state.in_([one.value for one in OPEN]), 0), else_=1)
    newest_ended = sa.case((o.state.in_([one.value for one in OPEN]), None), else_=o.id)
    query = sa.select(work_order).where(*among.conditions())
    query = query.order_by(is_open, newest_ended.desc(), o.due_at, o.id).limit(limit)
    return [order_of(row) for row in connection.execute(query).mappings()]


def order_by_id(connection: Connection, order: int) -> WorkOrder:
    """An order. Raises ``Rejected`` where there is none."""
    row = connection.execute(sa.select(work_order).where(work_order.c.id == order)).mappings().one_or_none()
    if row is None:
        raise Rejected("unknown_order", f"there is no work order {order}")
    return order_of(row)
