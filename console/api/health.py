"""Whether this process answers and reaches its store: for supervisors, without a session, without details."""

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

router = APIRouter()


@router.get("/health")
def health(request: Request) -> Response:
    """200 while the store is reachable, else 503."""
    reachable = request.app.state.parts.live.picture.reachable
    return JSONResponse({"state": "ok" if reachable else "store_lost"}, 200 if reachable else 503)
