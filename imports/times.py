"""Times as people and spreadsheets write them, and the instants they stand for on the site's clock."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from facility.wall_time import skipped_around

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from imports.sheets import Cell

DateOrder: TypeAlias = Literal["dmy", "mdy"]
Period: TypeAlias = Literal["month", "day", "hour", "half-hour", "quarter-hour"]

PERIOD_MINUTES: dict[Period, int] = {"hour": 60, "half-hour": 30, "quarter-hour": 15}

_EXCEL_BEGIN = datetime(1899, 12, 30)  # noqa: DTZ001 - a wall time: workbooks know no zones
_EXCEL_DAYS = (36_526, 73_051)
"""2000 to 2100 as days of a workbook: a number beyond is no date."""

_CLOCK = r"(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?" + _CLOCK)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})" + _CLOCK)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T\s]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?")
_MOST_MONTHS, _DAY_H = 12, 24


def wall_time(cell: Cell, order: DateOrder | None) -> datetime | None:
    """The time that a cell says, naive on the site's clock or with its own offset; None for what is none.

    A day alone is its beginning, a month its first day. 24:00 is the next day's beginning.
    """
    if isinstance(cell, datetime):
        return _whole_second(cell)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - on the site's clock
    if isinstance(cell, float):
        return _of_days(cell)
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip()
    try:
        return _written(text, order)
    except (ValueError, OverflowError):
        return None


def date_order_of(cells: Iterable[Cell]) -> DateOrder | None:
    """Which of day and month comes first, by the first date that can be read one way only. None: not known."""
    is_open = False
    for cell in cells:
        found = _YEAR_LAST.fullmatch(cell.strip()) if isinstance(cell, str) else None
        if found is None:
            continue
        first, second = int(found[1]), int(found[3])
        if found[2] == "." or first > _MOST_MONTHS:
            return "dmy"
        if second > _MOST_MONTHS:
            return "mdy"
        is_open = is_open or first != second
    return None if is_open else "dmy"


def _written(text: str, order: DateOrder | None) -> datetime | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return _at(found[1], found[2], found[3] or "1", *found.groups()[3:])
    if found := _YEAR_LAST.fullmatch(text):
        year = found[4] if len(found[4]) > 2 else f"20{found[4]}"  # noqa: PLR2004 - 26 is 2026
        day, month = (found[1], found[3]) if order != "mdy" else (found[3], found[1])
        return _at(year, month, day, *found.groups()[4:])
    if found := _COMPACT.fullmatch(text):
        return _at(*found.groups())
    return _whole_second(datetime.fromisoformat(text)) if "T" in text or ":" in text else None


def _at(year: str, month: str, day: str, hour: str | None, minute: str | None, second: str | None) -> datetime:
    begin = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - on the site's clock
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    if h > _DAY_H or (h == _DAY_H and (m or s)) or m > 59 or s > 59:  # noqa: PLR2004 - a clock's
        raise ValueError
    return begin + timedelta(hours=h, minutes=m, seconds=s)


def _of_days(days: float) -> datetime | None:
    if not _EXCEL_DAYS[0] <= days < _EXCEL_DAYS[1]:
        return None
    return _EXCEL_BEGIN + timedelta(seconds=round(days * 86_400))


def _whole_second(at: datetime) -> datetime:
    """Workbooks keep times as parts of a day, a few microseconds off."""
    if at.microsecond:
        at = (at + timedelta(microseconds=500_000)).replace(microsecond=0)
    return at


class SiteClock:
    """Instants of wall times on one site's clock. It remembers them: a column says a time again and again."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known: dict[tuple[datetime, int], int | None] = {}

    def ms(self, at: datetime, *, again: bool = False) -> int | None:
        """Milliseconds since 1970 UTC; None for a time that the clocks skip.

        ``again``: of an hour that the clocks go through twice the second one.
        """
        key = (at, int(again))
        if key not in self._known:
            self._known[key] = self._ms(at, again=again)
        return self._known[key]

    def is_twice(self, at: datetime) -> bool:
        """Whether the clocks show this time twice."""
        return at.tzinfo is None and self.ms(at) != self.ms(at, again=True)

    def local(self, ms: int) -> datetime:
        """The wall time of an instant."""
        return datetime.fromtimestamp(ms / 1000, self.zone)

    def _ms(self, at: datetime, *, again: bool) -> int | None:
        placed = at if at.tzinfo else at.replace(tzinfo=self.zone, fold=int(again))
        try:
            is_plain = at.tzinfo is None and placed.utcoffset() == placed.replace(fold=1 - placed.fold).utcoffset()
            if not is_plain and skipped_around(at, self.zone) is not None:
                return None
            return round(placed.timestamp() * 1000)
        except (ValueError, OverflowError):
            return None


def period_of(starts: Iterable[datetime]) -> Period | None:
    """The period that times stand for: months where all are the first of one, days, or the step between them."""
    times = sorted({at.replace(tzinfo=None) for at in starts})
    if not times:
        return None
    if all((at.hour, at.minute, at.second) == (0, 0, 0) for at in times):
        return "month" if all(at.day == 1 for at in times) else "day"
    seconds = [(at.hour * 60 + at.minute) * 60 + at.second for at in times]
    step = math.gcd(*seconds)
    return next((period for period, minutes in PERIOD_MINUTES.items() if step % (minutes * 60) == 0), None)


def after(at: datetime, period: Period, *, periods: int = 1) -> datetime:
    """A wall time some whole days or months later (earlier where ``periods`` is negative)."""
    if period == "month":
        months = at.year * 12 + at.month - 1 + periods
        return at.replace(year=months // 12, month=months % 12 + 1)
    return at + timedelta(days=periods)
