"""Writes what was expected, per counter and per building, so that pages can draw today against normal."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from facility.model import MeterRole
from stores.counter_rows import counter_tags
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from analytics.scene import CounterUse, Floats, Window
    from stores.readings.port import ReadingStore

MODEL = 1.0
"""The number of ``towt_recentred`` in the field ``model``."""


def write_bands(store: ReadingStore, window: Window, start_ms: int, end_ms: int) -> None:
    """Write ``baseline_1h`` of every counter and the band of every building from ``start_ms`` to ``end_ms``.

    Of the window's columns (hours,) only the hours of that range are written, and of these only what was expected.
    """
    hours = slice(*np.searchsorted(window.edges_ms, [start_ms, end_ms]).tolist())
    store.write_rollup("baseline_1h", [_counter_band(window, use, hours) for use in window.uses.values()])
    heads = defaultdict(list)
    for use in window.uses.values():
        if use.meter.role is MeterRole.HEAD:
            heads[use.meter.building, use.utility].append(use)
    store.write_rollup("building_1h", [_building_band(window, uses, hours) for uses in heads.values()])


def _counter_band(window: Window, use: CounterUse, hours: slice) -> RollupSeries:
    tags = counter_tags(window.catalogue, window.catalogue.point[use.point])
    fields = {"expected": use.expected, "lo": use.lo, "hi": use.hi, "model": np.full(len(use.expected), MODEL)}
    return _known_rows(window, tags, use, fields, hours)


def _building_band(window: Window, uses: list[CounterUse], hours: slice) -> RollupSeries:
    """Sum of the head meters; their errors are taken as independent."""
    one = uses[0]
    tags = {"site": window.catalogue.site.id, "building": one.meter.building, "utility": one.utility.value}
    expected: Floats = np.sum([use.expected for use in uses], axis=0)
    below = np.sqrt(np.sum([(use.expected - use.lo) ** 2 for use in uses], axis=0))
    above = np.sqrt(np.sum([(use.hi - use.expected) ** 2 for use in uses], axis=0))
    over = np.maximum(0.0, np.sum([use.qty for use in uses], axis=0) - expected)
    fields = {"expected": expected, "lo": expected - below, "hi": expected + above, "excess_cost": over * one.price}
    return _known_rows(window, tags, one, fields, hours)


def _known_rows(
    window: Window, tags: dict[str, str], use: CounterUse, fields: dict[str, Floats], hours: slice
) -> RollupSeries:
    """Rows of the hours that are known; what was expected per hour becomes that of hours as long as they are."""
    known = np.isfinite(fields["expected"][hours])
    lengths = (np.diff(window.edges_ms) / HOUR_MS)[hours][known]
    columns = {
        name: np.asarray(column[hours][known], np.float64) * (1.0 if name == "model" else lengths)
        for name, column in fields.items()
    }
    return RollupSeries(tags, use.t_ms[hours][known], columns)
