"""Keeps hourly and daily use true: whatever was written, late or twice, its hours and days are computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import HOUR_MS
from accounting.spells import SpellsInMemory
from analytics.rollups.changed import ChangedHours
from analytics.rollups.closing import Adjusting, OpenBooks, Unfinished, difference, open_runs
from analytics.rollups.costs import Costs
from analytics.rollups.days import base_use, complete, daily, day_shares
from analytics.rollups.derived_days import DerivedDays
from analytics.rollups.filled import HOURLY, PLAIN, filled
from analytics.rollups.hours import CounterHours, HourlyUse
from analytics.rollups.one_pass import MOST_MS, OnePass, SpellsOfPass
from analytics.rollups.outdoors import outdoor_points, write_outdoors
from analytics.rollups.retagging import Retagging
from analytics.rollups.strays import tidy
from analytics.rollups.totals import (
    SHARES,
    Total,
    covering,
    heads_beside,
    peaks,
    shares_of_heads,
    side_by_side,
    together,
    totals_of,
    worst_of,
)
from analytics.scene import instant
from facility.quantities import ACCOUNTED, Utility
from stores.counter_rows import counter_tags
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS
from stores.records.accounting.closed_months import LATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from accounting.spells import SpellBook
    from analytics.rollups.closing import Books
    from analytics.rollups.totals import Shares
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Times, Values

_Names = tuple[str, str]
_COUNTER: _Names = ("usage_1h", "usage_1d")
_BUILDING: _Names = ("building_1h", "building_1d")
"""Hours, and the days that are made of them."""


class RollupWriter:
    """Writes ``usage_1h``, ``usage_1d``, ``building_1h`` and ``building_1d``, only the fields that are its own."""

    def __init__(
        self,
        store: ReadingStore,
        catalogue: Catalogue,
        books: Books | None = None,
        spells: SpellBook | None = None,
    ) -> None:
        """Without ``books`` no month was ever closed; without ``spells`` they are remembered for this writer alone."""
        self._store, self._catalogue, self._books = OnePass(store), catalogue, books or OpenBooks()
        self._adjusting = Adjusting(OpenBooks(), instant(0), "")
        self._calendar = SiteCalendar(catalogue.site)
        self._unfinished = Unfinished(self._books, self._calendar)
        self._costs = Costs(catalogue.site, self._calendar)
        self._spells = SpellsOfPass(SpellsInMemory() if spells is None else spells)
        self._hours = CounterHours(self._store, catalogue, self._calendar, self._spells, lambda: self._adjusting.closed)
        self._outdoors = outdoor_points(catalogue)
        self._thermometers = frozenset(point.id for point in self._outdoors.values())
        self._totals = totals_of(catalogue)
        self._changed = ChangedHours()
        self._retagging = Retagging(self._store, self._calendar, self._totals)
        self.derived = DerivedDays(store, catalogue, self._calendar)

    def update(
        self, ranges: Mapping[str, tuple[int, int]], *, reason: str = LATE, now_ms: int | None = None,
        beside: Callable[[ReadingStore], None] | None = None,
    ) -> None:  # fmt: skip
        """Recompute what readings in these ranges touch: point id → first and last time in ms, both included.

        Idempotent. Unknown points, and counters of no utility, are passed over. Closed months are not written;
        what they turn out to be more or less is entered with the reason, at ``now_ms`` (the newest time if None).
        What is done ``beside`` sees what was read for these counters, and is written in the same step.
        """
        newest_ms = max((last for _, last in ranges.values()), default=0)
        self._adjusting = Adjusting(self._books, instant(newest_ms if now_ms is None else now_ms), reason)
        try:
            self._begin({point.id: ranges[point.id] for point in self._accounted(ranges)}, newest_ms)
            self._compute(ranges)
            if beside is not None:
                beside(self._store)
            self._store.flush()
            self.derived.settle(now_ms)
            self._changed.publish()
            self._spells.enter()
            self._adjusting.enter()
            self._unfinished.settle()
        finally:
            self._store.end()
            self._spells.end()

    def _begin(self, counters: Mapping[str, tuple[int, int]], newest_ms: int) -> None:
        """Read ahead what computing these counters needs, save where their stretches are long or of long ago."""
        self._store.begin(counters)
        self._spells.begin(list(counters))
        near_ms = max(min((first for first, _ in counters.values()), default=newest_ms), newest_ms - MOST_MS)
        days = self._calendar.day_edges(near_ms - HOUR_MS, newest_ms + HOUR_MS)
        span = int(days[0]), int(days[-1])
        tags = [counter_tags(self._catalogue, self._catalogue.point[point]) for point in counters]
        totals = [
            self._total_tags(total) for total, heads in self._totals.items() if any(h.id in counters for h in heads)
        ]
        fields = HOURLY if any(self._has_periods(one) for one in tags) else PLAIN
        self._store.read_ahead(_COUNTER[0], tags, span, fields)
        self._store.read_ahead(_BUILDING[0], totals, span, fields)

    def _has_periods(self, tags: Mapping[str, str]) -> bool:
        return self._costs.has_periods(Utility(tags["utility"]), tags["building"])

    def _compute(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        changed: dict[str, list[HourlyUse]] = {}
        for point in self._accounted(ranges):
            changed[point.id] = self._update_counter(point, *ranges[point.id])
        for total, heads in self._totals.items():
            touched = [use for head in heads for use in changed.get(head.id, ())]
            for uses in side_by_side(touched):
                self._write_total(total, {head: changed.get(head.id, ()) for head in heads}, uses)
        for thermometer in dict.fromkeys(self._outdoors.values()):
            if thermometer.id in ranges:
                totals = [t for t in self._totals if self._outdoors[t[0]] == thermometer]
                write_outdoors(
                    self._store, self._calendar, thermometer, ranges[thermometer.id], map(self._total_tags, totals)
                )
                for building, utility in totals:
                    self.derived.note(building, utility, *ranges[thermometer.id])
        self._adjust_just_closed()

    def take_changed(self) -> dict[str, int]:
        """Counters whose hours were written since this was asked last: point id → the earliest of them, ms UTC."""
        return self._changed.take()

    def is_kept(self, point: str) -> bool:
        """Whether rollups are made of a point: of a counter whose figures are kept, or an outdoor thermometer."""
        return point in self._thermometers or next(self._accounted([point]), None) is not None

    def retag(self, points: Iterable[str], start_ms: int, end_ms: int) -> None:
        """After the registry changed what these counters are for or where: leave no row under older tags or clocks."""
        closed, totals = self._books.closed(), set()
        for point in self._accounted(points):
            tags = counter_tags(self._catalogue, point)
            self._retagging.bring(tags, start_ms, end_ms, closed)
            totals.add((tags["building"], tags["utility"]))
            self._tidy(_COUNTER, tags, start_ms, end_ms, closed)
        for building, utility in totals:
            total = self._total_tags((building, Utility(utility)))
            self._tidy((*_BUILDING, "profile_day"), total, start_ms, end_ms, closed)

    def _tidy(
        self, names: Iterable[str], tags: dict[str, str], start_ms: int, end_ms: int, closed: frozenset[tuple[str, str]]
    ) -> None:
        unstated = () if self._costs.has_factor(Utility(tags["utility"])) else ("co2",)
        tidy(self._store, self._calendar, names, tags, start_ms, end_ms, closed, unstated)

    def _update_counter(self, point: Point, first_ms: int, last_ms: int) -> list[HourlyUse]:
        """Write the hours touched, then those of later silences, which are spread by what was measured before them."""
        uses = [self._hours.touched(point, first_ms, last_ms)]
        self._write_meter(point, uses[0])
        for t_ms in self._hours.gaps_after(point, int(uses[0].edges_ms[-1])):
            if len(uses) == 1 or t_ms >= uses[-1].edges_ms[-1] - 1:  # else the hours just done reach over it
                uses.append(self._hours.touched(point, t_ms, t_ms))
                self._write_meter(point, uses[-1])
        return uses

    def _accounted(self, names: Iterable[str]) -> Iterator[Point]:
        """The counters whose figures are kept, among some points."""
        known = self._catalogue.point
        return (known[name] for name in names if name in known and self._is_accounted(known[name]))

    def _is_accounted(self, point: Point) -> bool:
        first = self._catalogue.find_point(point.meter, point.quantity)
        return point.quantity.is_counter and first == point and self._catalogue.utility_of(point) is not None

    def _write_meter(self, point: Point, use: HourlyUse) -> None:
        utility = self._catalogue.utility_of(point)
        assert utility is not None
        tags = counter_tags(self._catalogue, point)
        hours = self._meter_fields(point, utility, use)
        runs, shut = open_runs(self._calendar, self._adjusting.closed, tags["building"], use.edges_ms)
        self._changed.note(point.id, int(use.edges_ms[0]))
        if ACCOUNTED[utility] is point.quantity:
            self.derived.note(tags["building"], utility, int(use.edges_ms[0]), int(use.edges_ms[-1]) - 1)
        for run in runs:
            self._write(_COUNTER, tags, use.edges_ms[run.start : run.stop + 1], _cut(hours, run), [])
        for month in shut:
            self._adjust(point, month)

    def _meter_fields(self, point: Point, utility: Utility, use: HourlyUse) -> dict[str, Values]:
        hours = self._hour_fields(utility, use, complete(use.completeness))
        if ACCOUNTED[utility] is point.quantity:
            hours |= self._costs.of(utility, self._catalogue.meter[point.meter].building, use)
        return hours

    def _adjust(self, point: Point, month: str) -> None:
        """Compute a closed month anew and note the days on which it is more or less.

        All of it: a silence is spread by the weeks before it, and these must not depend on what was touched. One that
        is not over yet waits until it is.
        """
        tags = counter_tags(self._catalogue, point)
        if self._unfinished.waits(tags["building"], month, self._adjusting.at):
            return
        start_ms, end_ms = self._calendar.month_edges(month)
        days = self._calendar.day_edges(start_ms, end_ms)
        grid = self._calendar.hour_edges(start_ms, end_ms)
        fields = self._meter_fields(point, Utility(tags["utility"]), self._hours.between(point, grid))
        occ = np.zeros(len(grid) - 1, np.int64)
        fresh = daily({name: column for name, column in fields.items() if name in HOURLY}, occ, grid, days)
        found = difference(self._store, self._books, tags, month, days, fresh, self._calendar)
        self._adjusting.note(tags, month, found)

    def _adjust_just_closed(self) -> None:
        """Compare months closed since the last pass by their head meters, and those that are over since by all."""
        just, over = self._unfinished.just_closed(), self._unfinished.just_over(self._adjusting.at)
        heads = (point for points in self._totals.values() for point in points)
        for points, months in ((heads, just), (self._accounted(self._catalogue.point), over)):
            for point in points if months else ():
                place = self._catalogue.meter[point.meter].building
                for month in (month for building, month in months if building == place):
                    self._adjust(point, month)

    def _write_total(self, total: Total, fresh: Mapping[Point, Sequence[HourlyUse]], touched: list[HourlyUse]) -> None:
        """``fresh`` are the hours of each head meter that were just computed."""
        heads = tuple(fresh)
        first, last = min(int(u.edges_ms[0]) for u in touched), max(int(u.edges_ms[-1]) for u in touched)
        edges = self._calendar.hour_edges(first, last)
        uses = [covering(edges, known) or self._hours.between(head, edges) for head, known in fresh.items()]
        both = together(edges, uses)
        whole: Values = np.min([complete(use.completeness) for use in uses], axis=0)
        hours = self._hour_fields(total[1], both, whole) | self._costs.of(total[1], total[0], both)
        hours |= heads_beside(edges, uses, with_peaks=total[1].unit == "kWh")
        for run in open_runs(self._calendar, self._adjusting.closed, total[0], edges)[0]:
            here, shares = edges[run.start : run.stop + 1], shares_of_heads(self._catalogue, heads, uses, run)
            self._write(_BUILDING, self._total_tags(total), here, _cut(hours, run), shares)

    def _total_tags(self, total: Total) -> dict[str, str]:
        building, utility = total
        return {"site": self._catalogue.site.id, "building": building, "utility": utility.value}

    def _hour_fields(self, utility: Utility, use: HourlyUse, whole: Values) -> dict[str, Values]:
        fields = {
            "qty": use.qty,
            "est_qty": use.est_qty,
            "completeness": use.completeness,
            "estimated": use.estimated,
            "complete": whole,
        }
        if utility.unit == "kWh":
            fields |= peaks(use.measured_quarters, use.edges_ms)
        return fields

    def _write(
        self, names: _Names, tags: dict[str, str], edges_ms: Times, fields: dict[str, Values], heads: list[Shares]
    ) -> None:
        """Write the hours between the edges, then the local days that hold them; of ``heads`` the worst shares."""
        of_hours, of_days = names
        building = self._catalogue.building[tags["building"]]
        days = self._calendar.day_edges(int(edges_ms[0]), int(edges_ms[-1]))
        grid = self._calendar.hour_edges(int(days[0]), int(days[-1]))
        occ = self._calendar.local_hours(grid[:-1], building).occ
        here = slice(*np.searchsorted(grid, edges_ms[[0, -1]]))
        fields["occ"] = occ[here].astype(np.float64)
        self._store.write_rollup(of_hours, [RollupSeries(tags, edges_ms[:-1], fields)])
        hours = filled(self._store, of_hours, tags, grid, edges_ms, fields)
        by_day = daily(hours, occ, grid, days)
        if heads:
            of_each = [filled(self._store, _COUNTER[0], own, grid, edges_ms, shares) for own, shares in heads]
            worst = worst_of([day_shares(hours_of, grid, days) for hours_of in of_each])
            by_day |= dict(zip(SHARES, worst, strict=True), complete=complete(worst[0]))
        if "base_qty" in ROLLUPS[of_days].types:
            by_day["base_qty"] = base_use(hours["qty"], grid, days)
        self._store.write_rollup(of_days, [RollupSeries(tags, days[:-1], by_day)])


def _cut(fields: dict[str, Values], rows: slice) -> dict[str, Values]:
    return {name: column[rows] for name, column in fields.items()}
