"""Who did what, when: a chain in which each entry seals the one before it, with a key that is not in the database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError, Problem, StoreUnavailable
from stores.records import tables
from stores.records.audit_key import AUDIT_FILES, AuditMark
from stores.records.audit_look import TrailLook, look_through, nothing_signed
from stores.records.audit_seal import GENESIS, content_of, head_seal, seal_of
from stores.records.columns import plain
from stores.records.database import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from stores.records.audit_key import AuditFiles, AuditKey
    from stores.records.audit_look import SignedBy

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


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to look at: of whom, of which kind (all that begin so), about what, in ``start … end``."""

    who: str = ""
    what: str = ""
    subject: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As the database is asked."""
        a = tables.audit.c
        wanted = [a.who == self.who] if self.who else []
        wanted += [a.what.startswith(self.what, autoescape=True)] if self.what else []
        wanted += [a.subject == self.subject] if self.subject else []
        wanted += [a.at >= self.start] if self.start else []
        return wanted + ([a.at < self.end] if self.end else [])

    @property
    def said(self) -> str:
        """As an entry says what was looked for."""
        parts = {"who": self.who, "what": self.what, "subject": self.subject, "from": self.start, "to": self.end}
        return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "all"


EVERY_ENTRY = AuditFilter()


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

    def entries(
        self, *, before: int | None = None, limit: int = 200, among: AuditFilter = EVERY_ENTRY
    ) -> list[AuditEntry]:
        """The newest entries, newest first; ``before`` a number gives the next page."""
        query = sa.select(tables.audit).where(*among.conditions()).order_by(tables.audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(tables.audit.c.seq < before)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def verify(self) -> bool:
        """Whether no entry was changed, removed, moved or cut off at the end."""
        return not self.look_through().fault

    def look_through(self, signed: SignedBy = nothing_signed) -> TrailLook:
        """Every entry against the one before it, and the end against the last look that found all whole.

        ``signed`` tells by the key what checkpoints say that are kept elsewhere. Raises ``ConfigError`` for a key that
        others may read.
        """
        look = self._look_once(signed)
        if not look.fault:
            return look
        with writing(self._engine):  # whoever was writing, and had made a new key, has ended
            pass
        return self._look_once(signed)

    def end(self) -> tuple[AuditKey, AuditMark] | None:
        """The newest entry as it is said to be, and the key, for who signs it; None where nothing is sealed."""
        with self._engine.connect() as connection:
            files = _files(connection)
            key, (seq, seal, _) = files.key() if files else None, _head(connection)
        return (key, AuditMark(seq, seal)) if key and seq else None

    def _look_once(self, signed: SignedBy) -> TrailLook:
        """As things stand; where all is whole the next look begins to count from its end."""
        with self._engine.connect() as connection:
            files = _files(connection)
            key, mark = (files.key(), files.mark()) if files else (None, None)
            elsewhere = signed(key)
            look = look_through(connection, _head(connection), key, mark, elsewhere.seals)
        if elsewhere.wrong and not look.wrong:
            look = replace(look, wrong=elsewhere.wrong)
        if files and key and look.last and not look.fault:
            files.set_mark(look.last)
        return look

    def accept(self, at: datetime, who: str, reason: str) -> TrailLook:
        """Go on with the trail as it is: what is wrong with it is put on record, and a new key seals from there on."""
        check_reason(reason)
        with writing(self._engine) as connection:
            files = _files(connection)
            if files is None:
                raise ConfigError("the records name no file for the key of the audit trail (allowed: ?audit_key=FILE)")
            look = look_through(connection, _head(connection), _key_or_none(files), None, {})
            query = sa.select(tables.audit.c.seq, tables.audit.c.hash).order_by(tables.audit.c.seq.desc()).limit(1)
            last = connection.execute(query).one_or_none()
            seq, seal = (last.seq, last.hash) if last else (0, GENESIS)
            _set_head(connection, seq, seal, "")
            files.make_key(seq + 1, "accepted")
            append_entry(connection, at, who, "audit.accept", look.fault or "whole", reason)
            files.forget_mark()
        return self.look_through()


def append_entry(connection: Connection, at: datetime, who: str, what: str, subject: str, detail: str = "") -> None:
    """Seal one act in the transaction that does it: neither is kept without the other.

    Raises ``StoreUnavailable`` where the trail cannot be sealed: then the act is not done.
    """
    append_entries(connection, at, who, what, [(subject, detail)])


def append_entries(connection: Connection, at: datetime, who: str, what: str, about: Sequence[tuple[str, str]]) -> None:
    """Seal the same act on several subjects, each with its detail, an entry each; as ``append_entry``."""
    seq, seal, end_seal = _head(connection)
    key = _sealing_key(connection, seq, end_seal)
    shown = at.astimezone(UTC).isoformat(timespec="microseconds")
    who, what = plain(who), plain(what)  # sealed as they are kept
    rows = []
    for subject, detail in ((plain(subject), plain(detail)) for subject, detail in about):
        seq += 1
        seal = seal_of(key.secret if key else None, content_of(seal, seq, shown, who, what, subject, detail))
        rows.append(
            {"seq": seq, "at": at, "who": who, "what": what, "subject": subject, "detail": detail, "hash": seal}
        )
    if rows:
        connection.execute(sa.insert(tables.audit), rows)
        _set_head(connection, seq, seal, head_seal(key, seq, seal) if key else "")


def _sealing_key(connection: Connection, seq: int, end_seal: str) -> AuditKey | None:
    """The key, made with the first entry that has one. None where the records name no place for it."""
    files = _files(connection)
    if files is None:
        return None
    try:
        key = files.key()
    except ConfigError as error:
        raise StoreUnavailable(str(error)) from None
    if key is None and end_seal:
        raise StoreUnavailable(
            f"the key of the audit trail is not in {files.key_file}: bring it back, or run meterhouse audit accept"
        )
    return key or files.make_key(seq + 1, "chained")


def _key_or_none(files: AuditFiles) -> AuditKey | None:
    try:
        return files.key()
    except (ConfigError, StoreUnavailable):
        return None


def _files(connection: Connection) -> AuditFiles | None:
    files: AuditFiles | None = connection.get_execution_options().get(AUDIT_FILES)
    return files


def _set_head(connection: Connection, seq: int, seal: str, head_seal: str) -> None:
    head = {"seq": seq, "hash": seal, "seal": head_seal}
    if not connection.execute(
        sa.update(tables.audit_head).where(tables.audit_head.c.id == _HEAD).values(head)
    ).rowcount:
        connection.execute(sa.insert(tables.audit_head).values(id=_HEAD, **head))


def _head(connection: Connection) -> tuple[int, str, str]:
    """Number, seal and own seal of the newest entry; who appends one writes, and excludes others who do."""
    query = sa.select(tables.audit_head).where(tables.audit_head.c.id == _HEAD)
    row = connection.execute(query).one_or_none()
    return (row.seq, row.hash, row.seal or "") if row else (0, GENESIS, "")


def _entry(row: sa.Row[tuple[object, ...]]) -> AuditEntry:
    return AuditEntry(row.seq, row.at, row.who, row.what, row.subject, row.detail)
