"""Work orders for programs: list, look, make, and each act."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from console.orders import MOST_SHOWN, Named, Visiting, shown
from console.pages.orders import case_of_order, place_of_order
from console.visit import Visit
from facility.order import OPEN, OrderState, OrderWish, Skill, Work, WorkOrder
from facility.work import Severity

router = APIRouter(prefix="/api")
one_router = APIRouter(prefix="/api/orders/{order_id}")

SEVERITIES = {one.word: one for one in Severity}


class OrderBody(BaseModel):
    """A work order."""

    id: int
    state: OrderState
    severity: str
    title: str = Field(description="in the reader's language where an alert says it")
    note: str
    building: str
    space: str
    meter: str
    skill: Skill
    alert: UUID | None
    assignee: str = Field(description="who was asked or has it; empty: nobody")
    created_at: datetime
    due_at: datetime
    answer_by: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    parts: str
    cost: float | None
    signed_by: str
    rating: int | None
    acts: int = Field(description="what an act is based on: 409 where somebody has acted since")


class WishBody(BaseModel):
    """What is asked for: of a case, or at a place."""

    title: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=1000)
    where: str = Field(default="", max_length=200, description="BUILDING or BUILDING/SPACE, where it is for no case")
    skill: Skill = Skill.GENERAL
    severity: str = "act"
    alert: str = Field(default="", max_length=40)


class ActBody(BaseModel):
    """An act, and how many acts the order had that it rests on."""

    acts: int = Field(ge=0)
    reason: str = Field(default="", max_length=1000)
    to: str = Field(default="", max_length=60, description="give: who does it")
    parts: str = Field(default="", max_length=1000)
    cost: float | None = Field(default=None, ge=0, lt=1e9, allow_inf_nan=False)
    signed_by: str = Field(default="", max_length=200)
    ticked: list[int] = Field(default_factory=list, max_length=20)


@router.get("/orders")
def orders(visit: Visiting, *, everything: bool = False) -> list[OrderBody]:
    """Orders that show, open ones first; ``everything``: those that have ended, too."""
    return [_body(visit, one) for one in visit.view.orders.of(states=None if everything else OPEN, limit=MOST_SHOWN)]


@router.post("/orders", status_code=201)
def make(visit: Visiting, wish: WishBody) -> OrderBody:
    """Order something."""
    case = case_of_order(visit, wish.alert)
    if wish.severity not in SEVERITIES or not (case or wish.title):
        raise HTTPException(422)
    place = place_of_order(visit, case, wish.where)
    made = OrderWish(
        place,
        wish.skill,
        SEVERITIES[wish.severity],
        wish.title,
        wish.note,
        visit.view.person,
        case.id if case else None,
    )
    return _body(visit, visit.view.orders.make(made, visit.now))


@one_router.get("")
def order(visit: Visiting, named: Named) -> OrderBody:
    """One order."""
    return _body(visit, named)


@one_router.post("/accept")
def accept(visit: Visiting, named: Named, act: ActBody) -> OrderBody:
    """Take it."""
    return _body(visit, visit.view.orders.accept(named.id, visit.now, based_on=act.acts))


@one_router.post("/refuse")
def refuse(visit: Visiting, named: Named, act: ActBody) -> OrderBody:
    """Give it back; the next person is asked."""
    return _body(visit, visit.view.orders.refuse(named.id, act.reason, visit.now, based_on=act.acts))


@one_router.post("/arrive")
def arrive(visit: Visiting, named: Named, act: ActBody) -> OrderBody:
    """Say that one is there."""
    return _body(visit, visit.view.orders.arrive(named.id, visit.now, based_on=act.acts))


@one_router.post("/finish")
def finish(visit: Visiting, named: Named, act: ActBody) -> OrderBody:
    """Say that it is done."""
    work = Work(act.parts, act.cost, act.signed_by, tuple(act.ticked))
    return _body(visit, visit.view.orders.finish(named.id, work, visit.now, based_on=act.acts))


@one_router.post("/give")
def give(visit: Visiting, named: Named, act: ActBody) -> OrderBody:
    """Say who does it."""
    return _body(visit, visit.view.orders.give(named.id, act.to, visit.now, based_on=act.acts))


@one_router.post("/call_off")
def call_off(visit: Visiting, named: Named, act: ActBody) -> OrderBody:
    """Say that it need not be done."""
    return _body(visit, visit.view.orders.call_off(named.id, act.reason, visit.now, based_on=act.acts))


def _body(visit: Visit, one: WorkOrder) -> OrderBody:
    words, wish, work = shown(visit, one).words, one.wish, one.work
    return OrderBody(
        id=one.id, state=one.state, severity=wish.severity.word, title=words.title, note=wish.note,
        building=wish.place.building, space=wish.place.space, meter=wish.place.meter, skill=wish.skill,
        alert=wish.alert, assignee=one.assignee, created_at=one.created_at, due_at=one.due_at,
        answer_by=one.answer_by, accepted_at=one.accepted_at, arrived_at=one.arrived_at, ended_at=one.ended_at,
        parts=work.parts, cost=work.cost, signed_by=work.signed_by, rating=one.rating, acts=one.acts,
    )  # fmt: skip
