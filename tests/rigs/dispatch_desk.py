"""A campus with people on a roster and a dispatcher, whose turns the test takes."""

from __future__ import annotations

from datetime import time, timedelta
from time import monotonic

from analytics.dispatch.dispatcher import Dispatcher
from analytics.letters.clerk import Clerk
from analytics.metrics import Rounds
from facility.order import OrderPlace, OrderWish, Skill
from facility.rights import Role
from facility.work import Severity
from rigs.campus import estate
from rigs.letter_desk import CONSOLE, Clock, finding
from stores.access import kept_rights
from stores.access.important import ReadTrail
from stores.records.accounts.grants import Grant, Grants
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact
from stores.records.letters.letters import Letters
from stores.records.letters.take_links import TakeLinks
from stores.records.orders.orders import Orders
from stores.records.people import People
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.roster.worker import Rank, Worker, WorkShift

EVERYTHING = frozenset(Skill)


def dispatcher_of(records, clock, couriers=("hook",)):
    """A dispatcher over records, and the clerk it asks."""
    clerk = Clerk(
        Registry(records), People(records), kept_rights(records, clock), links=TakeLinks(records),
        trail=ReadTrail(Audit(records), clock), console=CONSOLE, language="en", daily_at=time(8, 0),
    )  # fmt: skip
    rights = kept_rights(records, clock)
    return Dispatcher(records, clerk, Contacts(records), couriers, rights, clock, Rounds(monotonic)), clerk


class DispatchDesk:
    """``turn`` lets the dispatcher do all that is to be done now."""

    def __init__(self, records, now):
        self.records, self.clock = records, Clock(now)
        Registry(records).apply(estate(), by="test", at=now)
        self.casebook, self.orders, self.roster = Casebook(records), Orders(records), Roster(records)
        self.letters = Letters(records)
        self.dispatcher, self.clerk = dispatcher_of(records, self.clock)

    def person(self, name, skills=EVERYTHING, rank=Rank.WORKER, *, grant=None, hours=8, places=(), most_a_day=8):
        """Somebody with an account, a role and a shift that began an hour ago; ``hours`` 0: no shift."""
        now = self.clock()
        People(self.records).invite(name, now)
        Grants(self.records).give(name, grant or Grant(Role.FACILITIES), "test", now)
        Contacts(self.records).add(Contact(name, "hook", f"{name}@example.org"), "test", now)
        self.roster.put(Worker(name, frozenset(skills), frozenset(places), rank, most_a_day), "test", now)
        if hours:
            begins = now - timedelta(hours=1)
            self.roster.plan([WorkShift(name, begins, begins + timedelta(hours=hours))], [], "test", now)
        return name

    def find(self, severity=Severity.URGENT, detector="continuous_flow", **changes):
        return self.casebook.record(finding(self.clock(), severity, detector, **changes), money=None, notify=True)

    def ask(self, building="main", skill=Skill.GENERAL, severity=Severity.ACT):
        """Somebody of the staff orders something."""
        return self.orders.make(OrderWish(OrderPlace(building), skill, severity, "Mend it"), "boss", self.clock())

    def turn(self):
        while self.dispatcher.turn():
            pass

    def order(self, alert=None):
        """The newest order, or that of an alert."""
        found = self.orders.of()
        wanted = [one for one in found if alert is None or one.wish.alert == alert.id]
        return max(wanted, key=lambda one: one.id)

    def steps(self, order):
        return [(one.what, one.by or one.note) for one in self.orders.story(order.id)]
