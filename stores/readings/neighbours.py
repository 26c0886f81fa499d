"""Readings around a stretch of time: what is needed to judge it, and the nearest reading on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stores.readings.port import Series

if TYPE_CHECKING:
    from stores.readings.port import ReadingStore


def readings_around(
    store: ReadingStore, point: str, start_ms: int, end_ms: int, *, context_ms: int, count: int
) -> Series:
    """Readings of the range, and on either side of it those of ``context_ms`` and the nearest ``count``."""
    low, high = start_ms - context_ms, end_ms + context_ms
    series, width = store.read([point], low, high)[point], context_ms
    while np.count_nonzero(series.t_ms < start_ms) < count:
        before = store.read_before([point], low - 1).get(point)
        if before is None:
            break
        earlier = store.read([point], before.t_ms - width, before.t_ms + 1)[point]
        series, low, width = _joined(earlier, series), before.t_ms - width, 2 * width
    width = context_ms
    while np.count_nonzero(series.t_ms >= end_ms) < count:
        after = next_reading_ms(store, point, high - 1, near_ms=width)
        if after is None:
            break
        series = _joined(series, store.read([point], after, after + width)[point])
        high, width = after + width, 2 * width
    return series


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
