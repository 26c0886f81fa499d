"""Mean levels of gauges that detectors look at, by the hour: rooms, cold stores, phases of electricity meters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from analytics.rollups.outdoors import means
from facility.model import SpaceKind
from facility.quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analytics.grid import Grid
    from analytics.scene import Floats, Window
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore

LEVEL_H = 48
"""So many hours are looked at: a watch that begins tells nothing of gauges in what lies before them."""

AGAIN_MS = 3 * HOUR_MS
"""What was read is read again from so long before its end on: readings come late."""

POINTS_AT_ONCE = 200
PHASES = ("l1", "l2", "l3")
ROOMS = frozenset({SpaceKind.OFFICE, SpaceKind.MEETING_ROOM, SpaceKind.ROOM})
"""Rooms that people sit in."""


def levelled_points(catalogue: Catalogue) -> list[str]:
    """Ids of thermometers in rooms, cold stores and outdoors, and of currents and voltages of each phase."""
    return sorted({*_thermometers(catalogue), *_phases(catalogue)})


def _thermometers(catalogue: Catalogue) -> Iterator[str]:
    for point in catalogue.points_of_quantity(Quantity.TEMPERATURE):
        space = catalogue.space.get(catalogue.meter[point.meter].space)
        if space is not None and space.kind in {*ROOMS, SpaceKind.COLD_STORE, SpaceKind.OUTDOORS}:
            yield point.id


def _phases(catalogue: Catalogue) -> Iterator[str]:
    for quantity in (Quantity.CURRENT, Quantity.VOLTAGE):
        yield from (point.id for point in catalogue.points_of_quantity(quantity) if point.channel in PHASES)


def read_levels(store: ReadingStore, catalogue: Catalogue, grid: Grid, now_ms: int, before: Window | None) -> Levels:
    """The last ``LEVEL_H`` hours up to ``now_ms`` of each such point; from the window before what has not changed."""
    points, end = levelled_points(catalogue), grid.row(now_ms)
    first = max(0, end - LEVEL_H)
    edges = grid.edges_ms[first : end + 1]
    if not points or len(edges) <= 1:
        return {}, first
    known = {} if before is None else before.levels
    known_end = 0 if before is None else before.levels_end_ms
    from_row = int(np.searchsorted(edges, known_end - AGAIN_MS)) if known_end else 0
    from_row = min(max(from_row, 0), len(edges) - 1)
    found = {point: _kept(known.get(point), before, edges) for point in points}
    for k in range(0, len(points), POINTS_AT_ONCE):
        read = store.read(points[k : k + POINTS_AT_ONCE], int(edges[from_row]), int(edges[-1]))
        for point, series in read.items():
            found[point][from_row:] = means(series, edges[from_row:])
    return found, first


Levels = tuple["Mapping[str, Floats]", int]
"""Means by point, (hours,), and how many hours of the window lie before them."""


def _kept(old: Floats | None, before: Window | None, edges: Sequence[int] | np.ndarray) -> Floats:
    hours = np.full(len(edges) - 1, np.nan)
    if old is not None and before is not None:
        first = before.edges_ms[before.levels_skipped : before.levels_skipped + len(old)]
        rows = np.searchsorted(edges, first)
        inside = (rows < len(hours)) & (first >= edges[0])
        hours[rows[inside]] = old[inside]
    return hours
