"""Findings, people and a post office over records, for tests of letters."""

from __future__ import annotations

from datetime import time, timedelta
from time import monotonic

from analytics.letters.clerk import Clerk
from analytics.letters.post_office import PostOffice
from analytics.metrics import Rounds
from facility.rights import Role
from facility.work import Evidence, Excess, Finding, Money, Severity
from rigs.campus import estate
from stores.access import kept_rights
from stores.access.important import ReadTrail
from stores.records.accounts.grants import Grant, Grants
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact
from stores.records.letters.letters import LEASE, Letters
from stores.records.letters.take_links import TakeLinks
from stores.records.people import People
from stores.records.registry import Registry

CONSOLE = "https://meters.example.org"
POINT = "total/energy_import/total"
IMPORTANT = [("{quantity: energy_import, high: 1000000}", "{quantity: energy_import, level: important}")]


class Clock:
    """The time, as the test says."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


class Office:
    """A campus with cases; ``office`` reads and sends when the test says so."""

    def __init__(self, records, now, couriers, *, language="en", lease=LEASE, important=False):
        self.records, self.clock = records, Clock(now)
        Registry(records).apply(estate(*(IMPORTANT if important else ())), by="test", at=now)
        self.casebook, self.letters = Casebook(records), Letters(records)
        self.contacts, self.people = Contacts(records), People(records)
        clerk = Clerk(
            Registry(records),
            self.people,
            kept_rights(records, self.clock),
            links=TakeLinks(records),
            trail=ReadTrail(Audit(records), self.clock),
            console=CONSOLE,
            language=language,
            daily_at=time(8, 0),
        )
        self.office = PostOffice(
            self.letters, self.contacts, clerk, couriers, self.clock, Rounds(monotonic), lease=lease
        )
        self.office.write()  # from here on what happens is told

    def person(self, name="kim", grant=None, courier="hook", address="", quiet=""):
        self.people.invite(name, self.clock())
        Grants(self.records).give(name, grant or Grant(Role.FACILITIES), "test", self.clock())
        self.contacts.add(Contact(name, courier, address, quiet), "test", self.clock())
        return name

    def find(self, severity=Severity.URGENT, detector="continuous_flow", notify=True, **changes):
        return self.casebook.record(
            finding(self.clock(), severity, detector, **changes), money=Money(3.0, 24.0, "CNY"), notify=notify
        )

    def deliver(self, courier="hook"):
        """Write what is new and send what is due; how many letters were dealt with."""
        while self.office.write():
            pass
        dealt = 0
        while self.office.carry(courier):
            dealt += 1
        return dealt


def finding(now, severity=Severity.URGENT, detector="continuous_flow", **changes):
    fields = {
        "detector": detector,
        "point": POINT,
        "meter": "total",
        "building": "main",
        "since": now - timedelta(hours=3),
        "seen_at": now,
        "severity": severity,
        "confidence": 0.9,
        "evidence": (Evidence(POINT, now - timedelta(days=1), now),),
        "params": {"rate_qty": 1.25, "unit": "m3", "since_at": "2026-11-23T06:30:00Z"},
        "excess": Excess(12.5, "kWh", 100.0),
    }
    return Finding(**{**fields, **changes})
