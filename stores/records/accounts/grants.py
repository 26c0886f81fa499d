"""Which roles people have, in which part of the estate, up to which data level and until when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.levels import Level, parse_level
from facility.rights import ADMINISTRATORS, FIRST_ROLES, Role, check_apart
from stores.records import tables
from stores.records.accounts.account_rows import changed, open_person
from stores.records.accounts.tables import role_grant
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine


@unique
class RolePart(StrEnum):
    """The kinds of parts of an estate in which a role holds."""

    SITE = "site"
    BUILDING = "building"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of one person. ``level`` is the highest data level they see with it; None: every one.

    ``id`` is 0 before it is kept.
    """

    role: Role
    part: RolePart = RolePart.SITE
    target: str = ""
    level: Level | None = None
    until: datetime | None = None
    id: int = 0

    def holds(self, at: datetime) -> bool:
        """Whether it has not ended yet."""
        return self.until is None or at < self.until

    def __str__(self) -> str:
        """``contractor, building hall, up to internal, until 2026-12-31``."""
        where = f"{self.part} {self.target}".strip()
        level = f", up to {self.level.word}" if self.level else ""
        return f"{self.role}, {where}{level}" + (f", until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "")


class Grants:
    """The roles of everybody. Each change is in the audit trail, in the transaction that makes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, name: str, at: datetime) -> list[Grant]:
        """The roles that somebody has now; none of an account that is closed."""
        g, p = role_grant.c, tables.person.c
        query = sa.select(role_grant).join(tables.person, p.name == g.name).where(g.name == name, p.closed_at.is_(None))
        with self._engine.connect() as connection:
            found = [_grant(row) for row in connection.execute(query.order_by(g.id))]
        return [one for one in found if one.holds(at)]

    def all_of(self) -> dict[str, list[Grant]]:
        """Every role of everybody, ended ones too, by name."""
        found: dict[str, list[Grant]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(sa.select(role_grant).order_by(role_grant.c.id)):
                found.setdefault(row.name, []).append(_grant(row))
        return found

    def give(self, name: str, grant: Grant, by: str, at: datetime, *, based_on: int | None = None) -> None:
        """Give somebody a role. ``based_on`` is the account's ``changes`` as ``by`` saw it, None: whatever it is.

        Raises ``Rejected`` for what nobody may have, ``Stale`` where somebody else has changed the account since.
        """
        with writing(self._engine) as connection:
            _give(connection, name, grant, by, at, based_on)

    def take(self, name: str, grant_id: int, by: str, at: datetime, *, based_on: int | None = None) -> None:
        """Take a role away. Raises ``Rejected`` where it is the last administrator's, or none of theirs."""
        with writing(self._engine) as connection:
            open_person(connection, name)
            changed(connection, name, based_on)
            found = connection.execute(
                sa.select(role_grant).where(role_grant.c.id == grant_id, role_grant.c.name == name)
            ).one_or_none()
            if found is None:
                raise Rejected("unknown_grant", f"{name} has no such role")
            before = administrators(connection, at)
            connection.execute(sa.delete(role_grant).where(role_grant.c.id == grant_id))
            check_administered(connection, before, at)
            append_entry(connection, at, by, "person.take_role", name, str(_grant(found)))

    def make_first(self, name: str, at: datetime, by: str) -> bool:
        """Make somebody the first administrator, where nobody may grant now; whether they are."""
        with writing(self._engine) as connection:
            if administrators(connection, at)[Role.SECURITY_ADMINISTRATOR]:
                return False
            has = {_grant(row).role for row in _rows_of(connection, name) if _grant(row).holds(at)}
            for role in FIRST_ROLES:
                if role not in has:
                    _give(connection, name, Grant(role), by, at, None)
            return True


def administrators(connection: Connection, at: datetime) -> dict[Role, int]:
    """How many have each of the administrators' roles, and will as long as nobody takes it."""
    g, p = role_grant.c, tables.person.c
    query = sa.select(role_grant).join(tables.person, p.name == g.name).where(p.closed_at.is_(None))
    query = query.where(g.role.in_(sorted(ADMINISTRATORS)), g.until.is_(None) | (g.until > at))
    lasting = [_grant(row) for row in connection.execute(query)]
    return {role: sum(one.role is role and one.until is None for one in lasting) for role in ADMINISTRATORS}


def check_administered(connection: Connection, before: dict[Role, int], at: datetime) -> None:
    """Raise ``Rejected`` where a change leaves nobody who lets people in, or nobody who runs the server."""
    after = administrators(connection, at)
    for role in (Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR):
        if before[role] and not after[role]:
            raise Rejected("last_administrator", f"nobody would be {role}: give that to somebody else first")


def _give(connection: Connection, name: str, grant: Grant, by: str, at: datetime, based_on: int | None) -> None:
    open_person(connection, name)
    changed(connection, name, based_on)
    _check_part(connection, grant)
    if not grant.holds(at):
        raise Rejected("ended_already", "a role ends at a time to come")
    has = [_grant(row) for row in _rows_of(connection, name)]
    check_apart([one.role for one in has if one.holds(at)] + [grant.role])
    row = {
        "name": name,
        "role": grant.role.value,
        "part": grant.part.value,
        "target": grant.target,
        "until": grant.until,
    }
    row |= {"level": grant.level.word if grant.level else None, "given_by": by, "given_at": at}
    connection.execute(sa.insert(role_grant).values(row))
    append_entry(connection, at, by, "person.give_role", name, str(grant))


def _check_part(connection: Connection, grant: Grant) -> None:
    """Raise ``Rejected`` for a part of the estate that is not there, or in which a role does not hold."""
    if grant.part is RolePart.SITE:
        if grant.target:
            raise Rejected("whole_site", f"the whole site has no part '{grant.target}'")
        return
    if grant.role in ADMINISTRATORS:
        raise Rejected("whole_site", f"{grant.role} is one for the whole site")
    table = tables.building if grant.part is RolePart.BUILDING else tables.department
    if connection.execute(sa.select(table.c.id).where(table.c.id == grant.target)).one_or_none() is None:
        raise Rejected("unknown_part", f"there is no {grant.part} '{grant.target}'")


def _rows_of(connection: Connection, name: str) -> list[sa.Row[Any]]:
    return list(connection.execute(sa.select(role_grant).where(role_grant.c.name == name)))


def _grant(row: sa.Row[Any]) -> Grant:
    level = parse_level(row.level) if row.level else None
    return Grant(Role(row.role), RolePart(row.part), row.target, level, row.until, row.id)
