"""Taking a case by the link in a letter: without signing in, once, and only by a button. To look changes nothing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response

from console.answer import page
from console.visit import language_of, parts_of, view_of_link
from facility.errors import Denied, Rejected
from facility.work import Alert, AlertState
from stores.access import Stale
from wording.cases import case_of

router = APIRouter(prefix="/take")

Token = Annotated[str, Form(max_length=200)]


@router.get("")
def show(request: Request, alert: str = "", token: str = "") -> Response:
    """What is wrong, and one button. A preview of the link in somebody's mail uses nothing up."""
    try:
        owner, found = _asked(request, alert, token)
    except Denied as denied:
        return _refused(request, str(denied))
    return _shown(request, owner, found, token)


@router.post("")
def take(request: Request, alert: Annotated[str, Form(max_length=40)], token: Token) -> Response:
    """Take the case as the person whose letter it was. Who was slower is told who has it."""
    try:
        owner, found = _asked(request, alert, token)
        if found.state is AlertState.OPEN:
            found = _taken(request, owner, found, token)
    except Denied as denied:
        return _refused(request, str(denied))
    return _shown(request, owner, found, "", is_answer=True)


def _taken(request: Request, owner: str, found: Alert, token: str) -> Alert:
    """The case in their hands, or as it is where somebody was quicker."""
    parts = parts_of(request)
    cases = view_of_link(request, owner).cases
    try:
        taken = cases.acknowledge(found.id, parts.clock(), based_on=found.acts)
    except (Stale, Rejected):
        return cases.alert(found.id) or found
    parts.access.use_take_link(found.id, token, parts.clock(), _address(request))
    return taken


def _asked(request: Request, alert: str, token: str) -> tuple[str, Alert]:
    """Whose link it is, and the case; raises ``Denied`` where either is not, or not any more."""
    parts = parts_of(request)
    if wait_s := parts.guesses.wait_s(_address(request)):
        raise HTTPException(429, headers={"retry-after": str(wait_s)})
    try:
        owner = parts.access.take_link_owner(UUID(alert), token, parts.clock())
        found = view_of_link(request, owner).cases.alert(UUID(alert))
    except ValueError:
        found = None
    if found is None:
        raise Denied("this link is not known")
    return owner, found


def _shown(request: Request, owner: str, found: Alert, token: str, *, is_answer: bool = False) -> Response:
    """The case: with the button while it is open, with who has it else."""
    parts = parts_of(request)
    case = case_of(found, view_of_link(request, owner).catalogue, language_of(request), parts.clock())
    standing = "open" if found.state is AlertState.OPEN else "mine" if found.acknowledged_by == owner else "other"
    status = 409 if is_answer and standing == "other" else 200
    return page(request, "take.html", status=status, case=case, token=token, standing=standing, refused="")


def _refused(request: Request, why: str) -> Response:
    parts, address = parts_of(request), _address(request)
    if noted := parts.guesses.refused(address):
        parts.access.note_refusal(parts.clock(), noted, address, why)
    return page(request, "take.html", status=403, refused="take.refused")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
