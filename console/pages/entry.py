"""One adjusting entry that is proposed: what the closed month turned out to be, and what a person decides about it."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.spells import NOTE_LENGTH, Reason, Visiting, number_of, shown_proposal
from stores.access import Proposal

router = APIRouter(prefix="/entries/{number}")


def entry_of(number: str, visit: Visiting) -> Proposal:
    """The entry that a path names; 404 for an unknown or malformed number."""
    found = visit.view.proposals.entry(number_of(number))
    if found is None:
        raise HTTPException(404)
    return found


Named = Annotated[Proposal, Depends(entry_of)]


@router.get("")
def entry(request: Request, visit: Visiting, named: Named) -> Response:
    """What it adds to the closed month, by day, and what can be done about it."""
    row, acted = shown_proposal(visit, named), "hx-request" in request.headers
    return page(
        request, "entry.html", visit=visit, row=row, is_acted_on=acted, note_length=NOTE_LENGTH, live_of="alerts"
    )


@router.post("/accept")
def accept(visit: Visiting, named: Named, reason: Reason) -> Response:
    """It stands on the bill of this month."""
    visit.view.proposals.decide(named.number, enter=True, reason=reason, at=visit.now)
    return RedirectResponse(f"/entries/{named.number}", 303)


@router.post("/dismiss")
def dismiss(visit: Visiting, named: Named, reason: Reason) -> Response:
    """It stands on no bill."""
    visit.view.proposals.decide(named.number, enter=False, reason=reason, at=visit.now)
    return RedirectResponse(f"/entries/{named.number}", 303)


@router.post("/ask-again")
def ask_again(visit: Visiting, named: Named, reason: Reason) -> Response:
    """Take back what was decided."""
    visit.view.proposals.ask_again(named.number, reason=reason, at=visit.now)
    return RedirectResponse(f"/entries/{named.number}", 303)
