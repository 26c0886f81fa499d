"""What a building's days tell beside use and cost, made of stored hours and days: any of it can be made again.

Of each day: what was expected of the hours that are known, degree days, the minimum night flow, what sub-meters do not
have, the use per area of twelve months, and its profile by the hours of the clock.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from accounting.indicators import rating
from accounting.local_time import DAY_MS, rows_among
from analytics.rollups.days_of_total import DaysOfTotal, is_whole
from analytics.rollups.stated_days import StatedDays
from analytics.rollups.totals import totals_of
from facility.model import MeterRole
from facility.quantities import Utility
from stores.counter_rows import counter_tags
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accounting.calendars import SiteCalendar
    from analytics.rollups.days_of_total import Columns, Span
    from analytics.rollups.totals import Total
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore, Values

AT_ONCE, DAYS_AT_ONCE = 50, 31
"""So many totals over so many days are read together, fewer over longer times."""

YEAR_MS = 366 * DAY_MS
_HOURS = ("qty", "completeness", "estimated", "expected", "lo", "hi", "excess_cost", "t_out", "heads", "heads_known")
_DAYS = ("qty", "completeness", "estimated", "mnf_lph")


class DerivedDays:
    """Any thread may ask for an update: what is written last was made of all that was stored by then.

    One thread notes what it writes and settles it once that is stored.
    """

    def __init__(self, store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar) -> None:
        self._store, self._catalogue, self._calendar = store, catalogue, calendar
        self._lock, self._is_caught_up = Lock(), False
        self._stated = StatedDays(store, catalogue, calendar)
        self._typical = {(one.use.value, one.utility): one.kwh_per_m2 for one in catalogue.site.typical_use}
        self._noted: dict[Total, Span] = {}
        self._subs = {
            (building.id, utility): subs
            for building in catalogue.buildings
            for utility in Utility
            if (subs := _sub_counters(catalogue, building.id, utility))
        }

    def note(self, building: str, utility: Utility, first_ms: int, last_ms: int) -> None:
        """Hours of a building's counter or total are being written, from the first to the last instant, ms UTC."""
        total = building, utility
        low, high = self._noted.get(total, (first_ms, last_ms))
        self._noted[total] = min(low, first_ms), max(high, last_ms)

    def settle(self, now_ms: int | None) -> None:
        """What was noted is stored: make its days anew. The day of ``now_ms`` is left to whoever ends its hours."""
        noted, self._noted = self._noted, {}
        end_ms = None if now_ms is None else int(self._calendar.day_edges(now_ms, now_ms)[0])
        self.update(
            {
                total: (first, last if end_ms is None else min(last, end_ms - 1))
                for total, (first, last) in noted.items()
                if end_ms is None or first < end_ms
            }
        )

    def end_hours(self, start_ms: int, end_ms: int, earlier_ms: Mapping[str, int]) -> None:
        """The hours of a range have ended and their bands stand: make the days of every total anew.

        ``earlier_ms`` are the counters (by point) whose band was written from an earlier hour on.
        """
        if is_new := not self._is_caught_up:
            start_ms, self._is_caught_up = min(start_ms, self._first_ms(start_ms)), True
        spans = dict.fromkeys(totals_of(self._catalogue), (start_ms, end_ms - 1))
        for point, t_ms in earlier_ms.items():
            meter = self._catalogue.meter[self._catalogue.point[point].meter]
            total = meter.building, meter.utility
            if total in spans:
                spans[total] = min(spans[total][0], t_ms), end_ms - 1
        self.update(spans)
        if is_new:
            with self._lock:
                self._stated.catch_up(spans)

    def _first_ms(self, start_ms: int) -> int:
        """Where days begin that nobody has made yet: hours of a store of before there were any, else ``start_ms``."""
        hours, made = self._store.rollup_stretch("building_1h"), self._store.rollup_stretch("profile_day")
        is_older = hours is not None and (made is None or made[0] > hours[0] + 2 * DAY_MS)
        return hours[0] if hours is not None and is_older else start_ms

    def update(self, spans: Mapping[Total, Span]) -> None:
        """Make the days anew in which hours of these totals were written: from the first to the last instant, ms UTC.

        What later days take from them, up to a year on, follows.
        """
        alike: dict[Span, list[Total]] = defaultdict(list)
        for total, (first_ms, last_ms) in spans.items():
            days = self._calendar.day_edges(first_ms, last_ms + 1)
            alike[int(days[0]), int(days[-1])].append(total)
        for span, totals in alike.items():
            at_once = max(1, AT_ONCE * DAYS_AT_ONCE * DAY_MS // max(span[1] - span[0], DAYS_AT_ONCE * DAY_MS))
            for k in range(0, len(totals), at_once):
                with self._lock:
                    self._update(totals[k : k + at_once], span)
        since: dict[str, int] = {}
        for (building, _), (first_ms, _) in spans.items():
            since[building] = min(first_ms, since.get(building, first_ms))
        with self._lock:
            self._stated.update(since)

    def _update(self, totals: Sequence[Total], span: Span) -> None:
        around = self._calendar.day_edges(span[0] - YEAR_MS - DAY_MS, span[1] + YEAR_MS)
        hours = self._read("building_1h", totals, span, _HOURS)
        days = self._read("building_1d", totals, (int(around[0]), int(around[-1])), _DAYS)
        subs = self._sub_days([total for total in totals if total in self._subs], span)
        fresh: list[RollupSeries] = []
        profiles: list[RollupSeries] = []
        for total in totals:
            if total not in hours or total not in days:
                continue
            made = DaysOfTotal(self._calendar, total[1], span, hours[total], days[total])
            columns = made.of_hours()
            columns["persons"] = self._stated.persons(total, made.days)
            if total in self._subs:
                columns["unaccounted"] = made.known_use() - subs[total]
            tags = self._tags(total)
            fresh.append(made.written(tags, columns))
            profiles.append(made.profile(tags))
            fresh += self._later(made, tags, columns)
        self._store.write_rollups([("building_1d", fresh), ("profile_day", profiles)])

    def _later(self, made: DaysOfTotal, tags: dict[str, str], columns: Columns) -> list[RollupSeries]:
        """What days from the first one on take from days before them."""
        area = self._catalogue.building[tags["building"]].floor_area_m2
        found: Columns = {}
        if area is not None and made.utility.unit == "kWh":
            found["eui12"] = made.year_sums() / area
            typical = self._typical.get((self._catalogue.building[tags["building"]].use, made.utility))
            if typical is not None:
                found["rating"] = rating(found["eui12"], typical)
        if "mnf_lph" in columns:
            found["mnf_ref_lph"] = made.night_reference(columns["mnf_lph"])
        rows = made.stored.t_ms >= made.span[0]
        return (
            [RollupSeries(tags, made.stored.t_ms[rows], {name: one[rows] for name, one in found.items()})]
            if found
            else []
        )

    def _read(self, name: str, totals: Sequence[Total], span: Span, fields: Sequence[str]) -> dict[Total, RollupSeries]:
        found = self._store.read_rollups(name, [self._tags(total) for total in totals], *span, fields)
        return {(one.tags["building"], Utility(one.tags["utility"])): one for one in found}

    def _sub_days(self, totals: Sequence[Total], span: Span) -> dict[Total, Values]:
        """Use of all sub-meters of each total by day; NaN where it is not known of each for all of the day."""
        edges = self._calendar.day_edges(*span)
        wanted = {meter: total for total in totals for meter in self._subs[total]}
        sums = {total: np.zeros(len(edges) - 1) for total in totals}
        known = {total: np.zeros(len(edges) - 1, np.int64) for total in totals}
        some = [tags for total in totals for tags in self._subs[total].values()]
        found = self._store.read_rollups("usage_1d", some, *span, _DAYS[:3]) if some else []
        for one in found:
            total = wanted[one.tags["meter"]]
            rows, there = rows_among(edges, one.t_ms)
            whole = is_whole(one)[there]
            sums[total][rows[whole]] += one.fields["qty"][there][whole]
            known[total][rows[whole]] += 1
        return {total: np.where(known[total] == len(self._subs[total]), sums[total], np.nan) for total in totals}

    def _tags(self, total: Total) -> dict[str, str]:
        return {"site": self._catalogue.site.id, "building": total[0], "utility": total[1].value}


def _sub_counters(catalogue: Catalogue, building: str, utility: Utility) -> dict[str, dict[str, str]]:
    """The sub-meters of a building that are accounted, and the tags of their rows."""
    subs = [meter for meter in catalogue.meters_of(building, utility) if meter.role is MeterRole.SUB]
    points = {meter.id: catalogue.accounted_point(meter) for meter in subs}
    return {meter: counter_tags(catalogue, point) for meter, point in points.items() if point is not None}
