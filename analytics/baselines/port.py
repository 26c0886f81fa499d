"""What every baseline can do: learn a meter's normal use, and say what it expects and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HoursOfWeek = npt.NDArray[np.int64]

HOURS_OF_WEEK = 168
FIRST_WEEKEND_HOUR = 120


@dataclass(frozen=True, slots=True)
class Expectation:
    """Expected use of each hour and its band; arrays (n,), NaN where nothing can be expected."""

    expected: Floats
    lo: Floats
    hi: Floats


@dataclass(frozen=True, slots=True)
class FitQuality:
    """How well a baseline did on weeks it had not seen, in percent of mean use."""

    cv_rmse: float
    nmbe: float

    @property
    def grade(self) -> str:
        """``good`` within the hourly limits of ASHRAE Guideline 14-2014 (30 %, 10 %), ``fair`` within twice those."""
        for grade, factor in (("good", 1), ("fair", 2)):
            if self.cv_rmse <= 30 * factor and abs(self.nmbe) <= 10 * factor:
                return grade
        return "poor"


class Baseline(Protocol):
    """Options in the constructor, data in ``fit``, what was learned in attributes that end in ``_``.

    All arrays are (n,) on consecutive hours. ``hour_of_week`` is local, 0 = Monday 00:00, and counts closed days as
    Sunday. ``temp_c`` may be None. ``y`` is use in the hour in the counter's unit, NaN where missing; fitting skips
    those hours. What is expected is in the same unit.
    """

    quality_: FitQuality

    def fit(self, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats) -> Self:
        """Learn from these hours, (n,) each. Raises ``Insufficient`` when they do not suffice."""

    def predict(self, hour_of_week: HoursOfWeek, temp_c: Floats | None) -> Expectation:
        """What normal use would be in these hours, (n,) each."""


def is_workday(hour_of_week: HoursOfWeek) -> npt.NDArray[np.bool_]:
    """Whether each hour (n,) belongs to a working day."""
    return hour_of_week < FIRST_WEEKEND_HOUR


def quality_of(y: Floats, error: Floats) -> FitQuality:
    """CV(RMSE) and mean bias in percent of mean use ``y`` (n,), from held-back errors (n,): actual minus expected."""
    mean = float(np.nanmean(y)) or np.nan
    return FitQuality(
        cv_rmse=100 * float(np.sqrt(np.nanmean(error**2))) / abs(mean),
        nmbe=100 * float(np.nanmean(error)) / mean,
    )
