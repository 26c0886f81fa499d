"""Photos and files of work orders, kept beside them and erased with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import Rejected
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.orders.clean_files import FileKind, clean_file
from stores.records.orders.order_rows import order_by_id
from stores.records.orders.order_steps import put_step
from stores.records.orders.tables import order_file

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

MOST_OF_ONE = 12
MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class OrderFile:
    """One of them, without its content; no name: it was erased."""

    id: int
    order: int
    name: str
    kind: FileKind
    size: int
    by: str
    at: datetime


class OrderFiles:
    """Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, order: int) -> list[OrderFile]:
        """The files of an order, oldest first, without what was erased."""
        f = order_file.c
        query = sa.select(f.id, f.work_order, f.name, f.kind, f.size, f.by, f.at)
        query = query.where(f.work_order == order, f.content.is_not(None)).order_by(f.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            return [OrderFile(row[0], row[1], row[2], FileKind(row[3]), *row[4:]) for row in rows]

    def content(self, order: int, file: int) -> bytes | None:
        """What is in a file of an order; None where there is none, or it was erased."""
        f = order_file.c
        with self._engine.connect() as connection:
            query = sa.select(f.content).where(f.work_order == order, f.id == file)
            found: bytes | None = connection.execute(query).scalar()
            return found

    def add(self, order: int, name: str, content: bytes, by: str, at: datetime) -> int:
        """Keep a file. Raises ``Rejected`` for what is no such file, is too large, or for too many."""
        kind, cleaned = clean_file(content)
        with writing(self._engine) as connection:
            order_by_id(connection, order)
            query = sa.select(sa.func.count()).where(order_file.c.work_order == order)
            if (connection.execute(query).scalar() or 0) >= MOST_OF_ONE:
                raise Rejected("files_many", f"an order has {MOST_OF_ONE} files at most")
            digest = hashlib.sha256(cleaned).hexdigest()
            row = {"work_order": order, "name": name[:MOST_NAME] or "–", "kind": kind.value, "size": len(cleaned)}
            row |= {"digest": digest, "content": cleaned, "by": by, "at": at}
            found = connection.execute(sa.insert(order_file).values(row).returning(order_file.c.id)).scalar_one()
            put_step(connection, order, at, "file", by, name[:MOST_NAME])
            append_entry(connection, at, by, "order.file", str(order), digest)
            return int(found)
