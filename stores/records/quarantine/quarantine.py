"""What was refused, with its reason: readable, countable, and kept until it is stored or somebody discards it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.quarantine.item import ItemState, QuarantineItem, QuarantineSize, Tally
from stores.records.quarantine.room import keep
from stores.records.quarantine.tables import errand, quarantine
from stores.records.stale import Deed, Stale

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

__all__ = ["BOUND_BYTES", "ItemState", "Quarantine", "QuarantineItem", "QuarantineSize", "Tally"]

BOUND_BYTES = 256 * 1024 * 1024
"""How many bytes of payloads are kept at most, unless told otherwise."""

Standing: TypeAlias = Literal["waiting", "closed"]

q = quarantine.c
IS_WAITING = q.discarded_at.is_(None) & q.replayed_at.is_(None)


class Quarantine:
    """Refused messages and readings, within a bound: see ``keep``."""

    def __init__(self, engine: Engine, *, bound_bytes: int = BOUND_BYTES) -> None:
        self._engine = engine
        self._bound_bytes = bound_bytes

    def put(self, *items: QuarantineItem) -> None:
        """Keep items in one transaction; one that waits already, or that somebody discarded, changes nothing."""
        if items:
            with writing(self._engine) as connection:
                keep(connection, items, self._bound_bytes)

    def items(
        self,
        *,
        reason: str | None = None,
        agents: Collection[str] | None = None,
        standing: Standing | None = "waiting",
        before: int | None = None,
        limit: int = 200,
    ) -> list[QuarantineItem]:
        """What waits (``standing`` None: closed ones too), newest first; ``before`` an id gives the next page."""
        newest = sa.select(q.id).order_by(q.id.desc()).limit(limit)  # first the ids, from an index: payloads are large
        query = newest.where(sent_by(agents))
        if standing is not None:
            query = query.where(IS_WAITING if standing == "waiting" else sa.not_(IS_WAITING))
        if reason is not None:
            query = query.where(q.reason == reason)
        if before is not None:
            query = query.where(q.id < before)
        with self._engine.connect() as connection:
            found = _selected().where(q.id.in_(query)).order_by(q.id.desc())
            return [_item(row) for row in connection.execute(found).mappings()]

    def item(self, item_id: int) -> QuarantineItem | None:
        """One item, closed or not."""
        with self._engine.connect() as connection:
            row = connection.execute(_selected().where(q.id == item_id)).mappings().one_or_none()
        return None if row is None else _item(row)

    def tallies(self, *, agents: Collection[str] | None = None) -> list[Tally]:
        """What waits by reason, of all agents or of some; the reason with most items first."""
        n, unread = sa.func.count(), sa.func.sum(sa.case((q.count == 0, 1), else_=0))
        query = sa.select(q.reason, n, sa.func.sum(q.count), unread).where(IS_WAITING, sent_by(agents))
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(q.reason).order_by(n.desc(), q.reason)).all()
        return [Tally(reason, int(items), int(readings), int(none)) for reason, items, readings, none in rows]

    def counts(self) -> dict[str, int]:
        """How many readings wait, by reason."""
        return {tally.reason: tally.readings for tally in self.tallies()}

    def agents(self, *, agents: Collection[str] | None = None, limit: int = 50) -> list[str]:
        """The agents (of all or of some) of which something waits."""
        query = sa.select(q.agent).distinct().where(IS_WAITING, sent_by(agents)).order_by(q.agent).limit(limit)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def size(self, *, agents: Collection[str] | None = None) -> QuarantineSize:
        """How much waits, and how much may. Payloads of closed items make room by themselves and do not count."""
        dropped = sa.func.sum(sa.case((q.payload_dropped, 1), else_=0))
        query = sa.select(sa.func.count(), sa.func.sum(q.payload_bytes), dropped).where(IS_WAITING, sent_by(agents))
        with self._engine.connect() as connection:
            items, used, none = connection.execute(query).one()
        return QuarantineSize(int(items), int(used or 0), int(none or 0), self._bound_bytes)

    def close_replayed(self, item_id: int, outcome: str, at: datetime, again: Iterable[QuarantineItem] = ()) -> None:
        """Close an item that was taken in, and keep what was refused ``again`` of it, in one transaction.

        Where that is the very same item, it waits as before. One that is closed already stays as it is. Who asked for
        the replay has their answer with it.
        """
        values = {"replayed_at": at, "outcome": outcome}
        with writing(self._engine) as connection:
            connection.execute(sa.update(quarantine).where(q.id == item_id, IS_WAITING).values(values))
            _answer(connection, item_id, outcome, at)
            keep(connection, again, self._bound_bytes)

    def discard(self, item_id: int, by: str, reason: str, at: datetime, *, based_on: ItemState) -> None:
        """Take an item out of the waiting ones; it stays on record with who did it and why.

        ``based_on`` is its state as that person saw it: raises ``Stale`` where it is closed by now, or somebody has
        asked for its replay since; ``Rejected`` where there is no such item.
        """
        values = {"discarded_at": at, "discarded_by": by, "discard_reason": reason}
        with writing(self._engine) as connection:
            check_waits(connection, item_id)
            if based_on is ItemState.WAITING and (wishes := _open_wishes(connection, item_id)):
                raise Stale("item", wishes)
            connection.execute(sa.update(quarantine).where(q.id == item_id).values(values))
            _answer(connection, item_id, "discarded", at)
            append_entry(connection, at, by, "quarantine.discard", str(item_id), reason)


def sent_by(agents: Collection[str] | None) -> sa.ColumnElement[bool]:
    """Whether an item came from one of these agents; None: whichever it came from."""
    return sa.true() if agents is None else q.agent.in_(agents)


def check_waits(connection: Connection, item_id: int | None) -> None:
    """Raise ``Rejected`` for an item that was never there, ``Stale`` for one that somebody or ingest has closed."""
    columns = sa.select(q.discarded_at, q.discarded_by, q.discard_reason, q.replayed_at, q.outcome)
    row = connection.execute(columns.where(q.id == item_id)).one_or_none()
    if row is None:
        raise Rejected("unknown_item", f"there is no item {item_id} in quarantine")
    if row.discarded_at:
        raise Stale("item", [Deed(row.discarded_at, row.discarded_by, "discarded", row.discard_reason)])
    if row.replayed_at:
        raise Stale("item", [Deed(row.replayed_at, "", "answered", row.outcome)])


def _open_wishes(connection: Connection, item_id: int) -> list[Deed]:
    """Who asked for the replay of an item and has no answer yet."""
    e = errand.c
    query = sa.select(e.asked_at, e.asked_by).where(e.item == item_id, e.done_at.is_(None))
    return [Deed(row.asked_at, row.asked_by, "asked") for row in connection.execute(query)]


def _answer(connection: Connection, item_id: int, outcome: str, at: datetime) -> None:
    """Settle what was asked of an item."""
    is_open = (errand.c.item == item_id) & errand.c.done_at.is_(None)
    connection.execute(sa.update(errand).where(is_open).values(done_at=at, outcome=outcome, open_key=None))


def _selected() -> sa.Select[Any]:
    asked = sa.exists().where(errand.c.item == q.id, errand.c.done_at.is_(None))
    return sa.select(quarantine, asked.label("is_asked"))


def _item(row: sa.RowMapping) -> QuarantineItem:
    """The item that a row stands for."""
    fields = {name: row[name] for name in QuarantineItem.__slots__ if name != "state"}
    open_state = ItemState.ASKED if row["is_asked"] else ItemState.WAITING
    closed = ItemState.DISCARDED if row["discarded_at"] else ItemState.REPLAYED if row["replayed_at"] else None
    return QuarantineItem(**fields, state=closed or open_state)
