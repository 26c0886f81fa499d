"""The card of one alert, and what a person does with it: take it, judge it, and take either back."""

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from console.answer import page
from console.cases import DAYS_PER_YEAR, case, past
from console.figures.evidence import exhibits
from console.visit import Visit, visit_of
from facility.work import Alert, Cause, Verdict
from stores.access import SNOOZES, snooze_end

router = APIRouter(prefix="/alerts/{alert_id}")

NOTE_LENGTH = 500


def alert_of(alert_id: str, visit: Annotated[Visit, Depends(visit_of)]) -> Alert:
    """The alert that a path names; 404 for an unknown or malformed id."""
    try:
        found = visit.view.cases.alert(UUID(alert_id))
    except ValueError:
        found = None
    if found is None:
        raise HTTPException(404)
    return found


Visiting = Annotated[Visit, Depends(visit_of)]
Named = Annotated[Alert, Depends(alert_of)]
Acts = Annotated[int, Form(ge=0)]
"""How many acts the case had on the page that the form stands on."""


@router.get("")
def alert(request: Request, visit: Visiting, named: Named) -> Response:
    """Everything needed to act: what, where, what it costs, how sure, the evidence, the first check."""
    return page(
        request,
        "alert.html",
        visit=visit,
        exhibits=exhibits(visit, named),
        past=past(visit, named),
        orders=visit.view.orders.for_case(named.id),
        **_case_parts(visit, named),
    )


@router.post("/acknowledge")
def acknowledge(request: Request, visit: Visiting, named: Named, acts: Acts) -> Response:
    """Take the case."""
    visit.view.cases.acknowledge(named.id, visit.now, based_on=acts)
    return _acted(request, visit, named, "taken")


@router.post("/release")
def release(request: Request, visit: Visiting, named: Named, acts: Acts) -> Response:
    """Take back having taken it."""
    visit.view.cases.release(named.id, visit.now, based_on=acts)
    return _acted(request, visit, named, "released")


@router.post("/snooze")
def snooze(
    request: Request,
    visit: Visiting,
    named: Named,
    acts: Acts,
    asleep_until: Annotated[str, Form(max_length=20)],
    reason: Annotated[str, Form(max_length=NOTE_LENGTH)],
) -> Response:
    """Let it rest until a time, for a reason."""
    end = snooze_end(asleep_until, visit.now, ZoneInfo(visit.catalogue.site.timezone))
    visit.view.cases.snooze(named.id, end, reason, visit.now, based_on=acts)
    return _acted(request, visit, named, "snoozed")


@router.post("/wake")
def wake(request: Request, visit: Visiting, named: Named, acts: Acts) -> Response:
    """End the rest."""
    visit.view.cases.wake(named.id, visit.now, based_on=acts)
    return _acted(request, visit, named, "woken")


@router.post("/weekly")
def weekly(
    request: Request, visit: Visiting, named: Named, reason: Annotated[str, Form(max_length=NOTE_LENGTH)]
) -> Response:
    """Expect the same each week."""
    visit.view.cases.expect_weekly(named.id, reason, visit.now)
    return _acted(request, visit, named, "planned")


@router.post("/close")
def close(
    request: Request,
    visit: Visiting,
    named: Named,
    acts: Acts,
    verdict: Annotated[Verdict, Form()],
    cause: Annotated[Cause, Form()],
    note: Annotated[str, Form(max_length=NOTE_LENGTH)] = "",
) -> Response:
    """Give the verdict, and say what it came of."""
    visit.view.cases.close(named.id, verdict, cause, note.strip(), visit.now, based_on=acts)
    return _acted(request, visit, named, "closed")


@router.post("/reopen")
def reopen(request: Request, visit: Visiting, named: Named, acts: Acts) -> Response:
    """Take the verdict back."""
    visit.view.cases.reopen(named.id, visit.now, based_on=acts)
    return _acted(request, visit, named, "reopened")


def _case_parts(visit: Visit, named: Alert) -> dict[str, Any]:
    return {
        "case": case(visit, named),
        "timeline": visit.view.cases.timeline(named.id),
        "verdicts": list(Verdict),
        "causes": list(Cause),
        "snoozes": SNOOZES,
        "folded": visit.view.cases.folded_into(named),
        "days_per_year": DAYS_PER_YEAR,
        "note_length": NOTE_LENGTH,
        "live_of": "alerts",
    }


def _acted(request: Request, visit: Visit, named: Alert, done: str) -> Response:
    """Show what was changed: the changed part to htmx, the whole page again to a plain form."""
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/alerts/{named.id}", 303)
    changed = visit.view.cases.alert(named.id) or named
    return page(request, "_case.html", visit=visit, done=done, **_case_parts(visit, changed))
