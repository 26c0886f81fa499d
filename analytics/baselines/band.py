"""The band around an expectation: how far held-back hours of the same time of day and kind of day strayed."""

from __future__ import annotations

import numpy as np

from analytics.baselines.port import Floats, HoursOfWeek, is_workday

GROUPS = 48
MIN_ERRORS = 12


def group_of(hour_of_week: HoursOfWeek) -> HoursOfWeek:
    """Hour of day, working days 24–47 apart from the rest 0–23."""
    return np.asarray(hour_of_week % 24 + 24 * is_workday(hour_of_week), dtype=np.int64)


def error_quantiles(hour_of_week: HoursOfWeek, error: Floats, coverage: float) -> Floats:
    """Lower and upper error quantile of each group, (48, 2).

    Each hour borrows from its two neighbours; a group with few errors takes those of all hours.
    """
    known = np.isfinite(error)
    group, error = group_of(hour_of_week[known]), error[known]
    apart = [error[group == g] for g in range(GROUPS)]
    found = np.empty((GROUPS, 2))
    for g in range(GROUPS):
        kind, hour = g - g % 24, g % 24
        near = np.concatenate([apart[kind + (hour + step) % 24] for step in (-1, 0, 1)])
        found[g] = _outer(near if len(near) >= MIN_ERRORS else error, coverage)
    return found


def _outer(error: Floats, coverage: float) -> Floats:
    """Both quantiles, widened for a small sample as split conformal intervals are."""
    if not len(error):
        return np.array([np.nan, np.nan])
    level = min(1.0, (1 + coverage) / 2 * (1 + 1 / len(error)))
    ordered = np.sort(error)
    place = np.array([1 - level, level]) * (len(error) - 1)
    return np.asarray(np.interp(place, np.arange(len(error)), ordered), np.float64)
