"""Reads everything that detectors need for a stretch of time from the store, once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import Occupancy, SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS, rows_among
from accounting.tariffs import Tariffs
from analytics.scene import CounterUse, Window
from facility.quantities import Quantity
from stores.counter_rows import counter_tags, one_series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.models import Models
    from analytics.scene import Floats, Times
    from facility.catalogue import Catalogue
    from facility.model import Meter, Point
    from stores.readings.port import ReadingStore, RollupSeries, Series

HISTORY_DAYS = 420
"""More than models train on, so that a window that moves on by an hour leaves their data as it was."""

SEEN_DAYS = 30
LATE_MS = 6 * HOUR_MS
CHUNK_MS = 7 * DAY_MS
MIN_COMPLETENESS = 0.99
WATCHED_STATES = (Quantity.DOOR_OPEN, Quantity.LEAK)


@dataclass(frozen=True, slots=True)
class _Grid:
    """The site's hours, between edges (hours + 1,), ms UTC."""

    edges_ms: Times

    @property
    def hours(self) -> int:
        """How many hours there are."""
        return len(self.edges_ms) - 1

    @property
    def t_ms(self) -> Times:
        """Start of each hour, (hours,), ms UTC."""
        return self.edges_ms[:-1]

    @property
    def start_ms(self) -> int:
        """Start of the first hour."""
        return int(self.edges_ms[0])

    @property
    def end_ms(self) -> int:
        """End of the last hour."""
        return int(self.edges_ms[-1])

    @property
    def lengths(self) -> Floats:
        """How long each hour is, in hours, (hours,)."""
        return np.diff(self.edges_ms) / HOUR_MS

    def spread(self, t_ms: Times, x: Floats) -> Floats:
        """Values (n,) at hour starts, ms UTC, on the whole grid (hours,), NaN elsewhere."""
        on_grid = np.full(self.hours, np.nan)
        hours, known = rows_among(self.edges_ms, t_ms)
        on_grid[hours] = x[known]
        return on_grid


def read_window(
    store: ReadingStore,
    catalogue: Catalogue,
    models: Models,
    start_ms: int,
    end_ms: int,
    *,
    before: Window | None = None,
    named_ms: Mapping[str, int] = MappingProxyType({}),
) -> Window:
    """Everything for scenes from ``start_ms`` to ``end_ms`` (edges of the site's hours, ms), with the history before.

    From the window ``before`` this one it takes when meters were heard, so that a month of readings every ten seconds
    is not read again every hour. ``named_ms`` is since when the estate has each meter.
    """
    calendar = SiteCalendar(catalogue.site)
    grid = _Grid(calendar.hour_edges(start_ms - HISTORY_DAYS * DAY_MS, end_ms))
    first = int(np.searchsorted(grid.t_ms, start_ms))
    seen_from_ms = start_ms - SEEN_DAYS * DAY_MS
    occ = {b.id: calendar.local_hours(grid.t_ms, b).occ for b in catalogue.buildings}
    return Window(
        catalogue=catalogue,
        edges_ms=grid.edges_ms,
        uses=_read_uses(store, catalogue, models, grid, first, calendar, occ),
        seen_ms=_read_seen(store, catalogue, grid, seen_from_ms, before),
        states=read_states(store, catalogue, start_ms - SEEN_DAYS * DAY_MS, grid.end_ms),
        open_hours={b.id: ~calendar.armed(grid.t_ms, b) for b in catalogue.buildings},
        named_ms=named_ms,
        seen_from_ms=seen_from_ms if before is None else min(seen_from_ms, before.seen_from_ms),
    )


def _read_uses(
    store: ReadingStore,
    catalogue: Catalogue,
    models: Models,
    grid: _Grid,
    first: int,
    calendar: SiteCalendar,
    occ: dict[str, Times],
) -> dict[str, CounterUse]:
    outdoors = _read_outdoors(store, grid)
    how = calendar.local_hours(grid.t_ms).hour_of_week_closed
    rows = store.read_rollup("usage_1h", {}, grid.start_ms, grid.end_ms, ["qty", "completeness"])
    found = defaultdict(list)
    for one in rows:
        found[one.tags["meter"], one.tags["quantity"]].append(one)
    uses = {}
    tariffs = Tariffs(catalogue.site, calendar)
    for meter, point in _accounted(catalogue):
        stored = found.get((meter.id, point.quantity.word))
        if stored is None or meter.utility is None:
            continue
        series = one_series(stored, counter_tags(catalogue, point))
        qty = grid.spread(series.t_ms, _measured(series)) / grid.lengths
        band = models.expectation(point.id, grid.t_ms, how, outdoors.get(meter.building), qty, first)
        price = tariffs.price(meter.utility, meter.building, grid.edges_ms).unit_prices
        closed = occ[meter.building] != Occupancy.WORK
        uses[point.id] = CounterUse(
            meter,
            point.id,
            meter.utility,
            grid.t_ms,
            qty,
            band.expected,
            band.lo,
            band.hi,
            np.nan_to_num(price),
            closed,
        )
    return uses


