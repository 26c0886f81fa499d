"""What is kept beside use and cost: newest readings, how counters were heard, and what is done each minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.rollups.each_minute import EachMinute
from analytics.rollups.minutes import Minutes
from analytics.rollups.quality import HeardHours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from stores.readings.port import Changes, ReadingStore


class Beside:
    """Of one estate. One thread adds changes, one takes steps, and one ends hours."""

    def __init__(
        self,
        store: ReadingStore,
        catalogue: Catalogue,
        calendar: SiteCalendar,
        cursor: int,
        each_minute: EachMinute | None,
    ) -> None:
        """Changes up to ``cursor`` are known already."""
        self._minutes, self._heard = Minutes(store, catalogue, cursor), HeardHours(store, catalogue, calendar)
        self._each_minute = each_minute or EachMinute()

    def add(self, changes: Changes, now_ms: int) -> None:
        """Take up what changed, as of now."""
        self._minutes.add(changes, now_ms)

    def end_hours(self, start_ms: int, end_ms: int) -> None:
        """The hours of a range have ended."""
        self._heard.end_hours(start_ms, end_ms)

    def step(self, now_ms: int, *, counters_wait: bool = False) -> bool:
        """Do what is due in this minute, a bounded part of it; whether there is more to do at once."""
        self._each_minute.step(now_ms)
        return self._minutes.step(now_ms, others_wait=counters_wait)

    def take_late(self, ranges: Mapping[str, tuple[int, int]], now_ms: int, store: ReadingStore) -> None:
        """Rollups of these stretches are computed in this view of the store: some may be of hours long ended."""
        self._heard.take_late(ranges, now_ms, store)

    def done_cursor(self, cursor: int) -> int:
        """Up to where changes are done, where those before ``cursor`` are done elsewhere."""
        return min(cursor, self._minutes.done_cursor)
