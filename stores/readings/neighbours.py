"""Readings around a stretch of time: what is needed to judge it, and the nearest reading on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stores.readings.port import Series

if TYPE_CHECKING:
    from stores.readings.port import ReadingStore


def readings_around(store: ReadingStore, point: str, start_ms: int, end_ms: int, *, context_ms: int) -> Series:
    """Readings of the range and of ``context_ms`` around it, and the nearest reading before and after all that."""
    low, high = start_ms - context_ms, end_ms + context_ms
    before = store.read_before([point], low).get(point)
    if before:
        low = before.t_ms if low - before.t_ms < context_ms else before.t_ms - context_ms
    series = store.read([point], low, high)[point]
    if len(series) and series.t_ms[-1] >= end_ms:
        return series
    after = next_reading_ms(store, point, high - 1, near_ms=context_ms)
    return _joined(series, store.read([point], after, after + context_ms)[point]) if after else series


def next_reading_ms(store: ReadingStore, point: str, t_ms: int, *, near_ms: int) -> int | None:
    """Time of the first reading after an instant, found by halving where it is further than ``near_ms`` away."""
    near = store.read([point], t_ms + 1, t_ms + near_ms)[point]
    if len(near):
        return int(near.t_ms[0])
    newest = store.latest([point]).get(point)
    if newest is None or newest.t_ms <= t_ms:
        return None
    low, found = t_ms, newest.t_ms
    while found - low > 1:
        middle = (low + found) // 2
        at = store.read_before([point], middle).get(point)
        if at and at.t_ms > t_ms:
            found = at.t_ms
        else:
            low = middle
    return found


def _joined(first: Series, second: Series) -> Series:
    return Series(
        np.concatenate((first.t_ms, second.t_ms)),
        np.concatenate((first.x, second.x)),
        np.concatenate((first.q, second.q)),
    )
