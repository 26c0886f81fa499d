"""Which account of the site's sign-in provider is whose: matched by a person, never by a claim alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError, Denied, Problem, Rejected, quoted
from stores.records import tables
from stores.records.accounts.account_rows import changed, open_person
from stores.records.accounts.tables import identity
from stores.records.accounts.tokens import SESSION, SIGNED_IN, new_token
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from stores.records.accounts.tokens import Browser

PROOF = "provider"
"""How a session came about: no second factor, whatever the provider asked for."""

MOST_CHARS = 255
"""Of a subject (OpenID Connect Core 1.0, section 2)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An account of a provider: who vouches, and how they name it."""

    issuer: str
    subject: str


class Identities:
    """Matches of accounts of providers with accounts here."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, name: str) -> list[Identity]:
        """Those of one person."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(identity).where(identity.c.name == name)).all()
        return [Identity(row.issuer, row.subject) for row in rows]

    def match(self, name: str, one: Identity, by: str, at: datetime) -> None:
        """From now on ``name`` signs in by it. Raises ``Rejected`` where it is another's, ``ConfigError`` for none."""
        if not one.subject.strip() or len(one.subject) > MOST_CHARS or not one.subject.isprintable():
            raise ConfigError(Problem("subject", f"{quoted(one.subject)} names nobody", f"1 to {MOST_CHARS} signs"))
        with writing(self._engine) as connection:
            open_person(connection, name)
            here = (identity.c.issuer == one.issuer, identity.c.subject == one.subject)
            known = connection.execute(sa.select(identity.c.name).where(*here)).scalar_one_or_none()
            if known is not None and known != name:
                raise Rejected("identity_taken", "this account of the provider is somebody else's here")
            if known == name:
                return
            changed(connection, name, None)
            row = {"issuer": one.issuer, "subject": one.subject, "name": name, "given_by": by, "given_at": at}
            connection.execute(sa.insert(identity).values(row))
            append_entry(connection, at, by, "person.match", name, f"{one.subject} at {one.issuer}")

    def forget(self, name: str, by: str, at: datetime) -> int:
        """Whoever has it signs in by no provider any more; how many were forgotten."""
        with writing(self._engine) as connection:
            gone = connection.execute(sa.delete(identity).where(identity.c.name == name)).rowcount
            if gone:
                changed(connection, name, None)
                append_entry(connection, at, by, "person.unmatch", name)
        return gone

    def sign_in(self, one: Identity, at: datetime, session_s: float, browser: Browser) -> str:
        """A session. Raises ``Denied`` for an account of the provider that is nobody's here, or of who has left."""
        with writing(self._engine) as connection:
            here = (identity.c.issuer == one.issuer, identity.c.subject == one.subject)
            query = sa.select(identity.c.name).join(tables.person, tables.person.c.name == identity.c.name)
            name = connection.execute(query.where(*here, tables.person.c.closed_at.is_(None))).scalar_one_or_none()
            if name is None:
                raise Denied("nobody here is matched with this account of the provider")
            append_entry(connection, at, name, SIGNED_IN, name, f"{PROOF} {one.issuer}, from {browser.address}")
            return new_token(connection, SESSION, name, at, session_s, proof=PROOF, **browser.columns)
