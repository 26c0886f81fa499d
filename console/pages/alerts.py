"""The list of alerts."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.cases import FILTERS, case, counts
from console.visit import Visit, visit_of
from wording.cases import in_order

router = APIRouter()


@router.get("/alerts")
def alerts(
    request: Request, visit: Annotated[Visit, Depends(visit_of)], state: str = "open", building: str = ""
) -> Response:
    """Cases by state and building, open ones first, newest first."""
    if state not in FILTERS or (building and building not in visit.catalogue.building):
        raise HTTPException(404)
    found = visit.view.cases.alerts(states=FILTERS[state], building=building or None)
    return page(
        request,
        "alerts.html",
        visit=visit,
        cases=[case(visit, alert) for alert in in_order(found)],
        filters=counts(visit, building or None),
        state=state,
        building_id=building,
        live_of="alerts",
    )
