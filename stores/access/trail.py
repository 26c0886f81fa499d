"""The audit trail as its keeper reads it: what was looked for and what was taken along is on record as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import Denied, Rejected
from facility.rights import Act
from facility.so_many import so_many
from stores.records.audit_checkpoint import signed_checkpoint

if TYPE_CHECKING:
    from datetime import datetime

    from stores.access.scope import Rights
    from stores.records.audit import Audit, AuditEntry, AuditFilter
    from stores.records.audit_look import TrailLook

MOST_EXPORTED = 100_000
"""Lines of one export; the next one goes on before the oldest of it."""


class VisibleTrail:
    """The audit trail, for who may read it. Raises ``Denied`` for anybody else."""

    def __init__(self, audit: Audit, person: str, rights: Rights) -> None:
        self._audit, self._person, self._rights = audit, person, rights

    def entries(self, among: AuditFilter, at: datetime, *, before: int | None, limit: int) -> list[AuditEntry]:
        """The newest entries first."""
        self._reading()
        found = self._audit.entries(before=before, limit=limit, among=among)
        self._audit.append(at, self._person, "audit.read", "audit", among.said)
        return found

    def export(self, among: AuditFilter, at: datetime, *, before: int | None = None) -> list[AuditEntry]:
        """The same, to be taken along: at most ``MOST_EXPORTED``."""
        self._reading()
        found = self._audit.entries(before=before, limit=MOST_EXPORTED, among=among)
        self._audit.append(at, self._person, "audit.export", "audit", f"{so_many(len(found), 'line')}: {among.said}")
        return found

    def look_through(self) -> TrailLook:
        """Whether the trail is as it was written."""
        self._reading()
        return self._audit.look_through()

    def checkpoint(self, at: datetime) -> str:
        """The end of the trail as it is now, signed: one line, to be kept elsewhere."""
        if not self._rights.may(Act.SIGN_AUDIT):
            raise Denied(f"{self._person} may not {Act.SIGN_AUDIT}")
        self._audit.append(at, self._person, "audit.sign", "audit")
        end = self._audit.end()
        if end is None:
            raise Rejected("not_sealed", "the records name no file for the key of the audit trail")
        return signed_checkpoint(*end, at).line

    def _reading(self) -> None:
        if not self._rights.may(Act.READ_AUDIT):
            raise Denied(f"{self._person} may not {Act.READ_AUDIT}")
