"""What a person asks of ingest: take in an item of the quarantine again or an import, or compare store and journal.

Ingest alone takes readings in. So a wish is a row: ingest looks for it, does it and writes down what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa

from facility.errors import Rejected
from facility.so_many import so_many
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.quarantine.quarantine import IS_WAITING, check_waits, sent_by
from stores.records.quarantine.tables import errand, quarantine

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

What: TypeAlias = Literal["replay", "reconcile", "import", "undo"]

OfImport: TypeAlias = Literal["import", "undo"]

AUDITED: dict[What, str] = {"replay": "quarantine.replay", "reconcile": "reconcile"}
CHUNK = 500
LEASE = timedelta(minutes=10)
"""How long an ingest that took a replay may be silent before another one does it."""

e, q = errand.c, quarantine.c


@dataclass(frozen=True, slots=True)
class Errand:
    """One wish; ``done_at`` is None and ``outcome`` empty until ingest has answered."""

    id: int
    what: What
    item: int | None
    asked_by: str
    asked_at: datetime
    done_at: datetime | None
    outcome: str
    of_import: int | None = None


class Errands:
    """Wishes and their answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, what: What, item: int | None, by: str, at: datetime) -> int:
        """Ask for something and return the errand's id; while the same is open, it is asked once.

        Raises ``Stale`` for an item that is closed by now, ``Rejected`` for one that is not there or has no payload.
        """
        with writing(self._engine) as connection:
            if (known := _open(connection, _key(what, item))) is not None:
                return known
            if what == "replay":
                _check_item(connection, item)
            append_entry(connection, at, by, AUDITED[what], "" if item is None else str(item))
            return _add(connection, [_row(what, item, by, at)])[0]

    def ask_all(
        self, by: str, at: datetime, *, reason: str | None = None, agents: Collection[str] | None = None
    ) -> list[int]:
        """Ask for the replay of all that waits (of one reason, some agents) with its payload; one entry in the audit.

        Returns the ids of all their open errands, those that were asked before included.
        """
        wanted = sa.select(q.id).where(IS_WAITING, sa.not_(q.payload_dropped), sent_by(agents))
        if reason is not None:
            wanted = wanted.where(q.reason == reason)
        asked = sa.select(e.id).where(e.what == "replay", e.done_at.is_(None), e.item.in_(wanted))
        unasked = wanted.where(~sa.exists().where(e.item == q.id, e.done_at.is_(None))).order_by(q.id)
        with writing(self._engine) as connection:
            before = list(connection.execute(asked.order_by(e.id)).scalars())
            items = list(connection.execute(unasked).scalars())
            if items:
                detail = so_many(len(items), "item") + (f" of reason {reason}" if reason is not None else "")
                append_entry(connection, at, by, AUDITED["replay"], "", detail)
            return before + _add(connection, [_row("replay", item, by, at) for item in items])

    def waiting(self, *, limit: int = CHUNK) -> list[Errand]:
        """What is not done yet, the oldest first."""
        return self._found(sa.select(errand).where(e.done_at.is_(None)).order_by(e.id).limit(limit))

    def take(self, worker: str, at: datetime, *, limit: int = CHUNK) -> list[Errand]:
        """What is not done yet and for this ingest to do, the oldest first; who takes it again goes on with it.

        What brings readings is one's who takes it: what two had taken in would be counted twice. It is free again where
        its taker has not come back for ``LEASE``. A comparison is everybody's: each holds its own journal to the store.
        """
        if not self.waiting(limit=1):
            return []
        is_free = (e.what == "reconcile") | e.taken_by.in_(["", worker]) | (e.taken_at < at - LEASE)
        query = sa.select(errand).where(e.done_at.is_(None), is_free).order_by(e.id).limit(limit)
        with writing(self._engine) as connection:
            found = [_errand(row) for row in _rows(connection, query)]
            mine = sa.update(errand).where(e.id.in_([one.id for one in found]))
            connection.execute(mine.values(taken_by=worker, taken_at=at))
        return found

    def settle(self, errand_id: int, outcome: str, at: datetime) -> None:
        """Write down what came of an errand; one that is done already stays as it is."""
        done = {"done_at": at, "outcome": outcome, "open_key": None}
        with writing(self._engine) as connection:
            connection.execute(sa.update(errand).where(e.id == errand_id, e.done_at.is_(None)).values(done))

    def errands(self, ids: Sequence[int]) -> list[Errand]:
        """Errands by id, in the order they were asked."""
        chunks = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
        with self._engine.connect() as connection:
            asked = [row for some in chunks for row in _rows(connection, sa.select(errand).where(e.id.in_(some)))]
        return sorted((_errand(row) for row in asked), key=lambda one: one.id)

    def of_item(self, item: int) -> list[Errand]:
        """What was asked of one item, the oldest first."""
        return self._found(sa.select(errand).where(e.item == item).order_by(e.id))

    def newest(self, items: Sequence[int]) -> Errand | None:
        """What was asked last of any of these items."""
        return next(iter(self._found(sa.select(errand).where(e.item.in_(items)).order_by(e.id.desc()).limit(1))), None)

    def _found(self, query: sa.Select[Any]) -> list[Errand]:
        with self._engine.connect() as connection:
            return [_errand(row) for row in _rows(connection, query)]


def ask_of_import(connection: Connection, what: OfImport, number: int, by: str, at: datetime) -> int:
    """Ask ingest for an import in the transaction that lets it be asked; the errand's id."""
    row = _row(what, None, by, at) | {"of_import": number, "open_key": _key(what, number)}
    return _add(connection, [row])[0]


def open_of_import(connection: Connection, number: int) -> bool:
    """Whether ingest is asked for anything about an import now."""
    query = sa.select(e.id).where(e.of_import == number, e.done_at.is_(None)).limit(1)
    return connection.execute(query).scalar_one_or_none() is not None


def settle_of_import(connection: Connection, number: int, outcome: str, at: datetime) -> None:
    """What was asked about an import is done."""
    done = {"done_at": at, "outcome": outcome, "open_key": None}
    connection.execute(sa.update(errand).where(e.of_import == number, e.done_at.is_(None)).values(done))


def _errand(row: sa.RowMapping) -> Errand:
    return Errand(**{name: row[name] for name in Errand.__slots__})


def _rows(connection: Connection, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
    return connection.execute(query).mappings().all()


def _key(what: What, item: int | None) -> str:
    return what if item is None else f"{what}:{item}"


def _open(connection: Connection, key: str) -> int | None:
    return connection.execute(sa.select(e.id).where(e.open_key == key)).scalar_one_or_none()


def _check_item(connection: Connection, item: int | None) -> None:
    check_waits(connection, item)
    if connection.execute(sa.select(q.payload_dropped).where(q.id == item)).scalar_one():
        raise Rejected("payload_dropped", f"item {item} was kept without its payload: nothing is left to replay")


def _row(what: What, item: int | None, by: str, at: datetime) -> dict[str, Any]:
    asked = {"what": what, "item": item, "asked_by": by, "asked_at": at}
    return {**asked, "open_key": _key(what, item), "outcome": "", "taken_by": ""}


def _add(connection: Connection, rows: list[dict[str, Any]]) -> list[int]:
    if not rows:
        return []
    return sorted(connection.execute(sa.insert(errand).returning(e.id), rows).scalars())
