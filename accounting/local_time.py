"""Local wall time of an estate for whole arrays of instants, exact across every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from facility.errors import ConfigError

Times = npt.NDArray[np.int64]

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_PROBE_S = 7 * 86_400  # no zone changes its clocks twice within a week
_EPOCH = date(1970, 1, 1)
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


def zone_called(name: str) -> ZoneInfo:
    """The time zone of that IANA name; raises ``ConfigError`` where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"'{name}' is no time zone, e.g. Europe/London or Asia/Shanghai") from None


def offsets_ms(t_ms: Times, zone: ZoneInfo) -> Times:
    """What to add to each instant (ms UTC) to read the local wall clock, (n,)."""
    if not len(t_ms):
        return np.empty(0, np.int64)
    first, last = (datetime.fromtimestamp(int(t) / SECOND_MS, UTC).year for t in (t_ms.min(), t_ms.max()))
    starts, offsets = [], []
    for year in range(first, last + 1):
        for start_ms, offset_ms in _year_offsets(zone, year):
            starts.append(start_ms)
            offsets.append(offset_ms)
    rows = np.searchsorted(np.array(starts, np.int64), t_ms, side="right") - 1
    return np.array(offsets, np.int64)[rows]


def day_numbers(t_ms: Times, zone: ZoneInfo) -> Times:
    """Local calendar day of each instant (n,), ms UTC, counted in days since 1970-01-01."""
    return (t_ms + offsets_ms(t_ms, zone)) // DAY_MS


def weekdays(days: Times) -> Times:
    """Weekday of each day number (n,), 0 = Monday."""
    return (days + _EPOCH_WEEKDAY) % 7


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of_number(number: int) -> date:
    """The calendar day of a day number."""
    return _EPOCH + timedelta(days=number)


def midnight_ms(number: int, zone: ZoneInfo) -> int:
    """First instant (ms UTC) of a local day; where the clocks skip midnight, the instant of the change."""
    day = day_of_number(number)
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * SECOND_MS


@lru_cache(maxsize=256)
def _year_offsets(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """(start, offset) pairs in ms of a UTC year: its first instant, then each change of the clocks."""
    start, end = (round(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    pairs = [(start * SECOND_MS, _offset_s(zone, start) * SECOND_MS)]
    for low in range(start, end, _PROBE_S):
        high = min(low + _PROBE_S, end - 1)
        if _offset_s(zone, low) != _offset_s(zone, high):
            change = _first_second_after_change(zone, low, high)
            pairs.append((change * SECOND_MS, _offset_s(zone, change) * SECOND_MS))
    return tuple(pairs)


def _first_second_after_change(zone: ZoneInfo, low: int, high: int) -> int:
    before = _offset_s(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_s(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return round(offset.total_seconds()) if offset else 0
