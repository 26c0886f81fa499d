"""What is to be told of work orders to a site's own maintenance system, in order, and how far that has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import sqlalchemy as sa

from stores.records.database import writing
from stores.records.orders.order_rows import OrderStep, order_by_id
from stores.records.orders.tables import order_mark, order_step

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from facility.order import WorkOrder

_NAMESPACE = UUID("b3a1a0c6-6a35-5c0f-8a3d-0d8a5a0f7a19")
_MARK = 1


@dataclass(frozen=True, slots=True)
class OrderWord:
    """One step of one order, with the order as it stands. ``id`` is permanent."""

    number: int
    step: OrderStep
    order: WorkOrder

    @property
    def id(self) -> UUID:
        """The same whenever it is told."""
        return uuid5(_NAMESPACE, f"{self.order.id}/{self.step.what}/{self.step.at.isoformat()}/{self.number}")


class OrderTelling:
    """Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next(self) -> OrderWord | None:
        """What is to be told now.

        The first time it only notes where all stories end: what was before is told to nobody.
        """
        with self._engine.connect() as connection:
            mark = _mark(connection)
            if mark is not None:
                return _after(connection, mark)
        with writing(self._engine) as connection:
            if _mark(connection) is None:
                newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(order_step.c.id), 0))).scalar_one()
                connection.execute(sa.insert(order_mark).values(id=_MARK, step=newest))
        return None

    def end(self, word: OrderWord) -> None:
        """It has arrived."""
        with writing(self._engine) as connection:
            here = (order_mark.c.id == _MARK) & (order_mark.c.step < word.number)
            connection.execute(sa.update(order_mark).where(here).values(step=word.number))


def _mark(connection: Connection) -> int | None:
    return connection.execute(sa.select(order_mark.c.step).where(order_mark.c.id == _MARK)).scalar()


def _after(connection: Connection, mark: int) -> OrderWord | None:
    query = sa.select(order_step).where(order_step.c.id > mark).order_by(order_step.c.id).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return OrderWord(row.id, OrderStep(row.at, row.what, row.by, row.note), order_by_id(connection, row.work_order))
