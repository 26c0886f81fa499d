"""Urgent alarms, one after the other: how long until somebody is asked, and until their message is handed over."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from typing import TYPE_CHECKING

import sqlalchemy as sa

from analytics.dispatch.dispatcher import Dispatcher
from analytics.letters.clerk import Clerk
from analytics.letters.couriers import read_couriers
from analytics.letters.post_office import PostOffice
from analytics.metrics import Rounds
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.order import Skill
from facility.rights import Role
from facility.work import Evidence, Finding, Severity
from stores.access import kept_rights
from stores.access.important import ReadTrail
from stores.records.accounts.grants import Grant, Grants
from stores.records.audit import Audit
from stores.records.case_figures import case_figures
from stores.records.case_list import CaseFilter
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact, LetterState
from stores.records.letters.letters import Letters
from stores.records.letters.tables import letter
from stores.records.letters.take_links import TakeLinks
from stores.records.orders.tables import letter_offer, order_offer, work_order
from stores.records.people import People
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.roster.worker import Worker, WorkShift
from stores.records.tables import alert

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

SITE = """\
version: 1
site: {id: town, name: Town, timezone: UTC, currency: EUR}
buildings: [{id: b, name: B}]
agents: [{id: edge-1, buses: [{id: line, url: "modbus+tcp://127.0.0.1:1"}]}]
meters: [{id: m, name: M, building: b, profile: generic/pulse-water, agent: edge-1, bus: line, unit: 1}]
"""
POINT = "m/water_volume/total"
PAUSE_S, PATIENCE_S = 0.3, 120.0
COURIER = "folder"


def reached(folder: Path, alarms: int) -> dict[str, float | None]:
    """So many alarms, each for somebody else: 95 of 100 reached within so many seconds."""
    records = open_records(f"sqlite:///{folder}/reached.db")
    people(records, alarms)
    rights, rounds = kept_rights(records, utc_now), Rounds(time.monotonic)
    clerk = Clerk(
        Registry(records), People(records), rights, links=TakeLinks(records), trail=ReadTrail(Audit(records), utc_now),
        console="https://meters.example.org", language="en", daily_at=wall(8),
    )  # fmt: skip
    couriers = read_couriers(f"{COURIER}={(folder / 'letters').as_uri().replace('file:', 'folder:')}")
    dispatcher = Dispatcher(records, clerk, Contacts(records), list(couriers), rights, utc_now, rounds)
    with PostOffice(Letters(records), Contacts(records), clerk, couriers, utc_now, rounds), dispatcher:
        for n in range(alarms):
            Casebook(records).record(alarm(n), money=None, notify=True)
            time.sleep(PAUSE_S)
        end = time.monotonic() + PATIENCE_S
        while len(arrived := message_s(records)) < alarms and time.monotonic() < end:
            time.sleep(PAUSE_S)
    figures = case_figures(records, utc_now(), CaseFilter()).orders
    records.dispose()
    message = sorted(arrived)[math.ceil(0.95 * len(arrived)) - 1] if len(arrived) == alarms else None
    return {"alarms": alarms, "assigned_p95_s": figures.assigned_p95_s, "message_p95_s": message}


def people(records: Engine, number: int) -> None:
    """An estate, and so many people on shift who each have an address."""
    now, roster = utc_now(), Roster(records)
    Registry(records).apply(load_site(SITE, "site.yaml", load_profiles()), by="bench", at=now)
    for name in (f"p{n}" for n in range(number)):
        People(records).invite(name, now)
        Grants(records).give(name, Grant(Role.FACILITIES), "bench", now)
        Contacts(records).add(Contact(name, COURIER, f"{name}@example.org"), "bench", now)
        roster.put(Worker(name, frozenset(Skill)), "bench", now)
        roster.plan([WorkShift(name, now - timedelta(hours=1), now + timedelta(hours=8))], [], "bench", now)


def alarm(number: int) -> Finding:
    """Found now."""
    at = utc_now()
    return Finding(f"d{number}", POINT, "m", "b", at, at, Severity.URGENT, 0.9, (Evidence(POINT, at, at),))


def message_s(records: Engine) -> list[float]:
    """From each alarm until its message was handed to the courier, as far as they were."""
    query = sa.select(alert.c.raised_at, letter.c.ended_at).select_from(
        alert.join(work_order, work_order.c.alert == alert.c.id)
        .join(order_offer, order_offer.c.standing == work_order.c.id)
        .join(letter_offer, letter_offer.c.offer == order_offer.c.id)
        .join(letter, letter.c.id == letter_offer.c.letter)
    )
    with records.connect() as connection:
        rows = connection.execute(query.where(letter.c.state == LetterState.SENT.value)).all()
    return [round((arrived - raised).total_seconds(), 2) for raised, arrived in rows]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)
