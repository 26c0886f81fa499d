"""The row of an account, as those who change it must find it: open, and as they saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records import tables
from stores.records.stale import Stale

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def open_person(connection: Connection, name: str) -> sa.Row[Any]:
    """The account; raises ``Rejected`` where there is none, or it is closed."""
    row = connection.execute(sa.select(tables.person).where(tables.person.c.name == name)).one_or_none()
    if row is None or row.closed_at is not None:
        raise Rejected("unknown_person", f"there is no account of {name}")
    return row


def changed(connection: Connection, name: str, based_on: int | None) -> None:
    """Count one more change of an account; raises ``Stale`` where it is not the one that somebody saw."""
    p = tables.person.c
    query = sa.update(tables.person).where(p.name == name).values(changes=p.changes + 1)
    if based_on is not None:
        query = query.where(p.changes == based_on)
    if connection.execute(query).rowcount == 0:
        raise Stale("account", ())
