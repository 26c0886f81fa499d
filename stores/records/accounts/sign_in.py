"""Coming in with a name, a password and, where there is one, a second factor. A refusal never says which was wrong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError, Denied
from facility.person_name import person_name
from stores.records import tables
from stores.records.accounts.account_rows import changed, open_person
from stores.records.accounts.attempts import forget_failures, note_failure, wait_s
from stores.records.accounts.passwords import check_password, fits, hash_of
from stores.records.accounts.second_factor import prove_session, uses_up
from stores.records.accounts.tokens import NO_BROWSER, SECOND_FACTOR, SESSION, SIGNED_IN, Browser, new_token
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

AT_ONCE = 2
"""Passwords that are hashed at the same time; each takes 64 MiB and a core."""

TURN_S = 5
"""Seconds that somebody waits for their turn."""

REFUSED = "name, password or code is not right"


class TooManyError(Denied):
    """The name is locked, or too many come at once: ask again after ``wait_s``."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"too many attempts: try again in {wait_s} s")


class SignIn:
    """Lets people in by what they know and have."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def prove(self, name: str, password: str, code: str, at: datetime, session_s: float, browser: Browser) -> str:
        """A session. Raises ``Denied`` alike for a wrong name, password or code, and for an account that is closed.

        Raises ``TooManyError``, alike for a name that nobody has, after ``attempts.MOST`` failures.
        """
        try:
            known = person_name(name)
        except ConfigError:
            known = ""
        if self._fits(password, self._kept(known, at)):
            with writing(self._engine) as connection:
                if left := wait_s(connection, known, at):
                    raise TooManyError(left)
                person = open_person(connection, known)
                proof = SECOND_FACTOR if person.totp else "password"
                if shown := uses_up(connection, person, code, at) if person.totp else proof:
                    forget_failures(connection, known)
                    append_entry(connection, at, known, SIGNED_IN, known, f"{shown}, from {browser.address}")
                    return new_token(connection, SESSION, known, at, session_s, proof=proof, **browser.columns)
        self._fail(known, at, browser)
        raise Denied(REFUSED)

    def set_password(self, name: str, password: str, at: datetime) -> None:
        """Keep a new password of theirs. Raises ``Rejected`` for a weak one."""
        kept = hash_of(check_password(password, name))
        with writing(self._engine) as connection:
            open_person(connection, name)
            changed(connection, name, None)
            connection.execute(sa.update(tables.person).where(tables.person.c.name == name).values(password=kept))
            append_entry(connection, at, name, "person.set_password", name)

    def is_password(self, name: str, password: str, at: datetime) -> bool:
        """Whether it is theirs; a wrong one counts as a failed attempt. Raises ``TooManyError`` as ``prove`` does."""
        if self._fits(password, self._kept(name, at)):
            return True
        self._fail(name, at, NO_BROWSER)
        return False

    def show_code(self, name: str, code: str, session: str, at: datetime) -> bool:
        """Whether the code is theirs: then their session with this id is proved by it; a wrong one counts as a failure.

        Raises ``TooManyError`` as ``prove`` does.
        """
        with writing(self._engine) as connection:
            if left := wait_s(connection, name, at):
                raise TooManyError(left)
            person = open_person(connection, name)
            shown = uses_up(connection, person, code, at) if person.totp else ""
            if shown:
                forget_failures(connection, name)
                prove_session(connection, session, name)
                append_entry(connection, at, name, "person.second_factor", name, shown)
        if not shown:
            self._fail(name, at, NO_BROWSER)
        return bool(shown)

    def _kept(self, name: str, at: datetime) -> str | None:
        p = tables.person.c
        with self._engine.connect() as connection:
            if left := wait_s(connection, name, at):
                raise TooManyError(left)
            query = sa.select(p.password).where(p.name == name, p.closed_at.is_(None))
            return connection.execute(query).scalar_one_or_none()

    def _fits(self, password: str, kept: str | None) -> bool:
        if not self._turns.acquire(timeout=TURN_S):
            raise TooManyError(TURN_S)
        try:
            return fits(password, kept)
        finally:
            self._turns.release()

    def _fail(self, name: str, at: datetime, browser: Browser) -> None:
        with writing(self._engine) as connection:
            if note_failure(connection, name, at):
                append_entry(connection, at, "", "person.locked", name, f"from {browser.address}")
