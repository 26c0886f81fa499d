"""One item of the quarantine with the start of its payload, and what a person does with it: replay or discard."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from pydantic import StringConstraints
from starlette.responses import RedirectResponse

from console.answer import page
from console.pages.preferences import inside
from console.pages.quarantine import id_of
from console.refusals import is_looked_for
from console.visit import Visit, visit_of
from stores.access import ItemState, QuarantineItem, steps

router = APIRouter(prefix="/quarantine/{item_id}")

SHOWN_PAYLOAD_BYTES = 2000
NOTE_LENGTH = 500

Visiting = Annotated[Visit, Depends(visit_of)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_LENGTH), Form()]


def item_of(item_id: str, visit: Visiting) -> QuarantineItem:
    """The item that a path names; 404 for an unknown or malformed id."""
    found = visit.view.quarantine.item(id_of(item_id))
    if found is None:
        raise HTTPException(404)
    return found


Named = Annotated[QuarantineItem, Depends(item_of)]


@router.get("")
def item(request: Request, visit: Visiting, named: Named) -> Response:
    """Why it was refused, what to do, what it holds, what happened to it."""
    return page(request, "quarantine_item.html", visit=visit, **_item_parts(request, visit, named))


@router.post("/replay")
def replay(visit: Visiting, named: Named, back: Annotated[str, Form()] = "") -> Response:
    """Ask ingest to take it in again."""
    visit.view.quarantine.replay(named.id, visit.now)
    return RedirectResponse(inside(back) if back else f"/quarantine/{named.id}", 303)


@router.post("/discard")
def discard(
    visit: Visiting, named: Named, reason: Reason, state: Annotated[ItemState, Form()] = ItemState.WAITING
) -> Response:
    """Give it up, with a reason; ``state`` is how it stood on the page that the form stands on."""
    visit.view.quarantine.discard(named.id, reason, visit.now, based_on=state)
    return RedirectResponse(f"/quarantine/{named.id}", 303)


def _item_parts(request: Request, visit: Visit, named: QuarantineItem) -> dict[str, Any]:
    errands = visit.view.quarantine.errands_of(named.id)
    return {
        "item": named,
        "steps": steps(named, errands),
        "answer": next((errand for errand in reversed(errands) if errand.done_at), None),
        "is_looked_for": is_looked_for([named], errands[-1] if errands else None, visit.now),
        "is_acted_on": "hx-request" in request.headers and request.headers.get("hx-trigger") != "item-acts",
        "shown_bytes": SHOWN_PAYLOAD_BYTES,
        "note_length": NOTE_LENGTH,
        "live_of": "alerts",
    }
