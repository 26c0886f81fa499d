"""Signing in by the site's provider, and matching an account of it with one's own."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.guard import browser_of
from console.pages.account import Password, account_page
from console.pages.sign_in import begun, check_guesses, refused_page
from console.visit import Visit, parts_of, visit_of
from facility.errors import Denied, Rejected, StoreUnavailable, Unavailable
from stores.access import Identity

if TYPE_CHECKING:
    from console.provider import Provider

router = APIRouter()

STATE_COOKIE = "meterhouse_provider"
BACK = "/sign-in/provider/back"
BEGUN_S = 600

Visiting = Annotated[Visit, Depends(visit_of)]


@router.get("/sign-in/provider")
def begin(request: Request) -> Response:
    """Lead the browser to the provider; nothing is kept of who asks but in that browser."""
    check_guesses(request)
    try:
        address, state = _provider(request).begin(_back(request))
    except Unavailable as away:
        _check_ours(away)
        return page(request, "sign_in.html", status=503, token="", refused="sign_in.provider_away")
    return _with_state(request, RedirectResponse(address, 303), state)


@router.get(BACK)
def come_back(request: Request, state: str = "", code: str = "", iss: str = "", error: str = "") -> Response:
    """Let in whom the provider vouches for, or match them with who is signed in."""
    check_guesses(request)
    provider, parts = _provider(request), parts_of(request)
    try:
        _check_browser(request, state)
        vouched = provider.finish(state, code, iss, error)
        identity = Identity(provider.issuer, vouched.subject)
        if vouched.person:
            return _without_state(request, _match(request, identity, vouched.person))
        browser = browser_of(request.scope, request.headers)
        session = parts.access.sign_in_by(identity, parts.clock(), parts.session_s, browser)
    except Unavailable as away:
        _check_ours(away)
        return page(request, "sign_in.html", status=503, token="", refused="sign_in.provider_away")
    except Denied as denied:
        return _without_state(request, refused_page(request, str(denied), "sign_in.provider_refused"))
    return _without_state(request, begun(request, session))


@router.post("/account/provider")
def ask_to_match(request: Request, visit: Visiting, before: Password = "") -> Response:
    """A page that leads to the provider: a form may not, and whoever only leads us there matches nothing."""
    provider, own = _provider(request), visit.view.own
    try:
        own.check_may_match(before, request.state.session, visit.now)
        address, state = provider.begin(_back(request), own.account().name)
    except Denied:
        return account_page(request, visit, 403, refused="password_wrong")
    except Unavailable as away:
        _check_ours(away)
        return RedirectResponse("/account?done=provider_away", 303)
    shown = page(request, "match.html", visit=visit, address=address, live_of="alerts")
    return _with_state(request, shown, state)


@router.post("/account/provider/forget")
def forget(visit: Visiting) -> Response:
    """Sign in by no provider any more."""
    visit.view.own.forget_identities(visit.now)
    return RedirectResponse("/account?done=unmatched", 303)


def _check_browser(request: Request, state: str) -> None:
    """Raise ``Denied`` where another browser began it: what is under way there goes on."""
    if not state or request.cookies.get(_state_cookie(request)) != state:
        raise Denied("this sign-in was begun in another browser")


def _match(request: Request, identity: Identity, person: str) -> Response:
    if request.state.person is None or request.state.person.name != person:
        raise Denied("who asked to be matched is not signed in any more")
    try:
        visit_of(request).view.own.match(identity, parts_of(request).clock())
    except Rejected:
        return RedirectResponse("/account?done=taken", 303)
    return RedirectResponse("/account?done=matched", 303)


def _check_ours(error: Unavailable) -> None:
    """Whether it is the provider that is away, and not the records."""
    if isinstance(error, StoreUnavailable):
        raise error


def _provider(request: Request) -> "Provider":
    provider = parts_of(request).provider
    if provider is None:
        raise HTTPException(404)
    return provider


def _back(request: Request) -> str:
    """The guard has answered for the host's name."""
    return f"{request.url.scheme}://{request.headers['host']}{BACK}"


def _state_cookie(request: Request) -> str:
    return f"__Host-{STATE_COOKIE}" if request.url.scheme == "https" else STATE_COOKIE


def _with_state(request: Request, answer: Response, state: str) -> Response:
    """Lax: the browser brings it along when the provider leads it back."""
    secure = request.url.scheme == "https"
    answer.set_cookie(_state_cookie(request), state, max_age=BEGUN_S, httponly=True, samesite="lax", secure=secure)
    return answer


def _without_state(request: Request, answer: Response) -> Response:
    answer.delete_cookie(_state_cookie(request), secure=request.url.scheme == "https", httponly=True, samesite="lax")
    return answer
