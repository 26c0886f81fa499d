"""The first page: the estate now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.figures.domains import domains
from console.figures.estate import cards, total_unsettled, whole
from console.figures.heard import heard_everywhere
from console.figures.tiles import estate_power_tile, reporting_tile
from console.visit import Visit, visit_of
from facility.rights import Act

router = APIRouter()

MOST_CARDS = 18
"""Buildings with a card of their own, the most urgent first; of a large estate the others stand in a table."""

ELSEWHERE = {Act.READ_AUDIT: "/audit", Act.GRANT: "/people"}
"""Where who may not look at the estate begins."""


@router.get("/")
def now(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """Every building at a glance, and the domains beside energy."""
    if not visit.view.may(Act.LOOK):
        return RedirectResponse(next((path for act, path in ELSEWHERE.items() if visit.view.may(act)), "/account"), 303)
    heard, unsettled = heard_everywhere(visit), visit.view.cases.unsettled()
    shown = cards(visit, heard, unsettled)
    return page(
        request,
        "now.html",
        visit=visit,
        cards=shown,
        most_cards=MOST_CARDS,
        whole=whole(shown),
        power=estate_power_tile(visit),
        reporting=reporting_tile(visit, heard.values()),
        open_count=total_unsettled(unsettled),
        domains=domains(visit),
        live_of="estate",
    )
