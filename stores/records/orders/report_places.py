"""Links that hang at a meter or a room: who has one may report a problem there, and read nothing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import Denied, Rejected
from facility.order import OrderPlace
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.orders.order_rows import REPORTED
from stores.records.orders.tables import report_place, work_order

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

MOST_AN_HOUR = 6
"""So many reports of one place are taken in an hour, from however many people."""


class ReportPlaces:
    """Links by their digests: a link is said once, when it is made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(self, place: OrderPlace, by: str, at: datetime) -> str:
        """The secret of a new link; others of the same place go on working."""
        secret = secrets.token_urlsafe(18)
        row = {"building": place.building, "space": place.space, "meter": place.meter, "made_by": by, "made_at": at}
        with writing(self._engine) as connection:
            connection.execute(sa.insert(report_place).values(digest=_digest(secret), **row))
            append_entry(connection, at, by, "report_place.made", place.building, place.meter or place.space)
        return secret

    def end(self, place: OrderPlace, by: str, at: datetime) -> int:
        """Let no link of a place work any more; how many did."""
        with writing(self._engine) as connection:
            query = sa.update(report_place).where(_is_at(place), report_place.c.ended_at.is_(None)).values(ended_at=at)
            ended = connection.execute(query).rowcount
            append_entry(connection, at, by, "report_place.ended", place.building, place.meter or place.space)
            return ended

    def place(self, secret: str) -> OrderPlace:
        """Where a link hangs. Raises ``Denied`` for one that is unknown or works no more."""
        r = report_place.c
        query = sa.select(r.building, r.space, r.meter).where(r.digest == _digest(secret), r.ended_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise Denied("this link is not known")
        return OrderPlace(*row)


def check_calm(connection: Connection, place: OrderPlace, now: datetime) -> None:
    """Raise ``Rejected`` where so much was reported of late that no more is taken."""
    o = work_order.c
    here = (o.building == place.building) & (o.space == place.space) & (o.meter == place.meter)
    recent = here & o.origin.like(f"{REPORTED}%") & (o.created_at > now - timedelta(hours=1))
    if (connection.execute(sa.select(sa.func.count()).where(recent)).scalar() or 0) >= MOST_AN_HOUR:
        raise Rejected("too_many_reports", f"{MOST_AN_HOUR} reports of this place came within the hour")


def _is_at(place: OrderPlace) -> sa.ColumnElement[bool]:
    r = report_place.c
    return (r.building == place.building) & (r.space == place.space) & (r.meter == place.meter)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
