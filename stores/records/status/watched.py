"""How far the watch over a site has got: what a restart of analytics, on whichever machine, goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from stores.records.database import writing
from stores.records.status.tables import watched

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine


RULES = 2
"""The rules by which figures are made. With a new number all that is stored is computed again, once.

1: before spells. 2: spells, demand of measured quarters alone, shares of time.
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """The store's changes up to ``cursor`` are in the rollups; hours up to ``through`` have been looked at.

    ``rules`` are those by which its figures were made, or are being made again.
    """

    cursor: int = 0
    through: datetime | None = None
    rules: int = RULES


class Watches:
    """One row per site."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def watched(self, site: str) -> Watched | None:
        """Where the last run stopped; None for a site that was never watched."""
        query = sa.select(watched.c.cursor, watched.c.through, watched.c.rules).where(watched.c.site == site)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Watched(row.cursor, row.through, row.rules)

    def note(self, site: str, done: Watched) -> None:
        """It has got so far. The rules of a site that is known stay as they are (``judge_anew`` changes them)."""
        values = {"cursor": done.cursor, "through": done.through}
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(watched).where(watched.c.site == site).values(values)).rowcount:
                connection.execute(sa.insert(watched).values(site=site, rules=done.rules, **values))

    def forget(self, site: str) -> None:
        """The next run begins anew."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(watched).where(watched.c.site == site))
