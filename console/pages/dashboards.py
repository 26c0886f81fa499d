"""Where the dashboards in Grafana are, and what each is for."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.visit import Visit, parts_of, visit_of
from facility.model import MeterRole
from facility.quantities import Utility

router = APIRouter()

KEYS = ("estate", "building", "patterns", "savings", "signature", "cost", "water", "alerts", "quality", "devices")
"""Dashboards that stand in their list there; a meter's is opened from others, a lobby's on its screen."""


@router.get("/dashboards")
def dashboards(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """Links, where a Grafana is configured."""
    if not parts_of(request).grafana:
        raise HTTPException(404)
    counted = {meter.utility for meter in visit.catalogue.meters if meter.role is MeterRole.HEAD}
    keys = [key for key in KEYS if key != Utility.WATER or Utility.WATER in counted]
    return page(request, "dashboards.html", visit=visit, keys=keys, live_of="alerts")
