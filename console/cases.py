"""What the alert pages say beside the cases: which filter and page shows which, what happened here before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from facility.work import AlertState, Verdict
from stores.access import CasePlace
from wording.cases import case_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.visit import Visit
    from facility.work import Alert
    from wording.cases import Case

FILTERS: dict[str, frozenset[AlertState] | None] = {
    "open": frozenset({AlertState.OPEN}),
    "acknowledged": frozenset({AlertState.ACKNOWLEDGED}),
    "snoozed": frozenset({AlertState.SNOOZED}),
    "resolved": frozenset({AlertState.RESOLVED}),
    "being_checked": frozenset({AlertState.BEING_CHECKED}),
    "closed": frozenset({AlertState.CLOSED}),
    "all": None,
}
"""Filter of the list → states it shows."""

REAL = frozenset({Verdict.FIXED, Verdict.ACCEPTED})
DAYS_PER_YEAR = 365
MOST_CASES = 50
"""Cases on one page of the list."""

MOST_COUNTED = 1000
"""A filter that would show more says so: to count all that was ever closed would take longer year by year."""


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier cases of the same kind at the same meter: how many were judged, and how many were real."""

    judged: int
    real: int


def case(visit: Visit, alert: Alert) -> Case:
    """The alert as the visitor reads it."""
    return case_of(alert, visit.catalogue, visit.texts.language, visit.now)


def counts(visit: Visit, building: str | None) -> dict[str, str]:
    """How many cases each filter would show, as a reader sees it: beyond ``MOST_COUNTED`` it says so."""
    found = visit.view.cases.counts(building=building, most=MOST_COUNTED + 1)
    shown = {
        word: sum(n for state, n in found.items() if states is None or state in states)
        for word, states in FILTERS.items()
    }
    return {
        word: visit.formats.number(min(n, MOST_COUNTED)) + ("+" if n > MOST_COUNTED else "")
        for word, n in shown.items()
    }


def past(visit: Visit, alert: Alert) -> Past:
    """What people found in earlier cases like this one."""
    found = visit.view.cases.earlier_verdicts(alert)
    judged = {verdict: n for verdict, n in found.items() if verdict is not Verdict.DUPLICATE}
    return Past(sum(judged.values()), sum(n for verdict, n in judged.items() if verdict in REAL))


def place_after(cases: Sequence[Alert]) -> str:
    """Where a page of cases ends, for the address of the next one."""
    last = cases[-1]
    return f"{last.state}~{last.raised_at:%Y%m%dT%H%M%S.%fZ}~{last.id}"


def place_of(stated: str) -> CasePlace:
    """The place that an address states. Raises ``ValueError`` for what is none."""
    state, at, one = stated.split("~")
    raised_at = datetime.strptime(at, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    return CasePlace(AlertState(state), raised_at, UUID(one))
