"""Whether this process answers and reaches its store: for supervisors, without a session, without details."""

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from console.visit import parts_of

router = APIRouter()


@router.get("/health")
def health(request: Request) -> Response:
    """200 while the store is reachable, else 503."""
    is_reachable = parts_of(request).access.is_reachable
    return JSONResponse({"state": "ok" if is_reachable else "store_lost"}, 200 if is_reachable else 503)
