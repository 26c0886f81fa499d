"""Hours summed to local days of 23, 24 or 25 hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import Occupancy
from accounting.local_time import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stores.readings.port import Times, Values

_BASE_SHARE = 0.05  # the base load of a day is the fifth percentile of its hours
_LONGEST_DAY_H = 25
SURELY = 1 - 1e-9
"""From this completeness on nothing is missing: shares of an hour do not add up to one exactly."""


def complete(completeness: Values) -> Values:
    """1.0 where every moment was measured, else 0.0, (n,); ``completeness`` 0–1, (n,)."""
    return (completeness >= SURELY).astype(np.float64)


def daily(hours: Mapping[str, Values], occ: Times, day_edges_ms: Times) -> dict[str, Values]:
    """Fields of each day, (d,), from its hours' fields; hours (n,) fill the days without a break, NaN where unknown.

    ``occ`` (n,) are codes of ``Occupancy``, ``day_edges_ms`` (d + 1,) local midnights, ms UTC.
    """
    starts = (day_edges_ms[:-1] - day_edges_ms[0]) // HOUR_MS
    lengths = np.diff(day_edges_ms) / HOUR_MS
    measured = np.add.reduceat(np.nan_to_num(hours["completeness"]), starts) / lengths
    days = {
        "qty": _sums(hours["qty"], starts),
        "est_qty": _sums(hours["est_qty"], starts),
        "completeness": measured,
        "complete": complete(measured),
        "occ": _occupancy(occ, starts),
    }
    if "cost" in hours:
        unpriced = np.isnan(hours["cost"]) & ~np.isnan(hours["qty"])
        days["cost"] = np.where(np.logical_or.reduceat(unpriced, starts), np.nan, _sums(hours["cost"], starts))
    for name in hours.keys() - days.keys() - {"peak_kw"}:
        days[name] = _sums(hours[name], starts)
    if "peak_kw" in hours:
        days["peak_kw"] = np.fmax.reduceat(hours["peak_kw"], starts)
    return days


def base_use(qty: Values, day_edges_ms: Times) -> Values:
    """Each day's base load times its hours, (d,), from ``qty`` (n,) of the hours; NaN where an hour is missing."""
    starts = (day_edges_ms[:-1] - day_edges_ms[0]) // HOUR_MS
    lengths = np.diff(np.append(starts, len(qty)))
    table = np.full((len(starts), _LONGEST_DAY_H + 1), np.nan)
    rows = np.repeat(np.arange(len(starts)), lengths)
    table[rows, np.arange(len(qty)) - starts[rows]] = qty
    table.sort(axis=1)
    place = _BASE_SHARE * (lengths - 1)
    below = place.astype(np.int64)
    days = np.arange(len(starts))
    low, high = table[days, below], table[days, below + 1]
    base = (low + (high - low) * (place - below)) * lengths
    return np.where(np.logical_or.reduceat(np.isnan(qty), starts), np.nan, base)


def _sums(column: Values, starts: Times) -> Values:
    known = np.logical_or.reduceat(~np.isnan(column), starts)
    return np.where(known, np.add.reduceat(np.nan_to_num(column), starts), np.nan)


def _occupancy(occ: Times, starts: Times) -> Values:
    highest = np.maximum.reduceat(occ, starts)
    return np.where(highest >= Occupancy.WEEKEND, highest, Occupancy.WORK).astype(np.float64)
