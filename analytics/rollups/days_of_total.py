"""The days of one building's total in a span: what follows from their stored hours, and from the days around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.indicators import NIGHT_HOURS, REFERENCE_NIGHTS, degree_days, night_minimum, night_reference, year_sums
from accounting.local_time import DAY_MS, HOUR_MS, rows_among
from analytics.rollups.days import SURELY
from facility.quantities import Utility
from stores.readings.port import RollupSeries
from stores.readings.rollup_fields import PROFILE_HOURS

if TYPE_CHECKING:
    from accounting.arrays import Bools
    from accounting.calendars import SiteCalendar
    from stores.readings.port import Times, Values

Span = tuple[int, int]
Columns = dict[str, "Values"]

_LITRES = 1000.0


class DaysOfTotal:
    """The days of one total in a span, their hours as stored, and the days around them."""

    def __init__(
        self, calendar: SiteCalendar, utility: Utility, span: Span, hours: RollupSeries, stored: RollupSeries
    ) -> None:
        self._calendar, self.utility, self.span = calendar, utility, span
        self.stored = _at_days(calendar, stored)
        self._edges = calendar.day_edges(*span)
        self._grid = calendar.hour_edges(*span)
        self._starts = np.searchsorted(self._grid, self._edges[:-1])
        self._lengths = np.diff(self._grid) / HOUR_MS
        rows, there = rows_among(self._grid, hours.t_ms)
        self._hours: Columns = {}
        for name, column in hours.fields.items():
            self._hours[name] = np.full(len(self._grid) - 1, np.nan)
            self._hours[name][rows] = column[there]
        self._there = np.isin(self._edges[:-1], self.stored.t_ms)
        self._numbers = calendar.local_days(self.stored.t_ms)

    @property
    def days(self) -> Times:
        """The instants at which the days (d,) of the span begin."""
        return self._edges[:-1]

    def of_hours(self) -> Columns:
        """Fields of the days (d,) that follow from their own hours."""
        qty, t_out = self._hours["qty"], self._hours["t_out"]
        share = np.nan_to_num(self._hours["completeness"]) + np.nan_to_num(self._hours["estimated"])
        is_known = ~np.isnan(qty)
        columns: Columns = {}
        for name in ("expected", "lo", "hi"):
            columns[name] = self._sums(np.where(is_known, self._hours[name] * np.minimum(share, 1.0), 0.0), is_known)
        columns["excess_cost"] = self._sums(np.where(is_known, self._hours["excess_cost"], 0.0), is_known)
        mean = np.add.reduceat(t_out * self._lengths, self._starts) / np.add.reduceat(self._lengths, self._starts)
        columns["hdd"], columns["cdd"] = degree_days(mean)
        columns["heads"] = np.fmax.reduceat(self._hours["heads"], self._starts)
        columns["heads_known"] = np.fmin.reduceat(self._hours["heads_known"], self._starts)
        if self.utility is Utility.WATER:
            columns["mnf_lph"] = self._night_flow(qty)
        return columns

    def known_use(self) -> Values:
        """Use of the days (d,) that are known as a whole, NaN elsewhere."""
        use = np.full(len(self._edges) - 1, np.nan)
        rows, there = rows_among(self._edges, self.stored.t_ms)
        use[rows] = np.where(is_whole(self.stored), self.stored.fields["qty"], np.nan)[there]
        return use

    def year_sums(self) -> Values:
        """Use in twelve months, of each stored day."""
        return year_sums(self._numbers, self.stored.fields["qty"], is_whole(self.stored))

    def night_reference(self, fresh: Values) -> Values:
        """What nights before lead to expect, of each stored day; ``fresh`` are the minima of the days (d,)."""
        minimum = self.stored.fields["mnf_lph"].copy()
        rows, there = rows_among(self._edges, self.stored.t_ms)
        minimum[there] = fresh[rows]
        near = (self.stored.t_ms >= self.span[0] - (REFERENCE_NIGHTS + 1) * DAY_MS) & (
            self.stored.t_ms < self.span[1] + (REFERENCE_NIGHTS + 1) * DAY_MS
        )
        reference = np.full(len(minimum), np.nan)
        reference[near] = night_reference(self._numbers[near], minimum[near])
        return reference

    def written(self, tags: dict[str, str], columns: Columns) -> RollupSeries:
        """The days that have a row."""
        kept = self._there
        return RollupSeries(tags, self._edges[:-1][kept], {name: one[kept] for name, one in columns.items()})

    def profile(self, tags: dict[str, str]) -> RollupSeries:
        """The days by the hours of the clock, stamped at their end. An hour that comes twice holds the use of both."""
        hour = self._calendar.local_hours(self._grid[:-1]).hour
        day = np.repeat(np.arange(len(self._starts)), np.diff(np.append(self._starts, len(hour))))
        qty, expected = (self._by_clock(self._hours[name], day, hour) for name in ("qty", "expected"))
        ratio = np.divide(qty, expected, out=np.full(qty.shape, np.nan), where=expected > 0)
        kept = self._there
        fields = {
            f"{what}_{name}": table[kept, k]
            for what, table in (("qty", qty), ("ratio", ratio))
            for k, name in enumerate(PROFILE_HOURS)
        }
        return RollupSeries(tags, self._edges[1:][kept], fields)

    def _by_clock(self, column: Values, day: Times, hour: Times) -> Values:
        """Hours (n,) summed into a table (d, 24); NaN where an hour is not known or does not come."""
        table, count = np.zeros((len(self._starts), 24)), np.zeros((len(self._starts), 24))
        np.add.at(table, (day, hour), column)
        np.add.at(count, (day, hour), 1)
        return np.where(count > 0, table, np.nan)

    def _sums(self, column: Values, is_known: Bools) -> Values:
        """Sums of the days (d,); NaN where one of the hours is, or none is known."""
        return np.where(np.logical_or.reduceat(is_known, self._starts), np.add.reduceat(column, self._starts), np.nan)

    def _night_flow(self, qty: Values) -> Values:
        """The minimum night flow (L/h) of the days, (d,): every hour of the night must have been measured."""
        flow = np.where(self._hours["completeness"] >= SURELY, qty * _LITRES / self._lengths, np.nan)
        is_night = np.isin(self._calendar.local_hours(self._grid[:-1]).hour, NIGHT_HOURS)
        return night_minimum(flow, is_night, self._starts)


def _at_days(calendar: SiteCalendar, days: RollupSeries) -> RollupSeries:
    """Without rows that were stored by other clocks."""
    _, there = rows_among(calendar.day_edges(int(days.t_ms[0]), int(days.t_ms[-1]) + 1), days.t_ms)
    return RollupSeries(days.tags, days.t_ms[there], {name: one[there] for name, one in days.fields.items()})


def is_whole(days: RollupSeries) -> Bools:
    """Of which days the use is known for all of their time, (n,)."""
    known = np.nan_to_num(days.fields["completeness"]) + np.nan_to_num(days.fields["estimated"])
    whole: Bools = (known >= SURELY) & ~np.isnan(days.fields["qty"])
    return whole
