"""Hours of whole days: those that were just computed, and those that are stored before and after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import rows_among
from analytics.rollups.costs import PERIOD_FIELDS
from analytics.rollups.totals import SHARES
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from analytics.rollups.one_pass import OnePass
    from stores.readings.port import Times, Values

PLAIN = ("qty", "est_qty", *SHARES, "cost", "peak_kw", "co2")
HOURLY = (*PLAIN, *PERIOD_FIELDS)
"""Fields of hours of which days are made; without tariff periods the plain ones."""


def filled(
    store: OnePass, of_hours: str, tags: dict[str, str], grid: Times, edges_ms: Times, fields: dict[str, Values]
) -> dict[str, Values]:
    """Columns over the hours of ``grid``: those just computed, and those stored before and after them."""
    hours = {field: np.full(len(grid) - 1, np.nan) for field in HOURLY if field in fields}
    parts = [RollupSeries(tags, edges_ms[:-1], fields)]
    for start, end in ((grid[0], edges_ms[0]), (edges_ms[-1], grid[-1])):
        if start < end:
            parts += store.read_rollup(of_hours, tags, int(start), int(end), list(hours))
    for part in parts:
        rows, known = rows_among(grid, part.t_ms)
        for field, column in hours.items():
            column[rows] = part.fields[field][known]
    return hours
