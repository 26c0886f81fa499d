"""What programs may ask of cases, plans and work orders, as OpenAPI."""

from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from console.api import cases, orders, plans

router = APIRouter(prefix="/api")

ASKED = (cases.router, cases.one_router, orders.router, orders.one_router, plans.router)

_SAID = (
    "A program signs in as a person does, with a session's cookie. What it sends beside GET carries the session's form "
    "token in the header X-CSRF-Token, which every page states."
)


@router.get("/openapi.json")
def described() -> dict[str, Any]:
    """What a program may ask, in OpenAPI 3.1; a form token goes in the header X-CSRF-Token."""
    routes = [route for one in ASKED for route in one.routes]
    return get_openapi(title="Meterhouse", version="1", routes=routes, description=_SAID)
