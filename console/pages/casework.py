"""How the work on cases goes, for whoever leads it; and what is planned."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from console.answer import page
from console.visit import Visit, visit_of

router = APIRouter()

DAYS = (30, 90, 365)


@router.get("/casework")
def casework(
    request: Request,
    visit: Annotated[Visit, Depends(visit_of)],
    days: Annotated[int, Query(ge=1, le=3660)] = DAYS[1],
) -> Response:
    """Times, precision, savings and what holds the work up, of cases raised within so many days."""
    return page(
        request,
        "casework.html",
        visit=visit,
        days=days,
        choices=DAYS,
        live_of="alerts",
        figures=visit.view.cases.figures(visit.now, timedelta(days=days)),
        plans=visit.view.cases.plans(visit.now),
    )
