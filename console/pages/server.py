"""How the server itself stands, for who runs it: what ``meterhouse doctor`` says."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.visit import Visit, parts_of, visit_of
from facility.errors import Denied
from facility.rights import Act
from reports.doctor import examine, sentence, to_do

router = APIRouter()


@router.get("/server")
def server(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """Looked at now, with every request; 404 of a console that knows no data folder."""
    if not visit.view.may(Act.TEND):
        raise Denied(f"{visit.view.person} may not {Act.TEND}")
    ground = parts_of(request).ground
    if ground is None:
        raise HTTPException(404)
    lines = [(one, sentence(visit.texts, one), to_do(visit.texts, one)) for one in examine(ground, visit.now)]
    return page(request, "server.html", visit=visit, lines=lines, live_of="alerts")
