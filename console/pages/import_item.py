"""One import: what it brings, how far it has come, and what a person does about it: confirm, withdraw, undo."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.imports import meters_of
from console.spells import NOTE_LENGTH, Reason, Visiting, number_of
from facility.rights import Act
from stores.access import KeptImport

router = APIRouter(prefix="/imports/{number}")

MOST_SHOWN = 8


def import_of(number: str, visit: Visiting) -> KeptImport:
    """The import that a path names; 404 for an unknown or malformed number."""
    found = visit.view.imports.one(number_of(number))
    if found is None:
        raise HTTPException(404)
    return found


Named = Annotated[KeptImport, Depends(import_of)]


@router.get("")
def one_import(request: Request, visit: Visiting, named: Named) -> Response:
    """What it brings, how far it has come, and what can be done about it."""
    kept, batch = visit.view.imports, visit.view.imports.readings(named.id)
    rows = [
        (batch.points[p], _instant(t), x)
        for p, t, x in list(zip(batch.p, batch.t_ms, batch.x, strict=True))[:MOST_SHOWN]
    ]
    others = kept.others(named, visit.now)
    is_own = named.proposed_by == visit.view.person
    return page(
        request,
        "import.html",
        visit=visit,
        kept=named,
        rows=rows,
        first=_instant(named.first_ms),
        last=_instant(named.last_ms),
        meters=meters_of(visit, named),
        others=", ".join(sorted(others)) if is_own else "",
        may_confirm=kept.may(Act.CONFIRM, named.points) and not (is_own and others),
        may_withdraw=kept.may(Act.HAND_IN if is_own else Act.CONFIRM, named.points),
        may_undo=kept.may(Act.CONFIRM, named.points),
        note_length=NOTE_LENGTH,
        live_of="alerts",
    )


@router.post("/confirm")
def confirm(visit: Visiting, named: Named) -> Response:
    """Have it stored."""
    visit.view.imports.confirm(named.id, visit.now)
    return RedirectResponse(f"/imports/{named.id}", 303)


@router.post("/withdraw")
def withdraw(visit: Visiting, named: Named, reason: Reason) -> Response:
    """Give it up."""
    visit.view.imports.withdraw(named.id, reason, visit.now)
    return RedirectResponse(f"/imports/{named.id}", 303)


@router.post("/undo")
def undo(visit: Visiting, named: Named, reason: Reason) -> Response:
    """Take it back."""
    visit.view.imports.undo(named.id, reason, visit.now)
    return RedirectResponse(f"/imports/{named.id}", 303)


def _instant(t_ms: int) -> datetime:
    return datetime.fromtimestamp(t_ms / 1000, UTC)