def _accounted(catalogue: Catalogue) -> list[tuple[Meter, Point]]:
    pairs = ((meter, catalogue.accounted_point(meter)) for meter in catalogue.meters)
    return [(meter, point) for meter, point in pairs if point is not None]


def _measured(series: RollupSeries) -> Floats:
    """Use of hours that were measured; what was spread over a silence teaches nothing."""
    qty, completeness = series.fields["qty"], series.fields["completeness"]
    return np.where(completeness >= MIN_COMPLETENESS, qty, np.nan)


def _read_seen(
    store: ReadingStore, catalogue: Catalogue, grid: _Grid, from_ms: int, before: Window | None
) -> dict[str, Times]:
    """Per meter: time of the newest reading up to the end of each hour."""
    chosen = {m.id: points[0].id for m in catalogue.meters if (points := catalogue.points_of(m.id))}
    chosen |= {meter.id: point.id for meter, point in _accounted(catalogue)}
    seen = {meter: np.zeros(grid.hours, np.int64) for meter in chosen}
    if before is not None:
        skipped = int(np.searchsorted(before.edges_ms, grid.start_ms))
        for meter, known in before.seen_ms.items():
            kept = known[skipped:][: grid.hours]
            seen[meter][: len(kept)] = kept
        newest = max((int(times.max()) for times in before.seen_ms.values()), default=0)
        from_ms = max(from_ms, newest - LATE_MS)
    for start in range(max(from_ms, grid.start_ms), grid.end_ms, CHUNK_MS):
        chunk = store.read(list(chosen.values()), start, min(start + CHUNK_MS, grid.end_ms))
        for meter, point in chosen.items():
            t_ms = chunk[point].t_ms
            np.maximum.at(seen[meter], np.searchsorted(grid.edges_ms, t_ms, side="right") - 1, t_ms)
    return {meter: np.maximum.accumulate(times) for meter, times in seen.items()}


def read_states(store: ReadingStore, catalogue: Catalogue, start_ms: int, end_ms: int) -> dict[str, Series]:
    """Readings of doors and leak sensors."""
    return store.read(watched_points(catalogue), start_ms, end_ms)


def watched_points(catalogue: Catalogue) -> list[str]:
    """Ids of doors and leak sensors."""
    return [point.id for quantity in WATCHED_STATES for point in catalogue.points_of_quantity(quantity)]


def blind_window(catalogue: Catalogue, now_ms: int) -> Window:
    """What can be known of the last days without any store: when buildings were open."""
    calendar = SiteCalendar(catalogue.site)
    edges_ms = calendar.hour_edges(now_ms - SEEN_DAYS * DAY_MS, now_ms + 1)
    open_hours = {b.id: calendar.local_hours(edges_ms[:-1], b).occ == Occupancy.WORK for b in catalogue.buildings}
    return Window(catalogue, edges_ms, {}, {}, {}, open_hours)


def _read_outdoors(store: ReadingStore, grid: _Grid) -> dict[str, Floats]:
    """Building → hourly outdoor temperature, gaps filled; nothing for a building whose thermometer never spoke."""
    found: dict[str, Floats] = {}
    for one in store.read_rollup("building_1h", {}, grid.start_ms, grid.end_ms, ["t_out"]):
        building = one.tags["building"]
        if building not in found and np.isfinite(one.fields["t_out"]).any():
            found[building] = filled(grid.spread(one.t_ms, one.fields["t_out"]))
    return found


def filled(temp_c: Floats) -> Floats:
    """Hours (n,) in °C: a missing one is that of the newest day before which has it, else the first known."""
    whole = temp_c.copy()
    for day in range(24, len(whole), 24):
        here, before = whole[day : day + 24], whole[day - 24 : day]
        missing = ~np.isfinite(here)
        here[missing] = before[: len(here)][missing]
    known = np.flatnonzero(np.isfinite(whole))
    return np.where(np.isfinite(whole), whole, whole[known[0]])
