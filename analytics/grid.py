"""The hours of a site for a stretch of time, and rows of rollups laid on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS, rows_among

if TYPE_CHECKING:
    from analytics.scene import Floats, Times
    from stores.readings.port import RollupSeries

MIN_COMPLETENESS = 0.99
USE_FIELDS = ("qty", "completeness")


@dataclass(frozen=True, slots=True)
class Grid:
    """The site's hours, between edges (hours + 1,), ms UTC."""

    edges_ms: Times

    @property
    def hours(self) -> int:
        """How many hours there are."""
        return len(self.edges_ms) - 1

    @property
    def t_ms(self) -> Times:
        """Start of each hour, (hours,), ms UTC."""
        return self.edges_ms[:-1]

    @property
    def start_ms(self) -> int:
        """Start of the first hour."""
        return int(self.edges_ms[0])

    @property
    def end_ms(self) -> int:
        """End of the last hour."""
        return int(self.edges_ms[-1])

    @property
    def lengths(self) -> Floats:
        """How long each hour is, in hours, (hours,)."""
        return np.diff(self.edges_ms) / HOUR_MS

    def row(self, t_ms: int) -> int:
        """The first hour that begins at or after an instant."""
        return int(np.searchsorted(self.edges_ms, t_ms))

    def since(self, row: int) -> Grid:
        """The same without the first hours."""
        return Grid(self.edges_ms[row:])

    def spread(self, t_ms: Times, x: Floats) -> Floats:
        """Values (n,) at hour starts, ms UTC, on the whole grid (hours,), NaN elsewhere."""
        on_grid = np.full(self.hours, np.nan)
        hours, known = rows_among(self.edges_ms, t_ms)
        on_grid[hours] = x[known]
        return on_grid

    def measured(self, series: RollupSeries) -> Floats:
        """Use per hour of hours that were measured, (hours,): what was spread over a silence teaches nothing."""
        qty, completeness = series.fields["qty"], series.fields["completeness"]
        return self.spread(series.t_ms, np.where(completeness >= MIN_COMPLETENESS, qty, np.nan)) / self.lengths


def filled(temp_c: Floats) -> Floats:
    """Hours (n,) in °C: a missing one is that of the newest day before which has it, else the first known."""
    whole = temp_c.copy()
    for day in range(24, len(whole), 24):
        here, before = whole[day : day + 24], whole[day - 24 : day]
        missing = ~np.isfinite(here)
        here[missing] = before[: len(here)][missing]
    known = np.flatnonzero(np.isfinite(whole))
    return np.where(np.isfinite(whole), whole, whole[known[0]])
