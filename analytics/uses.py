"""What every counter used and what was expected, hour by hour: slid on from the hour before, read where it changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import Occupancy
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.tariffs import Tariffs
from analytics.fits import Fitted, Lesson, Training, fit_here
from analytics.grid import USE_FIELDS, Grid
from analytics.scene import CounterUse, Floats
from analytics.suspicion.trouble import Trouble, without_cases
from facility.quantities import Utility
from stores.counter_rows import counter_tags, one_series

if TYPE_CHECKING:
    from accounting.calendars import SiteCalendar
    from analytics.models import Models
    from analytics.scene import Flags, Window
    from facility.catalogue import Catalogue
    from facility.model import Meter, Point
    from stores.readings.port import ReadingStore, RollupSeries

HISTORY_DAYS = 420
"""More than models train on, so that a window that moves on by an hour leaves their data as it was."""

LOOK_BACK_DAYS = 74
"""What the first expectation follows: five weeks of record, the week that runs, and thirty days before."""

COUNTERS_AT_ONCE = 100
JUST_NOW_MS = 6 * HOUR_MS

NO_LEAKS: tuple[tuple[Trouble, ...], Floats | None] = ((), None)

Learning = Callable[[Training, Sequence[Lesson]], Iterable[list[Fitted]]]


class Uses:
    """Reads the counters of one window, whose hours are ``grid`` and whose first scene is at ``start_ms``."""

    def __init__(
        self, store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar, grid: Grid, start_ms: int,
        temps_c: Mapping[str, Floats],
    ) -> None:  # fmt: skip
        """``temps_c`` are the temperatures outside each building that has any, on the grid."""
        self._store, self._catalogue, self._calendar, self._grid = store, catalogue, calendar, grid
        self._start_ms, self._temps = start_ms, temps_c
        self._skipped = grid.row(start_ms - LOOK_BACK_DAYS * DAY_MS)
        self._how = calendar.local_hours(grid.t_ms).hour_of_week_closed
        self._counters = [(meter, point) for meter, point in accounted(catalogue) if meter.utility is not None]

    def read(
        self, models: Models, before: Window | None, changed_ms: Mapping[str, int] | None, known_ms: int | None,
        learning: Learning | None,
    ) -> dict[str, CounterUse]:  # fmt: skip
        """Every counter that has rows, by point."""
        quantities = self._quantities(before, changed_ms or {}) if before and changed_ms is not None else {}
        fresh = [(meter, point) for meter, point in self._counters if point.id not in quantities]
        starts = {point.id: int(self._grid.edges_ms[self._first(meter.utility)]) for meter, point in fresh}
        quantities |= self._read_from(starts, {})
        if before is not None and changed_ms is not None:
            self._unlearn(models, before, quantities)
        known = [(meter, point) for meter, point in self._counters if point.id in quantities]
        self._learn(models, known, quantities, known_ms, learning or partial(fit_here, self._store))
        return self._with_expectations(models, known, quantities, known_ms)

    def _first(self, utility: Utility | None) -> int:
        """How many hours of the window lie before those of a counter."""
        return 0 if utility is Utility.WATER else self._skipped

    def _quantities(self, before: Window, changed_ms: Mapping[str, int]) -> dict[str, Floats]:
        """Use per hour: of the window before, and read anew from the hour on that was written since."""
        kept = {}
        for meter, point in self._counters:
            if (old := before.uses.get(point.id)) is not None:
                own = self._grid.since(self._first(meter.utility))
                kept[point.id] = own.spread(old.t_ms, old.qty)
        changed = {point: t_ms for point, t_ms in changed_ms.items() if point in kept}
        return kept | self._read_from(changed, kept)

    def _read_from(self, from_ms: Mapping[str, int], kept: Mapping[str, Floats]) -> dict[str, Floats]:
        """Read counters from an hour on, those of about the same hour together."""
        found: dict[str, Floats] = {}
        ordered = sorted(from_ms, key=lambda point: -from_ms[point])
        for k in range(0, len(ordered), COUNTERS_AT_ONCE):
            some = {point: from_ms[point] for point in ordered[k : k + COUNTERS_AT_ONCE]}
            newest = max(some.values())
            near = {point: t_ms for point, t_ms in some.items() if t_ms > newest - JUST_NOW_MS}
            for part in (near, *({point: some[point]} for point in some.keys() - near.keys())):
                found |= self._read_some(part, kept)
        return found

    def _read_some(self, from_ms: Mapping[str, int], kept: Mapping[str, Floats]) -> dict[str, Floats]:
        points = [self._catalogue.point[name] for name in from_ms]
        firsts = {p.id: self._first(self._catalogue.meter[p.meter].utility) for p in points}
        start_ms = max(min(from_ms.values(), default=0), int(self._grid.edges_ms[min(firsts.values(), default=0)]))
        rows: dict[tuple[str, str], list[RollupSeries]] = defaultdict(list)
        some = [{"meter": p.meter, "quantity": p.quantity.word} for p in points]
        for one in self._store.read_rollups("usage_1h", some, start_ms, self._grid.end_ms, USE_FIELDS):
            rows[one.tags["meter"], one.tags["quantity"]].append(one)
        found = {}
        for p in points:
            mine, own = rows.get((p.meter, p.quantity.word)), self._grid.since(firsts[p.id])
            if mine is None and p.id not in kept:
                continue
            fresh = (
                own.measured(one_series(mine, counter_tags(self._catalogue, p))) if mine else np.full(own.hours, np.nan)
            )
            row = own.row(start_ms)
            found[p.id] = np.concatenate([kept[p.id][:row], fresh[row:]]) if p.id in kept else fresh
        return found

    def _unlearn(self, models: Models, before: Window, quantities: Mapping[str, Floats]) -> None:
        """Models that were fitted after an hour that has another use now are fitted again."""
        for point, qty in quantities.items():
            if (old := before.uses.get(point)) is not None:
                own = self._grid.since(len(self._grid.t_ms) - len(qty))
                was = own.spread(old.t_ms, old.qty)
                differs = np.flatnonzero(~((was == qty) | (np.isnan(was) & np.isnan(qty))))
                if len(differs):
                    models.forget_after(point, int(own.edges_ms[differs[0]]))

    def _learn(
        self, models: Models, counters: Sequence[tuple[Meter, Point]], quantities: Mapping[str, Floats],
        known_ms: int | None, learning: Learning,
    ) -> None:  # fmt: skip
        """Fit the models that are missing, with temperatures of all the hours before.

        What knows little is learned anew the next Monday: hence round after round.
        """
        places = {building: k for k, building in enumerate(self._temps)}
        training = Training(self._grid.edges_ms, self._how, tuple(self._temps.values()))
        counters = [(meter, point) for meter, point in counters if meter.utility and models.wants(meter.utility)]
        learned = -1
        while models.learned != learned:
            learned = models.learned
            missing = {
                point.id: self._missing(models, point.id, len(quantities[point.id]), known_ms) for _, point in counters
            }
            lessons = [
                Lesson(point.id, counter_tags(self._catalogue, point), places.get(meter.building), missing[point.id])
                for meter, point in counters
                if missing[point.id]
            ]
            for some in learning(training, lessons) if lessons else ():
                for fitted in some:
                    models.keep(fitted)

    def _missing(self, models: Models, name: str, hours: int, known_ms: int | None) -> tuple[int, ...]:
        """Hours of the grid at which models are due, and are not there, of a counter that has so many hours."""
        skipped = self._grid.hours - hours
        grid = self._grid.since(skipped)
        terms = models.learner(name, grid.t_ms).terms(grid.t_ms, grid.row(self._start_ms), known_ms)
        fits = (one.fit_at for one in terms)
        return tuple(skipped + fit for fit in fits if not models.has(name, int(grid.edges_ms[fit])))

    def _with_expectations(
        self, models: Models, counters: Sequence[tuple[Meter, Point]], quantities: Mapping[str, Floats],
        known_ms: int | None,
    ) -> dict[str, CounterUse]:  # fmt: skip
        """Bands are kept in 32 bits: seven digits of what was expected, of which two or three mean anything."""
        recent = self._grid.since(self._skipped)
        temps = {building: temp[self._skipped :] for building, temp in self._temps.items()}
        how, first = self._how[self._skipped :], recent.row(self._start_ms)
        prices, closed = self._prices(), self._closed()
        uses = {}
        for meter, point in counters:
            assert meter.utility is not None
            skipped, qty = self._first(meter.utility), quantities[point.id]
            temp, y = temps.get(meter.building), qty[self._skipped - skipped :]
            leaks, flow = NO_LEAKS
            if meter.utility is Utility.WATER:
                row = self._grid.since(skipped).row(self._start_ms)
                leaks, flow = models.leaks(point.id, self._grid.t_ms[skipped:], qty, row)
                y = without_cases(qty, leaks, once_raised=True)[self._skipped - skipped :]
            band = models.expectation(point.id, recent.t_ms, how, temp, y, first, known_ms, utility=meter.utility)
            troubles = (*(one.moved(self._skipped - skipped) for one in band.troubles), *leaks)
            columns = band.expected, band.lo, band.hi, band.score if flow is None else flow
            expected, lo, hi, score = (_in_32_bits(column, len(qty)) for column in columns)
            uses[point.id] = CounterUse(
                meter,
                point.id,
                meter.utility,
                self._grid.t_ms[skipped:],
                qty,
                expected,
                lo,
                hi,
                prices[meter.utility, meter.building][skipped:],
                closed[meter.building][skipped:],
                skipped,
                troubles,
                score,
            )
        return uses

    def _prices(self) -> dict[tuple[Utility, str], Floats]:
        """By utility and building, one for all counters there."""
        tariffs, edges = Tariffs(self._catalogue.site, self._calendar), self._grid.edges_ms
        kinds = {(meter.utility, meter.building) for meter, _ in self._counters if meter.utility is not None}
        return {kind: np.nan_to_num(tariffs.price(*kind, edges).unit_prices) for kind in kinds}

    def _closed(self) -> dict[str, Flags]:
        """By building the hours in which nobody works there."""
        local = {b.id: self._calendar.local_hours(self._grid.t_ms, b) for b in self._catalogue.buildings}
        return {building: hours.occ != Occupancy.WORK for building, hours in local.items()}


def accounted(catalogue: Catalogue) -> list[tuple[Meter, Point]]:
    """Every meter with an accounted point, and that point."""
    pairs = ((meter, catalogue.accounted_point(meter)) for meter in catalogue.meters)
    return [(meter, point) for meter, point in pairs if point is not None]


def _in_32_bits(column: Floats, hours: int) -> Floats:
    """The last of so many hours."""
    whole = np.full(hours, np.nan, np.float32)
    whole[hours - len(column) :] = column
    return whole  # type: ignore[return-value] # a float all the same
