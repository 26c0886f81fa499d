"""The demo's people: invented roles on a roster, sent to what is open; their letters stay on the machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as wall
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from facility.order import OrderPlace, OrderWish, Skill, skill_for
from facility.rights import Role
from facility.work import AlertState, Severity
from stores.records.accounts.grants import Grant, Grants
from stores.records.casebook import Casebook
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact
from stores.records.orders.order_rows import OrderFilter
from stores.records.orders.orders import Orders
from stores.records.people import People
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.roster.worker import Rank, Worker, WorkShift

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from facility.work import Alert

BY = "demo"
COURIER = "mailbox"
DAYS = 14
"""So many days of shifts are planned at each start."""

EARLY, LATE, NIGHT = (wall(6), 8), (wall(14), 8), (wall(22), 8)
DAY = (wall(7), 12)
"""When a shift begins, local, and how many hours it lasts."""


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody who stands for a role. No demo names a person who lives."""

    name: str
    skills: frozenset[Skill]
    shifts: tuple[tuple[wall, int], ...]
    rank: Rank = Rank.WORKER
    language: str = "en"

    @property
    def contact(self) -> Contact:
        """Where their letters would go: a name that no mail reaches (RFC 2606)."""
        return Contact(self.name, COURIER, f"{self.name.lower().replace(' ', '.')}@demo.invalid")


PEOPLE = (
    Invented("Duty engineer", frozenset(Skill), (EARLY, LATE, NIGHT)),
    Invented("Plumber", frozenset({Skill.WATER, Skill.CLIMATE}), (DAY,), language="zh-Hans"),
    Invented("Electrician", frozenset({Skill.ELECTRICITY, Skill.METERS}), (DAY,)),
    Invented("Guard", frozenset({Skill.SECURITY}), (LATE, NIGHT)),
    Invented("Duty lead", frozenset(), (DAY,), Rank.LEAD),
    Invented("Facilities manager", frozenset(), (DAY,), Rank.MANAGER),
)


def put_roster(records: Engine, timezone: str, now: datetime) -> None:
    """Let them in and plan their shifts from today on; what an earlier start has put stays."""
    people, grants, contacts, roster = People(records), Grants(records), Contacts(records), Roster(records)
    known = {worker.name for worker in roster.workers()}
    for one in PEOPLE:
        if one.name in known:
            continue
        people.invite(one.name, now, by=BY)
        people.set_language(one.name, one.language)
        if not grants.of(one.name, now):
            grants.give(one.name, Grant(Role.FACILITIES), BY, now)
        contacts.add(one.contact, BY, now)
        roster.put(Worker(one.name, one.skills, rank=one.rank), BY, now)
    roster.plan(_shifts(ZoneInfo(timezone), now), [], BY, now)


def order_open_cases(records: Engine, now: datetime) -> int:
    """Order somebody for each open case that nobody was ever ordered for; how many.

    Dispatch makes no orders of what was found in history, so that a site which gets a roster is not flooded.
    """
    estate, orders = Registry(records).load(), Orders(records)
    wanted = [
        case
        for case in Casebook(records).alerts(states=[AlertState.OPEN])
        if case.severity >= Severity.ACT and not orders.of(OrderFilter(alert=case.id))
    ]
    for case in wanted:
        utility = estate.utility_of(estate.point[case.point])
        orders.make(_wish(case, skill_for(case.detector, utility.value if utility else "")), BY, now)
    return len(wanted)


def _wish(case: Alert, skill: Skill) -> OrderWish:
    return OrderWish(OrderPlace(case.building, meter=case.meter), skill, case.severity, requested_by=BY, alert=case.id)


def _shifts(zone: ZoneInfo, now: datetime) -> list[WorkShift]:
    """From yesterday on: whoever is on the night shift began it then."""
    days = [now.astimezone(zone).date() + timedelta(days=n) for n in range(-1, DAYS)]
    return [
        WorkShift(one.name, begins, begins + timedelta(hours=hours))
        for one in PEOPLE
        for day in days
        for begins, hours in ((datetime.combine(day, at, zone), hours) for at, hours in one.shifts)
    ]
