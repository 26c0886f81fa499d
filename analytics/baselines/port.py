"""What baselines speak of: hours of the week, what is expected of hours, and how well that fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
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
    coverage: float = float("nan")
    """Share of those hours that lay in the band."""

    @property
    def grade(self) -> str:
        """``good`` within the hourly limits of ASHRAE Guideline 14-2014 (30 %, 10 %), ``fair`` within twice those."""
        for grade, factor in (("good", 1), ("fair", 2)):
            if self.cv_rmse <= 30 * factor and abs(self.nmbe) <= 10 * factor:
                return grade
        return "poor"


def is_workday(hour_of_week: HoursOfWeek) -> Flags:
    """Whether each hour (n,) belongs to a working day."""
    return hour_of_week < FIRST_WEEKEND_HOUR


def quality_of(y: Floats, error: Floats, offsets: Floats | None = None) -> FitQuality:
    """CV(RMSE) and mean bias in percent of mean use ``y`` (n,), from held-back errors (n,): actual minus expected.

    ``offsets`` (n, 2) are the edges of the band around what was expected.
    """
    mean, known = float(np.nanmean(y)) or np.nan, np.isfinite(error)
    inside = np.nan
    if offsets is not None and known.any():
        inside = float(np.mean((error >= offsets[:, 0])[known] & (error <= offsets[:, 1])[known]))
    return FitQuality(
        cv_rmse=100 * float(np.sqrt(np.nanmean(error**2))) / abs(mean),
        nmbe=100 * float(np.nanmean(error)) / mean,
        coverage=inside,
    )
