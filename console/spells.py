"""What the pages of registers in doubt say beside a spell: names, and what the register showed with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import HTTPException

from wording.formats import Amount
from wording.names import point_name

if TYPE_CHECKING:
    from datetime import datetime

    from console.visit import Visit
    from stores.access import KeptSpell

MOST_DIGITS = 9
"""No number is longer; a longer one would not fit the database."""


@dataclass(frozen=True, slots=True)
class ShownSpell:
    """A spell as the visitor reads it; ``building`` and its name are empty where the estate has its meter no more."""

    kept: KeptSpell
    building: str
    building_name: str
    meter: str
    quantity: str
    before: Amount
    level: Amount
    since: datetime
    first: datetime
    until: datetime | None


def shown_spell(visit: Visit, kept: KeptSpell) -> ShownSpell:
    """The spell with names and figures."""
    spell, f, estate = kept.spell, visit.formats, visit.catalogue
    meter, quantity, _ = kept.point.split("/")
    point, known = estate.point.get(kept.point), estate.meter.get(meter)
    before, level = (
        f.reading(point.quantity, x) if point else Amount(f.exact(x), "") for x in (spell.before, spell.level)
    )
    return ShownSpell(
        kept=kept,
        building=known.building if known else "",
        building_name=visit.names.building(known.building) if known else "",
        meter=visit.names.meter(meter),
        quantity=point_name(visit.texts, point) if point else quantity,
        before=before,
        level=level,
        since=f.at(spell.since_ms / 1000),
        first=f.at(spell.first_ms / 1000),
        until=None if spell.until_ms is None else f.at(spell.until_ms / 1000),
    )


def number_of(stated: str) -> int:
    """A spell's number as a path or query states it; 404 for what cannot be one."""
    if not (stated.isascii() and stated.isdecimal() and len(stated) <= MOST_DIGITS):
        raise HTTPException(404)
    return int(stated)
