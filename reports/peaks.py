"""The highest quarter-hours of a building that were measured: what demand is charged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING

import numpy as np

from accounting.demand import NOISE
from accounting.local_time import MINUTE_MS, rows_among
from reports.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from accounting.arrays import Bools
    from facility.quantities import Utility
    from reports.stored_use import StoredUse
    from stores.readings.port import ReadingStore, Times, Values

_FIELDS = ("peak_kw", "peak_minute", "estimated", "completeness", "est_qty")
_SURELY = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest mean power of a quarter-hour that was measured, when it began, and how much of the time was measured.

    ``measured`` is a share of the time that is over, 0–1: that of the head meter which was measured least.
    """

    kw: Decimal
    at: datetime
    measured: float


@dataclass(frozen=True, slots=True)
class Peaks:
    """Of a building's hours, (n,): the peak in kW (NaN where no quarter was measured) and when it began, ms UTC.

    ``measured_h`` (m, n) is what of each hour was measured of each head meter, ``past_h`` (n,) what of it is over.
    """

    kw: Values
    begins_ms: Times
    measured_h: Values
    past_h: Values
    zone: tzinfo

    def highest(self, rows: Bools) -> Peak | None:
        """The peak of some of the hours, of equal ones the first; None where no quarter of them was measured."""
        if not np.isfinite(self.kw[rows]).any():
            return None
        kw = np.where(rows & np.isfinite(self.kw), self.kw, -np.inf)
        row = int((kw >= kw.max() - NOISE * abs(kw.max())).argmax())  # the first of equals
        measured = float(self.measured_h[:, rows].sum(axis=1).min())
        share = round(min(measured / max(float(self.past_h[rows].sum()), 1e-9), 1.0), 4)
        return Peak(rounded(self.kw[row]), datetime.fromtimestamp(int(self.begins_ms[row]) / 1000, self.zone), share)


def read_peaks(
    store: ReadingStore, building: str, utility: Utility, uses: Sequence[StoredUse], past_h: Values, zone: tzinfo
) -> Peaks:
    """The peaks of a building's hours from ``building_1h``; ``uses`` are those of its head meters.

    Rows of before 2026-12 do not tell what was measured in a quarter: only their wholly measured hours count, and
    their peak is told by the hour.
    """
    edges_ms = uses[0].edges_ms
    columns = {field: np.full(len(edges_ms) - 1, np.nan) for field in _FIELDS}
    tags = {"building": building, "utility": utility.value}
    for found in store.read_rollup("building_1h", tags, int(edges_ms[0]), int(edges_ms[-1]), _FIELDS):
        where, known = rows_among(edges_ms, found.t_ms)
        for field in _FIELDS:
            columns[field][where] = found.fields[field][known]
    wholly = (columns["completeness"] >= _SURELY) & (columns["est_qty"] == 0)
    kw = np.where(np.isnan(columns["estimated"]) & ~wholly, np.nan, columns["peak_kw"])
    minutes = np.nan_to_num(columns["peak_minute"]).astype(np.int64)
    measured_h = np.stack([use.completeness * use.hours for use in uses])
    return Peaks(kw, edges_ms[:-1] + minutes * MINUTE_MS, measured_h, past_h, zone)
