"""The mailbox of a demo: what its people would have been sent, which has not left this machine."""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from console.answer import page
from console.visit import Visit, visit_of
from stores.access import KeptLetter

router = APIRouter()

MOST_SHOWN = 100

_LINK = re.compile(r"(https?://[^\s<>\"']+)")


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """A letter and when it came. ``parts`` is its body: every second part is a link."""

    at: datetime
    letter: KeptLetter
    parts: list[str]


@router.get("/mailbox")
def mailbox(request: Request, visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """Everybody's letters, the newest first, for who runs the demo; 404 of a console that is none."""
    if not visit.view.has_mailbox:
        raise HTTPException(404)
    letters = islice(visit.view.mailbox(), MOST_SHOWN)
    found = [ShownLetter(at, one, _LINK.split(one.body)) for at, one in letters]
    return page(request, "mailbox.html", visit=visit, found=found, live_of="alerts")
