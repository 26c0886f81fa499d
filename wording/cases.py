"""An alert as a reader sees it: its words, where it is, how long it has lasted, how sure we are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.work import RUNNING, SENSOR_ALARMS, AlertState, still_shows
from wording.alerts import Wording, wording_of
from wording.names import Names

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from facility.catalogue import Catalogue
    from facility.work import Alert

SURE, RATHER_SURE = 0.9, 0.7

FACTS = SENSOR_ALARMS | {"door_left_open", "silent_meter", "silent_agent"}
"""Detectors of what a sensor says itself: nothing is inferred, so nothing is likely."""

ONCE = SENSOR_ALARMS | {"door_left_open", "spike", "peak_demand", "burst"}
"""What is over within the day costs so much so far, and nothing by the day or the year."""

NOT_EVERY_DAY = frozenset({"weekend_or_holiday_waste", "early_start", "late_stop"})
"""What shows on some days alone costs so much on such a day; 365 of them make no year."""

SETTLED = frozenset({AlertState.BEING_CHECKED, AlertState.CLOSED})


@dataclass(frozen=True, slots=True)
class Case:
    """An alert with its names and words."""

    alert: Alert
    wording: Wording
    building: str
    place: str
    meter: str
    lasting: timedelta
    sure: str  # id of the words for the confidence

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to stop: the cause went away, or a person closed it and it has not shown since."""
        return self.alert.state not in RUNNING and not still_shows(self.alert)

    @property
    def by_day(self) -> bool:
        """Whether it makes sense to say what it costs a day."""
        return self.alert.detector not in ONCE

    @property
    def goes_on_by_day(self) -> bool:
        """Whether it will cost so much tomorrow, too."""
        return self.by_day and not self.is_over

    @property
    def every_day(self) -> bool:
        """Whether a year of it can be told from a day."""
        return self.alert.detector not in NOT_EVERY_DAY

    @property
    def is_settled(self) -> bool:
        """Whether a person has given the verdict."""
        return self.alert.state in SETTLED


def case_of(alert: Alert, catalogue: Catalogue, language: str, now: datetime) -> Case:
    """The alert for a reader of ``en`` or ``zh-Hans``."""
    names, agent = Names(catalogue, language), alert.params.get("agent")
    end = alert.last_seen_at if alert.resolved_at or still_shows(alert) else alert.closed_at or now
    return Case(
        alert=alert,
        wording=wording_of(alert, language, catalogue),
        building=names.building(alert.building),
        place="" if agent else names.place(alert.meter),
        meter=str(agent) if agent else names.meter(alert.meter),
        lasting=max(end, alert.since) - alert.since,
        sure=_sure(alert),
    )


def _sure(alert: Alert) -> str:
    if alert.detector in FACTS:
        return "fact"
    return "very_likely" if alert.confidence >= SURE else "likely" if alert.confidence >= RATHER_SURE else "possible"
