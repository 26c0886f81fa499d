"""Use between given edges from a counter's readings: measured, estimated or missing, and never zero for absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from accounting.registers import straightened

if TYPE_CHECKING:
    from accounting.local_time import Times
    from accounting.registers import Floats, Total

MAX_GAP_MS = 2 * HOUR_MS
"""Readings at most this far apart measure what lies between them; a longer gap is estimated."""


@dataclass(frozen=True, slots=True)
class Use:
    """Use of each interval, arrays (n,), in the counter's unit.

    ``qty`` is NaN where nothing is known: before the first and after the last reading, and in a silence in which the
    device was replaced without reads. ``est_qty`` is the part of ``qty`` that was spread over a gap or follows a
    reset. ``completeness`` is the share of the interval's time that was measured, 0–1.
    """

    qty: Floats
    est_qty: Floats
    completeness: Floats


def use_between(
    t_ms: Times,
    x: Floats,
    edges_ms: Times,
    *,
    register_span: float | None = None,
    max_rate: float = np.inf,
    max_gap_ms: int = MAX_GAP_MS,
    weights: Floats | None = None,
) -> Use:
    """Use by one device's readings of the half-open intervals between ``edges_ms`` (n + 1, not falling), n results.

    ``max_rate`` is the most units an hour that are possible, ``register_span`` where the register rolls over.
    """
    total = straightened(t_ms, x, register_span=register_span, max_rate=max_rate)
    return use_of(total, edges_ms, max_gap_ms=max_gap_ms, weights=weights)


def use_of(total: Total, edges_ms: Times, *, max_gap_ms: int = MAX_GAP_MS, weights: Floats | None = None) -> Use:
    """Use of the half-open intervals between ``edges_ms`` (n + 1, not falling): 15 minutes, hours or days, n results.

    ``weights`` (n,) says how use is usually spread over the intervals; gaps follow it, evenly without it. Over all
    intervals ``qty`` sums to closing minus opening total, however the readings lie.
    """
    if len(total.t_ms) < 2:  # noqa: PLR2004 - use needs two readings
        return _nothing(len(edges_ms) - 1)
    spans = np.diff(total.t_ms)
    gaps = np.flatnonzero(spans > max_gap_ms)
    by_guess = np.where((spans > max_gap_ms) | total.estimated[1:], np.diff(total.total), 0.0)
    measured = np.where(spans > max_gap_ms, 0, spans).astype(np.float64)
    at = edges_ms if weights is None else _warped_edges(total, edges_ms, gaps, weights)
    qty = _growth(at, total.t_ms, total.total - total.total[0])
    est_qty = _growth(at, total.t_ms, _running(by_guess))
    covered = _growth(edges_ms, total.t_ms, _running(measured))
    outside = (edges_ms[1:] <= total.t_ms[0]) | (edges_ms[:-1] >= total.t_ms[-1])
    for row in gaps[total.unread[gaps + 1]].tolist():
        outside |= (edges_ms[:-1] >= total.t_ms[row]) & (edges_ms[1:] <= total.t_ms[row + 1])
    qty[outside] = est_qty[outside] = np.nan
    return Use(qty, est_qty, covered / np.maximum(np.diff(edges_ms), 1))


def gaps_of(total: Total, max_gap_ms: int = MAX_GAP_MS) -> list[tuple[int, int]]:
    """Start and end (ms) of each silence that is too long to measure what lies in it."""
    rows = np.flatnonzero(np.diff(total.t_ms) > max_gap_ms)
    return list(zip(total.t_ms[rows].tolist(), total.t_ms[rows + 1].tolist(), strict=True))


def _nothing(n: int) -> Use:
    return Use(np.full(n, np.nan), np.full(n, np.nan), np.zeros(n))


def _running(steps: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(steps)))


def _growth(edges: Times | Floats, t_ms: Times, running: Floats) -> Floats:
    """Growth of a running figure between edges, straight between its known points."""
    return np.diff(np.interp(edges, t_ms, running))


def _warped_edges(total: Total, edges_ms: Times, gaps: Times, weights: Floats) -> Floats:
    """Edges inside each gap moved to where an even spread yields what the weights ask for."""
    load = _running(np.where(np.isfinite(weights), np.maximum(weights, 0.0), 0.0))
    warped = edges_ms.astype(np.float64)
    for start, end in zip(total.t_ms[gaps], total.t_ms[gaps + 1], strict=True):
        opening, closing = np.interp([start, end], edges_ms, load)
        inside = (edges_ms > start) & (edges_ms < end)
        if closing > opening and edges_ms[0] <= start and end <= edges_ms[-1]:
            warped[inside] = start + (load[inside] - opening) / (closing - opening) * (end - start)
    return warped
