"""How a heated building leans on the cold: degree hours below a base, of air that is some hours old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.baselines.hours import LAGS_H
from analytics.baselines.port import HOURS_OF_WEEK

if TYPE_CHECKING:
    from analytics.baselines.hours import Hours
    from analytics.baselines.port import Floats, HoursOfWeek

BASES_C = (11.0, 13.0, 15.0, 17.0, 19.0)
PARTS = 72
LEAN = 0.3


@dataclass(frozen=True, slots=True)
class Heat:
    """Below ``base_c`` it is heated, by the mean temperature of ``lag_h`` hours."""

    base_c: float
    lag_h: int

    def degrees(self, hours: Hours) -> Floats:
        """Degrees below the base, (n,)."""
        return np.asarray(np.maximum(self.base_c - hours.lagged[f"temp_{self.lag_h}"], 0.0), np.float64)


def best_heat(hours: Hours, y: Floats, folds: int) -> Heat:
    """The base and the lag whose line by part of the week expects weeks best that it did not see."""
    fold = np.arange(len(y)) // HOURS_OF_WEEK % folds
    each = [Heat(base_c, lag_h) for base_c in BASES_C for lag_h in LAGS_H]
    return min(each, key=lambda heat: _held_back_error(heat.degrees(hours), hours.part, y, fold, folds))


def _held_back_error(x: Floats, part: HoursOfWeek, y: Floats, fold: HoursOfWeek, folds: int) -> float:
    """Sum of the squared errors of lines of ``y`` on ``x``, (n,) each, one a part of the week."""
    used = np.isfinite(y)
    x, y, part, fold = x[used], y[used], part[used], fold[used]
    place, size = fold * PARTS + part, folds * PARTS
    count, sx, sy, sxx, sxy = (
        np.bincount(place, w, size).reshape(folds, PARTS) for w in (np.ones(len(x)), x, y, x * x, x * y)
    )
    count, sx, sy, sxx, sxy = (of.sum(axis=0) - of for of in (count, sx, sy, sxx, sxy))
    count = np.maximum(count, 1.0)
    slope = (sxy - sx * sy / count) / (sxx - sx * sx / count + LEAN)
    at = (sy - slope * sx) / count
    return float(np.sum((y - at[fold, part] - slope[fold, part] * x) ** 2))
