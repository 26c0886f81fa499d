"""One account, for who lets people in: roles, sessions, and its end. Two who edit it do not undo each other."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.given import Given, grant_of, places
from console.visit import Visit, visit_of
from facility.errors import Rejected
from facility.levels import Level
from facility.rights import Role
from stores.access import KnownPerson, Stale

router = APIRouter(prefix="/people/{name}")

Visiting = Annotated[Visit, Depends(visit_of)]


def person_of(name: str, visit: Visiting) -> KnownPerson:
    """The account that a path names; 404 for one that is not there, 403 for who may not ask."""
    found = visit.view.accounts.person(name, visit.now)
    if found is None:
        raise HTTPException(404)
    return found


Named = Annotated[KnownPerson, Depends(person_of)]
Changes = Annotated[int, Form(ge=0)]
"""How often the account had been changed on the page that the form stands on."""


@router.get("")
def person(request: Request, visit: Visiting, named: Named) -> Response:
    """What they may do, and what can be done about it."""
    return _shown(request, visit, named)


@router.post("/give")
def give(
    request: Request, visit: Visiting, named: Named, changes: Changes, given: Annotated[Given, Depends()]
) -> Response:
    """One more role."""
    give = visit.view.accounts.give
    return _done(request, visit, named, lambda name: give(name, grant_of(visit, given), visit.now, based_on=changes))


@router.post("/take")
def take(
    request: Request, visit: Visiting, named: Named, changes: Changes, grant: Annotated[int, Form(ge=0, lt=2**31)]
) -> Response:
    """One role less."""
    take = visit.view.accounts.take
    return _done(request, visit, named, lambda name: take(name, grant, visit.now, based_on=changes))


@router.post("/close")
def close(
    request: Request, visit: Visiting, named: Named, changes: Changes, to: Annotated[str, Form(max_length=60)] = ""
) -> Response:
    """Nobody comes in by this name any more."""
    close = visit.view.accounts.close
    return _done(request, visit, named, lambda name: close(name, visit.now, hand_to=to, based_on=changes))


@router.post("/sign-out")
def sign_out(request: Request, visit: Visiting, named: Named) -> Response:
    """End their sessions and links."""
    return _done(request, visit, named, lambda name: visit.view.accounts.sign_out(name, visit.now))


@router.post("/forget-phone")
def forget_phone(request: Request, visit: Visiting, named: Named) -> Response:
    """They have lost their phone."""
    return _done(request, visit, named, lambda name: visit.view.accounts.forget_phone(name, visit.now))


@router.post("/link")
def link(request: Request, visit: Visiting, named: Named) -> Response:
    """One more link to come in by."""
    made = visit.view.accounts.invite(named.account.name, visit.now)
    return _shown(request, visit, named, link=f"{request.base_url}sign-in?token={made}")


def _done(request: Request, visit: Visit, named: KnownPerson, act: Callable[[str], None]) -> Response:
    try:
        act(named.account.name)
    except Stale:
        raise
    except Rejected as error:
        return _shown(request, visit, named, 422, refused=error.reason)
    return RedirectResponse(f"/people/{quote(named.account.name)}", 303)


def _shown(request: Request, visit: Visit, named: KnownPerson, status: int = 200, **more: Any) -> Response:
    others = [one.account.name for one in visit.view.accounts.all_of(visit.now) if one.account.closed_at is None]
    estate, language = visit.view.accounts.estate, visit.texts.language
    found: dict[str, Any] = {"named": named, "others": [one for one in others if one != named.account.name]}
    found |= {"roles": list(Role), "levels": list(Level), "places": places(estate, language)}
    found |= {"refused": "", "link": "", "live_of": "alerts"}
    return page(request, "person.html", status=status, visit=visit, **(found | more))
