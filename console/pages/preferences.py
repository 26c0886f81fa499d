"""What a person sets for themselves: the language; and the way out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.guard import session_cookie
from console.visit import LANGUAGE_COOKIE, parts_of, view_of
from stores.access import View
from wording.texts import LANGUAGES

router = APIRouter()

YEAR_S = 365 * 86_400


@router.post("/language")
def choose(
    request: Request,
    view: Annotated[View, Depends(view_of)],
    language: Annotated[str, Form()],
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Read on in another language, on the page where one was."""
    if language not in LANGUAGES:
        raise HTTPException(404)
    view.choose_language(language)
    answer = RedirectResponse(inside(back), 303)
    remember_language(request, answer, language)
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session here and in the records."""
    parts = parts_of(request)
    parts.access.sign_out(request.state.session, parts.clock())
    answer = RedirectResponse("/sign-in", 303)
    is_tls = request.url.scheme == "https"
    answer.delete_cookie(session_cookie(request.url.scheme), secure=is_tls, httponly=True, samesite="lax")
    return answer


def remember_language(request: Request, answer: Response, language: str) -> None:
    """Keep the language for the next sign-in on this device."""
    answer.set_cookie(
        LANGUAGE_COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def inside(path: str) -> str:
    """The path if it lies in the console, else the first page: no form sends a person elsewhere."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
