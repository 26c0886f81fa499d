"""Work orders: the board, the list, one person's day, the table for another system, and the form of a new one."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.orders import MOST_SHOWN, NOTE_LENGTH, Line, Note, Visiting, shown
from console.visit import Visit
from facility.errors import ConfigError, Denied
from facility.order import IN_HAND, OPEN, OrderPlace, OrderState, OrderWish, Skill, parse_skill, skill_for
from facility.rights import Act
from facility.work import Alert, Severity
from reports.order_table import order_csv

router = APIRouter(prefix="/orders")

SHOWS = {
    "board": OPEN,
    "list": OPEN,
    "done": frozenset({OrderState.DONE, OrderState.CALLED_OFF}),
}
"""What the page shows → the orders on it."""

COLUMNS = {
    "waiting": frozenset({OrderState.WAITING, OrderState.OFFERED}),
    "in_hand": IN_HAND,
}
"""Columns of the board."""


@router.get("")
def orders(request: Request, visit: Visiting, show: str = "board") -> Response:
    """All that the visitor sees, by where it stands."""
    _check_takes(visit)
    if show not in SHOWS:
        raise HTTPException(404)
    found = [shown(visit, one) for one in visit.view.orders.of(states=SHOWS[show], limit=MOST_SHOWN)]
    columns = {name: [one for one in found if one.order.state in states] for name, states in COLUMNS.items()}
    return page(
        request, "orders.html", visit=visit, show=show, shows=list(SHOWS), found=found, columns=columns,
        live_of="alerts",
    )  # fmt: skip


@router.get("/mine")
def mine(request: Request, visit: Visiting) -> Response:
    """What the visitor is asked to do, and has in hand, what is due first at the top."""
    _check_takes(visit)
    found = [shown(visit, one) for one in visit.view.orders.of(states=OPEN, is_mine=True)]
    return page(request, "my_day.html", visit=visit, found=found, live_of="alerts")


@router.get("/table.csv")
def table(request: Request, visit: Visiting, reason: Annotated[str, Query(max_length=NOTE_LENGTH)] = "") -> Response:
    """Every order that shows, for a spreadsheet or another system; what it is for, where its level asks."""
    _check_takes(visit)
    try:
        found, taken = visit.view.orders.take_along(reason, visit.now)
    except ConfigError:
        return page(request, "order_table.html", status=422, visit=visit, reason=reason, live_of="alerts")
    named = {"content-disposition": 'attachment; filename="work-orders.csv"'}
    return Response(order_csv(found, taken), media_type="text/csv; charset=utf-8", headers=named)


@router.get("/roster")
def roster(request: Request, visit: Visiting) -> Response:
    """Who takes orders, and the shifts of the next seven days."""
    _check_orders(visit)
    kept, end = visit.view.orders, visit.now + timedelta(days=7)
    shifts = kept.shifts(visit.now, end)
    off = [one for one in kept.days_off(visit.now.astimezone(visit.formats.zone).date()) if one.day < end.date()]
    here = {one.name for one in shifts if one.begins <= visit.now}
    here -= {one.name for one in off if one.day == visit.now.astimezone(visit.formats.zone).date()}
    return page(
        request, "roster.html", visit=visit, workers=kept.workers(), shifts=shifts, off=off, here=here,
        live_of="alerts",
    )  # fmt: skip


@router.get("/new")
def new(request: Request, visit: Visiting, alert: str = "") -> Response:
    """The form, filled in where it is for a case."""
    _check_orders(visit)
    case = case_of_order(visit, alert)
    utility = visit.catalogue.utility_of(visit.catalogue.point[case.point]) if case and _is_known(visit, case) else None
    return page(
        request,
        "order_new.html",
        visit=visit,
        case=case,
        skill=skill_for(case.detector, utility.value if utility else "") if case else Skill.GENERAL,
        skills=list(Skill),
        severities=list(Severity)[::-1],
        note_length=NOTE_LENGTH,
        live_of="alerts",
    )


@router.post("")
def make(
    visit: Visiting,
    skill: Annotated[str, Form(max_length=40)],
    severity: Annotated[int, Form(ge=1, le=4)],
    title: Line = "",
    where: Annotated[str, Form(max_length=200)] = "",
    note: Note = "",
    alert: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Order it: dispatch finds somebody."""
    case = case_of_order(visit, alert)
    if not title and case is None:
        raise HTTPException(422)
    place = place_of_order(visit, case, where)
    wish = OrderWish(
        place, parse_skill(skill), Severity(severity), title, note, visit.view.person, case.id if case else None
    )
    return RedirectResponse(f"/orders/{visit.view.orders.make(wish, visit.now).id}", 303)


def _check_takes(visit: Visit) -> None:
    if not visit.view.may(Act.TAKE):
        raise Denied(f"{visit.view.person} may not {Act.TAKE}")


def _check_orders(visit: Visit) -> None:
    if not visit.view.may(Act.ORDER):
        raise Denied(f"{visit.view.person} may not {Act.ORDER}")


def _is_known(visit: Visit, case: Alert) -> bool:
    return case.point in visit.catalogue.point


def case_of_order(visit: Visit, alert: str) -> Alert | None:
    """The case that an order is for; 404 for one that is none or does not show."""
    if not alert:
        return None
    try:
        found = visit.view.cases.alert(UUID(alert))
    except ValueError:
        found = None
    if found is None:
        raise HTTPException(404)
    return found


def place_of_order(visit: Visit, case: Alert | None, where: str) -> OrderPlace:
    """A case's place, else ``building`` or ``building/space``; 404 for one that is not there or does not show."""
    if case is not None:
        return OrderPlace(case.building, meter=case.meter)
    building, _, space = where.partition("/")
    rooms = {one.id for one in visit.catalogue.spaces if one.building == building}
    if building not in visit.catalogue.building or (space and space not in rooms):
        raise HTTPException(404)
    return OrderPlace(building, space)
