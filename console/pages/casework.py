"""How the work on cases goes, for whoever leads it; and what is planned, which they note and withdraw."""

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.visit import Visit, visit_of
from facility.errors import ConfigError, Rejected
from facility.rights import Act
from facility.wall_time import written_instant
from stores.access import LONGEST_REASON, PlanKind, PlannedEvent

router = APIRouter(prefix="/casework")

DAYS = (30, 90, 365)
REFUSED = ("no_time", "too_long", "over", "no_reason", "unknown_building", "unknown_meter")
"""Why a plan is not noted."""

NOTHING_ASKED = dict.fromkeys(("where", "begins", "ends", "reason", "kind", "weekly"), "")
"""What stands in the form of a plan before anybody has filled it in."""

MOST_NUMBER = 2**31 - 1

Visiting = Annotated[Visit, Depends(visit_of)]
Wall = Annotated[str, Form(max_length=40)]


@router.get("")
def casework(request: Request, visit: Visiting, days: Annotated[int, Query(ge=1, le=3660)] = DAYS[1]) -> Response:
    """Times, precision, savings and what holds the work up, of cases raised within so many days."""
    return _shown(request, visit, days)


@router.post("/plans")
def plan(
    request: Request,
    visit: Visiting,
    where: Annotated[str, Form(max_length=200)],
    begins: Wall,
    ends: Wall,
    reason: Annotated[str, Form(max_length=LONGEST_REASON)],
    kind: Annotated[PlanKind, Form()],
    weekly: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Note maintenance or an event, of a building or of one meter there; shown again with what is wrong with it."""
    building, _, meter = where.partition("/")
    zone = visit.catalogue.site.timezone
    try:
        first, end = (written_instant("a plan", text, ZoneInfo(zone)) for text in (begins, ends))
        event = PlannedEvent(kind, building, first, end, reason, meter or None, every_week=bool(weekly), zone=zone)
        visit.view.cases.plan(event, visit.now)
    except ConfigError:
        refused = "no_time"
    except Rejected as error:
        refused = error.reason if error.reason in REFUSED else "no_time"
    else:
        return RedirectResponse("/casework#plans", 303)
    asked = {"where": where, "begins": begins, "ends": ends, "reason": reason, "kind": kind.value, "weekly": weekly}
    return _shown(request, visit, DAYS[1], status=422, refused=refused, asked=asked)


@router.post("/plans/{number}/withdraw")
def withdraw(visit: Visiting, number: int) -> Response:
    """It does not take place, or is over: what is found is told again."""
    if not 0 < number <= MOST_NUMBER:
        raise HTTPException(404)
    try:
        visit.view.cases.withdraw_plan(number, visit.now)
    except Rejected:
        raise HTTPException(404) from None
    return RedirectResponse("/casework#plans", 303)


def _shown(request: Request, visit: Visit, days: int, *, status: int = 200, **more: Any) -> Response:
    cases = visit.view.cases
    return page(
        request,
        "casework.html",
        status=status,
        visit=visit,
        days=days,
        choices=DAYS,
        live_of="alerts",
        figures=cases.figures(visit.now, timedelta(days=days)),
        plans=cases.plans(visit.now),
        may_plan=visit.view.may(Act.JUDGE),
        kinds=list(PlanKind),
        longest=LONGEST_REASON,
        **{"refused": "", "asked": NOTHING_ASKED, **more},
    )
