"""Who did what, when: a chain in which each entry seals the one before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError, Problem
from stores.records import tables
from stores.records.columns import plain
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

GENESIS = "0" * 64
_HEAD = 1


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. ``what`` is a word such as ``alert.close``, ``subject`` the id of what it was done to."""

    seq: int
    at: datetime
    who: str
    what: str
    subject: str
    detail: str


def check_reason(reason: str) -> None:
    """Raise ``ConfigError`` for an empty reason of something that a person must explain."""
    if not reason.strip():
        raise ConfigError(Problem("reason", "is empty", "why this is so, in a few words"))


class Audit:
    """The audit trail. Nothing in Meterhouse changes or deletes an entry."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, at: datetime, who: str, what: str, subject: str, detail: str = "") -> None:
        """Seal one act into the chain."""
        with writing(self._engine) as connection:
            append_entry(connection, at, who, what, subject, detail)

    def entries(self, *, before: int | None = None, limit: int = 200) -> list[AuditEntry]:
        """The newest entries, newest first; ``before`` a number gives the next page."""
        query = sa.select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(tables.audit.c.seq < before)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def verify(self) -> bool:
        """Whether no entry was changed, removed, moved or cut off at the end."""
        query = sa.select(tables.audit).order_by(tables.audit.c.seq).execution_options(yield_per=1000)
        seal, seq = GENESIS, 0
        with self._engine.connect() as connection:
            with connection.execute(query) as rows:
                for row in rows:
                    seal, seq = _seal(seal, _entry(row)), seq + 1
                    if row.hash != seal or row.seq != seq:
                        return False
            return _head(connection) == (seq, seal)


def append_entry(connection: Connection, at: datetime, who: str, what: str, subject: str, detail: str = "") -> None:
    """Seal one act in the transaction that does it: neither is kept without the other."""
    seq, before = _head(connection)
    who, what, subject, detail = map(plain, (who, what, subject, detail))  # sealed as they are kept
    entry = AuditEntry(seq + 1, at, who, what, subject, detail)
    seal = _seal(before, entry)
    row = {"seq": entry.seq, "at": at, "who": who, "what": what, "subject": subject, "detail": detail, "hash": seal}
    connection.execute(sa.insert(tables.audit).values(row))
    head = {"seq": entry.seq, "hash": seal}
    if seq:
        connection.execute(sa.update(tables.audit_head).where(tables.audit_head.c.id == _HEAD).values(head))
    else:
        connection.execute(sa.insert(tables.audit_head).values(id=_HEAD, **head))


def _head(connection: Connection) -> tuple[int, str]:
    """Number and seal of the newest entry; who appends one writes, and excludes others who do."""
    query = sa.select(tables.audit_head).where(tables.audit_head.c.id == _HEAD)
    row = connection.execute(query).one_or_none()
    return (row.seq, row.hash) if row else (0, GENESIS)


def _entry(row: sa.Row[tuple[object, ...]]) -> AuditEntry:
    return AuditEntry(row.seq, row.at, row.who, row.what, row.subject, row.detail)


def _seal(before: str, entry: AuditEntry) -> str:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = json.dumps([before, entry.seq, at, entry.who, entry.what, entry.subject, entry.detail])
    return hashlib.sha256(content.encode()).hexdigest()
