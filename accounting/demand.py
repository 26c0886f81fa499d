"""The highest quarter-hour mean power of each hour: what networks and contracts call demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS

if TYPE_CHECKING:
    from accounting.arrays import Floats
    from accounting.local_time import Times

QUARTERS = 4
QUARTER_MS = HOUR_MS // QUARTERS
NOISE = 1e-9
"""What two ways to add the same readings may differ by, as a share."""


def quarter_edges(hour_edges_ms: Times) -> Times:
    """Edges of the quarters of consecutive hours: (n + 1,) → (4 n + 1,).

    An hour that a change of the clocks cuts short has four, too: they end with it, and those after its end are empty.
    """
    quarters = hour_edges_ms[:-1, None] + QUARTER_MS * np.arange(QUARTERS, dtype=np.int64)
    return np.append(np.minimum(quarters, hour_edges_ms[1:, None]), hour_edges_ms[-1])


def peak_rate(quarter_qty: Floats, hour_edges_ms: Times) -> tuple[Floats, Floats]:
    """Highest quarter-hour mean of each hour in units per hour, and the minute at which it begins: (n,) both.

    From (4 n,) quarters, NaN where nothing is known, of hours between (n + 1,) edges; NaN where no quarter is known.
    kWh give kW. Quarters, because a register's last digit makes steps of seconds look like great power; what is left
    of one at a change of the clocks has no mean, either. Readings an hour apart yield the hour's own mean.
    """
    whole = np.diff(quarter_edges(hour_edges_ms)) == QUARTER_MS
    rates = np.where(whole & ~np.isnan(quarter_qty), quarter_qty * QUARTERS, -np.inf).reshape(-1, QUARTERS)
    highest = rates.max(axis=1)
    known = np.isfinite(highest)
    quarter = (rates >= highest[:, None] - NOISE * np.abs(highest[:, None])).argmax(axis=1)  # the first of equals
    return np.where(known, highest, np.nan), np.where(known, quarter * (60.0 / QUARTERS), np.nan)
