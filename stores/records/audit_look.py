"""One look through the audit trail: every entry against the one before it, and the end against what is kept of it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from stores.records import tables
from stores.records.audit_fault import Fault, Wrong
from stores.records.audit_key import AuditKey, AuditMark
from stores.records.audit_seal import GENESIS, content_of, head_seal, seal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Connection

Head: TypeAlias = tuple[int, str, str]
"""Number, seal and own seal of the newest entry, as they are kept beside the trail."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What checkpoints say: the seal that each of some entries had; ``wrong`` where they cannot be believed."""

    seals: Mapping[int, str] = field(default_factory=dict)
    wrong: Fault | None = None


SignedBy: TypeAlias = "Callable[[AuditKey | None], Signed]"
"""What checkpoints of a key say."""


def nothing_signed(_key: AuditKey | None) -> Signed:
    """Where no checkpoints are kept."""
    return Signed()


@dataclass(frozen=True, slots=True)
class TrailLook:
    """What a look through the trail found: how many entries are right, from which on they are sealed with a key.

    ``wrong`` is what is wrong first, if anything is; ``last`` is the newest entry where all are right.
    """

    entries: int
    keyed_from: int | None
    wrong: Fault | None = None
    last: AuditMark | None = None

    @property
    def fault(self) -> str:
        """What is wrong, as logs and programs have it; nothing where all is right."""
        return "" if self.wrong is None else self.wrong.sentence


def look_through(
    connection: Connection, head: Head, key: AuditKey | None, mark: AuditMark | None, signed: Mapping[int, str]
) -> TrailLook:
    """The first thing that is wrong, if any is. Rows come in portions: a trail may be long."""
    a = tables.audit.c
    at = sa.type_coerce(a.at, sa.String).label("at")  # as it is kept, and sealed
    query = sa.select(a.seq, at, a.who, a.what, a.subject, a.detail, a.hash).order_by(a.seq)
    seal, seq = GENESIS, 0
    with connection.execute(query.execution_options(yield_per=1000)) as rows:
        for row in rows:
            seq = row.seq if _is_accepted(key, row.seq) else seq + 1
            is_right = _is_right(key, seal, seq, row)
            if row.seq != seq or not is_right or (mark and mark.seq == seq and mark.hash != row.hash):
                return TrailLook(seq - 1, key.first if key else None, _fault_at(seq, row.seq, is_right=is_right))
            if signed.get(seq, row.hash) != row.hash:
                return TrailLook(seq - 1, key.first if key else None, Fault(Wrong.NOT_AS_SIGNED, {"seq": seq}))
            seal = row.hash
    fault = _fault_at_end(head, seq, seal, key, mark)
    if signed and max(signed) > seq:
        fault = Fault(Wrong.FEWER_THAN_SIGNED, {"seq": seq, "others": max(signed)})
    return TrailLook(seq, key.first if key else None, fault, AuditMark(seq, seal))


def _is_accepted(key: AuditKey | None, seq: int) -> bool:
    """Whether a person has said that an entry shall stand as it is."""
    return key is not None and key.before == "accepted" and seq < key.first


def _is_right(key: AuditKey | None, before: str, seq: int, row: sa.Row[Any]) -> bool:
    if _is_accepted(key, seq):
        return True
    secret = key.secret if key is not None and seq >= key.first else None
    content = content_of(before, row.seq, row.at, row.who, row.what, row.subject, row.detail)
    return hmac.compare_digest(seal_of(secret, content), row.hash)


def _fault_at(seq: int, found: int, *, is_right: bool) -> Fault:
    if found != seq:
        return Fault(Wrong.MISSING, {"seq": seq})
    return Fault(Wrong.ANOTHER if is_right else Wrong.CHANGED, {"seq": seq})


def _fault_at_end(head: Head, seq: int, seal: str, key: AuditKey | None, mark: AuditMark | None) -> Fault | None:
    if mark is not None and mark.seq > seq:
        return Fault(Wrong.FEWER_THAN_FOUND, {"seq": seq, "others": mark.seq})
    if head[:2] != (seq, seal):
        return Fault(Wrong.FEWER_THAN_WRITTEN, {"seq": seq, "others": head[0]})
    if key is None:
        return Fault(Wrong.NO_KEY) if head[2] else None
    if seq >= key.first:
        return None if hmac.compare_digest(head_seal(key, seq, seal), head[2]) else Fault(Wrong.END_MOVED, {"seq": seq})
    return None if seq == key.first - 1 and not head[2] else Fault(Wrong.NONE_FROM, {"seq": key.first})
