"""Which letter something goes into: the one that waits to leave for somebody, or a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stores.records.letters.letter import Haste, LetterState, offer_letter_id, waiting_letter_id
from stores.records.letters.rules import STORM, leaves_at, quiet_hours
from stores.records.letters.tables import letter as letters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, time
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from sqlalchemy.engine import Connection

    from facility.work import Alert
    from stores.records.letters.letter import Contact

ORDERS = "/orders"
"""In place of an agent: a letter about work orders. No agent is called so."""

WAITING = "/waiting"
"""The same of a digest of work orders that wait for somebody; which these are is looked up when it leaves."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known of the readers while letters are written: contacts, what each may see, and the site's clocks."""

    contacts: Sequence[Contact]
    shows: Callable[[str, Alert], bool]
    agent_of: Callable[[str], str]
    zone: ZoneInfo
    daily_at: time


def letter_for(
    connection: Connection, contact: Contact, haste: Haste, agent: str, new_id: UUID, now: datetime, desk: Desk
) -> str | None:
    """The id of the letter; None where the new one was written before: records put back tell nothing twice."""
    c = letters.c
    same = (c.name == contact.name) & (c.courier == contact.courier) & (c.address == contact.address)
    same &= (c.haste == haste.value) & (c.agent == agent)
    waits = sa.select(c.id).where(same, c.state == LetterState.WAITING.value, c.attempts == 0).limit(1)
    found = connection.execute(waits).scalar()
    if found is not None:
        return str(found)
    if connection.execute(sa.select(c.id).where(c.id == str(new_id))).one_or_none():
        return None
    left = list(connection.execute(sa.select(c.due_at).where(same, c.created_at > now - STORM)).scalars())
    due = leaves_at(haste, now, left, quiet=quiet_hours(contact.quiet), zone=desk.zone, daily_at=desk.daily_at)
    connection.execute(sa.insert(letters).values(_new_row(str(new_id), contact, haste, agent, now, due)))
    return str(new_id)


def put_order_letters(connection: Connection, name: str, haste: Haste, to: int, now: datetime, desk: Desk) -> list[str]:
    """The letters in which somebody is told that a work order is theirs; ``to`` is the offer."""
    theirs = [one for one in desk.contacts if one.name == name]
    found = [letter_for(connection, one, haste, ORDERS, offer_letter_id(to, now, one), now, desk) for one in theirs]
    return [one for one in found if one]


def put_waiting_letters(connection: Connection, name: str, order: int, now: datetime, desk: Desk) -> None:
    """The digest that tells somebody, who is offered no more today, of work orders that wait."""
    for one in desk.contacts:
        if one.name == name:
            letter_for(connection, one, Haste.DAILY, WAITING, waiting_letter_id(order, now, one), now, desk)


def told_of_waiting(connection: Connection) -> set[str]:
    """Who has such a digest coming."""
    c = letters.c
    query = sa.select(c.name).where(c.agent == WAITING, c.state == LetterState.WAITING.value)
    return set(connection.execute(query).scalars())


def _new_row(id_: str, contact: Contact, haste: Haste, agent: str, now: datetime, due: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "name": contact.name,
        "courier": contact.courier,
        "address": contact.address,
        "haste": haste.value,
        "agent": agent,
        "created_at": now,
        "due_at": due,
        "state": LetterState.WAITING.value,
        "attempts": 0,
        "may_have_arrived": False,
        "why": "",
    }
