"""What the pages of work orders say beside an order: its words, what a visitor may do, and how late it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Form, HTTPException
from pydantic import StringConstraints

from console.visit import Visit, visit_of
from facility.order import IN_HAND, OPEN, OrderState, WorkOrder
from facility.rights import Act
from wording.orders import OrderWords, order_words

if TYPE_CHECKING:
    from datetime import timedelta

    from facility.work import Alert

NOTE_LENGTH = 1000
MOST_DIGITS = 9
MOST_SHOWN = 300

Visiting = Annotated[Visit, Depends(visit_of)]
Acts = Annotated[int, Form(ge=0)]
"""How many acts the order had on the page that the form stands on."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Form()]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=NOTE_LENGTH), Form()]


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """An order as the visitor reads it."""

    order: WorkOrder
    words: OrderWords
    alert: Alert | None
    is_mine: bool
    may_take: bool
    may_order: bool
    is_late: bool
    left: timedelta

    @property
    def can_accept(self) -> bool:
        """Whether the visitor may take it now."""
        return self.may_take and self.order.state in {OrderState.WAITING, OrderState.OFFERED}

    @property
    def can_refuse(self) -> bool:
        """Whether it is theirs to give back."""
        return self.is_mine and self.may_take and self.order.state in IN_HAND | {OrderState.OFFERED}

    @property
    def can_work(self) -> bool:
        """Whether they may say that they are there, or that it is done."""
        return (self.is_mine or self.may_order) and self.order.state in IN_HAND

    @property
    def can_end(self) -> bool:
        """Whether they may call it off, or give it to somebody."""
        return self.may_order and self.order.state in OPEN

    @property
    def can_rate(self) -> bool:
        """Whether they asked for it, and it is done."""
        return self.may_order and self.order.state is OrderState.DONE and self.order.rating is None


def shown(visit: Visit, order: WorkOrder) -> ShownOrder:
    """An order for a visitor."""
    alert = visit.view.cases.alert(order.wish.alert) if order.wish.alert else None
    building = order.wish.place.building
    return ShownOrder(
        order=order,
        words=order_words(order, alert, visit.catalogue, visit.texts.language),
        alert=alert,
        is_mine=order.assignee == visit.view.person,
        may_take=visit.view.orders.may(Act.TAKE, building),
        may_order=visit.view.orders.may(Act.ORDER, building),
        is_late=order.is_late(visit.now),
        left=order.due_at - visit.now,
    )


def order_of(order_id: str, visit: Visiting) -> WorkOrder:
    """The order that a path names; 404 for an unknown or malformed number."""
    is_number = order_id.isdecimal() and order_id.isascii() and len(order_id) <= MOST_DIGITS
    found = visit.view.orders.one(int(order_id)) if is_number else None
    if found is None:
        raise HTTPException(404)
    return found


Named = Annotated[WorkOrder, Depends(order_of)]
