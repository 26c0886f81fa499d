"""The letters: written from the timeline of cases, sent until they are known to be sent, never twice under two ids.

The timeline is the outbox: a step of a case is written in the transaction that takes it. ``write`` reads on from a mark
and moves it in the transaction that keeps the letters, so a step is told once however often anybody is killed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from facility.order import OrderState
from facility.work import CALLING
from stores.records.audit import append_entry
from stores.records.case_rows import alert_of
from stores.records.database import writing
from stores.records.letters.letter import (
    TOLD,
    UNSENT,
    CaseStep,
    Haste,
    Letter,
    LetterState,
    haste_of,
    letter_id,
    unknown_letter,
)
from stores.records.letters.putting import letter_for
from stores.records.letters.rules import GIVEN_UP_AFTER, TOO_OLD, tried_again_at
from stores.records.letters.tables import letter as letters
from stores.records.letters.tables import letter_mark, letter_step
from stores.records.orders.order_rows import OrderFilter, find_orders, order_of
from stores.records.orders.tables import letter_offer, order_offer, work_order
from stores.records.roster.roster import find_workers
from stores.records.tables import alert as alerts
from stores.records.tables import case_event

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from facility.order import WorkOrder
    from facility.work import Alert
    from stores.records.letters.letter import Contact
    from stores.records.letters.putting import Desk

STEPS_AT_ONCE = 500
KEPT_FOR = timedelta(days=90)
LEASE = timedelta(seconds=60)
"""Who has said nothing for so long about an attempt is gone; an attempt takes half as long at most."""

_MARK = 1


@dataclass(frozen=True, slots=True)
class CourierCount:
    """How a courier's letters stand: those that wait though they have been tried, and those given up."""

    held_up: int = 0
    given_up: int = 0


@dataclass(slots=True)
class _Written:
    """What one reading of the timeline brings, by contact, haste and agent."""

    steps: dict[tuple[Contact, Haste, str], list[CaseStep]] = field(default_factory=lambda: defaultdict(list))

    def take(self, step: CaseStep, now: datetime, desk: Desk) -> None:
        alert = step.alert
        is_old = now - step.at > TOO_OLD
        if not alert.notify or step.what not in TOLD or alert.state not in CALLING:
            return
        haste = Haste.DAILY if is_old else haste_of(alert.severity)
        agent = "" if haste is Haste.DAILY else desk.agent_of(alert.meter)
        for contact in desk.contacts:
            if desk.shows(contact.name, alert):
                self.steps[contact, haste, agent].append(step)


