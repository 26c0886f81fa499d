"""Registers in doubt: the list of spells that wait for a person, and of those that were decided."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.spells import number_of, shown_proposal, shown_spell
from console.visit import Visit, visit_of
from stores.access import SpellStanding

router = APIRouter()

MOST_SPELLS = 25
SHOWN: dict[str, SpellStanding] = {"waiting": "waiting", "decided": "decided"}


@router.get("/spells")
def spells(
    request: Request, visit: Annotated[Visit, Depends(visit_of)], show: str = "waiting", before: str = ""
) -> Response:
    """Spells, the newest first, a page at a time."""
    if show not in SHOWN:
        raise HTTPException(404)
    kept = visit.view.spells
    found = kept.newest(SHOWN[show], before=number_of(before) if before else None, limit=MOST_SPELLS + 1)
    entries = visit.view.proposals.open_ones() if show == "waiting" else visit.view.proposals.decided_ones(MOST_SPELLS)
    rows = [shown_spell(visit, one) for one in found[:MOST_SPELLS]]
    return page(
        request,
        "spells.html",
        visit=visit,
        rows=rows,
        next_number=rows[-1].kept.number if len(found) > MOST_SPELLS else None,
        show=show,
        proposals=[shown_proposal(visit, one) for one in entries],
        live_of="alerts",
    )
