"""How quarantine keeps what comes: once each, and within its bound.

Waiting payloads are never given up for newer ones. When the bound is reached, payloads of closed items make room,
those received first first; where even that is not enough, a new item is kept without its payload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stores.records.quarantine.tables import quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from stores.records.quarantine.item import QuarantineItem

CHUNK = 500
"""Digests asked for, and closed items emptied, in one statement."""

q = quarantine.c
IS_CLOSED = q.discarded_at.is_not(None) | q.replayed_at.is_not(None)
IS_FILLED = q.payload_bytes > sa.literal_column("0")  # as the index of what fills the room says it: no parameter


def keep(connection: Connection, items: Iterable[QuarantineItem], bound_bytes: int) -> None:
    """Keep what is new, and put back among the waiting what was replayed and is refused again.

    The same thing again changes nothing else: where it waits it waits already, and what a person discarded stays
    discarded, since its row tells what it was. A payload that had no room is kept when it comes again and there is.
    """
    by_digest: dict[str, QuarantineItem] = {}
    for item in items:
        by_digest.setdefault(item.digest, item)
    kept = _kept(connection, list(by_digest))
    again = {digest: row for digest, row in kept.items() if _comes_back(row)}
    fresh = [d for d in by_digest if d not in kept]
    if not (again or fresh):
        return
    _wait_again(connection, again, by_digest)
    room = _Room(connection, bound_bytes)
    _fill_again(connection, again, by_digest, room)
    if fresh:
        rows = [_new_row(digest, by_digest[digest], room) for digest in fresh]
        connection.execute(sa.insert(quarantine), rows)


class _Room:
    """The bytes that may still be kept; closed payloads are given up when they are needed."""

    def __init__(self, connection: Connection, bound_bytes: int) -> None:
        closed = sa.func.sum(sa.case((IS_CLOSED, q.payload_bytes), else_=0))
        sums = sa.select(sa.func.sum(q.payload_bytes), closed).where(IS_FILLED)
        used, of_closed = connection.execute(sums).one()
        self._connection = connection
        self._free = bound_bytes - int(used or 0)
        self._of_closed = int(of_closed or 0)

    def take(self, size: int) -> bool:
        """Whether there was room for a payload."""
        if size > self._free + self._of_closed:
            return False
        while size > self._free:
            freed = _empty_closed(self._connection, size - self._free)
            self._free += freed
            self._of_closed -= freed
        self._free -= size
        return True


def _kept(connection: Connection, digests: Sequence[str]) -> dict[str, sa.RowMapping]:
    query = sa.select(q.digest, q.id, q.replayed_at, q.discarded_at, q.payload_dropped)
    chunks = (digests[start : start + CHUNK] for start in range(0, len(digests), CHUNK))
    rows = (row for some in chunks for row in connection.execute(query.where(q.digest.in_(some))).mappings())
    return {row["digest"]: row for row in rows}


def _comes_back(row: sa.RowMapping) -> bool:
    return row["discarded_at"] is None and bool(row["replayed_at"] or row["payload_dropped"])


def _wait_again(
    connection: Connection, again: Mapping[str, sa.RowMapping], items: Mapping[str, QuarantineItem]
) -> None:
    """Before anything is emptied: none of these payloads makes room for another's."""
    for digest, row in again.items():
        if row["replayed_at"]:
            waits = {"replayed_at": None, "outcome": "", "received_at": items[digest].received_at}
            connection.execute(sa.update(quarantine).where(q.id == row["id"]).values(waits))


def _fill_again(
    connection: Connection, again: Mapping[str, sa.RowMapping], items: Mapping[str, QuarantineItem], room: _Room
) -> None:
    for digest, row in again.items():
        payload = items[digest].payload
        if row["payload_dropped"] and room.take(len(payload)):
            whole = {"payload": payload, "payload_bytes": len(payload), "payload_dropped": False}
            connection.execute(sa.update(quarantine).where(q.id == row["id"]).values(whole))


def _new_row(digest: str, item: QuarantineItem, room: _Room) -> dict[str, Any]:
    names = ("received_at", "stage", "kind", "reason", "detail", "topic", "agent", "epoch")
    numbers = ("first_seq", "last_seq", "count")
    has_room = room.take(len(item.payload))
    return {
        **{name: getattr(item, name) for name in names + numbers},
        "digest": digest,
        "payload": item.payload if has_room else b"",
        "payload_bytes": len(item.payload) if has_room else 0,
        "payload_dropped": not has_room,
        "outcome": "",
        "discarded_by": "",
        "discard_reason": "",
    }


def _empty_closed(connection: Connection, wanted: int) -> int:
    """Empty payloads of closed items until ``wanted`` bytes are free; the bytes that became free."""
    query = sa.select(q.id, q.payload_bytes).where(IS_CLOSED, IS_FILLED).order_by(q.id).limit(CHUNK)
    ids, freed = [], 0
    for row in connection.execute(query):
        ids.append(row.id)
        freed += row.payload_bytes
        if freed >= wanted:
            break
    emptied = {"payload": b"", "payload_bytes": 0, "payload_dropped": True}
    connection.execute(sa.update(quarantine).where(q.id.in_(ids)).values(emptied))
    return freed
