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
    """Edges of the quarters of consecutive hours: (n + 1,) → (4 n + 1,).

    An hour that a change of the clocks cuts short has four, too: they end with it, and those after its end are empty.
    """
    quarters = hour_edges_ms[:-1, None] + QUARTER_MS * np.arange(QUARTERS, dtype=np.int64)
    return np.append(np.minimum(quarters, hour_edges_ms[1:, None]), hour_edges_ms[-1])


def peak_rate(quarter_qty: Floats, hour_edges_ms: Times) -> Floats:
    """Highest quarter-hour mean of each hour in units per hour: (4 n,), (n + 1,) → (n,); NaN where nothing is known.

    kWh give kW. Quarters, because a register's last digit makes steps of seconds look like great power; what is left
    of one at a change of the clocks has no mean, either. Readings an hour apart yield the hour's own mean.
    """
    whole = np.diff(quarter_edges(hour_edges_ms)) == QUARTER_MS
    rates = np.where(whole, quarter_qty * QUARTERS, np.nan).reshape(-1, QUARTERS)
    highest = np.where(np.isnan(rates), -np.inf, rates).max(axis=1)
    return np.where(np.isneginf(highest), np.nan, highest)
