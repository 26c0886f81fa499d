"""Work orders and what people do to them: make, accept, refuse, arrive, finish, call off, rate."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from facility.errors import Denied, Rejected
from facility.order import IN_HAND, OPEN, OrderState
from stores.records.accounts.account_rows import open_person
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.orders.order_rows import (
    REPORTED,
    OfferOutcome,
    OrderFilter,
    OrderStep,
    find_orders,
    order_by_id,
    order_of,
)
from stores.records.orders.order_steps import accepted, change, ended, given_back, made, put_step
from stores.records.orders.report_places import check_calm
from stores.records.orders.tables import order_file, order_offer, order_step, work_order
from stores.records.stale import Deed, Stale
from stores.records.tables import alert as alerts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from facility.order import OrderWish, Work, WorkOrder

KEPT_FOR = timedelta(days=180)
"""So long after an order has ended its photos, files and the names of people in it are kept; then they are erased."""

EVERY_ORDER = OrderFilter()
BEST = 5


class Orders:
    """Every method is one transaction. ``based_on`` is the order's ``acts`` as the person saw them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, among: OrderFilter = EVERY_ORDER, limit: int | None = None) -> list[WorkOrder]:
        """Orders, open ones first, then those that are due first."""
        with self._engine.connect() as connection:
            return find_orders(connection, among, limit)

    def one(self, order: int) -> WorkOrder | None:
        """One order."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(work_order).where(work_order.c.id == order)).mappings().one_or_none()
            return order_of(row) if row else None

    def story(self, order: int) -> list[OrderStep]:
        """What happened to it, oldest first."""
        s = order_step.c
        query = sa.select(s.at, s.what, s.by, s.note).where(s.work_order == order).order_by(s.id)
        with self._engine.connect() as connection:
            return [OrderStep(*row) for row in connection.execute(query)]

    def points_of(self, orders: Iterable[WorkOrder]) -> set[str]:
        """What the cases of these orders rest on."""
        cases = {str(one.wish.alert) for one in orders if one.wish.alert}
        query = sa.select(alerts.c.id, alerts.c.point, alerts.c.evidence).where(alerts.c.id.in_(cases))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {row.point for row in rows} | {one["point"] for row in rows for one in row.evidence}

    def make(self, wish: OrderWish, by: str, at: datetime) -> WorkOrder:
        """Order something."""
        with writing(self._engine) as connection:
            order = made(connection, wish, f"hand/{uuid4()}", at, by)
            append_entry(connection, at, by, "order.made", str(order.id), wish.place.building)
            return order

    def report(self, wish: OrderWish, at: datetime) -> tuple[WorkOrder, str]:
        """What somebody without an account reports, and the secret by which they alone may rate it.

        Raises ``Rejected`` where too much came from there of late.
        """
        secret = secrets.token_urlsafe(24)
        with writing(self._engine) as connection:
            check_calm(connection, wish.place, at)
            order = made(connection, wish, f"{REPORTED}{uuid4()}", at)
            change(connection, order.id, rating_digest=_digest(secret))
            append_entry(connection, at, "", "order.reported", str(order.id), wish.place.building)
            return order, secret

    def accept(self, order: int, by: str, at: datetime, *, based_on: int) -> WorkOrder:
        """Take it. Raises ``Stale``, which says who was quicker, and ``Rejected`` for one that somebody has."""
        with writing(self._engine) as connection:
            found = _to_act_on(connection, order, based_on, {OrderState.WAITING, OrderState.OFFERED})
            accepted(connection, found, by, at)
            return _acted(connection, found, "accepted", by, at)

    def refuse(self, order: int, reason: str, by: str, at: datetime, *, based_on: int) -> WorkOrder:
        """Give it back: the next person is asked. Raises ``Denied`` where it is not theirs."""
        with writing(self._engine) as connection:
            found = _to_act_on(connection, order, based_on, IN_HAND | {OrderState.OFFERED})
            if found.assignee != by:
                raise Denied(f"work order {order} is {found.assignee}'s")
            given_back(connection, found, at, OfferOutcome.REFUSED, reason)
            return _acted(connection, found, "refused", by, at, reason)

    def give(self, order: int, to: str, by: str, at: datetime, *, based_on: int) -> WorkOrder:
        """Somebody says who does it."""
        with writing(self._engine) as connection:
            found = _to_act_on(connection, order, based_on, OPEN)
            open_person(connection, to)
            accepted(connection, found, to, at)
            put_step(connection, order, at, "given", by, to)
            return _acted(connection, found, "given", by, at, to)

    def arrive(self, order: int, by: str, at: datetime, *, based_on: int) -> WorkOrder:
        """They are there."""
        with writing(self._engine) as connection:
            found = _to_act_on(connection, order, based_on, {OrderState.ACCEPTED})
            change(connection, order, state=OrderState.ON_SITE.value, arrived_at=at)
            put_step(connection, order, at, "on_site", by)
            return _acted(connection, found, "on_site", by, at)

    def finish(self, order: int, work: Work, by: str, at: datetime, *, based_on: int) -> WorkOrder:
        """It is done. The case of an alert still wants a verdict."""
        with writing(self._engine) as connection:
            found = _to_act_on(connection, order, based_on, IN_HAND)
            ended(connection, found, OrderState.DONE, at)
            change(connection, order, parts=work.parts, cost=work.cost, signed_by=work.signed_by)
            change(connection, order, ticked=sorted(set(work.ticked)))
            put_step(connection, order, at, "done", by)
            return _acted(connection, found, "done", by, at)

    def call_off(self, order: int, reason: str, by: str, at: datetime, *, based_on: int) -> WorkOrder:
        """It need not be done."""
        with writing(self._engine) as connection:
            found = _to_act_on(connection, order, based_on, OPEN)
            ended(connection, found, OrderState.CALLED_OFF, at)
            put_step(connection, order, at, "called_off", by, reason)
            return _acted(connection, found, "called_off", by, at, reason)

    def rate(self, order: int, stars: int, note: str, by: str, at: datetime) -> WorkOrder:
        """Who asked for it says how it was done, once."""
        with writing(self._engine) as connection:
            found = order_by_id(connection, order)
            _rate(connection, found, stars, note, at, by)
            return _acted(connection, found, "rated", by, at, str(stars))

    def rate_by_link(self, secret: str, stars: int, note: str, at: datetime) -> bool:
        """The same by who reported it without an account; False where the link is none, or there is nothing to rate."""
        with writing(self._engine) as connection:
            query = sa.select(work_order).where(work_order.c.rating_digest == _digest(secret))
            row = connection.execute(query).mappings().one_or_none()
            if row is None or row["state"] != OrderState.DONE.value or row["rating"] is not None:
                return False
            _rate(connection, order_of(row), stars, note, at)
            append_entry(connection, at, "", "order.rated", str(row["id"]), str(stars))
            return True

    def erase(self, before: datetime, at: datetime) -> int:
        """Erase names, files and what people wrote of orders that ended before; how many."""
        o = work_order.c
        old = (o.ended_at < before) & o.erased_at.is_(None)
        with self._engine.connect() as connection:
            if connection.execute(sa.select(o.id).where(old).limit(1)).one_or_none() is None:
                return 0
        with writing(self._engine) as connection:
            ids = list(connection.execute(sa.select(o.id).where(old)).scalars())
            _erase(connection, ids, at)
            append_entry(connection, at, "", "order.erased", "orders", f"{len(ids)} ended before {before:%Y-%m-%d}")
            return len(ids)


def _erase(connection: Connection, ids: Collection[int], at: datetime) -> None:
    """Overwritten, too, where the database would leave it on the disk."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    nobody: dict[str, Any] = {"requested_by": "", "assignee": "", "signed_by": "", "note": "", "rating_note": ""}
    values = {**nobody, "rating_digest": None, "erased_at": at}
    connection.execute(sa.update(work_order).where(work_order.c.id.in_(ids)).values(values))
    empty = {"name": "", "content": None, "by": ""}
    connection.execute(sa.update(order_file).where(order_file.c.work_order.in_(ids)).values(empty))
    connection.execute(sa.update(order_step).where(order_step.c.work_order.in_(ids)).values(by="", note=""))
    connection.execute(sa.update(order_offer).where(order_offer.c.work_order.in_(ids)).values(name="", why=""))


