"""The highest quarter-hour mean power of each hour: what networks and contracts call demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS

if TYPE_CHECKING:
    from accounting.local_time import Times
    from accounting.registers import Floats

QUARTERS = 4
QUARTER_MS = HOUR_MS // QUARTERS


def quarter_edges(hour_edges_ms: Times) -> Times:
    """Edges of the quarters of consecutive hours: (n + 1,) → (4 n + 1,)."""
    return np.arange(hour_edges_ms[0], hour_edges_ms[-1] + 1, QUARTER_MS, dtype=np.int64)


def peak_rate(quarter_qty: Floats) -> Floats:
    """Highest quarter-hour mean of each hour in units per hour: (4 n,) → (n,); NaN where nothing is known.

    kWh give kW. Quarters, because a register's last digit makes steps of seconds look like great power; readings an
    hour apart yield the hour's own mean.
    """
    rates = quarter_qty.reshape(-1, QUARTERS) * QUARTERS
    highest = np.where(np.isnan(rates), -np.inf, rates).max(axis=1)
    return np.where(np.isneginf(highest), np.nan, highest)
