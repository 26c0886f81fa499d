"""How often somebody's password may be tried: of a name that nobody has it is counted alike."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from stores.records.accounts.tables import sign_in_attempt

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

MOST = 10
"""Wrong passwords of one name, one after the other, until nobody is let in by that name for a while."""

LOCKED = timedelta(minutes=15)
"""For so long, and so long an attempt counts."""


def wait_s(connection: Connection, name: str, at: datetime) -> int:
    """Seconds until a password of the name may be tried; 0: now. A clock that was put back makes nobody wait longer."""
    a = sign_in_attempt.c
    row = connection.execute(sa.select(sign_in_attempt).where(a.name == name)).one_or_none()
    if row is None or row.failures < MOST:
        return 0
    left = row.since + LOCKED - at
    return int(left.total_seconds()) + 1 if timedelta() < left <= LOCKED else 0


def note_failure(connection: Connection, name: str, at: datetime) -> bool:
    """Count one more; whether the name is locked with it."""
    a = sign_in_attempt.c
    connection.execute(sa.delete(sign_in_attempt).where((a.since <= at - LOCKED) | (a.since > at + LOCKED)))
    row = connection.execute(sa.select(a.failures).where(a.name == name)).one_or_none()
    failures = row.failures + 1 if row else 1
    if row is None:
        connection.execute(sa.insert(sign_in_attempt).values(name=name, failures=1, since=at))
    else:
        connection.execute(sa.update(sign_in_attempt).where(a.name == name).values(failures=failures, since=at))
    return failures == MOST


def forget_failures(connection: Connection, name: str) -> None:
    """Somebody came in by the name."""
    connection.execute(sa.delete(sign_in_attempt).where(sign_in_attempt.c.name == name))
