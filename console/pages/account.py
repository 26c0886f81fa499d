"""One's own account: password, phone, roles, and where one is signed in."""

from io import BytesIO
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.given import places
from console.visit import Visit, visit_of
from facility.errors import Denied, Rejected
from stores.access import TooManyError

router = APIRouter(prefix="/account")

Visiting = Annotated[Visit, Depends(visit_of)]
Password = Annotated[str, Form(max_length=400)]


@router.get("")
def account(request: Request, visit: Visiting, done: str = "") -> Response:
    """What one signs in with, what one may do, and where one is signed in."""
    return account_page(request, visit, done=done if done in DONE else "")


DONE = ("password", "ended", "matched", "unmatched", "taken", "provider_away")


@router.post("/password")
def set_password(request: Request, visit: Visiting, password: Password, before: Password = "") -> Response:
    """A new password ends all other sessions."""
    try:
        visit.view.own.set_password(before, password, request.state.session, visit.now)
    except Denied:
        return account_page(request, visit, 403, refused="password_wrong")
    except Rejected as error:
        return account_page(request, visit, 422, refused=error.reason)
    return RedirectResponse("/account?done=password", 303)


@router.post("/phone")
def new_phone(request: Request, visit: Visiting) -> Response:
    """A picture for the phone; nothing is kept until it shows its code."""
    secret, address = visit.view.own.new_phone()
    return _phone(request, visit, secret, address)


@router.post("/phone/confirm")
def set_phone(
    request: Request,
    visit: Visiting,
    secret: Annotated[str, Form(pattern="^[A-Z2-7]{32}$")],
    code: Annotated[str, Form(max_length=20)],
    before: Password = "",
) -> Response:
    """Recovery codes are shown this once."""
    own = visit.view.own
    try:
        codes = own.set_phone(before, secret, code, request.state.session, visit.now)
    except Denied:
        return _phone(request, visit, secret, own.phone_address(secret), 403, refused="password_wrong")
    except Rejected as error:
        return _phone(request, visit, secret, own.phone_address(secret), 422, refused=error.reason)
    return page(request, "recovery_codes.html", visit=visit, codes=codes, live_of="alerts")


@router.get("/second-factor")
def second_factor(request: Request, visit: Visiting) -> Response:
    """Where an administrator sets up a phone, or shows its code."""
    return _asked(request, visit)


@router.post("/second-factor")
def show_code(request: Request, visit: Visiting, code: Annotated[str, Form(max_length=40)]) -> Response:
    """With the right one all of one's roles hold."""
    try:
        is_right = visit.view.own.show_code(code, request.state.session, visit.now)
    except TooManyError as error:
        raise HTTPException(429, headers={"retry-after": str(error.wait_s)}) from None
    return RedirectResponse("/", 303) if is_right else _asked(request, visit, 422, refused="wrong_code")


@router.post("/sessions/end")
def end_session(visit: Visiting, session: Annotated[str, Form(max_length=40)]) -> Response:
    """Sign out somewhere else."""
    try:
        visit.view.own.end_session(session, visit.now)
    except Rejected:
        raise HTTPException(404) from None
    return RedirectResponse("/account?done=ended", 303)


@router.post("/sessions/end-others")
def end_others(request: Request, visit: Visiting) -> Response:
    """Sign out everywhere but here: after a phone was lost."""
    visit.view.own.end_others(request.state.session, visit.now)
    return RedirectResponse("/account?done=ended", 303)


def account_page(request: Request, visit: Visit, status: int = 200, **more: Any) -> Response:
    """The page as it stands now; ``more`` is what was done, or why not."""
    own = visit.view.own
    found: dict[str, Any] = {
        "account": own.account(),
        "grants": own.grants(visit.now),
        "sessions": own.sessions(visit.now),
        "places": places(visit.catalogue, visit.texts.language),
        "codes_left": own.codes_left(),
        "identities": own.identities(),
        "this_session": request.state.session.partition(".")[0],
        "refused": "",
        "done": "",
        "live_of": "alerts",
    }
    return page(request, "account.html", status=status, visit=visit, **(found | more))


def _asked(request: Request, visit: Visit, status: int = 200, refused: str = "") -> Response:
    shown = {"account": visit.view.own.account(), "refused": refused, "live_of": "alerts"}
    return page(request, "second_factor.html", status=status, visit=visit, **shown)


def _phone(request: Request, visit: Visit, secret: str, address: str, status: int = 200, refused: str = "") -> Response:
    drawn = BytesIO()
    segno.make(address).save(drawn, kind="svg", scale=5, border=3, light="white", xmldecl=False, svgns=False)
    shown = {"secret": secret, "picture": drawn.getvalue().decode(), "refused": refused, "live_of": "alerts"}
    return page(request, "phone.html", status=status, visit=visit, account=visit.view.own.account(), **shown)
