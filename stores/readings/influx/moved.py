"""Readings that stand under a building in which their meter no longer is.

The building of a reading is a tag, and a tag is a part of what InfluxDB overwrites by: a reading that is written again
after its meter moved becomes a second one. So after the new one is stored, the older ones of the same instants are
deleted, and nothing else. Whoever dies in between has not acknowledged the write: it is repeated, and the deletion too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from stores.readings.influx.conditions import among
from stores.readings.influx.layout import RAW, source
from stores.readings.influx.points import all_series, point_of, some_at_once, stretch_ends, within
from stores.readings.influx.stretches import KnownStretches
from stores.readings.influx.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from facility.model import ReadingBatch
    from stores.readings.influx.wire import InfluxWire
    from stores.readings.port import Times


class MovedMeters:
    """Points that have readings under other buildings than the registry's, as of one version of the registry."""

    def __init__(self, wire: InfluxWire, buildings: Mapping[str, str]) -> None:
        """``buildings`` has the building of every point. One question is asked, whatever the estate's size."""
        self._wire, self._buildings = wire, buildings
        self._points = frozenset(
            point
            for tags in all_series(wire)
            if (point := point_of(tags)) in buildings and tags.get("building", "") not in {"", buildings[point]}
        )
        self._elsewhere = KnownStretches(
            lambda points, start_ms, end_ms: stretch_ends(wire, "value", points, start_ms, end_ms, self._among)
        )

    def under_others(self, ranges: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """The parts of these ranges in which another building may have readings too, by point."""
        moved = {point: ranges[point] for point in self._points & ranges.keys()}
        if not moved:
            return {}
        self._elsewhere.look(moved)
        found = {}
        for point, (first_ms, last_ms) in moved.items():
            low, high = self._elsewhere.found.get(point, (1, 0))
            if max(first_ms, low) <= min(last_ms, high):
                found[point] = max(first_ms, low), min(last_ms, high)
        return found

    def delete_others(self, batches: Iterable[ReadingBatch], ranges: Mapping[str, tuple[int, int]]) -> None:
        """Delete what other buildings have of the readings in these batches and ranges."""
        times = _times(batches, ranges)
        if not times:
            return
        for start_ms, last_ms in _runs(np.unique(np.concatenate(list(times.values()))), HOUR_MS):
            for some in some_at_once(list(times)):
                query = (
                    f"SELECT value FROM {source(self._wire, RAW, 'reading')}"
                    f" WHERE {self._among(some)} AND {within(start_ms, last_ms + 1)}"
                    " GROUP BY building, meter, quantity, channel"
                )
                for table in self._wire.ask(query):
                    self._delete(table.tags, table.columns["time"].astype(np.int64), times[point_of(table.tags)])

    def _delete(self, tags: Mapping[str, str], stored: Times, gone: Times) -> None:
        """Delete from a series the instants that are ``gone``: those that follow each other at once."""
        edges = np.flatnonzero(np.diff(np.isin(stored, gone), prepend=False, append=False))
        for first, end in edges.reshape(-1, 2).tolist():
            self._wire.delete(RAW, "reading", tags, (int(stored[first]), int(stored[end - 1]) + 1))

    def _among(self, points: Sequence[str]) -> str:
        """The condition that a reading is of one of the points and under another building than its present one."""
        elsewhere = (
            f"({among([point])} AND building != '' AND building != {quoted(self._buildings[point])})"
            for point in points
        )
        return f"({' OR '.join(elsewhere)})"


def _times(batches: Iterable[ReadingBatch], ranges: Mapping[str, tuple[int, int]]) -> dict[str, Times]:
    """The times of each point in its range, in order."""
    found: dict[str, list[Times]] = {}
    for batch in batches:
        p, t_ms = np.array(batch.p, np.intp), np.array(batch.t_ms, np.int64)
        for number, point in enumerate(batch.points):
            if point in ranges:
                first_ms, last_ms = ranges[point]
                found.setdefault(point, []).append(t_ms[(p == number) & (t_ms >= first_ms) & (t_ms <= last_ms)])
    joined = {point: np.unique(np.concatenate(parts)) for point, parts in found.items()}
    return {point: t_ms for point, t_ms in joined.items() if len(t_ms)}


def _runs(t_ms: Times, apart_ms: int) -> Iterator[tuple[int, int]]:
    """First and last of times that lie no further apart than this."""
    cuts = [0, *(np.flatnonzero(np.diff(t_ms) > apart_ms) + 1).tolist(), len(t_ms)]
    return ((int(t_ms[start]), int(t_ms[end - 1])) for start, end in pairwise(cuts))
