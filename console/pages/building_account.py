"""A building's month in money, department by department, and its indicators of the year up to then."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.figures.papers import is_month, moved, papers_of, this_month
from console.visit import Visit, visit_of
from facility.errors import ConfigError

router = APIRouter()


@router.get("/buildings/{building_id}/account")
def building_account(
    request: Request, building_id: str, visit: Annotated[Visit, Depends(visit_of)], month: str = ""
) -> Response:
    """The bill of a month (the last whole one, unless said otherwise) and what each department bears of it."""
    found = visit.catalogue.building.get(building_id)
    if found is None or not visit.view.papers.show(building_id) or (month and not is_month(month)):
        raise HTTPException(404)
    wanted = month or moved(this_month(visit), -1)
    if wanted > this_month(visit):
        raise HTTPException(404)
    papers, lacks = None, ""
    try:
        papers = papers_of(visit, found, wanted)
    except ConfigError as error:
        lacks = str(error)
    return page(
        request,
        "building_account.html",
        visit=visit,
        building=found,
        month=wanted,
        papers=papers,
        lacks=lacks,
        live_of="alerts",
    )
