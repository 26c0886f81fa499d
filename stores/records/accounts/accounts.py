"""The accounts of everybody: who there is, and how somebody leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.so_many import so_many
from facility.work import AlertState
from stores.records import tables
from stores.records.accounts.account_rows import changed, open_person
from stores.records.accounts.grants import administrators, check_administered
from stores.records.accounts.tables import identity, recovery_code, role_grant
from stores.records.accounts.tokens import SESSION
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.letters.tables import contact, letter
from stores.records.roster.tables import day_off, shift, worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may come in, or has left. ``changes`` is what an edit of the account states it is based on."""

    name: str
    created_at: datetime
    closed_at: datetime | None
    has_password: bool
    has_second_factor: bool
    changes: int
    seen_at: datetime | None
    cases: int
    """Cases that they have taken and not closed."""


class Accounts:
    """Every account. None is deleted: the audit trail names them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all_of(self) -> list[Account]:
        """Those who may come in first, each by name."""
        p, t, a = tables.person.c, tables.token.c, tables.alert.c
        with self._engine.connect() as connection:
            people = connection.execute(sa.select(tables.person).order_by(p.closed_at.is_not(None), p.name)).all()
            seen_query = sa.select(t.name, sa.func.max(t.seen_at)).where(t.kind == SESSION).group_by(t.name)
            seen = dict(tuple(row) for row in connection.execute(seen_query))
            cases_query = sa.select(a.acknowledged_by, sa.func.count()).where(_is_open()).group_by(a.acknowledged_by)
            cases = dict(tuple(row) for row in connection.execute(cases_query))
        return [_account(row, seen, cases) for row in people]

    def account(self, name: str) -> Account | None:
        """One of them."""
        return next((one for one in self.all_of() if one.name == name), None)

    def close(self, name: str, by: str, at: datetime, *, hand_to: str = "", based_on: int | None = None) -> int:
        """Let somebody in no more; how many open cases went to ``hand_to``.

        Sessions, links, roles, password and codes end with it, and their place on the roster; dispatch finds others for
        their work orders. Raises ``Rejected`` where cases are open and nobody
        takes them over, and for the last administrator.
        """
        with writing(self._engine) as connection:
            open_person(connection, name)
            changed(connection, name, based_on)
            before = administrators(connection, at)
            handed = _hand_over(connection, name, hand_to, by, at)
            for table in (tables.token, role_grant, recovery_code, identity, contact, shift, day_off, worker):
                connection.execute(sa.delete(table).where(table.c.name == name))
            nowhere = sa.update(letter).where(letter.c.name == name).values(address="")
            connection.execute(nowhere)  # where they were reached is theirs; that they were written to stays
            gone = {"closed_at": at, "password": None, "totp": None, "totp_step": None}
            connection.execute(sa.update(tables.person).where(tables.person.c.name == name).values(gone))
            check_administered(connection, before, at)
            append_entry(
                connection, at, by, "person.close", name, f"{so_many(handed, 'case')} to {hand_to}" if handed else ""
            )
        return handed


def _account(row: sa.Row[Any], seen: Mapping[str, datetime], cases: Mapping[str, int]) -> Account:
    has_password, has_second_factor = row.password is not None, row.totp is not None
    more = (has_password, has_second_factor, row.changes, seen.get(row.name), cases.get(row.name, 0))
    return Account(row.name, row.created_at, row.closed_at, *more)


def _is_open() -> sa.ColumnElement[bool]:
    return tables.alert.c.state.in_([AlertState.ACKNOWLEDGED.value, AlertState.SNOOZED.value])


def _hand_over(connection: Connection, name: str, to: str, by: str, at: datetime) -> int:
    """Make cases that somebody has taken another's; each tells so in its story."""
    a = tables.alert.c
    found = connection.execute(sa.select(a.id).where(a.acknowledged_by == name, _is_open())).scalars().all()
    if not found:
        return 0
    if not to or to == name:
        raise Rejected("cases_open", f"{name} has taken {so_many(len(found), 'case')}: say who takes over")
    open_person(connection, to)
    change = {"acknowledged_by": to, "acts": a.acts + 1}
    connection.execute(sa.update(tables.alert).where(a.id.in_(found)).values(change))
    steps = [{"alert": one, "at": at, "what": "handed_over", "by": by, "note": f"{name} → {to}"} for one in found]
    connection.execute(sa.insert(tables.case_event), steps)
    return len(found)
