"""Cases for programs: read them, act on them, read how the work goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body, Depends, HTTPException, Query

from console.cases import place_after, place_of
from console.pages.alert import NOTE_LENGTH, alert_of
from console.visit import Visit, visit_of
from facility.work import Alert, AlertState, Cause, Verdict
from stores.access import CaseFigures, snooze_end
from wording.alerts import wording_of

router = APIRouter(prefix="/api")
one_router = APIRouter(prefix="/api/cases/{alert_id}")

MOST_CASES = 200
MOST_DAYS = 3660

Visiting = Annotated[Visit, Depends(visit_of)]
Named = Annotated[Alert, Depends(alert_of)]
Acts = Annotated[int, Body(ge=0, embed=True, description="`acts` of the case as it was read")]
Text = Annotated[str, Body(max_length=NOTE_LENGTH)]


@dataclass(frozen=True, slots=True)
class CaseBody:
    """A case. ``acts`` is what an act upon it is based on; amounts are per day, in ``unit`` and the site's currency."""

    id: UUID
    key: str
    state: AlertState
    severity: str
    detector: str
    what: str
    building: str
    meter: str
    point: str
    since: datetime
    raised_at: datetime
    last_seen_at: datetime
    count: int
    confidence: float
    acts: int
    excess_per_day: float | None
    unit: str | None
    money_per_day: float | None
    acknowledged_by: str
    snoozed_until: datetime | None
    verdict: Verdict | None
    cause: Cause | None
    verdict_note: str
    parent: UUID | None
    saved_per_day: float | None


@dataclass(frozen=True, slots=True)
class StepBody:
    """One step of a case; ``by`` is empty where Meterhouse itself took it."""

    at: datetime
    what: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class CasesBody:
    """A page of cases, open ones first, newest first; ``next`` is where the next page begins, if there is one."""

    cases: list[CaseBody]
    next: str | None


@router.get("/cases")
def cases(
    visit: Visiting,
    state: Annotated[list[AlertState] | None, Query()] = None,
    building: str | None = None,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST_CASES)] = 50,
) -> CasesBody:
    """The cases that the reader may see."""
    if building is not None and building not in visit.catalogue.building:
        raise HTTPException(404)
    try:
        place = place_of(after) if after else None
    except ValueError:
        raise HTTPException(404) from None
    found = visit.view.cases.alerts(states=state, building=building, after=place, limit=limit + 1)
    shown = found[:limit]
    return CasesBody([_body(one, visit) for one in shown], place_after(shown) if len(found) > limit else None)


@router.get("/cases/figures")
def figures(visit: Visiting, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 90) -> CaseFigures:
    """How the work goes, of cases that were raised within so many days; times are hours."""
    return visit.view.cases.figures(visit.now, timedelta(days=days))


@one_router.get("")
def case(visit: Visiting, named: Named) -> CaseBody:
    """One case."""
    return _body(named, visit)


@one_router.get("/steps")
def steps(visit: Visiting, named: Named) -> list[StepBody]:
    """What happened to it, oldest first."""
    return [StepBody(one.at, one.what, one.by, one.note) for one in visit.view.cases.timeline(named.id)]


@one_router.post("/take")
def take(visit: Visiting, named: Named, acts: Acts) -> CaseBody:
    """Take it."""
    return _body(visit.view.cases.acknowledge(named.id, visit.now, based_on=acts), visit)


@one_router.post("/give-back")
def give_back(visit: Visiting, named: Named, acts: Acts) -> CaseBody:
    """Give it back."""
    return _body(visit.view.cases.release(named.id, visit.now, based_on=acts), visit)


@one_router.post("/snooze")
def snooze(visit: Visiting, named: Named, acts: Acts, until: Text, reason: Text) -> CaseBody:
    """Let it rest: ``until`` is 1h, 4h, tomorrow, monday or a day."""
    end = snooze_end(until, visit.now, ZoneInfo(visit.catalogue.site.timezone))
    return _body(visit.view.cases.snooze(named.id, end, reason, visit.now, based_on=acts), visit)


@one_router.post("/wake")
def wake(visit: Visiting, named: Named, acts: Acts) -> CaseBody:
    """End its rest."""
    return _body(visit.view.cases.wake(named.id, visit.now, based_on=acts), visit)


@one_router.post("/close")
def close(
    visit: Visiting,
    named: Named,
    acts: Acts,
    verdict: Annotated[Verdict, Body()],
    cause: Annotated[Cause, Body()],
    note: Text = "",
) -> CaseBody:
    """Close it with a verdict and what it came of."""
    return _body(visit.view.cases.close(named.id, verdict, cause, note.strip(), visit.now, based_on=acts), visit)


@one_router.post("/reopen")
def reopen(visit: Visiting, named: Named, acts: Acts) -> CaseBody:
    """Take the verdict back."""
    return _body(visit.view.cases.reopen(named.id, visit.now, based_on=acts), visit)


def _body(alert: Alert, visit: Visit) -> CaseBody:
    return CaseBody(
        id=alert.id,
        key=alert.key,
        state=alert.state,
        severity=alert.severity.word,
        detector=alert.detector,
        what=wording_of(alert, visit.texts.language, visit.catalogue).what,
        building=alert.building,
        meter=alert.meter,
        point=alert.point,
        since=alert.since,
        raised_at=alert.raised_at,
        last_seen_at=alert.last_seen_at,
        count=alert.count,
        confidence=alert.confidence,
        acts=alert.acts,
        excess_per_day=alert.excess.per_day if alert.excess else None,
        unit=alert.excess.unit if alert.excess else None,
        money_per_day=alert.money.per_day if alert.money else None,
        acknowledged_by=alert.acknowledged_by,
        snoozed_until=alert.snoozed_until,
        verdict=alert.verdict,
        cause=alert.cause,
        verdict_note=alert.verdict_note,
        parent=alert.parent,
        saved_per_day=alert.saving.per_day if alert.saving else None,
    )
