"""Whom to ask: the nearest, least loaded person on shift who knows how. The same question always has one answer.

An order in hand weighs as much as one step of distance. A step: they have work in that building now (0), it is one of
their buildings (1), or they work anywhere on the site (2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from facility.order import CHAINS
from stores.records.roster.worker import Rank

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from facility.order import Chain, Skill
    from facility.work import Severity
    from stores.records.roster.worker import Candidate

HERE, NEAR, ANYWHERE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done, and who was asked already."""

    building: str
    skill: Skill
    severity: Severity
    age: timedelta
    asked: frozenset[str] = field(default_factory=frozenset)

    @property
    def chain(self) -> Chain:
        """How fast it goes up."""
        return CHAINS[self.severity]


def choose(task: Task, candidates: Iterable[Candidate]) -> Candidate | None:
    """Whom to ask now; None: nobody, for the time being.

    Workers first; a lead where no worker is left, or nobody has accepted for ``chain.lead``; a manager likewise.
    """
    left = [one for one in candidates if one.worker.name not in task.asked and _may_be_asked(task, one)]
    for rank in _ranks(task):
        if found := sorted((one for one in left if one.worker.rank is rank), key=lambda one: score(task, one)):
            return found[0]
    return None


def score(task: Task, one: Candidate) -> tuple[int, int, str]:
    """The smallest is asked: distance and load, then how many they were offered today, then their name."""
    return distance(task, one) + one.in_hand, one.today, one.worker.name


def distance(task: Task, one: Candidate) -> int:
    """How far they are, in steps."""
    if task.building in one.is_at:
        return HERE
    return NEAR if task.building in one.worker.places else ANYWHERE


def _ranks(task: Task) -> tuple[Rank, ...]:
    """Who is asked first; nobody further down is asked any more once it was too long."""
    if task.age >= task.chain.manager:
        return Rank.MANAGER, Rank.LEAD, Rank.WORKER
    if task.age >= task.chain.lead:
        return Rank.LEAD, Rank.MANAGER, Rank.WORKER
    return Rank.WORKER, Rank.LEAD, Rank.MANAGER


def _may_be_asked(task: Task, one: Candidate) -> bool:
    """They know how, work there, are on shift and have not had enough for today."""
    who = one.worker
    if not who.could_do(task.skill, task.building):
        return False
    if who.rank is not Rank.WORKER:
        return one.is_on_shift or task.chain.any_hour
    has_room = one.today < who.most_a_day or task.chain.any_hour
    return one.is_on_shift and has_room
