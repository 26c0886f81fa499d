"""How a meter's use usually lies over the week: the shape by which the use of a silence is spread over its hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from accounting.arrays import Floats
    from accounting.local_time import Times

WEEK_H = 168
DAY_H = 24
SHAPE_DAYS = 28
"""How far back a shape looks: four of each weekday, near enough to be of the same season."""


def weekly_shape(qty: Floats, hour_of_week: Times) -> Floats | None:
    """Mean use of each hour of the week, (168,), from hours of measured use (NaN elsewhere); None if there are none.

    An hour of the week that was never measured takes the mean of its hour of the day, else of all hours.
    """
    known = np.isfinite(qty)
    if not known.any():
        return None
    how = hour_of_week[known]
    counts = np.bincount(how, minlength=WEEK_H).astype(np.float64)
    sums = np.bincount(how, weights=qty[known], minlength=WEEK_H).astype(np.float64)
    by_hour_of_day = _mean(
        sums.reshape(-1, DAY_H).sum(axis=0), counts.reshape(-1, DAY_H).sum(axis=0), qty[known].mean()
    )
    return _mean(sums, counts, np.tile(by_hour_of_day, WEEK_H // DAY_H))


def _mean(sums: Floats, counts: Floats, otherwise: Floats | float) -> Floats:
    return np.where(counts > 0, sums / np.maximum(counts, 1), otherwise)
