"""What the alert pages say beside the cases themselves: which filter shows which, what happened here before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.work import AlertState, Verdict
from wording.cases import case_of

if TYPE_CHECKING:
    from console.visit import Visit
    from facility.work import Alert
    from wording.cases import Case

FILTERS: dict[str, frozenset[AlertState] | None] = {
    "open": frozenset({AlertState.OPEN}),
    "acknowledged": frozenset({AlertState.ACKNOWLEDGED}),
    "resolved": frozenset({AlertState.RESOLVED}),
    "closed": frozenset({AlertState.CLOSED}),
    "all": None,
}
"""Filter of the list → states it shows."""

REAL = frozenset({Verdict.FIXED, Verdict.ACCEPTED})
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier cases of the same kind at the same meter: how many were judged, and how many were real."""

    judged: int
    real: int


def case(visit: Visit, alert: Alert) -> Case:
    """The alert as the visitor reads it."""
    return case_of(alert, visit.catalogue, visit.texts.language, visit.now)


def counts(visit: Visit, building: str | None) -> dict[str, int]:
    """How many cases each filter would show."""
    alerts = visit.view.cases.alerts(building=building)
    return {word: sum(states is None or alert.state in states for alert in alerts) for word, states in FILTERS.items()}


def past(visit: Visit, alert: Alert) -> Past:
    """What people found in earlier cases like this one."""
    earlier = [
        other
        for other in visit.view.cases.alerts(building=alert.building)
        if other.key == alert.key and other.id != alert.id and other.verdict not in {None, Verdict.DUPLICATE}
    ]
    return Past(len(earlier), sum(other.verdict in REAL for other in earlier))