def _rate(connection: Connection, order: WorkOrder, stars: int, note: str, at: datetime, by: str = "") -> None:
    if not 1 <= stars <= BEST:
        raise Rejected("no_rating", f"{stars} stars (allowed: 1 to {BEST})")
    if order.state is not OrderState.DONE or order.rating is not None:
        raise Rejected("wrong_state", f"work order {order.id} is {order.state}, and is rated once when it is done")
    change(connection, order.id, rating=stars, rating_note=note)
    put_step(connection, order.id, at, "rated", by, str(stars))


def _to_act_on(connection: Connection, order: int, based_on: int, states: Collection[OrderState]) -> WorkOrder:
    """The order, where it is as the person saw it, and in a state that allows the act."""
    found = order_by_id(connection, order)
    if found.acts != based_on:
        s = order_step.c
        query = sa.select(s.at, s.by, s.what, s.note).where(s.work_order == order, s.by != "").order_by(s.id.desc())
        newest = [Deed(*row) for row in connection.execute(query.limit(found.acts - based_on))]
        raise Stale("order", newest[::-1])
    if found.state not in states:
        whose = f" by {found.assignee}" if found.assignee else ""
        raise Rejected("wrong_state", f"work order {order} is {found.state}{whose}, not {' or '.join(sorted(states))}")
    return found


def _acted(connection: Connection, order: WorkOrder, what: str, by: str, at: datetime, note: str = "") -> WorkOrder:
    """A person's act: counted, and in the audit trail."""
    change(connection, order.id, acts=order.acts + 1)
    append_entry(connection, at, by, f"order.{what}", str(order.id), note)
    return order_by_id(connection, order.id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
