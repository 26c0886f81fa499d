"""How the work on orders goes: how soon somebody is asked after an alarm, how much is done in time, how it is rated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.order import OrderState
from stores.records.orders.tables import order_offer, work_order
from stores.records.tables import case_event

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

P95 = 0.95


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Of the orders of a time: times in seconds, None where there is none to tell it from.

    ``due`` were to be done by now and were not called off, ``in_time`` of them were. ``assigned_p95_s``: of 95 in 100
    alarms that became an order somebody had been asked no later than so long after the alarm.
    """

    orders: int
    due: int
    in_time: int
    assigned_p95_s: float | None
    rating: float | None


def order_figures(
    connection: Connection, now: datetime, since: datetime | None, buildings: Collection[str] | None
) -> OrderFigures:
    """Of the orders that were made since then, in these buildings or in all."""
    o = work_order.c
    among = [] if since is None else [o.created_at >= since]
    among += [] if buildings is None else [o.building.in_(sorted(buildings))]
    rows = connection.execute(sa.select(o.state, o.due_at, o.ended_at, o.rating).where(*among)).all()
    due = [row for row in rows if row.state != OrderState.CALLED_OFF and (row.due_at <= now or row.ended_at)]
    rated = [row.rating for row in rows if row.rating is not None]
    return OrderFigures(
        orders=len(rows),
        due=len(due),
        in_time=sum(row.ended_at is not None and row.ended_at <= row.due_at for row in due),
        assigned_p95_s=_p95(_waited_s(connection, among)),
        rating=round(sum(rated) / len(rated), 2) if rated else None,
    )


def _waited_s(connection: Connection, among: Sequence[sa.ColumnElement[bool]]) -> list[float]:
    """Seconds from each opening of a case that dispatch made an order of to when somebody was first asked."""
    o, a, e = work_order.c, order_offer.c, case_event.c
    asked = sa.select(a.work_order, sa.func.min(a.at, type_=a.at.type).label("at")).group_by(a.work_order).subquery()
    made_of = o.origin == sa.literal("alert/") + e.alert + "/" + sa.cast(e.id, sa.Text)
    query = sa.select(e.at, asked.c.at).select_from(
        work_order.join(case_event, (e.alert == o.alert) & made_of).join(asked, asked.c.work_order == o.id)
    )
    return [max((first - at) / timedelta(seconds=1), 0.0) for at, first in connection.execute(query.where(*among))]


def _p95(values: Sequence[float]) -> float | None:
    return round(sorted(values)[math.ceil(P95 * len(values)) - 1], 1) if values else None
