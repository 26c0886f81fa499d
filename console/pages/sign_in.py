"""Signing in with a one-time link: looking at it uses nothing up, pressing the button does."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.guard import session_cookie
from console.visit import parts_of
from facility.errors import Denied
from wording.texts import LANGUAGES

router = APIRouter()


@router.get("/sign-in")
def show(request: Request, token: str = "") -> Response:
    """One button. A link preview that opens this page does not consume the link."""
    return page(request, "sign_in.html", token=token, is_refused=False, languages=LANGUAGES)


@router.post("/sign-in")
def redeem(request: Request, token: Annotated[str, Form(max_length=200)]) -> Response:
    """Exchange the token for a session."""
    parts, address = parts_of(request), request.client.host if request.client else ""
    if wait_s := parts.guesses.wait_s(address):
        raise HTTPException(429, headers={"retry-after": str(wait_s)})
    try:
        session = parts.access.sign_in(token, parts.clock(), parts.session_s)
    except Denied as denied:
        if noted := parts.guesses.refused(address):
            parts.access.note_refusal(parts.clock(), noted, address, str(denied))
        return page(request, "sign_in.html", status=403, token="", is_refused=True, languages=LANGUAGES)
    parts.access.sign_out(request.state.session)  # a new session ends the one that this browser had
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        session_cookie(request.url.scheme),
        session,
        max_age=parts.session_s,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
