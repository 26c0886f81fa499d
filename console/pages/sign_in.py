"""Signing in: with a one-time link, which looking at does not use up, or with a password."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.guard import browser_of, session_cookie
from console.visit import ConsoleParts, parts_of
from facility.errors import Denied
from stores.access import TooManyError

router = APIRouter()


@router.get("/sign-in")
def show(request: Request, token: str = "") -> Response:
    """One button. A link preview that opens this page does not consume the link."""
    return page(request, "sign_in.html", token=token, refused="")


@router.post("/sign-in")
def redeem(request: Request, token: Annotated[str, Form(max_length=200)]) -> Response:
    """Exchange the token for a session."""
    parts = parts_of(request)
    check_guesses(request)
    try:
        session = parts.access.sign_in(
            token, parts.clock(), parts.session_s, browser_of(request.scope, request.headers)
        )
    except Denied as denied:
        return refused_page(request, str(denied), "sign_in.refused")
    return begun(request, session)


@router.post("/sign-in/password")
def prove(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=400)],
    code: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Come in by name, password and, where there is a phone, its code."""
    parts = parts_of(request)
    check_guesses(request)
    browser = browser_of(request.scope, request.headers)
    try:
        session = parts.access.prove(name, password, code, parts.clock(), parts.session_s, browser)
    except TooManyError as error:
        raise HTTPException(429, headers={"retry-after": str(error.wait_s)}) from None
    except Denied as denied:
        return refused_page(request, str(denied), "sign_in.wrong")
    return begun(request, session)


def check_guesses(request: Request) -> None:
    """Raise ``HTTPException`` for an address that has tried too often."""
    if wait_s := parts_of(request).guesses.wait_s(_address(request)):
        raise HTTPException(429, headers={"retry-after": str(wait_s)})


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def refused_page(request: Request, why: str, refused: str) -> Response:
    """The page again, and on record ``why``."""
    parts, address = parts_of(request), _address(request)
    if noted := parts.guesses.refused(address):
        parts.access.note_refusal(parts.clock(), noted, address, why)
    return page(request, "sign_in.html", status=403, token="", refused=refused)


def _first_page(parts: ConsoleParts, session: str) -> str:
    """An administrator sets up a phone, or shows its code, before anything else."""
    person = parts.access.person(session, parts.clock())
    waits = person is not None and parts.access.waits_for_phone(person)
    return "/account/second-factor" if waits else "/"


def begun(request: Request, session: str) -> Response:
    """A new session ends the one that this browser had."""
    parts = parts_of(request)
    parts.access.sign_out(request.state.session, parts.clock())
    answer = RedirectResponse(_first_page(parts, session), 303)
    answer.set_cookie(
        session_cookie(request.url.scheme),
        session,
        max_age=parts.session_s,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
