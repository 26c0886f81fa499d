"""Reporting a problem by the link that hangs at a meter or in a room: without an account, at that place alone.

Who has the link may say something and read nothing, not even where they are. Later they may rate what was done.
"""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response

from console.answer import page
from console.orders import NOTE_LENGTH, Line, Note
from console.visit import parts_of
from facility.errors import Denied, Rejected
from facility.order import OrderPlace, OrderWish, Skill, parse_skill
from facility.work import Severity

router = APIRouter(prefix="/report")

Secret = Annotated[str, Form(max_length=100)]


@router.get("")
def show(request: Request, at: str = "", rate: str = "") -> Response:
    """The form; to look at it changes nothing."""
    if rate:
        return page(request, "report.html", what="rate", secret=rate[:100])
    try:
        _place(request, at)
    except Denied:
        return _refused(request)
    return page(request, "report.html", what="ask", secret=at, skills=list(Skill), note_length=NOTE_LENGTH)


@router.post("")
def send(
    request: Request,
    at: Secret = "",
    rate: Secret = "",
    skill: Annotated[str, Form(max_length=40)] = "general",
    note: Note = "",
    name: Line = "",
    stars: Annotated[int, Form(ge=0, le=5)] = 0,
) -> Response:
    """Take the report in, or the rating."""
    if rate:
        return _rated(request, rate, stars, note)
    try:
        place = _place(request, at)
    except Denied:
        return _refused(request)
    if not note:
        raise HTTPException(422)
    parts, address = parts_of(request), _address(request)
    if wait_s := parts.reports.wait_s(address):
        raise HTTPException(429, headers={"retry-after": str(wait_s)})
    parts.reports.refused(address)
    try:
        wish = OrderWish(place, parse_skill(skill), Severity.ACT, note.splitlines()[0][:80], note, name)
        secret = parts.access.report(wish, parts.clock())
    except Rejected as rejected:
        raise HTTPException(429 if rejected.reason == "too_many_reports" else 422) from None
    return page(request, "report.html", what="thanks", secret=secret)


def _rated(request: Request, secret: str, stars: int, note: str) -> Response:
    """The answer is the same whether there was something to rate or not, save that it is not there yet."""
    parts, address = parts_of(request), _address(request)
    if wait_s := parts.guesses.wait_s(address):
        raise HTTPException(429, headers={"retry-after": str(wait_s)})
    if not stars:
        raise HTTPException(422)
    if parts.access.rate_report(secret, stars, note, parts.clock()):
        return page(request, "report.html", what="rated", secret="")
    parts.guesses.refused(address)
    return page(request, "report.html", status=409, what="too_early", secret="")


def _place(request: Request, secret: str) -> OrderPlace:
    """Where the link hangs; raises ``Denied`` for one that is none."""
    parts = parts_of(request)
    if wait_s := parts.guesses.wait_s(_address(request)):
        raise HTTPException(429, headers={"retry-after": str(wait_s)})
    return parts.access.report_place(secret)


def _refused(request: Request) -> Response:
    parts, address = parts_of(request), _address(request)
    if noted := parts.guesses.refused(address):
        parts.access.note_refusal(parts.clock(), noted, address, "a link of a report is not known")
    return page(request, "report.html", status=403, what="refused", secret="")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
