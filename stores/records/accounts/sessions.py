"""The open sessions of a person, and how they are ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records import tables
from stores.records.accounts.tokens import SESSION
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine


@dataclass(frozen=True, slots=True)
class Session:
    """Where somebody is signed in. Times are None, and texts empty, where an older Meterhouse kept none."""

    id: str
    begun_at: datetime | None
    seen_at: datetime | None
    browser: str
    address: str
    proof: str


class Sessions:
    """Looks at sessions by their owner, never by their secret."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, name: str, at: datetime) -> list[Session]:
        """Those of a person that have not expired, the one that was used last first."""
        t = tables.token.c
        query = sa.select(tables.token).where(t.name == name, t.kind == SESSION, t.expires_at > at)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(t.seen_at.desc(), t.id)).all()
        return [Session(r.id, r.begun_at, r.seen_at, r.browser or "", r.address or "", r.proof or "") for r in rows]

    def end(self, name: str, session: str, at: datetime) -> None:
        """Sign a person out at one place. Raises ``Rejected`` where it is none of theirs."""
        t = tables.token.c
        with writing(self._engine) as connection:
            gone = sa.delete(tables.token).where(t.id == session, t.name == name, t.kind == SESSION)
            if connection.execute(gone).rowcount == 0:
                raise Rejected("unknown_session", "there is no such session")
            append_entry(connection, at, name, "person.end_session", name)

    def end_all(self, name: str, by: str, at: datetime, *, but: str = "") -> None:
        """Sign a person out everywhere, except in the session with the id ``but``; links of theirs work no more.

        Those in letters neither: whoever found the phone reads the mail on it.
        """
        t = tables.token.c
        with writing(self._engine) as connection:
            connection.execute(sa.delete(tables.token).where(t.name == name, t.id != but))
            append_entry(connection, at, by, "person.end_sessions", name)
