"""What the alert pages say of a case beside its words: where it is, how sure we are, what happened here before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.work import AlertState, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from console.visit import Visit
    from facility.work import Alert
    from wording.alerts import Wording

FILTERS: dict[str, frozenset[AlertState] | None] = {
    "open": frozenset({AlertState.OPEN}),
    "acknowledged": frozenset({AlertState.ACKNOWLEDGED}),
    "resolved": frozenset({AlertState.RESOLVED}),
    "closed": frozenset({AlertState.CLOSED}),
    "all": None,
}
"""Filter of the list → states it shows."""

RUNNING = frozenset({AlertState.OPEN, AlertState.ACKNOWLEDGED})
REAL = frozenset({Verdict.FIXED, Verdict.ACCEPTED})
_RANKS = {AlertState.OPEN: 0, AlertState.ACKNOWLEDGED: 1}
SURE, RATHER_SURE = 0.9, 0.7
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Case:
    """An alert as a reader sees it."""

    alert: Alert
    wording: Wording
    building: str
    place: str
    meter: str
    lasting: timedelta
    sure: str  # id of the words for the confidence

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to stop: the cause went away, or a person closed it."""
        return self.alert.state not in RUNNING

    @property
    def is_settled(self) -> bool:
        """Whether a person has given the verdict."""
        return self.alert.state is AlertState.CLOSED


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier cases of the same kind at the same meter: how many were judged, and how many were real."""

    judged: int
    real: int


def case(visit: Visit, alert: Alert) -> Case:
    """The alert with its names and words."""
    language = visit.texts.language
    building = visit.catalogue.building.get(alert.building)
    meter = visit.catalogue.meter.get(alert.meter)
    space = visit.catalogue.space.get(meter.space) if meter else None
    end = alert.last_seen_at if alert.resolved_at else alert.closed_at or visit.now
    return Case(
        alert=alert,
        wording=visit.wording(alert),
        building=building.name.in_language(language) if building else alert.building,
        place=space.name.in_language(language) if space else "",
        meter=meter.name.in_language(language) if meter else alert.meter,
        lasting=max(end, alert.since) - alert.since,
        sure="very_likely" if alert.confidence >= SURE else "likely" if alert.confidence >= RATHER_SURE else "possible",
    )


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Open cases first, then those that somebody took, then the rest; within each the one raised last first."""
    newest = sorted(alerts, key=lambda alert: alert.raised_at, reverse=True)
    return sorted(newest, key=lambda alert: _RANKS.get(alert.state, len(_RANKS)))


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
