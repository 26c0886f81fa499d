"""Writes what was expected, per counter and per building, so that pages can draw today against normal."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from facility.model import MeterRole
from stores.counter_rows import counter_tags
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.scene import CounterUse, Floats, Window
    from stores.readings.port import ReadingStore

ROWS_AT_ONCE = 20_000
NOTHING_EARLIER: Mapping[str, int] = MappingProxyType({})
MODEL = 1.0
"""The number of ``towt_recentred`` in the field ``model``."""


def write_bands(
    store: ReadingStore, window: Window, start_ms: int, end_ms: int, earlier_ms: Mapping[str, int] = NOTHING_EARLIER
) -> None:
    """Write ``baseline_1h`` of every counter and the band of every building from ``start_ms`` to ``end_ms``.

    Of a window's columns only the hours of that range are written, and of these only what was expected. ``earlier_ms``
    are the counters (by point) of which it must be written from an earlier hour on.
    """
    heads = defaultdict(list)
    counters = []
    for use in window.uses.values():
        counters.append((use, (earlier_ms.get(use.point, start_ms), end_ms)))
        if use.meter.role is MeterRole.HEAD:
            heads[use.meter.building, use.utility].append(use)
    _write(store, "baseline_1h", (_counter_band(window, use, span) for use, span in counters))
    spans = ((min(earlier_ms.get(use.point, start_ms) for use in uses), end_ms) for uses in heads.values())
    buildings = (_building_band(window, uses, span) for uses, span in zip(heads.values(), spans, strict=True))
    _write(store, "building_1h", buildings)


def _write(store: ReadingStore, name: str, series: Iterable[RollupSeries]) -> None:
    """Write some at a time: others want to write too."""
    waiting: list[RollupSeries] = []
    for one in series:
        waiting.append(one)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            store.write_rollup(name, waiting)
            waiting = []
    if waiting:
        store.write_rollup(name, waiting)


def _counter_band(window: Window, use: CounterUse, span: tuple[int, int]) -> RollupSeries:
    tags = counter_tags(window.catalogue, window.catalogue.point[use.point])
    fields = {"expected": use.expected, "lo": use.lo, "hi": use.hi, "model": np.full(len(use.expected), MODEL)}
    return _known_rows(window, tags, use, fields, span)


def _building_band(window: Window, uses: list[CounterUse], span: tuple[int, int]) -> RollupSeries:
    """Sum of the head meters; their errors are taken as independent."""
    one = uses[0]
    tags = {"site": window.catalogue.site.id, "building": one.meter.building, "utility": one.utility.value}
    expected: Floats = np.sum([use.expected for use in uses], axis=0, dtype=np.float64)
    below = np.sqrt(np.sum([(use.expected - use.lo) ** 2 for use in uses], axis=0, dtype=np.float64))
    above = np.sqrt(np.sum([(use.hi - use.expected) ** 2 for use in uses], axis=0, dtype=np.float64))
    over = np.maximum(0.0, np.sum([use.qty for use in uses], axis=0) - expected)
    fields = {"expected": expected, "lo": expected - below, "hi": expected + above, "excess_cost": over * one.price}
    return _known_rows(window, tags, one, fields, span)


def _known_rows(
    window: Window, tags: dict[str, str], use: CounterUse, fields: dict[str, Floats], span: tuple[int, int]
) -> RollupSeries:
    """Rows of the hours that are known; what was expected per hour becomes that of hours as long as they are."""
    hours = slice(*np.searchsorted(use.t_ms, span).tolist())
    known = np.isfinite(fields["expected"][hours])
    lengths = (np.diff(window.edges_ms[use.skipped :]) / HOUR_MS)[hours][known]
    columns = {
        name: np.asarray(column[hours][known], np.float64) * (1.0 if name == "model" else lengths)
        for name, column in fields.items()
    }
    return RollupSeries(tags, use.t_ms[hours][known], columns)
