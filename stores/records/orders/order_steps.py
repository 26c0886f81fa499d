"""Steps of work orders within a transaction: to whom they are offered, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.order import CHAINS, OrderState
from facility.work import AlertState
from stores.records.audit import append_entry
from stores.records.case_steps import CaseEvent, case_by_id, changed
from stores.records.orders.order_rows import OfferOutcome, order_by_id, wish_row
from stores.records.orders.tables import letter_offer, order_offer, order_step, work_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from facility.order import OrderWish, WorkOrder

OFFERED_TO_NOBODY = {"assignee": "", "answer_by": None, "accepted_at": None, "arrived_at": None}


def made(connection: Connection, wish: OrderWish, origin: str, at: datetime, by: str = "") -> WorkOrder:
    """A new order, or the one that was made of the same ``origin`` before: nothing is ordered twice."""
    o = work_order.c
    found = connection.execute(sa.select(o.id).where(o.origin == origin)).scalar()
    if found is None:
        row = wish_row(wish, origin, at)
        found = connection.execute(sa.insert(work_order).values(row).returning(o.id)).scalar_one()
        put_step(connection, found, at, "made", by)
    return order_by_id(connection, int(found))


def put_step(connection: Connection, order: int, at: datetime, what: str, by: str = "", note: str = "") -> None:
    """Put a step on an order's story."""
    row = {"work_order": order, "at": at, "what": what, "by": by, "note": note}
    connection.execute(sa.insert(order_step).values(row))


def change(connection: Connection, order: int, **values: Any) -> None:
    """Change columns of an order."""
    connection.execute(sa.update(work_order).where(work_order.c.id == order).values(values))


def offered(connection: Connection, order: WorkOrder, name: str, at: datetime, rank: str, *, is_last: bool) -> int:
    """Offer an order to somebody; the number of the offer.

    The database lets one offer of an order stand, and one of each turn be: whoever comes second fails.
    """
    turn = connection.execute(sa.select(work_order.c.turn).where(work_order.c.id == order.id)).scalar_one() + 1
    answer_by = None if is_last else at + CHAINS[order.wish.severity].answer
    one = _assigned(connection, order.id, turn, name, at, OfferOutcome.OFFERED)
    change(connection, order.id, state=OrderState.OFFERED.value, assignee=name, turn=turn, answer_by=answer_by)
    put_step(connection, order.id, at, f"offered_{rank}", note=name)
    return one


def accepted(connection: Connection, order: WorkOrder, name: str, at: datetime) -> None:
    """Somebody does it. The case of an alert that nobody has taken is theirs from here on."""
    standing = standing_name(connection, order.id)
    if standing == name:
        _end(connection, order.id, at, OfferOutcome.ACCEPTED, stands=True)
    else:
        _end(connection, order.id, at, OfferOutcome.WITHDRAWN, why=name)
        turn = connection.execute(sa.select(work_order.c.turn).where(work_order.c.id == order.id)).scalar_one() + 1
        _assigned(connection, order.id, turn, name, at, OfferOutcome.ACCEPTED)
        change(connection, order.id, turn=turn)
    change(
        connection, order.id, state=OrderState.ACCEPTED.value, assignee=name, answer_by=None,
        accepted_at=at, arrived_at=None,
    )  # fmt: skip
    put_step(connection, order.id, at, "accepted", name)
    if order.wish.alert is not None:
        _take_case(connection, order.wish.alert, name, at)


def given_back(connection: Connection, order: WorkOrder, at: datetime, outcome: OfferOutcome, why: str = "") -> None:
    """Who had it has it no more: somebody else is looked for."""
    _end(connection, order.id, at, outcome, why=why)
    change(connection, order.id, state=OrderState.WAITING.value, **OFFERED_TO_NOBODY)
    by = order.assignee if outcome is OfferOutcome.REFUSED else ""
    put_step(connection, order.id, at, outcome.value, by, why or ("" if by else order.assignee))


def ended(connection: Connection, order: WorkOrder, state: OrderState, at: datetime) -> None:
    """It is done or called off: nobody has it in hand any more, and its story stays."""
    connection.execute(
        sa.update(order_offer).where(order_offer.c.standing == order.id).values(standing=None, ended_at=at)
    )
    change(connection, order.id, state=state.value, answer_by=None, ended_at=at)


def standing_name(connection: Connection, order: int) -> str:
    """Who it is offered to or has accepted it; empty: nobody."""
    a = order_offer.c
    return connection.execute(sa.select(a.name).where(a.standing == order)).scalar() or ""


def asked_already(connection: Connection, order: int, since: datetime) -> frozenset[str]:
    """Who is not to be asked: who refused it or gave it back, and who was asked a while ago and has not answered."""
    a = order_offer.c
    silent = (a.outcome == OfferOutcome.TIMED_OUT.value) & (a.at > since)
    refused = a.outcome == OfferOutcome.REFUSED.value
    return frozenset(connection.execute(sa.select(a.name).where(a.work_order == order, silent | refused)).scalars())


def bind_letter(connection: Connection, letter: str, to: int) -> None:
    """The letter tells of this offer."""
    row: Mapping[str, Any] = {"letter": letter, "offer": to}
    connection.execute(sa.insert(letter_offer).values(row))


def _assigned(connection: Connection, order: int, turn: int, name: str, at: datetime, outcome: OfferOutcome) -> int:
    row = {"work_order": order, "turn": turn, "standing": order, "name": name, "at": at, "outcome": outcome.value}
    query = sa.insert(order_offer).values(**row, why="").returning(order_offer.c.id)
    return int(connection.execute(query).scalar_one())


def _end(
    connection: Connection, order: int, at: datetime, outcome: OfferOutcome, *, why: str = "", stands: bool = False
) -> None:
    values = {"outcome": outcome.value, "standing": order if stands else None, "ended_at": at, "why": why}
    connection.execute(sa.update(order_offer).where(order_offer.c.standing == order).values(values))


def _take_case(connection: Connection, alert: UUID, name: str, at: datetime) -> None:
    case = case_by_id(connection, alert)
    if case.state is not AlertState.OPEN:
        return
    values = {"state": AlertState.ACKNOWLEDGED.value, "acknowledged_by": name, "acknowledged_at": at}
    append_entry(connection, at, name, "alert.acknowledged", str(alert), "by a work order")
    changed(connection, alert, {**values, "acts": case.acts + 1}, CaseEvent(at, "acknowledged", name, ""))
