"""Has figures that older rules made computed again, once: open months anew; for closed ones entries are proposed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from accounting.dirty import Dirty
from facility.ledger.installation import BEGINNING
from stores.records.accounting.recomputations import ask
from stores.records.database import writing
from stores.records.status.tables import watched
from stores.records.status.watched import RULES

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from facility.catalogue import Catalogue

WHY = "stored figures are judged anew: false spells, demand, shares of time"


def judge_anew(engine: Engine, estate: Catalogue, at: datetime) -> int:
    """Put every counter on the list, building by building, where older rules made its figures; how many pieces.

    Once for each site and each change of the rules, whoever asks: the mark and the list are one transaction.
    """
    is_older = (watched.c.site == estate.site.id) & (watched.c.rules < RULES)
    with engine.connect() as connection:
        if connection.execute(sa.select(watched.c.site).where(is_older)).first() is None:
            return 0
    with writing(engine) as connection:
        if not connection.execute(sa.update(watched).where(is_older).values(rules=RULES)).rowcount:
            return 0
        return ask(connection, _everything(estate), by="meterhouse", at=at, reason=WHY, proposes=True)


def _everything(estate: Catalogue) -> list[Dirty]:
    """Every counter from its beginning; a building's together, for its total is made of them."""
    by_building: dict[str, list[str]] = defaultdict(list)
    for point in estate.counters:
        by_building[estate.meter[point.meter].building].append(point.id)
    return [Dirty(tuple(points), BEGINNING, None, building) for building, points in by_building.items()]
