"""What is planned, for programs: maintenance and events, read, noted and withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import AwareDatetime, BaseModel, Field

from console.visit import Visit, visit_of
from facility.errors import Rejected
from stores.access import LONGEST_REASON, PlanKind, PlannedEvent

router = APIRouter(prefix="/api/plans")

Visiting = Annotated[Visit, Depends(visit_of)]


@dataclass(frozen=True, slots=True)
class PlanBody:
    """A plan that stands: what is found there meanwhile waits until its end, unless it is urgent."""

    id: int
    kind: PlanKind
    building: str
    meter: str | None
    detector: str | None
    begins_at: datetime
    ends_at: datetime
    every_week: bool
    reason: str
    by: str


class PlanWish(BaseModel):
    """What is to be planned; times name their offset."""

    kind: PlanKind = PlanKind.MAINTENANCE
    building: str = Field(max_length=100)
    meter: str | None = Field(default=None, max_length=100)
    detector: str | None = Field(default=None, max_length=100)
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    every_week: bool = False
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


@router.get("")
def plans(visit: Visiting) -> list[PlanBody]:
    """What is planned from now on."""
    return [_body(one) for one in visit.view.cases.plans(visit.now)]


@router.post("", status_code=201)
def plan(visit: Visiting, wish: PlanWish) -> PlanBody:
    """Note one; the same again is noted once. 422 for a time that cannot be, 404 for a place that is not there."""
    event = PlannedEvent(
        wish.kind,
        wish.building,
        wish.begins_at,
        wish.ends_at,
        wish.reason,
        wish.meter,
        wish.detector,
        every_week=wish.every_week,
        zone=visit.catalogue.site.timezone,
    )
    try:
        return _body(visit.view.cases.plan(event, visit.now))
    except Rejected as error:
        raise HTTPException(404 if error.reason.startswith("unknown_") else 422) from None


@router.post("/{number}/withdraw", status_code=204)
def withdraw(visit: Visiting, number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> None:
    """It does not take place, or is over."""
    try:
        visit.view.cases.withdraw_plan(number, visit.now)
    except Rejected:
        raise HTTPException(404) from None


def _body(one: PlannedEvent) -> PlanBody:
    same = ("id", "kind", "building", "meter", "detector", "begins_at", "ends_at", "every_week", "reason", "by")
    return PlanBody(**{name: getattr(one, name) for name in same})
