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
    MINUTE_MS,
    Bools,
    Times,
    day_edges,
    day_number,
    day_numbers,
    day_of_number,
    hour_edges,
    midnight_ms,
    offsets_ms,
    weekdays,
    zone_called,
)
from accounting.public_holidays import PublicHolidays
from facility.errors import ConfigError
from facility.model import DayHours

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from facility.model import Building, Site

Months = npt.NDArray[np.str_]

SATURDAY, SUNDAY = 5, 6
MAKEUP_WEEKDAY = 2
"""A make-up workday runs as a Wednesday: the notices say that it is worked, not which weekday it stands for."""

OFFICE_HOURS: dict[int, DayHours] = {weekday: DayHours(time(8), time(18)) for weekday in range(SATURDAY)}
"""Opening hours of a building that states none."""

_NIGHT_ENDS_MIN, _NIGHT_BEGINS_MIN = 6 * 60, 22 * 60
_MINUTES_A_DAY = 24 * 60
_LONG_HOLIDAY = 3  # days off in a row: what price lists call a long holiday
_LONG_RUN = 20  # days on either side that are searched for the run a day lies in: none is longer

_YEARS = range(1900, 9999)  # Python's dates end there, and no meter is older


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


@dataclass(frozen=True, slots=True)
class DayKinds:
    """What days are for a tariff, arrays (n,): the month and day, weekday 0 is Monday, closures do not count.

    ``workday``: worked, make-up days too. ``long_holiday``: in a run of three days off or more with a public holiday
    among them; notices count its weekend in. ``holiday``: that, or a public holiday.
    """

    month: Times
    day: Times
    weekday: Times
    workday: Bools
    holiday: Bools
    long_holiday: Bools


