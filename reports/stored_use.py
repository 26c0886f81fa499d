"""A counter's stored hours of a month on one grid: what every report adds up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS, rows_among
from facility.tariff import PERIODS
from stores.counter_rows import read_counter
from stores.records.accounting.closed_months import ADJUSTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Times, Values
    from stores.records.accounting.closed_months import Days

_FIELDS = ("qty", "est_qty", "completeness", "estimated", *(f"qty_{period}" for period in PERIODS))


@dataclass(frozen=True, slots=True)
class StoredUse:
    """Hours between ``edges_ms`` (n + 1): arrays (n,), NaN where missing; ``by_period`` (n, 5).

    ``completeness`` and ``estimated`` are shares of the hour, 0–1, 0 where it is missing.
    """

    edges_ms: Times
    qty: Values
    est_qty: Values
    completeness: Values
    estimated: Values
    by_period: Values

    @property
    def hours(self) -> Values:
        """How long each hour is, in hours, (n,): 1 but where the clocks change by no whole one."""
        return np.diff(self.edges_ms) / HOUR_MS

    @property
    def total(self) -> float:
        """Use of all known hours."""
        return float(np.nansum(self.qty))


def sum_of_use(uses: Sequence[StoredUse]) -> tuple[Values, Values]:
    """Use of several meters together, hour by hour: (n,), and by period (n, 5).

    An hour that one of them lacks counts what the others know.
    """
    qty = np.stack([use.qty for use in uses])
    summed = np.where(np.isnan(qty).all(axis=0), np.nan, np.nansum(qty, axis=0))
    return summed, np.nansum([use.by_period for use in uses], axis=0)


def past_hours(edges_ms: Times, now_ms: int) -> Values:
    """How much of each hour between edges (n + 1,) is over, in hours, (n,)."""
    past: Values = np.clip(now_ms, edges_ms[:-1], edges_ms[1:]) - edges_ms[:-1]
    return past / HOUR_MS


def read_use(store: ReadingStore, catalogue: Catalogue, point: Point, edges_ms: Times) -> StoredUse:
    """The hours of one counter between edges (n + 1,) from ``usage_1h``; an hour without a row is missing.

    Rows of before 2026-12 do not say what was estimated: there it is all that is known and was not measured.
    """
    columns = {field: np.full(len(edges_ms) - 1, np.nan) for field in _FIELDS}
    span = int(edges_ms[0]), int(edges_ms[-1])
    rows = read_counter(store, catalogue, point, "usage_1h", span, _FIELDS)
    where, known = rows_among(edges_ms, rows.t_ms)
    for field in _FIELDS:
        columns[field][where] = rows.fields[field][known]
    completeness = np.nan_to_num(columns["completeness"])
    unmeasured = np.where(np.isnan(columns["qty"]), 0.0, 1.0 - completeness)
    return StoredUse(
        edges_ms,
        columns["qty"],
        columns["est_qty"],
        completeness,
        np.where(np.isnan(columns["estimated"]), unmeasured, columns["estimated"]),
        np.stack([columns[f"qty_{period}"] for period in PERIODS], axis=1),
    )


def read_days(
    store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar, point: Point, start_ms: int, end_ms: int
) -> Days:
    """What ``usage_1d`` knows of a counter's use and cost, by local day and field."""
    days: Days = {}
    rows = read_counter(store, catalogue, point, "usage_1d", (start_ms, end_ms), ADJUSTED)
    columns = {name: column.tolist() for name, column in rows.fields.items()}
    for k, day in enumerate(calendar.local_days(rows.t_ms).astype("datetime64[D]").astype(str).tolist()):
        days[day] = {name: column[k] for name, column in columns.items() if not math.isnan(column[k])}
    return days
