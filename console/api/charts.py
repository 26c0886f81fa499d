"""Columns for the charts of the building page and of the alert card."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException

from console.figures.building import days_plot, today_plot
from console.figures.evidence import exhibits
from console.pages.alert import alert_of
from console.visit import Visit, visit_of
from facility.model import Building
from facility.quantities import Utility
from facility.work import Alert

router = APIRouter(prefix="/api")

Visiting = Annotated[Visit, Depends(visit_of)]


def building_of(building_id: str, visit: Visiting) -> Building:
    """The building that a path names; 404 for an unknown one."""
    found = visit.catalogue.building.get(building_id)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/buildings/{building_id}/today")
def today(visit: Visiting, building: Annotated[Building, Depends(building_of)]) -> dict[str, Any]:
    """Electricity of today against the expected band."""
    return today_plot(visit, building).as_json()


@router.get("/buildings/{building_id}/days/{utility}")
def days(visit: Visiting, building: Annotated[Building, Depends(building_of)], utility: Utility) -> dict[str, Any]:
    """Thirty days of a utility."""
    return days_plot(visit, building, utility).as_json()


@router.get("/alerts/{alert_id}/evidence")
def evidence(visit: Visiting, alert: Annotated[Alert, Depends(alert_of)]) -> list[dict[str, Any]]:
    """The charts of an alert's card, in order."""
    return [exhibit.plot.as_json() for exhibit in exhibits(visit, alert)]
