"""The dispatcher: makes orders of alerts, offers each to one person, and goes on to the next where nobody answers.

One thread. Whoever kills it, or runs another beside it, loses and doubles nothing: each step is one transaction that
looks whether it is still to be done.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from threading import Event
from typing import TYPE_CHECKING

from analytics.dispatch.choosing import Task, choose
from analytics.loop import Loop
from facility.rights import Act
from stores.records.orders.finding_people import OfferDesk, OrderDesk
from stores.records.orders.orders import KEPT_FOR, Orders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Self

    from sqlalchemy import Engine

    from analytics.letters.clerk import Clerk
    from analytics.metrics import Rounds
    from facility.order import OrderPlace, WorkOrder
    from facility.work import Alert
    from stores.access.scope import Rights
    from stores.records.letters.contacts import Contacts
    from stores.records.roster.worker import Candidate

PAUSE_S = 0.5
ERASED_EVERY = timedelta(hours=1)
GOODBYE_S = 2.0


class Dispatcher:
    """Use as a context manager. ``clerk`` knows the estate and who is written to by which courier."""

    def __init__(
        self,
        records: Engine,
        clerk: Clerk,
        contacts: Contacts,
        couriers: Sequence[str],
        rights_of: Callable[[str], Rights],
        clock: Callable[[], datetime],
        rounds: Rounds,
    ) -> None:
        """Nobody is asked before it begins."""
        self._desk, self._orders, self._clerk = OrderDesk(records), Orders(records), clerk
        self._contacts, self._couriers, self._rights_of, self._clock = contacts, couriers, rights_of, clock
        self._erased_at: datetime | None = None
        self._stop = Event()
        self._loop = Loop("dispatch", self.turn, rounds, PAUSE_S)

    def turn(self) -> bool:
        """Go once round what is to be done; whether anything was."""
        now = self._clock()
        if self._erased_at is None or now - self._erased_at >= ERASED_EVERY:
            self._erased_at = now
            self._orders.erase(now - KEPT_FOR, now)
        moved = self._desk.follow_cases(now) + self._desk.let_go(now)
        if self._desk.has_roster():
            moved += self._desk.make_from_alerts(now, self._clerk.utility_of)
            moved += self._offer(now)
        return moved > 0

    def _offer(self, now: datetime) -> int:
        letters = self._clerk.desk(self._contacts, self._couriers) if self._desk.has_waiting() else None
        if letters is None:
            return 0
        rights, sights = cache(self._rights_of), cache(self._clerk.sight)

        def may(name: str, place: OrderPlace, case: Alert | None) -> bool:
            """Whether their roles let them work there, and see the case: the roster gives nobody what is not theirs."""
            works_there = rights(name).without_phone.may_here(Act.TAKE, self._clerk.building(place.building))
            sight = sights(name)
            return works_there and (case is None or (sight is not None and sight.shows(case)))

        return self._desk.offer(now, OfferDesk(may, _choose, letters))

    def __enter__(self) -> Self:
        """Begin."""
        self._loop.start(self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        """What it is at is done, or not at all."""
        self._stop.set()
        self._loop.join(GOODBYE_S)


def _choose(order: WorkOrder, age: timedelta, asked: frozenset[str], people: Sequence[Candidate]) -> Candidate | None:
    wish = order.wish
    return choose(Task(wish.place.building, wish.skill, wish.severity, age, asked), people)
