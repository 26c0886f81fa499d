"""What could not be stored: the list by reason, and the wish to take all of one reason in again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.datastructures import URL
from starlette.responses import RedirectResponse

from console.answer import page
from console.refusals import is_looked_for
from console.visit import Visit, visit_of
from stores.access import Standing

router = APIRouter()

MOST_ITEMS = 25
MOST_DIGITS = 18
"""No id is longer; a longer number would not fit the database."""

SHOWN: dict[str, Standing] = {"waiting": "waiting", "closed": "closed"}


@router.get("/quarantine")
def quarantine(
    request: Request,
    visit: Annotated[Visit, Depends(visit_of)],
    show: str = "waiting",
    reason: str = "",
    agent: str = "",
    before: str = "",
) -> Response:
    """Items by reason and agent, newest first, a page at a time."""
    if show not in SHOWN or not reason.isprintable() or not agent.isprintable():
        raise HTTPException(404)
    kept = visit.view.quarantine
    found = kept.items(
        reason=reason or None,
        agent=agent or None,
        standing=SHOWN[show],
        before=id_of(before) if before else None,
        limit=MOST_ITEMS + 1,
    )
    items = found[:MOST_ITEMS]
    tallies = kept.tallies(agent=agent or None)
    return page(
        request,
        "quarantine.html",
        visit=visit,
        items=items,
        next_id=items[-1].id if len(found) > MOST_ITEMS else None,
        is_looked_for=is_looked_for(items, kept.newest_errand(items), visit.now),
        tallies=tallies,
        shown=[tally for tally in tallies if reason in {"", tally.reason}],
        size=kept.size(),
        agents=kept.agents(),
        show=show,
        reason=reason,
        agent=agent,
        address=address,
        live_of="alerts",
    )


@router.post("/quarantine/replay")
def replay_all(
    visit: Annotated[Visit, Depends(visit_of)], reason: Annotated[str, Form(min_length=1, max_length=200)]
) -> Response:
    """Ask ingest to take in again all that waits for one reason."""
    if not reason.isprintable():
        raise HTTPException(422)
    visit.view.quarantine.replay_all(reason, visit.now)
    return RedirectResponse(address(reason=reason), 303)


def address(**wanted: object) -> str:
    """The list's address with what is wanted of it; what is empty is left out."""
    return str(URL("/quarantine").include_query_params(**{name: value for name, value in wanted.items() if value}))


def id_of(stated: str) -> int:
    """An item's id as a path or query states it; 404 for what cannot be one."""
    if not (stated.isascii() and stated.isdecimal() and len(stated) <= MOST_DIGITS):
        raise HTTPException(404)
    return int(stated)