class SiteCalendar:
    """The calendar of one site. Raises ``ConfigError`` for an unknown time zone or holiday country."""

    def __init__(self, site: Site) -> None:
        self._zone = zone_called(site.timezone)
        self._holidays = PublicHolidays.of(site)
        self._closures = site.closures

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return self._zone

    def closed_days(self, years: Iterable[int]) -> frozenset[date]:
        """Public holidays (shifted as the site says) and closures in these local years."""
        wanted = set(years)
        closed = {
            max(closure.first, date(year, 1, 1)) + timedelta(days=i)
            for closure in self._closures
            for year in wanted
            for i in range((min(closure.last, date(year, 12, 31)) - max(closure.first, date(year, 1, 1))).days + 1)
        }
        return self._holidays.days(wanted) | closed

    def makeup_days(self, years: Iterable[int]) -> frozenset[date]:
        """Weekend days that are worked instead of another day (调休), unless a closure says otherwise."""
        wanted = set(years)
        return self._holidays.makeup_days(wanted) - self.closed_days(wanted)

    def unadjusted_years(self, years: Iterable[int]) -> tuple[int, ...]:
        """Years for which the country moves workdays but the notice is not known here: warn about them."""
        return self._holidays.unadjusted_years(years)

    def local_hours(self, t_ms: Times, building: Building | None = None) -> LocalHours:
        """Local fields of each instant (n,), ms UTC; ``occ`` by the building's opening hours, else ``OFFICE_HOURS``."""
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

    def day_kinds(self, days: Times) -> DayKinds:
        """Kinds of local days (n,), given as numbers since 1970-01-01."""
        if not len(days):
            none, no = np.empty(0, np.int64), np.empty(0, np.bool_)
            return DayKinds(none, none, none, no, no, no)
        around = np.arange(int(days.min()) - _LONG_RUN, int(days.max()) + _LONG_RUN + 1, dtype=np.int64)
        holiday, makeup = self._public_days(around)
        off = holiday | ((weekdays(around) >= SATURDAY) & ~makeup)
        long_run = _runs_with(off, holiday)
        rows = days - around[0]
        dates = days.astype("datetime64[D]")
        month = dates.astype("datetime64[M]")
        return DayKinds(
            month=month.astype(np.int64) % 12 + 1,
            day=(dates - month.astype("datetime64[D]")).astype(np.int64) + 1,
            weekday=weekdays(days),
            workday=~off[rows],
            holiday=(holiday | long_run)[rows],
            long_holiday=long_run[rows],
        )

    def local_minutes(self, t_ms: Times) -> Times:
        """Minute of the local day of each instant (n,), 0–1439."""
        return (t_ms + offsets_ms(t_ms, self._zone)) % DAY_MS // MINUTE_MS

    def armed(self, t_ms: Times, building: Building) -> Bools:
        """Whether a building's security sensors are armed at each instant (n,): in armed hours, all day when closed.

        Hours over midnight belong to the day on which they begin. Without armed hours: whenever it is not open.
        """
        hours = self.local_hours(t_ms, building)
        if not building.armed:
            shut: Bools = hours.occ != Occupancy.WORK
            return shut
        minute = self.local_minutes(t_ms)
        starts, ends = np.zeros(7, np.int64), np.zeros(7, np.int64)
        for day, span in building.armed.items():
            starts[day], ends[day] = _minute(span.start), _minute(span.end) or _MINUTES_A_DAY
        over = ends < starts
        today = hours.weekday
        yesterday = (today - 1) % 7
        inside = (starts[today] <= minute) & (minute < np.where(over, _MINUTES_A_DAY, ends)[today])
        still = over[yesterday] & (minute < ends[yesterday])
        armed: Bools = inside | still | hours.closed
        return armed

    def day_edges(self, start_ms: int, end_ms: int) -> Times:
        """First instants of local days (n,), ms UTC, from the last at or before ``start_ms`` on.

        They end with the first at or after ``end_ms``. A day that the clocks skip has none.
        """
        return day_edges(start_ms, end_ms, self._zone)

    def hour_edges(self, start_ms: int, end_ms: int) -> Times:
        """Edges (n,), ms UTC, of the local hours that cover a range: full hours of the clock, and where it changes.

        All hours lie within one local day; the shorter ones end or begin with a change of the clocks.
        """
        return hour_edges(start_ms, end_ms, self._zone)

    def hour_ends(self, t_ms: Times) -> Times:
        """When the local hour ends that each instant lies in, (n,), ms UTC."""
        if not len(t_ms):
            return t_ms
        edges = self.hour_edges(int(t_ms.min()), int(t_ms.max()) + 1)
        return edges[np.searchsorted(edges, t_ms, side="right")]

    def local_date(self, t_ms: int) -> date:
        """The local day of an instant."""
        return day_of_number(int(self.local_days(np.array([t_ms], np.int64))[0]))

    def local_days(self, t_ms: Times) -> Times:
        """The local day of each instant (n,), in days since 1970-01-01."""
        return day_numbers(t_ms, self._zone)

    def local_months(self, t_ms: Times) -> Months:
        """The local month of each instant, such as ``2026-10``, (n,)."""
        months: Months = self.local_days(t_ms).astype("datetime64[D]").astype("datetime64[M]").astype(np.str_)
        return months

    def month_of(self, t_ms: int) -> tuple[str, int, int]:
        """The local month of an instant, its first instant and the first of the next month."""
        day = self.local_date(t_ms)
        first, end = self.month_edges(f"{day:%Y-%m}")
        return f"{day:%Y-%m}", first, end

    def month_edges(self, month: str) -> tuple[int, int]:
        """First instant of a local month (``2026-10``) and of the next, ms UTC; ``ConfigError`` for another text."""
        try:
            first = date.fromisoformat(f"{month}-01")
        except ValueError:
            raise ConfigError(f"'{month}' is no month, such as 2026-10") from None
        if first.year not in _YEARS:
            raise ConfigError(f"the month '{month}' lies outside the years {_YEARS[0]} to {_YEARS[-1]}")
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return midnight_ms(day_number(first), self._zone), midnight_ms(day_number(after), self._zone)

    def _marked_days(self, days: Times) -> tuple[Bools, Bools]:
        """Whether each day is closed, and whether it is a make-up workday."""
        if not len(days):
            return np.empty(0, np.bool_), np.empty(0, np.bool_)
        years = _years(days)
        closed = np.array([day_number(day) for day in self.closed_days(years)], np.int64)
        makeup = np.array([day_number(day) for day in self.makeup_days(years)], np.int64)
        return np.isin(days, closed), np.isin(days, makeup)

    def _public_days(self, days: Times) -> tuple[Bools, Bools]:
        """Whether each day is a public holiday, and whether it is a make-up workday; closures do not count."""
        years = _years(days)
        public = np.array([day_number(day) for day in self._holidays.days(years)], np.int64)
        makeup = np.array([day_number(day) for day in self._holidays.makeup_days(years)], np.int64)
        return np.isin(days, public), np.isin(days, makeup)


def _years(days: Times) -> range:
    return range(day_of_number(int(days.min())).year, day_of_number(int(days.max())).year + 1)


def _runs_with(off: Bools, holiday: Bools) -> Bools:
    """Which days lie in a run of at least ``_LONG_HOLIDAY`` days off that holds a holiday."""
    run = np.cumsum(np.diff(off.astype(np.int64), prepend=0) == 1) * off
    lengths = np.bincount(run, minlength=1)
    holidays = np.bincount(run, weights=holiday, minlength=1)
    found: Bools = off & (lengths[run] >= _LONG_HOLIDAY) & (holidays[run] > 0)
    return found


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _occupancy(minute: Times, weekday: Times, hours: dict[int, DayHours]) -> Times:
    opens, closes = np.zeros(7, np.int64), np.zeros(7, np.int64)
    for day, span in hours.items():
        opens[day] = _minute(span.start)
        closes[day] = _minute(span.end) or _MINUTES_A_DAY
    night = (minute < _NIGHT_ENDS_MIN) | (minute >= _NIGHT_BEGINS_MIN)
    occ: Times = np.where(night, np.int64(Occupancy.NIGHT), np.int64(Occupancy.OFF))
    occ[closes[weekday] == 0] = Occupancy.WEEKEND
    occ[(opens[weekday] <= minute) & (minute < closes[weekday])] = Occupancy.WORK
    return occ
