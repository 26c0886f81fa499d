"""Hours summed to local days, however long these and the hours are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import Occupancy
from accounting.local_time import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stores.readings.port import Times, Values

_BASE_SHARE = 0.05  # the base load of a day is the fifth percentile of its hours
SURELY = 1 - 1e-9
"""From this completeness on nothing is missing: shares of an hour do not add up to one exactly."""


def complete(completeness: Values) -> Values:
    """1.0 where every moment was measured, else 0.0, (n,); ``completeness`` 0–1, (n,)."""
    return (completeness >= SURELY).astype(np.float64)


def daily(hours: Mapping[str, Values], occ: Times, edges_ms: Times, day_edges_ms: Times) -> dict[str, Values]:
    """Fields of each day, (d,), from its hours' fields; hours (n,) fill the days without a break, NaN where unknown.

    ``occ`` (n,) are codes of ``Occupancy``; hours lie between ``edges_ms`` (n + 1,), days between ``day_edges_ms``
    (d + 1,), ms UTC. A share of a day weighs each hour by its length.
    """
    starts = np.searchsorted(edges_ms, day_edges_ms[:-1])
    measured, estimated = day_shares(hours, edges_ms, day_edges_ms)
    days = {
        "qty": _sums(hours["qty"], starts),
        "est_qty": _sums(hours["est_qty"], starts),
        "completeness": measured,
        "estimated": estimated,
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


def day_shares(hours: Mapping[str, Values], edges_ms: Times, day_edges_ms: Times) -> tuple[Values, Values]:
    """The measured and the estimated share of each day, (d,), from those of its hours, as in ``daily``."""
    starts, lengths = np.searchsorted(edges_ms, day_edges_ms[:-1]), np.diff(edges_ms)
    measured, estimated = (
        np.add.reduceat(np.nan_to_num(hours[share]) * lengths, starts) / np.diff(day_edges_ms)
        for share in ("completeness", "estimated")
    )
    return measured, estimated


def base_use(qty: Values, edges_ms: Times, day_edges_ms: Times) -> Values:
    """Each day's base load times its length, (d,), from ``qty`` (n,) of the hours between ``edges_ms`` (n + 1,).

    NaN where an hour is missing.
    """
    starts = np.searchsorted(edges_ms, day_edges_ms[:-1])
    counts = np.diff(np.append(starts, len(qty)))
    table = np.full((len(starts), int(counts.max()) + 1), np.nan)
    rows = np.repeat(np.arange(len(starts)), counts)
    table[rows, np.arange(len(qty)) - starts[rows]] = qty / (np.diff(edges_ms) / HOUR_MS)
    table.sort(axis=1)
    place = _BASE_SHARE * (counts - 1)
    below = place.astype(np.int64)
    days = np.arange(len(starts))
    low, high = table[days, below], table[days, below + 1]
    base = (low + (high - low) * (place - below)) * (np.diff(day_edges_ms) / HOUR_MS)
    return np.where(np.logical_or.reduceat(np.isnan(qty), starts), np.nan, base)


def _sums(column: Values, starts: Times) -> Values:
    known = np.logical_or.reduceat(~np.isnan(column), starts)
    return np.where(known, np.add.reduceat(np.nan_to_num(column), starts), np.nan)


def _occupancy(occ: Times, starts: Times) -> Values:
    highest = np.maximum.reduceat(occ, starts)
    return np.where(highest >= Occupancy.WEEKEND, highest, Occupancy.WORK).astype(np.float64)
