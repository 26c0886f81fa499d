"""Use of a year before a month: of closed months what was handed in and entered since, of open ones what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stores.counter_rows import read_counter

if TYPE_CHECKING:
    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.quantities import Utility
    from facility.tariff import Tariff
    from reports.adjusting import AdjustedMonths
    from stores.readings.port import ReadingStore


class UsedBefore:
    """What a building used of a utility earlier in the year of a month, which begins at ``start_ms`` (UTC)."""

    def __init__(
        self,
        store: ReadingStore,
        catalogue: Catalogue,
        calendar: SiteCalendar,
        adjusted: AdjustedMonths,
        building: str,
        utility: Utility,
        start_ms: int,
    ) -> None:
        self._store, self._catalogue, self._calendar, self._adjusted = store, catalogue, calendar, adjusted
        self._building, self._utility, self._start_ms = building, utility, start_ms

    def __call__(self, tariff: Tariff) -> float:
        """In the utility's unit; 0 where the tariff has no cycle of a year."""
        if not tariff.tiers or tariff.tiers.cycle != "year":
            return 0.0
        day = self._calendar.local_date(self._start_ms)
        months = [f"{day.year}-{month:02}" for month in range(1, day.month)]
        return sum(self._month(month) for month in months)

    def _month(self, month: str) -> float:
        handed_in = self._adjusted.handed_in(self._utility, month)
        return self._stored(month) if handed_in is None else handed_in

    def _stored(self, month: str) -> float:
        heads = self._catalogue.head_counters(self._building, self._utility)
        span = self._calendar.month_edges(month)
        days = [read_counter(self._store, self._catalogue, head, "usage_1d", span, ["qty"]) for head in heads]
        return sum(float(np.nansum(rows.fields["qty"])) for rows in days)
