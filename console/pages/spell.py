"""One spell of a register: what it is, what each decision would mean, and who decided."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.spells import NOTE_LENGTH, Reason, Visiting, number_of, shown_spell
from console.visit import Visit
from stores.access import KeptSpell

router = APIRouter(prefix="/spells/{number}")

FAR = 2**31 - 1

Changes = Annotated[int, Form(ge=0, le=FAR)]
"""How often the spell had changed on the page that the form stands on."""


def spell_of(number: str, visit: Visiting) -> KeptSpell:
    """The spell that a path names; 404 for an unknown or malformed number."""
    found = visit.view.spells.spell(number_of(number))
    if found is None:
        raise HTTPException(404)
    return found


Named = Annotated[KeptSpell, Depends(spell_of)]


@router.get("")
def spell(request: Request, visit: Visiting, named: Named) -> Response:
    """What the register showed, and what can be done about it."""
    row, acted = shown_spell(visit, named), "hx-request" in request.headers
    return page(
        request, "spell.html", visit=visit, row=row, is_acted_on=acted, note_length=NOTE_LENGTH, live_of="alerts"
    )


@router.post("/accept")
def accept(visit: Visiting, named: Named, reason: Reason, changes: Changes) -> Response:
    """The register is right."""
    return _decide(visit, named, reason, changes, accepted=True)


@router.post("/reject")
def reject(visit: Visiting, named: Named, reason: Reason, changes: Changes) -> Response:
    """The register is wrong."""
    return _decide(visit, named, reason, changes, accepted=False)


@router.post("/ask-again")
def ask_again(visit: Visiting, named: Named, reason: Reason, changes: Changes) -> Response:
    """Take back what was decided."""
    visit.view.spells.ask_again(named.number, reason=reason, at=visit.now, based_on=changes)
    return RedirectResponse(f"/spells/{named.number}", 303)


def _decide(visit: Visit, named: KeptSpell, reason: str, changes: int, *, accepted: bool) -> Response:
    kept = visit.view.spells
    kept.decide(named.number, accepted=accepted, reason=reason, at=visit.now, based_on=changes)
    return RedirectResponse(f"/spells/{named.number}", 303)
