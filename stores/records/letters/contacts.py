"""How people are reached: their contacts, each change of which is in the audit trail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records.accounts.account_rows import open_person
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.letters.letter import Contact
from stores.records.letters.rules import quiet_hours
from stores.records.letters.tables import contact as contacts
from stores.records.tables import person

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

MOST_OF_ONE = 10
_ADDRESS = re.compile(r"[^\s<>\"',;]{0,200}")


class Contacts:
    """The contacts of everybody. An account that is closed has none any more."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all_of(self) -> list[Contact]:
        """Of every open account, by name."""
        with self._engine.connect() as connection:
            return find_contacts(connection)

    def add(self, one: Contact, by: str, at: datetime) -> None:
        """Reach somebody this way from now on; what they have already gets the quiet hours that are said now.

        Raises ``Rejected`` for an unknown or closed account, for what is no address, and for too many.
        """
        quiet_hours(one.quiet)
        if not _ADDRESS.fullmatch(one.address):
            raise Rejected("no_address", f"'{one.address}' is no address (allowed: one word, such as kim@example.org)")
        same = _same(one)
        with writing(self._engine) as connection:
            open_person(connection, one.name)
            changed = connection.execute(sa.update(contacts).where(same).values(quiet=one.quiet)).rowcount
            if not changed:
                _check_number(connection, one.name)
                row = {"name": one.name, "courier": one.courier, "address": one.address, "quiet": one.quiet}
                connection.execute(sa.insert(contacts).values(row))
            append_entry(connection, at, by, "person.contact", one.name, _in_words(one))

    def remove(self, one: Contact, by: str, at: datetime) -> None:
        """Reach them this way no more. Raises ``Rejected`` where nobody did."""
        with writing(self._engine) as connection:
            if not connection.execute(sa.delete(contacts).where(_same(one))).rowcount:
                raise Rejected("unknown_contact", f"{one.name} is not reached by {_in_words(one)}")
            append_entry(connection, at, by, "person.no_contact", one.name, _in_words(one))


def find_contacts(connection: Connection) -> list[Contact]:
    """The contacts of all open accounts."""
    c = contacts.c
    query = sa.select(c.name, c.courier, c.address, c.quiet, c.id).join(person, person.c.name == c.name)
    rows = connection.execute(query.where(person.c.closed_at.is_(None)).order_by(c.name, c.id))
    return [Contact(*row) for row in rows]


def _same(one: Contact) -> sa.ColumnElement[bool]:
    c = contacts.c
    return (c.name == one.name) & (c.courier == one.courier) & (c.address == one.address)


def _check_number(connection: Connection, name: str) -> None:
    query = sa.select(sa.func.count()).where(contacts.c.name == name)
    if (connection.execute(query).scalar() or 0) >= MOST_OF_ONE:
        raise Rejected("too_many_contacts", f"{name} is reached in {MOST_OF_ONE} ways already")


def _in_words(one: Contact) -> str:
    return f"{one.courier} {one.address}".strip() + (f", quiet {one.quiet}" if one.quiet else "")
