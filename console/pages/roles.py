"""The table of roles: which of them may do what."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from console.answer import page
from console.visit import Visit, visit_of
from facility.rights import PERMISSIONS, Role

router = APIRouter()


@router.get("/roles")
def roles(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """For everybody: what one may do is no secret."""
    return page(request, "roles.html", visit=visit, permissions=PERMISSIONS, roles=list(Role), live_of="alerts")
