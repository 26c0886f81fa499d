"""The desk of work orders: made from alerts, offered to one person after another, and kept in step with their cases.

Every method is one transaction, and does nothing where it was done: two processes may do the same at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from facility.order import IN_HAND, OPEN, OrderPlace, OrderState, OrderWish, skill_for
from facility.work import WATCHED, AlertState, Severity
from stores.records.case_steps import case_by_id
from stores.records.database import writing
from stores.records.letters.letter import Haste
from stores.records.letters.putting import put_order_letters, put_waiting_letters, told_of_waiting
from stores.records.orders.order_rows import OfferOutcome, OrderFilter, find_orders
from stores.records.orders.order_steps import (
    accepted,
    asked_already,
    bind_letter,
    ended,
    given_back,
    made,
    offered,
    put_step,
)
from stores.records.orders.tables import order_offer, order_step, work_order
from stores.records.roster.roster import find_workers, on_shift
from stores.records.roster.tables import worker
from stores.records.roster.worker import Candidate, Rank
from stores.records.tables import alert as alerts
from stores.records.tables import case_event, person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection, Engine

    from facility.order import WorkOrder
    from facility.work import Alert
    from stores.records.letters.putting import Desk

    Choose = Callable[[WorkOrder, timedelta, frozenset[str], Sequence[Candidate]], Candidate | None]

TOO_OLD = timedelta(hours=24)
"""No order is made from what opened so long ago: where a roster begins, old cases are left to whoever looks."""

ASKED_AGAIN = timedelta(hours=1)
"""Who has not answered is asked again after so long, where nobody else is left."""

MOST_AT_ONCE = 200
"""So many orders are made, and offered, in one transaction."""

ORDERED_FROM = Severity.ACT
"""Less severe cases wait for somebody to order something."""

NOBODY_THERE = "nobody_there"
_OPENING = ("opened", "reopened", "flapped", "woke", "woken", "not_saved")


@dataclass(frozen=True, slots=True)
class OfferDesk:
    """What is needed to offer orders: who may be asked where, whom to choose, and how they are written to."""

    may: Callable[[str, OrderPlace, Alert | None], bool]
    choose: Choose
    letters: Desk


class OrderDesk:
    """Work orders as dispatch sees them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def has_roster(self) -> bool:
        """Whether anybody takes orders; where nobody does none is made from alerts."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(worker.c.name).limit(1)).one_or_none() is not None

    def make_from_alerts(self, now: datetime, utility_of: Callable[[str], str]) -> int:
        """Make the orders that open cases want, one for each time that a case opened; how many are new."""
        with self._engine.connect() as connection:
            if not _wanted(connection, now):
                return 0
        with writing(self._engine) as connection:
            wanted = _wanted(connection, now)
            for row in wanted:
                skill = skill_for(row["detector"], utility_of(row["point"]))
                place = OrderPlace(row["building"], meter=row["meter"])
                wish = OrderWish(place, skill, Severity(row["severity"]), alert=UUID(row["id"]))
                made(connection, wish, row["origin"], now)
            return len(wanted)

    def follow_cases(self, now: datetime) -> int:
        """Bring orders to where people brought their cases; how many have moved.

        Who took the case has the order; who gave it back has it no more; where it is over nobody is sent.
        """
        with self._engine.connect() as connection:
            if not _out_of_step(connection):
                return 0
        with writing(self._engine) as connection:
            found = _out_of_step(connection)
            for order, state, taker in found:
                _follow(connection, order, state, taker, now)
            return len(found)

    def let_go(self, now: datetime) -> int:
        """Take offers back that nobody answered in time, and work from who has left; how many."""
        with self._engine.connect() as connection:
            if not _unanswered(connection, now):
                return 0
        with writing(self._engine) as connection:
            found = _unanswered(connection, now)
            for order in found:
                outcome = OfferOutcome.TIMED_OUT if order.state is OrderState.OFFERED else OfferOutcome.WITHDRAWN
                given_back(connection, order, now, outcome)
            return len(found)

    def offer(self, now: datetime, desk: OfferDesk) -> int:
        """Offer what waits to one person each; how many were offered."""
        with self._engine.connect() as connection:
            if not any(_plan(connection, now, desk)):
                return 0
        with writing(self._engine) as connection:
            plan = list(_plan(connection, now, desk))
            for one in plan:
                one.put(connection, now, desk)
            return sum(one.chosen is not None for one in plan)

    def has_waiting(self) -> bool:
        """Whether somebody is to be found for anything."""
        with self._engine.connect() as connection:
            return bool(find_orders(connection, OrderFilter(states=[OrderState.WAITING]), 1))


@dataclass(frozen=True, slots=True)
class _Offer:
    """Whom an order is offered to; None: nobody is there, which is still to be put on record."""

    order: WorkOrder
    chosen: Candidate | None
    is_last: bool = False
    is_noted: bool = False
    had_enough: tuple[str, ...] = ()
    """Who would be asked, had they not been offered as many today as they are to have: they get a digest."""

    def put(self, connection: Connection, now: datetime, desk: OfferDesk) -> None:
        if self.chosen is None:
            if not self.is_noted:
                put_step(connection, self.order.id, now, NOBODY_THERE)
            for name in self.had_enough:
                put_waiting_letters(connection, name, self.order.id, now, desk.letters)
            return
        who, severity = self.chosen.worker, self.order.wish.severity
        to = offered(connection, self.order, who.name, now, who.rank.value, is_last=self.is_last)
        haste = Haste.URGENT if severity is Severity.URGENT else Haste.SOON
        for letter in put_order_letters(connection, who.name, haste, to, now, desk.letters):
            bind_letter(connection, letter, to)


def _plan(connection: Connection, now: datetime, desk: OfferDesk) -> Iterator[_Offer]:
    """What is to be offered to whom now, the worst first; each offer counts for the next ones."""
    waiting = find_orders(connection, OrderFilter(states=[OrderState.WAITING]))
    people = _candidates(connection, now, desk) if waiting else {}
    reached = told_of_waiting(connection) | _unreached(people, desk)
    for order in sorted(waiting, key=lambda one: (-one.wish.severity, one.id))[:MOST_AT_ONCE]:
        place, age = order.wish.place, now - order.created_at
        asked = asked_already(connection, order.id, now - ASKED_AGAIN)
        case = case_by_id(connection, order.wish.alert) if order.wish.alert else None
        may = [one for name, one in people.items() if desk.may(name, place, case)]
        chosen = desk.choose(order, age, asked, may)
        if chosen is None:
            is_noted = _is_noted(connection, order)
            had_enough = _had_enough(order, age, asked, may, desk) - reached
            if had_enough or not is_noted:
                yield _Offer(order, None, is_noted=is_noted, had_enough=tuple(sorted(had_enough)))
            reached |= had_enough
            continue
        name = chosen.worker.name
        has_next = desk.choose(order, age, asked | {name}, may) is not None
        yield _Offer(order, chosen, is_last=not has_next and chosen.worker.rank is not Rank.WORKER)
        at = chosen.is_at | {place.building}
        people[name] = replace(chosen, in_hand=chosen.in_hand + 1, today=chosen.today + 1, is_at=at)


def _had_enough(
    order: WorkOrder, age: timedelta, asked: frozenset[str], people: Sequence[Candidate], desk: OfferDesk
) -> set[str]:
    """Who would be asked, had they not been offered as many today as they are to have."""
    fresh = (replace(one, today=0) for one in people)
    return {one.worker.name for one in fresh if desk.choose(order, age, asked, [one]) is not None}


def _unreached(people: Mapping[str, Candidate], desk: OfferDesk) -> set[str]:
    """Whom no letter reaches."""
    return people.keys() - {one.name for one in desk.letters.contacts}


def _wanted(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    """Open cases that have no order since they opened last."""
    a, e, o = alerts.c, case_event.c, work_order.c
    newest = case_event.alias("newest")
    n = newest.c
    last = sa.select(sa.func.max(n.id)).where(n.alert == a.id, n.what.in_(_OPENING)).correlate(alerts)
    origin = (sa.literal("alert/") + a.id + "/" + sa.cast(e.id, sa.Text)).label("origin")
    has_one = sa.select(o.id).where(o.alert == a.id, o.state.in_([one.value for one in OPEN])).exists()
    query = sa.select(a.id, a.building, a.meter, a.point, a.detector, a.severity, origin)
    query = query.select_from(alerts.join(case_event, e.id == last.scalar_subquery())).where(e.at > now - TOO_OLD)
    query = query.where(a.state == AlertState.OPEN.value, a.notify, a.severity >= int(ORDERED_FROM))
    query = query.where(~has_one, ~sa.select(o.id).where(o.origin == origin).exists())
    query = query.order_by(a.severity.desc(), a.raised_at).limit(MOST_AT_ONCE)
    return [dict(row) for row in connection.execute(query).mappings()]


def _out_of_step(connection: Connection) -> list[tuple[WorkOrder, AlertState, str]]:
    """Open orders whose case says otherwise: its state, and who has taken it."""
    a = alerts.c
    among = OrderFilter(states=OPEN)
    orders = {one.id: one for one in find_orders(connection, among) if one.wish.alert}
    ids = {str(one.wish.alert) for one in orders.values()}
    query = sa.select(a.id, a.state, a.acknowledged_by).where(a.id.in_(ids))
    cases = {row.id: (AlertState(row.state), row.acknowledged_by) for row in connection.execute(query)}
    found = [(one, *cases[str(one.wish.alert)]) for one in orders.values() if str(one.wish.alert) in cases]
    return [row for row in found if _differs(*row)]


def _differs(order: WorkOrder, state: AlertState, taker: str) -> bool:
    is_in_hand = order.state in IN_HAND
    if state is AlertState.ACKNOWLEDGED:
        return not is_in_hand or order.assignee != taker
    if state is AlertState.OPEN:
        return is_in_hand
    return not is_in_hand  # who is on the way finishes it themselves


def _follow(connection: Connection, order: WorkOrder, state: AlertState, taker: str, now: datetime) -> None:
    if state is AlertState.ACKNOWLEDGED:
        accepted(connection, order, taker, now)
    elif state is AlertState.OPEN:
        given_back(connection, order, now, OfferOutcome.REFUSED)
    else:
        ended(connection, order, OrderState.CALLED_OFF, now)
        put_step(connection, order.id, now, "case_over" if state not in WATCHED else "case_settled")


def _unanswered(connection: Connection, now: datetime) -> list[WorkOrder]:
    """Offers whose time is over, and orders of who has left."""
    o = work_order.c
    late = (o.state == OrderState.OFFERED.value) & (o.answer_by <= now)
    gone = sa.select(person.c.name).where(person.c.closed_at.is_not(None))
    left = o.state.in_([one.value for one in OPEN]) & o.assignee.in_(gone)
    ids = connection.execute(sa.select(o.id).where(late | left)).scalars().all()
    return [one for one in find_orders(connection, OrderFilter(states=OPEN)) if one.id in set(ids)] if ids else []


def _is_noted(connection: Connection, order: WorkOrder) -> bool:
    """Whether the last that is on record is that nobody is there."""
    s = order_step.c
    newest = sa.select(s.what).where(s.work_order == order.id).order_by(s.id.desc()).limit(1)
    return connection.execute(newest).scalar() == NOBODY_THERE


def _candidates(connection: Connection, now: datetime, desk: OfferDesk) -> dict[str, Candidate]:
    """Everybody on the roster as they stand now, by name."""
    local = now.astimezone(desk.letters.zone)
    here = on_shift(connection, now, local.date())
    today = _offered_since(connection, datetime.combine(local.date(), time(), desk.letters.zone))
    work = _in_hand(connection)
    return {
        one.name: Candidate(
            one, one.name in here, len(work[one.name]), today.get(one.name, 0), frozenset(work[one.name])
        )
        for one in find_workers(connection)
    }


def _offered_since(connection: Connection, midnight: datetime) -> dict[str, int]:
    a = order_offer.c
    query = sa.select(a.name, sa.func.count()).where(a.at >= midnight).group_by(a.name)
    return {row[0]: row[1] for row in connection.execute(query)}


def _in_hand(connection: Connection) -> dict[str, list[str]]:
    """Name → the building of each order that they have."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in find_orders(connection, OrderFilter(states=OPEN)):
        found[one.assignee].append(one.wish.place.building)
    return found