class Letters:
    """Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def has_news(self) -> bool:
        """Whether the timeline goes on beyond the mark; at first, when nobody has read it yet, too."""
        with self._engine.connect() as connection:
            mark, newest = _mark(connection), _newest(connection)
        return mark is None or newest > mark

    def write(self, now: datetime, desk: Desk) -> int:
        """Write letters about the next steps of cases; how many steps were read.

        The first time it only notes where the timeline ends: what happened before anybody is reached is told to nobody.
        """
        with writing(self._engine) as connection:
            mark = _mark(connection)
            if mark is None:
                row = {"id": _MARK, "step": _newest(connection)}
                connection.execute(sa.insert(letter_mark).values(row))
                return 0
            steps, last = _steps_after(connection, mark)
            written = _Written()
            for step in steps:
                written.take(step, now, desk)
            for (contact, haste, agent), about in written.steps.items():
                _put(connection, contact, haste, agent, about, now, desk)
            if last > mark:
                connection.execute(sa.update(letter_mark).where(letter_mark.c.id == _MARK).values(step=last))
            return last - mark

    def claim(self, courier: str, now: datetime, lease: timedelta = LEASE) -> Letter | None:
        """The next letter of a courier that is to leave now; from here on an attempt is under way.

        One whose attempt nobody spoke of for ``lease`` comes again, and says that it may have arrived.
        """
        c = letters.c
        due = (c.state == LetterState.WAITING.value) & (c.due_at <= now)
        gone = (c.state == LetterState.UNDER_WAY.value) & (c.begun_at <= now - lease)
        order = sa.case({Haste.URGENT.value: 0, Haste.SOON.value: 1}, value=c.haste, else_=2)
        query = sa.select(letters).where(c.courier == courier, due | gone).order_by(order, c.due_at, c.id).limit(1)
        with self._engine.connect() as connection:  # most of the time there is none, and nobody need wait for that
            if connection.execute(query).one_or_none() is None:
                return None
        with writing(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                return None
            change = {
                "state": LetterState.UNDER_WAY.value,
                "attempts": row["attempts"] + 1,
                "begun_at": now,
                "may_have_arrived": row["may_have_arrived"] or row["state"] == LetterState.UNDER_WAY.value,
            }
            _change(connection, row["id"], change)
            return _letter({**row, **change})

    def alerts_of(self, letter: UUID) -> list[Alert]:
        """The cases that a letter tells of, as they stand now, the worst first."""
        query = sa.select(alerts).where(
            alerts.c.id.in_(
                sa.select(case_event.c.alert)
                .join(letter_step, letter_step.c.step == case_event.c.id)
                .where(letter_step.c.letter == str(letter))
            )
        )
        with self._engine.connect() as connection:
            found = [alert_of(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda one: (-one.severity, one.raised_at, one.id))

    def orders_of(self, letter: UUID) -> list[WorkOrder]:
        """The work orders that a letter tells of and that are still with its reader, the worst first."""
        a, o = order_offer.c, work_order.c
        query = (
            sa.select(work_order).join(order_offer, a.standing == o.id).join(letter_offer, letter_offer.c.offer == a.id)
        )
        query = query.where(letter_offer.c.letter == str(letter)).order_by(o.severity.desc(), o.id)
        with self._engine.connect() as connection:
            return [order_of(row) for row in connection.execute(query).mappings()]

    def waiting_for(self, name: str) -> list[WorkOrder]:
        """The work orders that wait for somebody and that a worker could do, the worst first."""
        with self._engine.connect() as connection:
            who = next((one for one in find_workers(connection) if one.name == name), None)
            waiting = find_orders(connection, OrderFilter(states=[OrderState.WAITING])) if who else []
        could = [one for one in waiting if who and who.could_do(one.wish.skill, one.wish.place.building)]
        return sorted(could, key=lambda one: (-one.wish.severity, one.id))

    def alert_of_order(self, order: WorkOrder) -> Alert | None:
        """The case that an order is for, if it is for one."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(alerts).where(alerts.c.id == str(order.wish.alert))).mappings()
            found = row.one_or_none()
            return alert_of(found) if found else None

    def cases_ordered_of(self, name: str) -> set[UUID]:
        """The cases of which somebody has a work order, and is told by its letter."""
        o = work_order.c
        query = sa.select(o.alert).where(o.assignee == name, o.alert.is_not(None), o.ended_at.is_(None))
        with self._engine.connect() as connection:
            return {UUID(one) for one in connection.execute(query).scalars()}

    def end(self, letter: UUID, state: LetterState, at: datetime, why: str = "") -> None:
        """It has left, or will not."""
        with writing(self._engine) as connection:
            _change(connection, str(letter), {"state": state.value, "ended_at": at, "why": why})

    def put_off(self, letter: Letter, at: datetime, why: str, *, may_have_arrived: bool) -> None:
        """An attempt failed: it is tried again later, until it is too old."""
        if at - letter.created_at >= GIVEN_UP_AFTER:
            self.end(letter.id, LetterState.GIVEN_UP, at, why)
            return
        change = {
            "state": LetterState.WAITING.value,
            "due_at": tried_again_at(at, letter.attempts),
            "may_have_arrived": letter.may_have_arrived or may_have_arrived,
            "why": why,
        }
        with writing(self._engine) as connection:
            _change(connection, str(letter.id), change)

    def again(self, letter: UUID, now: datetime, by: str) -> None:
        """Try one that was given up anew. Raises ``Rejected`` where there is none."""
        c = letters.c
        is_it = (c.id == str(letter)) & (c.state == LetterState.GIVEN_UP.value)
        change = {"state": LetterState.WAITING.value, "due_at": now, "created_at": now, "ended_at": None}
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(letters).where(is_it).values(change)).rowcount:
                raise unknown_letter(letter)
            append_entry(connection, now, by, "letter.again", str(letter))

    def all_of(self, states: Collection[LetterState] | None = None, limit: int = 100) -> list[Letter]:
        """Letters, newest first."""
        wanted = [state.value for state in (LetterState if states is None else states)]
        query = sa.select(letters).where(letters.c.state.in_(wanted))
        query = query.order_by(letters.c.created_at.desc(), letters.c.id)
        with self._engine.connect() as connection:
            return [_letter(row) for row in connection.execute(query.limit(limit)).mappings()]

    def counts(self) -> dict[str, CourierCount]:
        """Of each courier how many letters are held up, and how many were given up."""
        c = letters.c
        held = c.state.in_([state.value for state in UNSENT]) & (c.why != "")
        query = (
            sa.select(c.courier, sa.func.sum(sa.case((held, 1), else_=0)), sa.func.count())
            .where(held | (c.state == LetterState.GIVEN_UP.value))
            .group_by(c.courier)
        )
        with self._engine.connect() as connection:
            return {row[0]: CourierCount(int(row[1]), row[2] - int(row[1])) for row in connection.execute(query)}

    def forget(self, before: datetime) -> None:
        """Forget letters that ended before: the cases stay."""
        old = sa.select(letters.c.id).where(letters.c.ended_at < before)
        with writing(self._engine) as connection:
            for bound in (letter_step, letter_offer):
                connection.execute(sa.delete(bound).where(bound.c.letter.in_(old)))
            connection.execute(sa.delete(letters).where(letters.c.ended_at < before))


