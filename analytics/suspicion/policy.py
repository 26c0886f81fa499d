"""What a meter is suspected of: shapes of trouble over their limits, told once each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from analytics.suspicion.bouts import bouts
from analytics.suspicion.budget import SHAPES, AlarmSizes, Budget
from analytics.suspicion.shapes import FAMILIES, shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analytics.baselines.port import Floats
    from analytics.suspicion.followed import Followed

STILL = 1e-6
LEAST_FLAT_H = 4
"""As many equal hours happen by chance."""

RAISED = 1.0
"""A score above this is told."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something told of: its family, and rows of its hours: told at the end of hour ``raised``, over at ``end``."""

    family: str
    raised: int
    end: int


class AlarmPolicy:
    """Options in the constructor, followed hours in ``fit``, what was learned in attributes that end in ``_``.

    ``fit`` wants hours that were expected by fits that did not see them (``RecentredBaseline.learn``).
    """

    def __init__(self, *, budget: Budget = Budget.NORMAL) -> None:
        self.budget = budget

    def fit(self, followed: Followed) -> Self:
        """Learn what this meter does by itself, from hours (n,)."""
        followed = followed.since(first_known(followed.y))
        self.sizes_ = AlarmSizes().fit(shapes_of(followed))
        self.flat_record_ = int(flat_hours(followed.y).max(initial=0))
        self.is_never_zero_ = not bool(np.any(np.abs(followed.y) < STILL))
        return self

    def scores(self, followed: Followed) -> dict[str, Floats]:
        """How suspicious each hour is, by family, (n,) each: above 1 a person is told."""
        return self.rated(followed, shapes_of(followed))

    def rated(self, followed: Followed, shapes: Mapping[str, Floats]) -> dict[str, Floats]:
        """As ``scores``, of shapes that are known already."""
        sizes = dict(zip(SHAPES, self.sizes_.sizes(self.budget), strict=True))
        found = {
            family: np.max([shapes[name] / sizes[name] for name in names], axis=0) for family, names in FAMILIES.items()
        }
        flat = flat_hours(followed.y) / max(self.flat_record_ + 1, LEAST_FLAT_H)
        empty = (np.abs(followed.y) < STILL) & self.is_never_zero_
        return found | {"stuck": np.minimum(np.where(empty, RAISED, flat), RAISED) * FLAT_IS_RAISED}

    def detect(self, followed: Followed) -> list[Suspect]:
        """Everything suspected in hours (n,), in the order it was told."""
        return sorted(suspects(self.scores(followed)), key=lambda one: one.raised)


FLAT_IS_RAISED = 1.001
"""A flat line is told once it is as long as its limit, other shapes once they are larger."""


def suspects(scores: Mapping[str, Floats]) -> Iterator[Suspect]:
    """What scores by family (n,) tell of."""
    for family, score in scores.items():
        for bout in bouts(score):
            yield Suspect(family, bout.raised, bout.end)


def first_known(y: Floats) -> int:
    """The first hour (n,) of which anything is known; 0 where nothing is: what lies before is no quiet past."""
    return int(np.argmax(np.isfinite(y)))


def flat_hours(y: Floats) -> Floats:
    """Length of the run of equal hours that ends at each hour (n,), the first of them not counted."""
    equal = np.concatenate([[False], np.abs(np.diff(y)) < STILL])[: len(y)]
    hours = np.arange(len(y))
    return (hours - np.maximum.accumulate(np.where(equal, -1, hours))).astype(np.float64)
