"""The step in which a counter counts, learned from its hours, and over how many hours its use must be added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.rolling import rolling_sum

if TYPE_CHECKING:
    from analytics.baselines.port import Floats

STEPS = np.array([part * 10.0**power for power in range(3, -5, -1) for part in (5.0, 2.5, 2.0, 1.0)])
"""What counters count in, as they are sold: 1, 2, 2.5 or 5 of a decimal place; the largest first."""

WHOLE, NEARLY_ALL = 0.02, 0.9
"""So near to whole steps must lie nearly all hours: a step that falls on the end of an hour may be shared out."""

FEWEST_H = 24
MOST_SPAN_H, LEAST_SPAN_H = 12, 4
KNOWN = 0.75
RESTS_ON = 0.25
"""The quantile of a day's longest rest: on three of four days a meter rests for longer."""


def counter_step(y: Floats) -> float:
    """In what amounts a counter with hours (n,) of use counts, in its unit; 0 where it counts too finely to tell."""
    used = y[y > 0]
    if len(used) < FEWEST_H:
        return 0.0
    for step in STEPS:
        parts = used / step
        if np.mean((np.abs(parts - np.round(parts)) < WHOLE) & (parts > 0.5)) >= NEARLY_ALL:  # noqa: PLR2004 - rounds to one
            return float(step)
    return 0.0


def span_of(y: Floats, step: float, least: float) -> int:
    """Over how many hours use (n,) is added up, so that a leak of ``least`` shows as half a step.

    No longer than the meter rests by itself, or no hour would ever be as low as its rest.
    """
    longest = max(LEAST_SPAN_H, min(MOST_SPAN_H, _usual_rest_h(y) - 1))
    return max(1, min(round(step / (2 * least)), longest))


def added_up(y: Floats, hours: int) -> Floats:
    """Mean use of the last ``hours`` up to each of (n,), NaN where more than a quarter of them is not known."""
    if hours == 1:
        return y
    known = np.isfinite(y)
    sums, whole = (rolling_sum(column.astype(np.float64), hours) for column in (np.nan_to_num(y), known))
    return np.where(whole >= KNOWN * hours, np.maximum(sums, 0.0) / np.maximum(whole, 1), np.nan)


def _usual_rest_h(y: Floats) -> int:
    """The longest rest of a day, in hours, of three days in four."""
    hours = np.arange(len(y))
    rest = hours - np.maximum.accumulate(np.where(y == 0, -1, hours))
    days = len(y) // 24
    return int(np.quantile(rest[: days * 24].reshape(days, 24).max(axis=1), RESTS_ON)) if days else 0
