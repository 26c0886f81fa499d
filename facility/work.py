"""What a finding, an alert and a verdict are: from a detector's suspicion to a closed case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum, unique
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from datetime import datetime

    from facility.quantities import Utility

ALERT_NAMESPACE = UUID("6f0c2a54-0d6b-5a3e-9d1f-6d7a3b8f4c10")
"""Namespace of alert ids: the same case always gets the same id, so a crash cannot make two."""

Params: TypeAlias = dict[str, Any]

SENSOR_ALARMS = frozenset(
    {"water_on_floor", "smoke_detected", "intrusion_alarm", "glass_broken", "mains_lost", "device_tampered"}
)
"""Detectors of sensors that say themselves what is wrong."""


@unique
class Severity(IntEnum):
    """How soon somebody should look."""

    INFO = 1
    WATCH = 2
    ACT = 3
    URGENT = 4

    @property
    def word(self) -> str:
        """The word used in tables and message ids."""
        return self.name.lower()


@unique
class AlertState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"  # it goes on, and for a while nobody is to be told
    RESOLVED = "resolved"  # the cause went away by itself; a verdict is still owed
    BEING_CHECKED = "being_checked"  # put right, somebody says; whether the cause stays away is yet to be seen
    CLOSED = "closed"  # closed with a verdict


CALLING = frozenset({AlertState.OPEN, AlertState.ACKNOWLEDGED})
"""Where somebody is to act now."""

RUNNING = CALLING | {AlertState.SNOOZED}
"""Where the cause may go on, and nobody has given a verdict."""

WATCHED = RUNNING | {AlertState.BEING_CHECKED}
"""Where a cause that shows belongs to the case: there is one such case of a key."""


@unique
class Verdict(StrEnum):
    """What a person found; the label the models learn from."""

    FIXED = "fixed"  # real, and put right
    ACCEPTED = "accepted"  # real, and left so on purpose
    EXPECTED = "expected"  # an event: the building was meant to do this
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"


@unique
class Cause(StrEnum):
    """What a case came of; whoever closes it says so. Rules and hand-overs are put right by other people than pumps."""

    EQUIPMENT = "equipment"
    DATA = "data"  # a meter, its wiring or its settings, or what was expected of it
    PROCESS = "process"  # a rule, a schedule or a habit
    COORDINATION = "coordination"  # nobody knew that it was theirs, or was told


NIGHTS_CHECKED = 3
"""So many nights what was put right is measured, where it cost something: then its saving is known."""

CHECKED_FOR = timedelta(hours=24)
"""So long a cause must have been gone before what was fixed is closed. One that shows anew is open again at once, and
one that has shown on since before, and still does after so long, too."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What to draw: a point (or a counter's hourly use) over a time range, against its expected band."""

    point: str
    start: datetime
    end: datetime
    show: str = "reading"  # reading | usage


@dataclass(frozen=True, slots=True)
class Excess:
    """How much more than normal was used, in the utility's unit, and per day if it goes on."""

    quantity: float
    unit: str
    per_day: float


@dataclass(frozen=True, slots=True)
class Money:
    """What the excess cost so far and costs per day if it goes on, in the site's currency."""

    to_date: float
    per_day: float
    currency: str


@dataclass(frozen=True, slots=True)
class Saving:
    """How much less a meter used in the nights after a repair than before it, per day; money at the case's price."""

    per_day: float
    unit: str
    nights: int
    money_per_day: float | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One detector, one main point: something deserves a person.

    ``since`` is the first abnormal instant, ``seen_at`` the data time at which the detector could say so.
    ``params`` fill the texts ``alert.<message>.*``; ``message`` is the detector's name unless the detector has a second
    set of texts. ``confidence`` is 0–1. ``utility`` prices the excess.
    """

    detector: str
    point: str
    meter: str
    building: str
    since: datetime
    seen_at: datetime
    severity: Severity
    confidence: float
    evidence: tuple[Evidence, ...]
    params: Params = field(default_factory=dict)
    excess: Excess | None = None
    utility: Utility | None = None
    message: str = ""

    @property
    def message_id(self) -> str:
        """Which texts tell of it: ``alert.night_waste``."""
        return f"alert.{self.message or self.detector}"

    @property
    def key(self) -> str:
        """De-duplication key of the case: ``building/meter/detector``."""
        return f"{self.building}/{self.meter}/{self.detector}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One case, however many findings fed it. Text is rendered from ``message_id`` and ``params``."""

    id: UUID
    key: str
    detector: str
    building: str
    meter: str
    point: str
    state: AlertState
    severity: Severity
    message_id: str
    params: Params
    since: datetime
    raised_at: datetime
    last_seen_at: datetime
    count: int
    confidence: float
    evidence: tuple[Evidence, ...]
    excess: Excess | None = None
    money: Money | None = None
    resolved_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    verdict: Verdict | None = None
    verdict_note: str = ""
    closed_at: datetime | None = None
    notify: bool = True  # False: raised while history was stepped through
    acts: int = 0  # how many times people have acted on it: what an act is based on
    cause: Cause | None = None
    snoozed_until: datetime | None = None  # stays once it woke, until somebody acts
    snoozed_over: float | None = None  # excess per day when it was snoozed: twice as much wakes it
    plan: int | None = None  # the planned event that it was found in
    parent: UUID | None = None  # the case that this one is told with
    saving: Saving | None = None


def over_at(alert: Alert) -> datetime | None:
    """When the cause went away or a person closed the case; None while it runs or is being checked."""
    ends = [at for at in (alert.resolved_at, alert.closed_at) if at is not None]
    return min(ends) if ends and alert.state not in WATCHED else None


def still_shows(alert: Alert) -> bool:
    """Whether the cause was seen after somebody had said that it is put right."""
    if alert.state is not AlertState.BEING_CHECKED or alert.closed_at is None:
        return False
    return alert.last_seen_at > alert.closed_at


def alert_id(finding: Finding) -> UUID:
    """The id of the case this finding opens: the same finding always gives the same id."""
    return uuid5(ALERT_NAMESPACE, f"{finding.key}/{finding.since.isoformat()}")
