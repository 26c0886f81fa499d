"""The second factor: codes of a phone by time (RFC 6238), each of which works once, and codes for when it is lost."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pyotp
import sqlalchemy as sa

from facility.errors import Rejected
from stores.records import tables
from stores.records.accounts.account_rows import changed, open_person
from stores.records.accounts.tables import recovery_code
from stores.records.accounts.tokens import SECOND_FACTOR, SESSION, digest
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

STEP_S = 30
RECOVERY_CODES = 10
ISSUER = "Meterhouse"
RECOVERY_CODE = "recovery_code"
"""How the audit calls what was shown in place of the phone."""


class SecondFactor:
    """Sets up, and takes away, what somebody shows beside their password."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @staticmethod
    def new_secret() -> str:
        """A secret for a phone that is not kept yet: 160 bits in base 32."""
        return pyotp.random_base32()

    @staticmethod
    def address_of(secret: str, name: str) -> str:
        """What a phone reads from a QR code."""
        return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)

    def set_up(self, name: str, secret: str, code: str, at: datetime, session: str = "") -> list[str]:
        """Keep the secret once the phone has shown that it has it; new recovery codes, which are said this once.

        The session with the id ``session`` is proved by it.
        Raises ``Rejected`` for a code that is not the phone's.
        """
        step = _step_of(secret, code, at, None)
        if step is None:
            raise Rejected("wrong_code", "this is not the code that the phone shows now")
        codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES)]
        with writing(self._engine) as connection:
            _keep_phone(connection, name, secret, step)
            connection.execute(sa.insert(recovery_code), [{"digest": _kept(name, one), "name": name} for one in codes])
            prove_session(connection, session, name)
            append_entry(connection, at, name, "person.set_second_factor", name)
        return codes

    def take_away(self, name: str, by: str, at: datetime) -> None:
        """Nobody is asked for a code of theirs any more; whoever has the phone is signed out, and no link works."""
        with writing(self._engine) as connection:
            _keep_phone(connection, name, None, None)
            connection.execute(sa.delete(tables.token).where(tables.token.c.name == name))
            append_entry(connection, at, by, "person.take_second_factor", name)

    def codes_left(self, name: str) -> int:
        """How many recovery codes have not been used."""
        query = sa.select(sa.func.count()).select_from(recovery_code).where(recovery_code.c.name == name)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


def uses_up(connection: Connection, person: sa.Row[tuple[object, ...]], code: str, at: datetime) -> str:
    """What it is, where the code is one of theirs that was never used; then it is now. Empty: it is none.

    In the transaction that lets them in.
    """
    said = "".join(code.split())
    step = _step_of(person.totp, said, at, person.totp_step)
    if step is not None:
        connection.execute(sa.update(tables.person).where(tables.person.c.name == person.name).values(totp_step=step))
        return SECOND_FACTOR
    kept = recovery_code.c.digest == _kept(person.name, said.lower())
    return RECOVERY_CODE if connection.execute(sa.delete(recovery_code).where(kept)).rowcount == 1 else ""


def prove_session(connection: Connection, session: str, name: str) -> None:
    """A code was shown in a session of theirs."""
    t = tables.token.c
    mine = sa.update(tables.token).where(t.id == session, t.name == name, t.kind == SESSION)
    connection.execute(mine.values(proof=SECOND_FACTOR))


def _step_of(secret: str, code: str, at: datetime, after: int | None) -> int | None:
    """The time step whose code this is: of now, of the one before or the one after, and newer than ``after``."""
    said, now = "".join(code.split()), int(at.timestamp()) // STEP_S
    if not (said.isascii() and said.isdecimal()):
        return None
    known = pyotp.TOTP(secret)
    found = [step for step in (now - 1, now, now + 1) if pyotp.utils.strings_equal(known.generate_otp(step), said)]
    return next((step for step in found if after is None or step > after), None)


def _kept(name: str, code: str) -> str:
    return digest(f"{name}\0{code}")


def _keep_phone(connection: Connection, name: str, secret: str | None, step: int | None) -> None:
    """Of an account that is open; the recovery codes of the phone before end with it."""
    open_person(connection, name)
    changed(connection, name, None)
    person = sa.update(tables.person).where(tables.person.c.name == name)
    connection.execute(person.values(totp=secret, totp_step=step))
    connection.execute(sa.delete(recovery_code).where(recovery_code.c.name == name))
