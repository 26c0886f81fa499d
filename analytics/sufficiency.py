"""Whether there is enough to learn from; when there is not, it says by name what is short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facility.errors import MeterhouseError

if TYPE_CHECKING:
    import numpy.typing as npt

HOURS_OF_WEEK = 168
MIN_DAYS = 28
MIN_HOURS_OF_WEEK = 160
MIN_PRESENT = 0.6


@dataclass(frozen=True, slots=True)
class Shortage:
    """One thing that is short: its name, how much there is and how much is needed."""

    reason: str
    have: float
    need: float

    def __str__(self) -> str:
        """``few_days: 12 of 28``."""
        return f"{self.reason}: {self.have:g} of {self.need:g}"


class Insufficient(MeterhouseError):  # noqa: N818 - the word already says it
    """A model refuses to learn; carries every shortage."""

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        """Hold the shortages as data."""
        self.shortages = shortages
        super().__init__(", ".join(map(str, shortages)))


def shortages(hour_of_week: npt.NDArray[np.int64], y: npt.NDArray[np.float64]) -> tuple[Shortage, ...]:
    """What consecutive hours lack for learning a normal week; empty when they suffice.

    ``hour_of_week`` (n,) is local, 0 = Monday 00:00; ``y`` (n,) is use in the hour in any unit, NaN where missing.
    """
    present = np.isfinite(y)
    found = []
    days = float(present.sum()) / 24
    if days < MIN_DAYS:
        found.append(Shortage("few_days", round(days, 1), MIN_DAYS))
    seen = int(np.count_nonzero(np.bincount(hour_of_week[present], minlength=HOURS_OF_WEEK)))
    if seen < MIN_HOURS_OF_WEEK:
        found.append(Shortage("hours_of_week_never_seen", seen, MIN_HOURS_OF_WEEK))
    first = int(np.argmax(present))
    share = float(present[first:].mean()) if present.any() else 0.0
    if share < MIN_PRESENT:
        found.append(Shortage("many_gaps", round(share, 3), MIN_PRESENT))
    if present.any() and np.ptp(y[present]) <= 0:
        found.append(Shortage("never_changes", 1, 2))
    return tuple(found)


def require_enough(hour_of_week: npt.NDArray[np.int64], y: npt.NDArray[np.float64]) -> None:
    """Raise ``Insufficient`` naming all that hours (n,) are short of, as ``shortages`` tells."""
    found = shortages(hour_of_week, y)
    if found:
        raise Insufficient(found)
