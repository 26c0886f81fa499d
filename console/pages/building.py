"""The page of one building."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.cases import case
from console.figures.building import meter_rows, sections, sensor_rows, today, use_sentence
from console.figures.heard import heard_in
from console.figures.tiles import seen_tile
from console.visit import Visit, visit_of
from facility.quantities import Utility
from facility.read_by_hand import reads_by_hand
from facility.work import RUNNING

router = APIRouter()

LEAKS = frozenset({"continuous_flow", "water_on_floor"})
"""Detectors whose alerts are marked on the building's water, too."""


@router.get("/buildings/{building_id}")
def building(request: Request, building_id: str, visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """Today against expected, thirty days, water and gas, sub-meters, sensors, alerts."""
    found = visit.catalogue.building.get(building_id)
    if found is None:
        raise HTTPException(404)
    cases = [case(visit, alert) for alert in visit.view.cases.alerts(states=RUNNING, building=found.id)]
    return page(
        request,
        "building.html",
        visit=visit,
        building=found,
        sections=sections(visit, found),
        meters=meter_rows(visit, found),
        by_hand=[one for one in reads_by_hand(visit.catalogue, visit.picture.values) if one.meter.building == found.id],
        sensors=sensor_rows(visit, found),
        cases=cases,
        leak=next((one for one in cases if one.alert.detector in LEAKS), None),
        seen=seen_tile(visit, found, heard_in(visit.catalogue, found.id, visit.picture, visit.now_ms)),
        has_papers=visit.view.papers.show(found.id),
        sentence=use_sentence(visit, today(visit, found, Utility.ELECTRICITY), Utility.ELECTRICITY),
        live_of=found.id,
    )
