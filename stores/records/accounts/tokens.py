"""One-time links and sessions as they are kept: found by an id, proved by a secret that is kept as a digest alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Denied
from stores.records import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

INVITATION = "invitation"
SESSION = "session"
SECOND_FACTOR = "second_factor"
"""How a session was proved in which a code was shown."""

SIGNED_IN = "person.sign_in"
"""How the audit calls it."""

MOST_SAID = 200


@dataclass(frozen=True, slots=True)
class Browser:
    """From where somebody comes: what their browser calls itself, None where nobody asked it, and its address."""

    name: str | None = None
    address: str = ""

    @property
    def columns(self) -> dict[str, str | None]:
        """As a session keeps it."""
        return {"browser": None if self.name is None else self.name[:MOST_SAID], "address": self.address}


NO_BROWSER = Browser()


def new_token(connection: Connection, kind: str, name: str, at: datetime, valid_s: float, **more: str | None) -> str:
    """Keep a token and say it, ``id.secret``; ``more`` are columns of a session."""
    one, secret = secrets.token_urlsafe(9), secrets.token_urlsafe(32)
    row = {"id": one, "digest": digest(secret), "kind": kind, "name": name, "begun_at": at, "seen_at": at, **more}
    row["expires_at"] = at + timedelta(seconds=valid_s)
    connection.execute(sa.insert(tables.token).values(row))
    return f"{one}.{secret}"


def find_token(connection: Connection, kind: str, token: str) -> sa.Row[Any] | None:
    """The row of a token that was proved, or None."""
    one, _, secret = token.partition(".")
    if not (token.isascii() and token.isprintable()):  # none of ours, and not every database can be asked for it
        return None
    query = sa.select(tables.token).where(tables.token.c.id == one, tables.token.c.kind == kind)
    row = connection.execute(query).one_or_none()
    return row if row is not None and hmac.compare_digest(row.digest, digest(secret)) else None


def valid_link(connection: Connection, kind: str, token: str, at: datetime) -> sa.Row[Any]:
    """The row of a one-time link. Raises ``Denied`` where it is unknown, used or too old."""
    row = find_token(connection, kind, token)
    if row is None:
        raise Denied("this link is not known")
    if row.used_at is not None:
        raise Denied("this link has been used")
    if at >= row.expires_at:
        raise Denied("this link has expired")
    return row


def token_id(token: str) -> str:
    """By what a token is found, and a session is named to its owner."""
    return token.partition(".")[0]


def digest(secret: str) -> str:
    """What is kept of a secret that cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()
