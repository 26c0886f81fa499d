"""The list of alerts."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.cases import FILTERS, MOST_CASES, case, counts, place_after, place_of
from console.visit import Visit, visit_of
from stores.access import CasePlace

router = APIRouter()


@router.get("/alerts")
def alerts(
    request: Request,
    visit: Annotated[Visit, Depends(visit_of)],
    state: str = "open",
    building: str = "",
    after: str = "",
) -> Response:
    """Cases by state and building, open ones first, newest first, a page at a time."""
    if state not in FILTERS or (building and building not in visit.catalogue.building):
        raise HTTPException(404)
    found = visit.view.cases.alerts(
        states=FILTERS[state], building=building or None, after=_place(after), limit=MOST_CASES + 1
    )
    cases = found[:MOST_CASES]
    return page(
        request,
        "alerts.html",
        visit=visit,
        cases=[case(visit, alert) for alert in cases],
        next_place=place_after(cases) if len(found) > MOST_CASES else None,
        filters=counts(visit, building or None),
        state=state,
        building_id=building,
        live_of="alerts",
    )


def _place(stated: str) -> CasePlace | None:
    try:
        return place_of(stated) if stated else None
    except ValueError:
        raise HTTPException(404) from None
