"""Who may come in, for who lets them in: the list, and an invitation."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from console.answer import page
from console.given import Given, grant_of, places
from console.visit import Visit, visit_of
from facility.errors import ConfigError, Rejected
from facility.levels import Level
from facility.rights import Role

router = APIRouter()

Visiting = Annotated[Visit, Depends(visit_of)]


@router.get("/people")
def people(request: Request, visit: Visiting) -> Response:
    """Everybody, their roles, and what they sign in with."""
    return _shown(request, visit)


@router.post("/people")
def invite(
    request: Request, visit: Visiting, name: Annotated[str, Form(max_length=200)], given: Annotated[Given, Depends()]
) -> Response:
    """A link to hand over, and the first role of somebody new."""
    accounts = visit.view.accounts
    try:
        grant = grant_of(visit, given)
        link = accounts.invite(name, visit.now)
        invited = accounts.named(name, visit.now)
        accounts.give(invited.account.name, grant, visit.now, based_on=invited.account.changes)
    except ConfigError:
        return _shown(request, visit, 422, refused="no_name")
    except Rejected as error:
        return _shown(request, visit, 422, refused=error.reason)
    return _shown(request, visit, link=f"{request.base_url}sign-in?token={link}", invited=invited.account.name)


def _shown(request: Request, visit: Visit, status: int = 200, **more: Any) -> Response:
    estate, language = visit.view.accounts.estate, visit.texts.language
    found: dict[str, Any] = {"people": visit.view.accounts.all_of(visit.now), "roles": list(Role)}
    found |= {"levels": list(Level), "places": places(estate, language)}
    found |= {"refused": "", "link": "", "invited": "", "live_of": "alerts"}
    return page(request, "people.html", status=status, visit=visit, **(found | more))
