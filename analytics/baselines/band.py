"""The band around an expectation: how far held-back hours of the same time of day and kind of day strayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.baselines.port import Floats, HoursOfWeek, is_workday

GROUPS = 48
MIN_ERRORS = 12
LEAST_SPREAD = 0.3
TINY = 1e-9
TAIL_COVERAGES = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.96, 0.99)


def group_of(hour_of_week: HoursOfWeek) -> HoursOfWeek:
    """Hour of day, working days 24–47 apart from the rest 0–23."""
    return np.asarray(hour_of_week % 24 + 24 * is_workday(hour_of_week), dtype=np.int64)


def error_quantiles(hour_of_week: HoursOfWeek, error: Floats, coverage: float) -> Floats:
    """Lower and upper error quantile of each group, (48, 2).

    Each hour borrows from its two neighbours; a group with few errors takes those of all hours.
    """
    known = np.isfinite(error)
    group, error = group_of(hour_of_week[known]), error[known]
    table = np.full((GROUPS, int(np.bincount(group, minlength=GROUPS).max(initial=0))), np.inf)
    counts = fill_rows(table, group, error)
    near, counts = _neighbours(table), _neighbours(counts[:, None]).sum(axis=1)
    near.sort(axis=1)  # what is not there comes last
    enough = counts >= MIN_ERRORS
    found = np.empty((GROUPS, 2))
    found[enough] = _outer(near[enough], counts[enough], coverage)
    if not enough.all():
        found[~enough] = _outer(np.sort(error)[None], np.array([len(error)]), coverage)
    return found


@dataclass(frozen=True, slots=True)
class Tails:
    """Error quantiles by group of hours, ``levels`` (k,) of them: (48, k)."""

    levels: Floats
    errors: Floats

    @classmethod
    def of(cls, hour_of_week: HoursOfWeek, error: Floats) -> Tails:
        """From errors (n,) of fits that had not seen those hours."""
        spans = [error_quantiles(hour_of_week, error, coverage) for coverage in TAIL_COVERAGES]
        low, high = (np.stack([span[:, k] for span in spans], axis=1) for k in (0, 1))
        levels = (1 + np.array(TAIL_COVERAGES)) / 2
        errors = np.maximum.accumulate(np.hstack([low[:, ::-1], high]), axis=1)
        return cls(np.concatenate([1 - levels[::-1], levels]), errors)

    def above(self, hour_of_week: HoursOfWeek, error: Floats) -> Floats:
        """How likely an ordinary hour would use as much beyond what is expected, or more, (n,): 0 to 1."""
        group = group_of(hour_of_week)
        found = np.full(len(error), np.nan)
        for k in np.unique(group):
            mine = (group == k) & np.isfinite(error)
            found[mine] = 1 - np.interp(error[mine], self.errors[k], self.levels)
        return found


def usual_spread(hour_of_week: HoursOfWeek, error: Floats) -> Floats:
    """Robust standard deviation of each group's errors, (48,), smoothed over its neighbours and never very small."""
    known = np.isfinite(error)
    group, size = group_of(hour_of_week[known]), np.abs(error[known])
    each, counts = group_medians(group, size)
    whole = 1.4826 * np.where(counts > 0, each, np.median(size) if len(size) else 0.0)
    smooth = _neighbours(whole[:, None]).mean(axis=1)
    return np.asarray(np.maximum(smooth, LEAST_SPREAD * np.median(smooth)) + TINY, np.float64)


def group_medians(group: HoursOfWeek, x: Floats) -> tuple[Floats, HoursOfWeek]:
    """Median of the values (n,) of each group, (48,), 0 where there is none; and how many there are, (48,)."""
    table = np.full((GROUPS, int(np.bincount(group, minlength=GROUPS).max(initial=1))), np.inf)
    counts = fill_rows(table, group, x)
    table.sort(axis=1)  # what is not there comes last
    each = np.arange(GROUPS)
    low, high = (table[each, np.maximum(at, 0)] for at in ((counts - 1) // 2, np.minimum(counts // 2, counts - 1)))
    return np.where(counts > 0, (low + high) / 2, 0.0), counts


def fill_rows(table: Floats, group: HoursOfWeek, x: Floats) -> HoursOfWeek:
    """Put each value (n,) into the row of its group, from the left on; how many there are in each row, (rows,)."""
    counts = np.bincount(group, minlength=len(table))
    order = np.argsort(group.astype(np.uint8), kind="stable")  # bytes are counted, not compared
    starts = np.cumsum(counts) - counts
    ordered = group[order]
    table[ordered, np.arange(len(x)) - starts[ordered]] = x[order]
    return counts


def _neighbours(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of each group those of the hours before and after it, beside its own: (48, n) → (48, 3 n)."""
    days = rows.reshape(2, 24, -1)
    return np.concatenate([np.roll(days, 1, axis=1), days, np.roll(days, -1, axis=1)], axis=2).reshape(GROUPS, -1)


def _outer(ordered: Floats, counts: HoursOfWeek, coverage: float) -> Floats:
    """Both quantiles of the first ``counts`` (m,) values of each row, ``ordered`` (m, n): (m, 2), NaN without a value.

    They are widened for a small sample as split conformal intervals are.
    """
    if not ordered.shape[1]:
        return np.full((len(ordered), 2), np.nan)
    level = np.minimum(1.0, (1 + coverage) / 2 * (1 + 1 / np.maximum(counts, 1)))
    place = np.stack([1 - level, level], axis=1) * np.maximum(counts - 1, 0)[:, None]
    below = place.astype(np.int64)
    rows = np.arange(len(ordered))[:, None]
    low, high = ordered[rows, below], ordered[rows, np.minimum(below + 1, np.maximum(counts - 1, 0)[:, None])]
    return np.where(counts[:, None] > 0, low + (high - low) * (place - below), np.nan)
