"""Public holidays and make-up workdays of a country, by year, moved by the estate's shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import holidays

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.model import Notice, Site

_MOVES_WORKDAYS = frozenset({"CN"})
"""Countries whose government moves workdays to weekends by a yearly notice (调休)."""


@dataclass(frozen=True)
class PublicHolidays:
    """Holidays of one country as an estate sees them: real day + ``shift_days`` = the day shown."""

    country: str
    subdivision: str = ""
    shift_days: int = 0
    notices: tuple[Notice, ...] = ()

    @classmethod
    def of(cls, site: Site) -> PublicHolidays:
        """The holidays of a site. Raises ``ConfigError`` for a country or subdivision that is not known."""
        found = cls(site.holiday_country, site.holiday_subdivision, site.holiday_shift_days, site.notices)
        found._country_days  # noqa: B018 - a wrong word must stop the start, not the first hour computed
        return found

    def days(self, years: Iterable[int]) -> frozenset[date]:
        """Shown days that are public holidays, or off by a notice, in the given years."""
        wanted = set(years)
        worked = {day for notice in self.notices for day in notice.workdays}
        off = {day for notice in self.notices for day in notice.days_off}
        return self._shown((self._real_days(wanted) - worked) | off, wanted)

    def makeup_days(self, years: Iterable[int]) -> frozenset[date]:
        """Shown weekend days that are worked, in the given years."""
        wanted = set(years)
        self._real_days(wanted)
        moved = self._country_days.weekend_workdays if self._country_days is not None else set()
        worked = {day for notice in self.notices for day in notice.workdays}
        off = {day for notice in self.notices for day in notice.days_off}
        return self._shown((set(moved) | worked) - off, wanted)

    def unadjusted_years(self, years: Iterable[int]) -> tuple[int, ...]:
        """Real years that need a government's notice of moved workdays and have none here: a warning is due."""
        if self.country not in _MOVES_WORKDAYS:
            return ()
        wanted = self._real_years(set(years))
        self._real_days(set(years))
        assert self._country_days is not None
        known = {day.year for day in self._country_days.weekend_workdays} | {notice.year for notice in self.notices}
        return tuple(sorted(wanted - known))

    @cached_property
    def _country_days(self) -> holidays.HolidayBase | None:
        if not self.country:
            return None
        known = holidays.list_supported_countries()
        if self.country not in known:
            what = f"no public holidays are known of a country '{self.country}'"
            raise ConfigError(Problem("site.holidays.country", what, "a code such as CN or GB"))
        try:
            return holidays.country_holidays(self.country, subdiv=self.subdivision or None, expand=True)
        except NotImplementedError:
            what = f"'{self.subdivision}' is no part of {self.country} with public holidays of its own"
            allowed = ", ".join(known[self.country]) or "none"
            raise ConfigError(Problem("site.holidays.subdivision", what, allowed)) from None

    def _real_years(self, shown: set[int]) -> set[int]:
        shift = timedelta(days=self.shift_days)
        return {(edge - shift).year for year in shown for edge in (date(year, 1, 1), date(year, 12, 31))}

    def _real_days(self, shown: set[int]) -> set[date]:
        if self._country_days is None:
            return set()
        for year in self._real_years(shown):
            date(year, 1, 1) in self._country_days  # noqa: B015 - asking makes the library fill in that year
        return set(self._country_days)

    def _shown(self, real: Iterable[date], years: set[int]) -> frozenset[date]:
        shift = timedelta(days=self.shift_days)
        return frozenset(day + shift for day in real if (day + shift).year in years)
