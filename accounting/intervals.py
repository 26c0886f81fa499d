"""Use between given edges from a counter's readings: measured, estimated or missing, and never zero for absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from accounting.registers import straightened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounting.arrays import Bools, Floats
    from accounting.local_time import Times
    from accounting.registers import Total

MAX_GAP_MS = 2 * HOUR_MS
"""Readings at most this far apart measure what lies between them; a longer gap is estimated."""


@dataclass(frozen=True, slots=True)
class Use:
    """Use of each interval, arrays (n,), in the counter's unit.

    ``qty`` is NaN where nothing is known: before the first and after the last reading, in a spell that is in doubt, in
    a silence in which the device was replaced without reads, and in an interval of no length. ``est_qty`` is the part
    of ``qty`` that is an estimate. ``completeness`` is the share of the interval's time that was measured, 0–1,
    ``estimated`` the share that is estimated; the rest is missing.
    """

    qty: Floats
    est_qty: Floats
    completeness: Floats
    estimated: Floats


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
    """Use by one device's readings of the half-open intervals between ``edges_ms`` (n + 1, rising), n results.

    ``max_rate`` is the most units an hour that are possible, ``register_span`` where the register rolls over.
    """
    total = straightened(t_ms, x, register_span=register_span, max_rate=max_rate)
    return use_of(total, edges_ms, max_gap_ms=max_gap_ms, weights=weights)


def use_of(
    total: Total,
    edges_ms: Times,
    *,
    max_gap_ms: int = MAX_GAP_MS,
    weights: Floats | Sequence[Floats | None] | None = None,
) -> Use:
    """Use of the half-open intervals between ``edges_ms`` (n + 1, rising): 15 minutes, hours or days, n results.

    ``weights`` say how use is usually spread over the intervals, and silences follow them, evenly without: (n,) for all
    silences alike, or for each of ``gaps_of(total)`` those of ``intervals_in``. Over all intervals ``qty`` sums to
    closing minus opening total, however the readings lie.
    """
    if len(total.t_ms) < 2:  # noqa: PLR2004 - use needs two readings
        return _nothing(len(edges_ms) - 1)
    spans = np.diff(total.t_ms).astype(np.float64)
    is_gap = spans > max_gap_ms
    is_guess = is_gap | total.estimated[1:]
    is_unknown = is_gap & total.unread[1:]
    origin = edges_ms[0]  # times since then: doubles place them a thousand times as exactly as those since 1970
    at = edges_ms - origin if weights is None else _warped_edges(total, edges_ms, max_gap_ms, weights)
    qty = _growth(at, total.t_ms - origin, total.total - total.total[0])
    est_qty = _growth(at, total.t_ms - origin, _running(np.where(is_guess, np.diff(total.total), 0.0)))
    measured = _growth(edges_ms, total.t_ms, _running(np.where(is_guess, 0.0, spans)))
    guessed = _growth(edges_ms, total.t_ms, _running(np.where(is_guess & ~is_unknown, spans, 0.0)))
    qty[measured + guessed <= 0] = est_qty[measured + guessed <= 0] = np.nan
    lengths = np.diff(edges_ms)
    return Use(qty, est_qty, _shares(measured, lengths), _shares(guessed, lengths))


def gaps_of(total: Total, max_gap_ms: int = MAX_GAP_MS) -> list[tuple[int, int]]:
    """Start and end (ms) of each silence that is too long to measure what lies in it."""
    rows = np.flatnonzero(np.diff(total.t_ms) > max_gap_ms)
    return list(zip(total.t_ms[rows].tolist(), total.t_ms[rows + 1].tolist(), strict=True))


def intervals_in(edges_ms: Times, start_ms: int, end_ms: int) -> slice:
    """Of the intervals between edges (n + 1,) those that a silence from ``start_ms`` to ``end_ms`` touches."""
    first = int(np.searchsorted(edges_ms, start_ms, side="right")) - 1
    end = int(np.searchsorted(edges_ms, end_ms))
    return slice(max(first, 0), min(end, len(edges_ms) - 1))


def _nothing(n: int) -> Use:
    return Use(np.full(n, np.nan), np.full(n, np.nan), np.zeros(n), np.zeros(n))


def _running(steps: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(steps)))


def _growth(edges: Times | Floats, t_ms: Times, running: Floats) -> Floats:
    """Growth of a running figure between edges, straight between its known points."""
    return np.diff(np.interp(edges, t_ms, running))


def _shares(parts_ms: Floats, lengths_ms: Times) -> Floats:
    """Parts of intervals as shares of them, (n,); an interval of no length has none."""
    shares: Floats = np.divide(parts_ms, lengths_ms, out=np.zeros(len(parts_ms)), where=lengths_ms > 0)
    return shares


def _warped_edges(total: Total, edges_ms: Times, max_gap_ms: int, weights: Floats | Sequence[Floats | None]) -> Floats:
    """Edges since the first, inside each silence moved to where an even spread yields what its weights ask for."""
    warped: Floats = (edges_ms - edges_ms[0]).astype(np.float64)
    for k, (start, end) in enumerate(gaps_of(total, max_gap_ms)):
        rows = intervals_in(edges_ms, start, end)
        own = weights[rows] if isinstance(weights, np.ndarray) else weights[k]
        if own is None or not (edges_ms[0] <= start and end <= edges_ms[-1]):
            continue
        edges = edges_ms[rows.start : rows.stop + 1]
        load = _running(np.where(np.isfinite(own) & (np.diff(edges) > 0), np.maximum(own, 0.0), 0.0))
        opening, closing = np.interp([start, end], edges, load)
        inside: Bools = (edges > start) & (edges < end)
        if closing > opening:
            moved = start - edges_ms[0] + (load[inside] - opening) / (closing - opening) * (end - start)
            warped[rows.start : rows.stop + 1][inside] = moved
    return warped
