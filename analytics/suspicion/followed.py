"""What a meter used beside what was normal for it, hour by hour: all that suspicion is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.rolling import median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.baselines.port import Floats, HoursOfWeek

BOUND = 8.0
"""So many robust standard deviations of error count; what is beyond says no more."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Consecutive hours of one meter, all arrays (n,); quantities in the counter's unit per hour.

    ``base`` is what its normal week and the weather let expect, ``level`` how far its last weeks lay from that,
    ``spread`` the robust standard deviation of what remains at that time of day. ``y`` is use, NaN where missing.
    """

    hour_of_week: HoursOfWeek
    y: Floats
    base: Floats
    level: Floats
    spread: Floats

    @property
    def expected(self) -> Floats:
        """What was normal in each hour, (n,)."""
        return self.base + self.level

    @property
    def error(self) -> Floats:
        """Use beyond what was expected, (n,), NaN where either is missing."""
        return self.y - self.base - self.level

    def since(self, row: int) -> Followed:
        """The same without the first hours: views."""
        return Followed(*(getattr(self, name)[row:] for name in self.__slots__))


def joined(stretches: Sequence[Followed]) -> Followed:
    """Courses that follow each other as one."""
    return Followed(*(np.concatenate([getattr(one, name) for one in stretches]) for name in Followed.__slots__))


def robust_spread(x: Floats) -> float:
    """Standard deviation as the median distance from the median tells it; NaN left out."""
    known = x[np.isfinite(x)]
    return 1.4826 * median(np.abs(known - median(known))) if len(known) else np.nan