def _mark(connection: Connection) -> int | None:
    return connection.execute(sa.select(letter_mark.c.step).where(letter_mark.c.id == _MARK)).scalar()


def _newest(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.coalesce(sa.func.max(case_event.c.id), 0))).scalar() or 0


def _steps_after(connection: Connection, mark: int) -> tuple[list[CaseStep], int]:
    """The next steps, and the last that was read."""
    e = case_event.c
    query = sa.select(e.id, e.at, e.what, e.alert).where(e.id > mark).order_by(e.id).limit(STEPS_AT_ONCE)
    rows = connection.execute(query).all()
    named = {row.alert for row in rows if row.what in TOLD}
    found = connection.execute(sa.select(alerts).where(alerts.c.id.in_(named))).mappings()
    cases = {row["id"]: alert_of(row) for row in found}
    steps = [CaseStep(row.id, row.at, row.what, cases[row.alert]) for row in rows if row.alert in cases]
    return steps, rows[-1].id if rows else mark


def _put(
    connection: Connection, contact: Contact, haste: Haste, agent: str, about: list[CaseStep], now: datetime, desk: Desk
) -> None:
    """Into the letter that waits to leave for them, or into a new one."""
    found = letter_for(connection, contact, haste, agent, letter_id(about[0], contact), now, desk)
    if found:
        connection.execute(sa.insert(letter_step), [{"letter": found, "step": step.id} for step in about])


def _change(connection: Connection, letter: str, change: dict[str, Any]) -> None:
    connection.execute(sa.update(letters).where(letters.c.id == letter).values(change))


def _letter(row: Any) -> Letter:
    fields = {str(name): value for name, value in dict(row).items()}
    fields |= {"id": UUID(row["id"]), "haste": Haste(row["haste"]), "state": LetterState(row["state"])}
    return Letter(**fields)
