"""Which hours a baseline may learn from: none in which a register stood still or jumped, none unlike all its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.baselines.band import group_medians, group_of
from analytics.baselines.towt import TowtBaseline

if TYPE_CHECKING:
    from analytics.baselines.port import Floats, HoursOfWeek

STILL = 1e-6
MIN_STILL_H = 6
JUMP = 2.0
FAR = 12.0
"""Times the median error of like hours: about eight standard deviations."""


def ordinary_hours(hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats) -> Floats:
    """``y`` (n,) with NaN in the hours that teach nothing. Raises ``Insufficient`` when too few are left."""
    taught = without_standstills(y)
    guess = TowtBaseline().learn_level(hour_of_week, temp_c, taught)
    return without_extremes(hour_of_week, taught, taught - guess.level(hour_of_week, temp_c))


def without_standstills(y: Floats) -> Floats:
    """``y`` (n,) without the hours of a register that stood still, and the hour in which it caught up.

    A rest ends with ordinary use and stays; a standstill ends with more than ``JUMP`` times what the meter's busiest
    hours in a hundred reach.
    """
    taught = y.copy()
    top, known = float(np.nanmax(y, initial=0.0)), int(np.isfinite(y).sum())
    if np.count_nonzero(y > top / JUMP) > 1 + known / 100:  # then the busiest hours reach more than a half of the top
        return taught
    busiest = float(np.nanquantile(y, 0.99)) if np.isfinite(y).any() else 0.0
    for jump in np.flatnonzero(y > max(JUMP * busiest, STILL)):
        moving = np.flatnonzero(~(np.abs(y[:jump]) < STILL))
        first = int(moving[-1]) + 1 if len(moving) else 0
        if jump - first >= MIN_STILL_H:
            taught[first : jump + 1] = np.nan
    return taught


def without_extremes(hour_of_week: HoursOfWeek, y: Floats, error: Floats) -> Floats:
    """``y`` (n,) without hours whose ``error`` is far beyond that of like hours and beyond the meter's mean use."""
    group, size = group_of(hour_of_week), np.abs(error)
    known = np.isfinite(size)
    usual, _ = group_medians(group[known], size[known])
    limit = np.maximum(FAR * usual[group], abs(float(np.nanmean(y))))
    return np.where(size > limit, np.nan, y)
