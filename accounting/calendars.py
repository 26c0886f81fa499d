"""When an estate works, rests and sleeps: local hours, holidays, closures, make-up workdays, opening hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import IntEnum, unique
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from accounting.local_time import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    Times,
    day_number,
    day_numbers,
    day_of_number,
    midnight_ms,
    offsets_ms,
    weekdays,
    zone_called,
)
from accounting.public_holidays import PublicHolidays
from facility.model import Hours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.model import Building, Site

Bools = npt.NDArray[np.bool_]

SATURDAY, SUNDAY = 5, 6
MAKEUP_WEEKDAY = 2
"""A make-up workday runs as a Wednesday: the notices say that it is worked, not which weekday it stands for."""

OFFICE_HOURS: dict[int, Hours] = {weekday: Hours(time(8), time(18)) for weekday in range(SATURDAY)}
"""Opening hours of a building that states none."""

_NIGHT_ENDS_MIN, _NIGHT_BEGINS_MIN = 6 * 60, 22 * 60
_MINUTES_A_DAY = 24 * 60


@unique
class Occupancy(IntEnum):
    """What an hour is for a building; the code of the rollup field ``occ``."""

    NIGHT = 0  # 22:00–06:00 of a working day, outside opening hours
    WORK = 1  # inside opening hours of a working day
    OFF = 2  # the other hours of a working day
    WEEKEND = 3  # a day without opening hours
    HOLIDAY = 4  # a public holiday or a closure


@dataclass(frozen=True, slots=True)
class LocalHours:
    """Local fields of instants, arrays (n,). Weekday 0 is Monday, ``hour_of_week`` 0 is Monday 00:00.

    ``hour_of_week_closed`` is for models: closed days count as Sunday, make-up workdays as Wednesday.
    """

    hour: Times
    weekday: Times
    hour_of_week: Times
    closed: Bools
    hour_of_week_closed: Times
    occ: Times


class SiteCalendar:
    """The calendar of one site. Raises ``ConfigError`` for an unknown time zone or holiday country."""

    def __init__(self, site: Site) -> None:
        self._zone = zone_called(site.timezone)
        self._holidays = PublicHolidays.of(site)
        self._closures = site.closures

    def closed_days(self, years: Iterable[int]) -> frozenset[date]:
        """Public holidays (shifted as the site says) and closures in these local years."""
        wanted = set(years)
        closed = {
            closure.first + timedelta(days=i)
            for closure in self._closures
            for i in range((closure.last - closure.first).days + 1)
        }
        return self._holidays.days(wanted) | frozenset(day for day in closed if day.year in wanted)

    def makeup_days(self, years: Iterable[int]) -> frozenset[date]:
        """Weekend days that are worked instead of another day (调休), unless a closure says otherwise."""
        wanted = set(years)
        return self._holidays.makeup_days(wanted) - self.closed_days(wanted)

    def unadjusted_years(self, years: Iterable[int]) -> tuple[int, ...]:
        """Years for which the country moves workdays but the notice is not known here: warn about them."""
        return self._holidays.unadjusted_years(years)

    def local_hours(self, t_ms: Times, building: Building | None = None) -> LocalHours:
        """Local fields of each instant; ``occ`` by the building's opening hours, else ``OFFICE_HOURS``."""
        local_ms = t_ms + offsets_ms(t_ms, self._zone)
        days, minute = local_ms // DAY_MS, local_ms % DAY_MS // MINUTE_MS
        hour, weekday = minute // 60, weekdays(days)
        closed, makeup = self._marked_days(days)
        worked_as = np.where(makeup, MAKEUP_WEEKDAY, weekday)
        model_day = np.where(closed, SUNDAY, worked_as)
        hours = building.hours if building is not None and building.hours else OFFICE_HOURS
        occ = _occupancy(minute, worked_as, hours)
        occ[closed] = Occupancy.HOLIDAY
        return LocalHours(hour, weekday, weekday * 24 + hour, closed, model_day * 24 + hour, occ)

    def day_edges(self, start_ms: int, end_ms: int) -> Times:
        """Local midnights (ms UTC) from the last one at or before ``start_ms`` to the first at or after ``end_ms``."""
        first, last = (self._day_number(t) for t in (start_ms, max(end_ms - 1, start_ms)))
        return np.array([midnight_ms(day, self._zone) for day in range(first, last + 2)], np.int64)

    def hour_edges(self, start_ms: int, end_ms: int) -> Times:
        """Full local hours (ms UTC) that cover the range; they stand on half hours of UTC in a half-hour zone."""
        phase = -int(offsets_ms(np.array([start_ms], np.int64), self._zone)[0]) % HOUR_MS
        first = (start_ms - phase) // HOUR_MS * HOUR_MS + phase
        return np.arange(first, max(end_ms, first + HOUR_MS) + HOUR_MS - 1, HOUR_MS, dtype=np.int64)

    def local_date(self, t_ms: int) -> date:
        """The local day of an instant."""
        return day_of_number(self._day_number(t_ms))

    def local_days(self, t_ms: Times) -> Times:
        """The local day of each instant, in days since 1970-01-01."""
        return day_numbers(t_ms, self._zone)

    def _day_number(self, t_ms: int) -> int:
        return int(day_numbers(np.array([t_ms], np.int64), self._zone)[0])

    def _marked_days(self, days: Times) -> tuple[Bools, Bools]:
        """Whether each day is closed, and whether it is a make-up workday."""
        if not len(days):
            return np.empty(0, np.bool_), np.empty(0, np.bool_)
        years = range(day_of_number(int(days.min())).year, day_of_number(int(days.max())).year + 1)
        closed = np.array([day_number(day) for day in self.closed_days(years)], np.int64)
        makeup = np.array([day_number(day) for day in self.makeup_days(years)], np.int64)
        return np.isin(days, closed), np.isin(days, makeup)


def _occupancy(minute: Times, weekday: Times, hours: dict[int, Hours]) -> Times:
    opens, closes = np.zeros(7, np.int64), np.zeros(7, np.int64)
    for day, span in hours.items():
        opens[day] = span.start.hour * 60 + span.start.minute
        closes[day] = span.end.hour * 60 + span.end.minute or _MINUTES_A_DAY
    night = (minute < _NIGHT_ENDS_MIN) | (minute >= _NIGHT_BEGINS_MIN)
    occ: Times = np.where(night, np.int64(Occupancy.NIGHT), np.int64(Occupancy.OFF))
    occ[closes[weekday] == 0] = Occupancy.WEEKEND
    occ[(opens[weekday] <= minute) & (minute < closes[weekday])] = Occupancy.WORK
    return occ
