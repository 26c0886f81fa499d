"""Reads everything that detectors need for a stretch of time from the store, once.

Sized by what is looked at: a counter's hours reach back as far as detectors compare, save water, whose flow without a
rest may have begun long before. What models learn from is read where they are fitted (``analytics.fits``). From the
window before this one comes all that has not changed.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.spells import NoSpells
from analytics.grid import Grid, filled
from analytics.heard import points_heard
from analytics.levels import read_levels
from analytics.rollups.outdoors import outdoor_points
from analytics.scene import Window
from analytics.states import States
from analytics.uses import HISTORY_DAYS, Uses
from facility.quantities import GUARDING_STATES
from stores.readings.columns import switches_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accounting.spells import Spell, SpellBook
    from analytics.models import Models
    from analytics.scene import Floats, Times
    from analytics.uses import Learning
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore, Series

SEEN_DAYS = 30
LATE_MS = 6 * HOUR_MS
CHUNK_MS = 7 * DAY_MS


def read_window(
    store: ReadingStore,
    catalogue: Catalogue,
    models: Models,
    start_ms: int,
    end_ms: int,
    *,
    before: Window | None = None,
    named_ms: Mapping[str, int] = MappingProxyType({}),
    changed_ms: Mapping[str, int] | None = None,
    states: Mapping[str, Series] | None = None,
    known_ms: int | None = None,
    learning: Learning | None = None,
    spells: SpellBook | None = None,
) -> Window:
    """Everything for scenes from ``start_ms`` to ``end_ms`` (edges of the site's hours, ms), with the history before.

    From the window ``before`` this one it takes when meters were heard and, where ``changed_ms`` tells from which hour
    on a counter's rows (by point) have been written since, what was used before that. ``states`` of doors and leaks
    are read where they are not given. No model is fitted on hours after ``known_ms``; ``learning`` fits those that are
    missing. ``named_ms`` is since when the estate has each meter; ``spells`` are what accounting found of registers.
    """
    calendar = SiteCalendar(catalogue.site)
    grid = Grid(calendar.hour_edges(start_ms - HISTORY_DAYS * DAY_MS, end_ms))
    seen_from_ms = start_ms - SEEN_DAYS * DAY_MS
    uses = Uses(store, catalogue, calendar, grid, start_ms, _read_outdoors(store, catalogue, grid))
    if states is None:
        states = read_states(store, catalogue, start_ms, grid.end_ms)
    seen_skipped = max(grid.row(seen_from_ms + 1) - 1, 0)
    levels, levels_skipped = read_levels(store, catalogue, grid, known_ms or start_ms, before)
    return Window(
        catalogue=catalogue,
        edges_ms=grid.edges_ms,
        uses=uses.read(models, before, changed_ms, known_ms, learning),
        seen_ms=_read_seen(store, catalogue, grid.since(seen_skipped), seen_from_ms, before),
        states=states,
        open_hours={b.id: ~calendar.armed(grid.t_ms, b) for b in catalogue.buildings},
        named_ms=named_ms,
        seen_from_ms=seen_from_ms if before is None else min(seen_from_ms, before.seen_from_ms),
        seen_skipped=seen_skipped,
        levels=levels,
        levels_skipped=levels_skipped,
        spells=_spells(spells or NoSpells(), catalogue),
    )


def _spells(book: SpellBook, catalogue: Catalogue) -> dict[str, Sequence[Spell]]:
    """Of the counters that have any: nearly all have none."""
    return {point: found for point, found in book.of_each([one.id for one in catalogue.counters]).items() if found}


def _read_seen(
    store: ReadingStore, catalogue: Catalogue, grid: Grid, from_ms: int, before: Window | None
) -> dict[str, Times]:
    """Per meter: time of the newest reading up to the end of each hour."""
    chosen = points_heard(catalogue)
    seen = {meter: np.zeros(grid.hours, np.int64) for meter in chosen}
    if before is not None:
        skipped = int(np.searchsorted(before.edges_ms, grid.start_ms)) - before.seen_skipped
        for meter, known in before.seen_ms.items():
            kept = known[max(skipped, 0) :][: grid.hours]
            begin = max(-skipped, 0)
            seen[meter][begin : begin + len(kept)] = kept[: grid.hours - begin]
        newest = max((int(times.max()) for times in before.seen_ms.values()), default=0)
        from_ms = max(from_ms, newest - LATE_MS)
    step_ms = int(np.gcd.reduce(grid.edges_ms))  # no edge lies within a step
    for start in range(max(from_ms, grid.start_ms), grid.end_ms, CHUNK_MS):
        chunk = store.newest_times(list(chosen.values()), start, min(start + CHUNK_MS, grid.end_ms), step_ms)
        for meter, point in chosen.items():
            t_ms = chunk[point]
            np.maximum.at(seen[meter], np.searchsorted(grid.edges_ms, t_ms, side="right") - 1, t_ms)
    return {meter: np.maximum.accumulate(times) for meter, times in seen.items()}


def read_states(store: ReadingStore, catalogue: Catalogue, start_ms: int, end_ms: int) -> dict[str, Series]:
    """Readings with which doors and leak sensors changed, back to when they were last at rest before the start."""
    points = watched_points(catalogue)
    before = States(store, points)
    before.read(start_ms - DAY_MS)  # which looks a day ahead
    found = dict(before.known)
    for start in range(start_ms, end_ms, CHUNK_MS):
        chunk = store.read_switches(points, start, min(start + CHUNK_MS, end_ms))
        found = {point: switches_of([found[point], chunk[point]]) for point in points}
    return found


def watched_points(catalogue: Catalogue) -> list[str]:
    """Ids of doors and leak sensors."""
    return [point.id for quantity in GUARDING_STATES for point in catalogue.points_of_quantity(quantity)]


def blind_window(catalogue: Catalogue, now_ms: int) -> Window:
    """What can be known of the last days without any store: when buildings were open."""
    calendar = SiteCalendar(catalogue.site)
    edges_ms = calendar.hour_edges(now_ms - SEEN_DAYS * DAY_MS, now_ms + 1)
    open_hours = {b.id: ~calendar.armed(edges_ms[:-1], b) for b in catalogue.buildings}
    return Window(catalogue, edges_ms, {}, {}, {}, open_hours)


def _read_outdoors(store: ReadingStore, catalogue: Catalogue, grid: Grid) -> dict[str, Floats]:
    """Building → hourly outdoor temperature, gaps filled; nothing for a building whose thermometer never spoke."""
    found: dict[str, Floats] = {}
    some = [{"building": building} for building in outdoor_points(catalogue)]
    for one in store.read_rollups("building_1h", some, grid.start_ms, grid.end_ms, ["t_out"]) if some else ():
        building = one.tags["building"]
        if building not in found and np.isfinite(one.fields["t_out"]).any():
            found[building] = filled(grid.spread(one.t_ms, one.fields["t_out"]))
    return found
