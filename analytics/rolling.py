"""Sums over the last hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analytics.baselines.port import Floats


def rolling_sum(x: Floats, hours: int) -> Floats:
    """Sum over the last ``hours`` up to each hour, (n,); fewer at the start."""
    sums = np.cumsum(x)
    found = sums.copy()
    found[hours:] -= sums[:-hours]
    return found
