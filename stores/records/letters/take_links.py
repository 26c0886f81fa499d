"""Links in letters by which somebody takes one case without signing in: known to their letter alone, and good once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from stores.records import tables
from stores.records.accounts.tokens import new_token, valid_link
from stores.records.audit import append_entry
from stores.records.database import writing

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Engine

VALID_S = 86_400.0
_TAKE = "take"


class TakeLinks:
    """Tokens for one case of one person. To look at one changes nothing; ``use`` uses it up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(self, name: str, alert: UUID, at: datetime) -> str:
        """A token for a day."""
        with writing(self._engine) as connection:
            old = tables.token.c.kind.like(f"{_TAKE} %") & (tables.token.c.expires_at < at)
            connection.execute(sa.delete(tables.token).where(old))
            return new_token(connection, _kind(alert), name, at, VALID_S)

    def owner(self, alert: UUID, token: str, at: datetime) -> str:
        """Whose it is. Raises ``Denied`` where it is unknown, used or too old."""
        with self._engine.connect() as connection:
            return str(valid_link(connection, _kind(alert), token, at).name)

    def use(self, alert: UUID, token: str, at: datetime, address: str) -> str:
        """The same, and it is used up."""
        with writing(self._engine) as connection:
            row = valid_link(connection, _kind(alert), token, at)
            connection.execute(sa.update(tables.token).where(tables.token.c.id == row.id).values(used_at=at))
            append_entry(connection, at, row.name, "person.take_link", str(alert), f"from {address}")
            return str(row.name)


def _kind(alert: UUID) -> str:
    return f"{_TAKE} {alert}"
