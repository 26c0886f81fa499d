"""What the pages of registers in doubt say beside a spell: names, and what the register showed with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Form, HTTPException
from pydantic import StringConstraints

from console.visit import Visit, visit_of
from facility.currency import minor_digits
from facility.quantities import Utility
from wording.formats import Amount
from wording.names import point_name
from wording.reasons import reason_text

if TYPE_CHECKING:
    from datetime import datetime

    from stores.access import KeptSpell, Proposal

NOTE_LENGTH = 500

Visiting = Annotated[Visit, Depends(visit_of)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_LENGTH), Form()]

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


@dataclass(frozen=True, slots=True)
class ShownProposal:
    """An adjusting entry that is proposed, as the visitor reads it; its figures are differences, with their signs."""

    kept: Proposal
    building: str
    building_name: str
    meter: str
    month: str
    use: Amount
    estimated: Amount
    cost: Amount
    reason: str


def shown_proposal(visit: Visit, kept: Proposal) -> ShownProposal:
    """The adjusting entry with names and figures."""
    unit, currency = visit.formats.sign(Utility(kept.utility).unit), visit.formats.currency
    return ShownProposal(
        kept=kept,
        building=kept.building,
        building_name=visit.names.building(kept.building),
        meter=visit.names.meter(kept.meter),
        month=kept.month,
        use=Amount(f"{kept.sum_of('qty'):+,.3f}", unit),
        estimated=Amount(f"{kept.sum_of('est_qty'):+,.3f}", unit),
        cost=Amount(f"{kept.sum_of('cost'):+,.{minor_digits(currency)}f}", currency),
        reason=reason_text(kept.reason, visit.texts),
    )


def number_of(stated: str) -> int:
    """The number of a spell or an entry as a path or query states it; 404 for what cannot be one."""
    if not (stated.isascii() and stated.isdecimal() and len(stated) <= MOST_DIGITS):
        raise HTTPException(404)
    return int(stated)
