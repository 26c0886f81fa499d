"""Doors and leak sensors as they are now: what was read is kept, and only what is new is read."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS, HOUR_MS
from stores.readings.columns import empty_series, switches_of
from stores.readings.port import Series

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from stores.readings.port import ReadingStore

LOOK_BACK_MS = 30 * DAY_MS
FIRST_LOOK_MS = 2 * HOUR_MS
JUST_NOW_MS = 600_000


class States:
    """Of each point the readings with which its state changed, and its newest one; back to when it was last at rest.

    That is all that tells since when a state holds. Readings may come in any order: one that is older than what is
    kept has its point read again. One thread reads, any may ask what is known.
    """

    def __init__(self, store: ReadingStore, points: Collection[str]) -> None:
        self._store, self._points = store, frozenset(points)
        self._known: dict[str, Series] = {}
        self._lock = Lock()

    @property
    def known(self) -> Mapping[str, Series]:
        """What was read last, by point."""
        with self._lock:
            return dict(self._known)

    def read(self, now_ms: int) -> None:
        """Read everything. Raises ``StoreUnavailable``, and then what is known stays."""
        self._keep(self._read_back(sorted(self._points), now_ms))

    def take(self, ranges: Mapping[str, tuple[int, int]], now_ms: int) -> None:
        """Read what was written in these stretches: point id → first and last time in ms, both included."""
        mine = {point: first for point, (first, _) in ranges.items() if point in self._points}
        added = {point: first for point, first in mine.items() if self._comes_after(point, first, now_ms)}
        late = [point for point in mine if point not in added]
        self._keep({**self._read_back(late, now_ms), **self._read_on(added, now_ms)})

    def _comes_after(self, point: str, t_ms: int, now_ms: int) -> bool:
        """Whether an instant of just now lies after all that is known of a point."""
        known = self._known.get(point)
        return known is not None and len(known) > 0 and t_ms > max(known.t_ms[-1], now_ms - JUST_NOW_MS)

    def _read_on(self, added: Mapping[str, int], now_ms: int) -> dict[str, Series]:
        """What came after all that is known of these points."""
        if not added:
            return {}
        fresh = self._store.read(list(added), min(added.values()), now_ms + DAY_MS)
        known = {point: self._known[point] for point in fresh}
        return {
            point: _changes([known[point], _after(series, known[point])], now_ms) for point, series in fresh.items()
        }

    def _read_back(self, points: Iterable[str], now_ms: int) -> dict[str, Series]:
        """Read from the newest reading back to when each point was last at rest."""
        found = dict.fromkeys(points, empty_series())
        open_ones, end, width = list(found), now_ms + DAY_MS, DAY_MS + FIRST_LOOK_MS
        while open_ones and end > now_ms - LOOK_BACK_MS:
            start = max(end - width, now_ms - LOOK_BACK_MS)
            for point, series in self._store.read_switches(open_ones, start, end).items():
                found[point] = _changes([series, found[point]], now_ms)
            open_ones = [point for point in open_ones if not len(found[point]) or found[point].x[0]]
            end, width = start, 2 * width
        return found

    def _keep(self, found: Mapping[str, Series]) -> None:
        with self._lock:
            self._known |= found


def _after(series: Series, known: Series) -> Series:
    k = int(np.searchsorted(series.t_ms, known.t_ms[-1], side="right"))
    return Series(series.t_ms[k:], series.x[k:], series.q[k:])


def _changes(parts: list[Series], now_ms: int) -> Series:
    """As ``switches_of``; of long ago only the last."""
    series = switches_of(parts)
    k = max(int(np.searchsorted(series.t_ms, now_ms - LOOK_BACK_MS)) - 1, 0)
    return Series(series.t_ms[k:], series.x[k:], series.q[k:])
