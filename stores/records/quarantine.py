"""What was refused, with its reason: readable, countable, and kept until somebody discards it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime  # noqa: TC003 - msgspec reads it
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records import tables
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    """A whole message or some readings of one, as they came, and why they were not stored.

    ``count`` is how many readings it holds; ``id`` is 0 until it is kept.
    """

    received_at: datetime
    stage: str
    kind: Literal["message", "reading"]
    reason: str
    detail: str
    topic: str
    agent: str
    epoch: str
    first_seq: int | None
    last_seq: int | None
    count: int
    payload: bytes
    id: int = 0

    @property
    def digest(self) -> str:
        """What makes it the same item when it is sent again."""
        named = json.dumps([self.agent, self.epoch, self.first_seq, self.last_seq, self.reason])
        return hashlib.sha256(named.encode() + b"\n" + self.payload).hexdigest()


class Quarantine:
    """Refused messages and readings."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, *items: QuarantineItem) -> None:
        """Keep items in one transaction; one that is kept already changes nothing."""
        q = tables.quarantine
        with writing(self._engine) as connection:
            for item in items:
                if connection.execute(sa.select(q.c.id).where(q.c.digest == item.digest)).one_or_none() is None:
                    row = {name: value for name, value in asdict(item).items() if name != "id"}
                    kept = {"digest": item.digest, "discarded_by": "", "discard_reason": ""}
                    connection.execute(sa.insert(q).values(**row, **kept))

    def items(self, *, reason: str | None = None, limit: int = 200) -> list[QuarantineItem]:
        """What waits, newest first, optionally of one reason."""
        q = tables.quarantine.c
        query = sa.select(tables.quarantine).where(q.discarded_at.is_(None))
        if reason is not None:
            query = query.where(q.reason == reason)
        with self._engine.connect() as connection:
            return [_item(row) for row in connection.execute(query.order_by(q.id.desc()).limit(limit))]

    def item(self, item_id: int) -> QuarantineItem | None:
        """One item, discarded or not."""
        query = sa.select(tables.quarantine).where(tables.quarantine.c.id == item_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _item(row)

    def counts(self) -> dict[str, int]:
        """How many readings wait, by reason."""
        q = tables.quarantine.c
        query = sa.select(q.reason, sa.func.sum(q.count)).where(q.discarded_at.is_(None)).group_by(q.reason)
        with self._engine.connect() as connection:
            return {reason: int(readings) for reason, readings in connection.execute(query)}

    def discard(self, item_id: int, by: str, reason: str, at: datetime) -> None:
        """Take an item out of the waiting ones; it stays on record with who did it and why."""
        q = tables.quarantine
        waiting = (q.c.id == item_id) & q.c.discarded_at.is_(None)
        values = {"discarded_at": at, "discarded_by": by, "discard_reason": reason}
        with writing(self._engine) as connection:
            if connection.execute(sa.update(q).where(waiting).values(values)).rowcount == 0:
                raise Rejected("unknown_item", f"there is no item {item_id} waiting in quarantine")
            append_entry(connection, at, by, "quarantine.discard", str(item_id), reason)


def _item(row: sa.Row[tuple[object, ...]]) -> QuarantineItem:
    fields = {name: value for name, value in row._mapping.items() if name in QuarantineItem.__slots__}  # noqa: SLF001 - SQLAlchemy's public name
    return QuarantineItem(**fields)
