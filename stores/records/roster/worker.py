"""Who takes work orders: what they can do, where, and when they are on shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.order import Skill

if TYPE_CHECKING:
    from datetime import datetime

MOST_A_DAY = 8
"""How many work orders somebody is offered in a day where nothing else is said."""

LONGEST_SHIFT = timedelta(hours=24)


@unique
class Rank(StrEnum):
    """Who is asked first, and who is asked when nobody answers."""

    WORKER = "worker"
    LEAD = "lead"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody on the roster. ``places`` are buildings where they work; none: all of the site."""

    name: str
    skills: frozenset[Skill]
    places: frozenset[str] = frozenset()
    rank: Rank = Rank.WORKER
    most_a_day: int = MOST_A_DAY

    def works_in(self, building: str) -> bool:
        """Whether a building is theirs."""
        return not self.places or building in self.places

    def could_do(self, skill: Skill, building: str) -> bool:
        """Whether they know how, and work there; leads and managers decide, whatever they know themselves."""
        knows = self.rank is not Rank.WORKER or skill is Skill.GENERAL or skill in self.skills
        return knows and self.works_in(building)


@dataclass(frozen=True, slots=True)
class WorkShift:
    """From when until when somebody is on shift."""

    name: str
    begins: datetime
    ends: datetime

    def check(self) -> None:
        """Raise ``Rejected`` for one that ends before it begins, or is longer than a day."""
        if not timedelta(0) < self.ends - self.begins <= LONGEST_SHIFT:
            raise Rejected("no_shift", f"a shift of {self.name} lasts more than nothing and at most 24 hours")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker as one looks at them for one work order, now."""

    worker: Worker
    is_on_shift: bool
    in_hand: int = 0  # orders that they have and have not done
    today: int = 0  # orders that they were offered since midnight
    is_at: frozenset[str] = frozenset()  # buildings where they have work in hand
