"""Who may come in: one-time links, sessions, and each person's language. Secrets are kept as digests only."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Denied, Rejected, StoreUnavailable
from facility.person_name import person_name
from stores.records import tables
from stores.records.accounts.account_rows import open_person
from stores.records.accounts.tokens import (
    INVITATION,
    NO_BROWSER,
    SESSION,
    SIGNED_IN,
    Browser,
    find_token,
    new_token,
    valid_link,
)
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

LANGUAGES = ("en", "zh-Hans")
NO_WISH = ""
"""The language of who has chosen none: their browser's is used."""

DAY_S = 86_400.0

_FORGET_AFTER = timedelta(days=1)
"""How long an expired token is remembered, so that its owner is told that it expired."""

_SEEN_EACH = timedelta(minutes=1)
"""How often it is written down that a session is used."""

_CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of two servers of one site may be apart."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, and the language they chose (``NO_WISH`` where they chose none)."""

    name: str
    language: str
    proof: str = ""
    """How they came in: ``link``, ``password`` or ``second_factor``; empty where an older Meterhouse kept nothing."""


class People:
    """Accounts and tokens. A token is ``id.secret``: found by its id, proved by its secret in constant time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def invite(self, name: str, at: datetime, valid_s: float = 900, by: str = "") -> str:
        """A token that signs ``name`` in once; the account is made, without any role, when there is none.

        ``by`` is who lets them in, if it is not they themselves. Raises ``ConfigError`` for what nobody is called,
        ``Rejected`` for who has left.
        """
        name = person_name(name)
        with writing(self._engine) as connection:
            known = sa.select(tables.person.c.name).where(tables.person.c.name == name)
            if connection.execute(known).one_or_none() is None:
                row = {"name": name, "language": NO_WISH, "created_at": at}
                connection.execute(sa.insert(tables.person).values(row))
            open_person(connection, name)
            append_entry(connection, at, by or name, "person.invite", name)
            return new_token(connection, INVITATION, name, at, valid_s)

    def knows(self, name: str) -> bool:
        """Whether there is an account of that name, open or closed."""
        with self._engine.connect() as connection:
            known = sa.select(tables.person.c.name).where(tables.person.c.name == person_name(name))
            return connection.execute(known).one_or_none() is not None

    def has_anybody_come(self) -> bool:
        """Whether anybody has ever signed in."""
        with self._engine.connect() as connection:
            come = sa.select(tables.audit.c.seq).where(tables.audit.c.what == SIGNED_IN).limit(1)
            return connection.execute(come).one_or_none() is not None

    def redeem(self, token: str, at: datetime, session_s: float, browser: Browser = NO_BROWSER) -> str:
        """Exchange a one-time token for a session token. Raises ``Denied`` if unknown, used or expired."""
        with self._engine.connect() as connection:  # a stranger who guesses must not hold up those who write
            if find_token(connection, INVITATION, token) is None:
                raise Denied("this link is not known")
        with writing(self._engine) as connection:
            connection.execute(sa.delete(tables.token).where(tables.token.c.expires_at < at - _FORGET_AFTER))
            row = valid_link(connection, INVITATION, token, at)
            connection.execute(sa.update(tables.token).where(tables.token.c.id == row.id).values(used_at=at))
            append_entry(connection, at, row.name, SIGNED_IN, row.name, f"link, from {browser.address}")
            return new_token(connection, SESSION, row.name, at, session_s, proof="link", **browser.columns)

    def note_refusal(self, at: datetime, noted: str, address: str, why: str) -> None:
        """Put on record that a link was refused, or that an address may try no more for now."""
        with writing(self._engine) as connection:
            append_entry(connection, at, "", f"person.sign_in_{noted}", address, why)

    def person(
        self,
        session_token: str,
        at: datetime,
        *,
        idle_s: float = DAY_S,
        is_used: bool = False,
        browser: Browser = NO_BROWSER,
    ) -> Person | None:
        """Whose session this is, or None where it is unknown, has expired or was not used for ``idle_s``.

        ``is_used``: it is used now, by a person and not by a page that renews itself. A session that comes from another
        browser than the one it was given to was stolen: it ends. So does one that lies in the future, where the clock
        was put back.
        """
        with self._engine.connect() as connection:
            row = find_token(connection, SESSION, session_token)
            if (
                row is None
                or at >= row.expires_at
                or not -_CLOCKS_DIFFER <= _unused(row, at) < timedelta(seconds=idle_s)
            ):
                return None
            query = sa.select(tables.person.c.language).where(
                tables.person.c.name == row.name, tables.person.c.closed_at.is_(None)
            )
            found = connection.execute(query).one_or_none()
        if found is None:
            return None
        if None not in {row.browser, browser.name} and row.browser != browser.columns["browser"]:
            self._end_stolen(row, at, browser)
            return None
        person = Person(row.name, found.language, row.proof or "")
        if is_used and _unused(row, at) >= _SEEN_EACH:
            self._note_use(row.id, at)
        return person

    def _end_stolen(self, row: sa.Row[Any], at: datetime, browser: Browser) -> None:
        """Whoever it was, both have to sign in again. While nothing can be written it opens nothing either."""
        with suppress(StoreUnavailable), writing(self._engine) as connection:
            connection.execute(sa.delete(tables.token).where(tables.token.c.id == row.id))
            append_entry(connection, at, row.name, "person.stolen_session", row.name, f"from {browser.address}")

    def _note_use(self, token: str, at: datetime) -> None:
        """While nothing can be written, who is signed in may still look."""
        with suppress(StoreUnavailable), writing(self._engine) as connection:
            connection.execute(sa.update(tables.token).where(tables.token.c.id == token).values(seen_at=at))

    def sign_out(self, session_token: str, at: datetime) -> None:
        """End a session; nothing happens where it has ended already."""
        with writing(self._engine) as connection:
            row = find_token(connection, SESSION, session_token)
            if row is not None:
                connection.execute(sa.delete(tables.token).where(tables.token.c.id == row.id))
                append_entry(connection, at, row.name, "person.sign_out", row.name)

    def language_of(self, name: str) -> str:
        """The language that somebody chose; ``NO_WISH`` where they chose none, or there is no such person."""
        with self._engine.connect() as connection:
            query = sa.select(tables.person.c.language).where(tables.person.c.name == name)
            return connection.execute(query).scalar() or NO_WISH

    def set_language(self, name: str, language: str) -> None:
        """Remember the language a person reads."""
        if language not in LANGUAGES:
            raise Rejected("unknown_language", f"'{language}' is not one of {', '.join(LANGUAGES)}")
        with writing(self._engine) as connection:
            found = sa.update(tables.person).where(tables.person.c.name == name).values(language=language)
            if connection.execute(found).rowcount == 0:
                raise Rejected("unknown_person", name)


def _unused(row: sa.Row[Any], at: datetime) -> timedelta:
    """For how long; a session of an older Meterhouse has never been seen, and begins to be with its next use."""
    return at - row.seen_at if row.seen_at else _SEEN_EACH
