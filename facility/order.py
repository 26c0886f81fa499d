"""What a work order is: a task for one person, from an alert, a member of staff or whoever reported a problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


@unique
class OrderState(StrEnum):
    """Where a work order stands."""

    WAITING = "waiting"  # for somebody to be found
    OFFERED = "offered"  # to one person, who has not answered yet
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    DONE = "done"
    CALLED_OFF = "called_off"


OPEN = frozenset({OrderState.WAITING, OrderState.OFFERED, OrderState.ACCEPTED, OrderState.ON_SITE})
IN_HAND = frozenset({OrderState.ACCEPTED, OrderState.ON_SITE})
"""Somebody has said that they do it."""


@unique
class Skill(StrEnum):
    """What somebody must know for a work order; everybody can do what is general."""

    GENERAL = "general"
    ELECTRICITY = "electricity"
    WATER = "water"
    CLIMATE = "climate"
    SECURITY = "security"
    METERS = "meters"


STEPS_OF_A_LIST = 3
"""So many steps has the list of each skill, ``playbook.<skill>.<n>``, beside what the alert says to check first."""

_SKILL_OF_UTILITY = {
    "electricity": Skill.ELECTRICITY,
    "water": Skill.WATER,
    "heat": Skill.CLIMATE,
    "cooling": Skill.CLIMATE,
}
_SKILL_OF_DETECTOR = {
    "silent_meter": Skill.METERS,
    "stuck_meter": Skill.METERS,
    "counter_fault": Skill.METERS,
    "door_left_open": Skill.SECURITY,
    "water_on_floor": Skill.WATER,
    "smoke_detected": Skill.SECURITY,
    "intrusion_alarm": Skill.SECURITY,
    "glass_broken": Skill.SECURITY,
    "device_tampered": Skill.SECURITY,
    "mains_lost": Skill.ELECTRICITY,
}


def skill_for(detector: str, utility: str) -> Skill:
    """What is needed for the case of a detector at a meter of a utility; an unknown one is general."""
    return _SKILL_OF_DETECTOR.get(detector) or _SKILL_OF_UTILITY.get(utility, Skill.GENERAL)


def parse_skill(word: str) -> Skill:
    """The skill called ``word``; raises ``Rejected`` for another."""
    try:
        return Skill(word)
    except ValueError:
        raise Rejected("unknown_skill", f"'{word}' is not one of {', '.join(Skill)}") from None


@dataclass(frozen=True, slots=True)
class Chain:
    """How long somebody has to answer, when those above are asked, and when the work is to be done."""

    answer: timedelta
    lead: timedelta
    manager: timedelta
    due: timedelta
    any_hour: bool = False
    """Whether leads and managers are asked outside their shifts, too, and nobody's daily cap counts."""


_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CHAINS: Mapping[Severity, Chain] = {
    Severity.URGENT: Chain(5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 4 * _HOUR, any_hour=True),
    Severity.ACT: Chain(30 * _MINUTE, _DAY, 2 * _DAY, 2 * _DAY),
    Severity.WATCH: Chain(4 * _HOUR, 3 * _DAY, 7 * _DAY, 7 * _DAY),
    Severity.INFO: Chain(_DAY, 7 * _DAY, 14 * _DAY, 14 * _DAY),
}


@dataclass(frozen=True, slots=True)
class OrderPlace:
    """Where the work is: a building, and there a space or a meter, or neither."""

    building: str
    space: str = ""
    meter: str = ""


@dataclass(frozen=True, slots=True)
class OrderWish:
    """What somebody asks for. ``title`` is empty where the alert says it."""

    place: OrderPlace
    skill: Skill
    severity: Severity
    title: str = ""
    note: str = ""
    requested_by: str = ""
    alert: UUID | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What was done: parts used, their cost in the site's currency, who signed for it, and the steps ticked off."""

    parts: str = ""
    cost: float | None = None
    signed_by: str = ""
    ticked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A task for a person. ``acts`` counts what people did to it: an act is based on it."""

    id: int
    wish: OrderWish
    state: OrderState
    assignee: str
    created_at: datetime
    due_at: datetime
    answer_by: datetime | None = None
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    ended_at: datetime | None = None
    work: Work = field(default_factory=Work)
    rating: int | None = None
    rating_note: str = ""
    erased_at: datetime | None = None
    acts: int = 0
    is_reported: bool = False
    """By somebody without an account: the name is what they wrote, and nobody's here."""

    @property
    def asked_by(self) -> str:
        """Whose it is among those who have an account; empty: nobody's."""
        return "" if self.is_reported else self.wish.requested_by

    def is_late(self, now: datetime) -> bool:
        """Whether it should have been done before."""
        return (self.ended_at or now) > self.due_at and self.state is not OrderState.CALLED_OFF
