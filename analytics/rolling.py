"""Sums over the last hours, and medians."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analytics.baselines.port import Floats


def rolling_sum(x: Floats, hours: int) -> Floats:
    """Sum over the last ``hours`` up to each hour, (n,); fewer at the start."""
    return sum_of_last(np.cumsum(x), hours)


def sum_of_last(sums: Floats, hours: int) -> Floats:
    """The same of sums up to each hour (n,), where several stretches are asked for."""
    found = sums.copy()
    found[hours:] -= sums[:-hours]
    return found


def median(x: Floats) -> float:
    """As ``numpy.median`` of (n,), n > 0, without NaN, and in half of its time."""
    middle = len(x) // 2
    if len(x) % 2:
        return float(np.partition(x, middle)[middle])
    low, high = np.partition(x, (middle - 1, middle))[middle - 1 : middle + 1]
    return float((low + high) / 2)
