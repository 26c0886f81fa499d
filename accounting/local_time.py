"""Local wall time of an estate for whole arrays of instants, exact across every change of the clocks."""

from __future__ import annotations

from calendar import isleap
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from facility.errors import ConfigError

Times = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAY_S = DAY_MS // SECOND_MS

_PROBE_S = 2 * DAY_S  # no zone has ever changed its clocks twice within two days
_KEPT = 128
"""So many answers are kept of each question that is asked for every counter alike."""

_LOOK_BACK_MS = 3 * DAY_MS  # clocks that are set back over midnight, or over the date line, have caught up by then
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
    starts, offsets = _stretches(int(t_ms.min()), int(t_ms.max()), zone)
    return offsets[np.searchsorted(starts, t_ms, side="right") - 1]


def hour_edges(start_ms: int, end_ms: int, zone: ZoneInfo) -> Times:
    """Edges (n,), ms UTC, of the local hours that cover a range, one hour at least.

    An edge is each instant at which the local clock shows a full hour, and each at which the clocks change: no hour is
    longer than one, and a change by half an hour leaves one of half an hour. They do not depend on the range.
    """
    end_ms = max(end_ms, start_ms + 1)
    around = (start_ms // HOUR_MS - 1) * HOUR_MS, (end_ms // HOUR_MS + 2) * HOUR_MS
    return _covering(_marks(*around, HOUR_MS, zone), start_ms, end_ms)


def day_edges(start_ms: int, end_ms: int, zone: ZoneInfo) -> Times:
    """First instants (n,), ms UTC, of the local days that cover a range, one day at least."""
    end_ms = max(end_ms, start_ms + 1)
    return _covering(_days(start_ms, end_ms, zone)[0], start_ms, end_ms)


def day_numbers(t_ms: Times, zone: ZoneInfo) -> Times:
    """Local calendar day of each instant (n,), ms UTC, counted in days since 1970-01-01.

    Where the clocks are set back over midnight, the day that has begun goes on: days follow each other without a break.
    """
    if not len(t_ms):
        return np.empty(0, np.int64)
    edges, numbers = _days(int(t_ms.min()), int(t_ms.max()), zone)
    return numbers[np.searchsorted(edges, t_ms, side="right") - 1]


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
    """First instant (ms UTC) of a local day, whatever the clocks show then; the next day's where they skip it."""
    around = number * DAY_MS
    edges, numbers = _days(around, around, zone)
    return int(edges[np.searchsorted(numbers, number)])


def rows_among(edges_ms: Times, t_ms: Times) -> tuple[Times, Bools]:
    """Which intervals between edges (n + 1,) begin at instants (m,): rows (k,), and which instants these are (m,).

    An instant at which none begins has no row: it was stored by other clocks.
    """
    rows = np.searchsorted(edges_ms, t_ms)
    begins = (rows < len(edges_ms) - 1) & (edges_ms[np.minimum(rows, len(edges_ms) - 1)] == t_ms)
    return rows[begins], begins


def _covering(edges: Times, start_ms: int, end_ms: int) -> Times:
    """From the last edge at or before the start to the first at or after the end."""
    return edges[np.searchsorted(edges, start_ms, side="right") - 1 : np.searchsorted(edges, end_ms) + 1]


def _days(start_ms: int, end_ms: int, zone: ZoneInfo) -> tuple[Times, Times]:
    """First instants of the local days around a range, and their numbers, both rising, (n,)."""
    return _days_around(start_ms // DAY_MS, end_ms // DAY_MS, zone)


@lru_cache(maxsize=_KEPT)
def _days_around(first: int, last: int, zone: ZoneInfo) -> tuple[Times, Times]:
    """The same from one UTC day to another: many ask for the same days."""
    marks = _marks(first * DAY_MS - _LOOK_BACK_MS, (last + 1) * DAY_MS + _LOOK_BACK_MS, DAY_MS, zone)
    newest = np.maximum.accumulate((marks + offsets_ms(marks, zone)) // DAY_MS)
    begins = np.diff(newest, prepend=newest[0] - 1) > 0
    return _shared(marks[begins]), _shared(newest[begins])


@lru_cache(maxsize=_KEPT)
def _marks(start_ms: int, end_ms: int, step_ms: int, zone: ZoneInfo) -> Times:
    """Instants of a range, in order, at which the local clock shows whole steps of its day, or changes."""
    starts, offsets = _stretches(start_ms, end_ms, zone)
    begins, ends = np.maximum(starts, start_ms), np.minimum(np.append(starts[1:], end_ms + 1), end_ms + 1)
    found = [starts[1:][(starts[1:] >= start_ms) & (starts[1:] <= end_ms)]]
    for begin, end, offset in zip(begins.tolist(), ends.tolist(), offsets.tolist(), strict=True):
        found.append(np.arange(begin - (begin + offset) % -step_ms, end, step_ms, dtype=np.int64))
    return _shared(np.unique(np.concatenate(found)))


def _stretches(first_ms: int, last_ms: int, zone: ZoneInfo) -> tuple[Times, Times]:
    """Stretches of one offset that cover a range: starts (n,), ms UTC, and offsets. Between them the clocks change."""
    return _stretches_of(*(datetime.fromtimestamp(t / SECOND_MS, UTC).year for t in (first_ms, last_ms)), zone)


@lru_cache(maxsize=_KEPT)
def _stretches_of(first: int, last: int, zone: ZoneInfo) -> tuple[Times, Times]:
    """The same from one UTC year to another."""
    pairs = np.array([pair for year in range(first, last + 1) for pair in _year_offsets(zone, year)], np.int64)
    changes = np.diff(pairs[:, 1], prepend=pairs[0, 1] - 1) != 0
    return _shared(pairs[changes, 0]), _shared(pairs[changes, 1])


def _shared(times: Times) -> Times:
    """Times that are kept for others, whom nobody may change them for."""
    times.flags.writeable = False
    return times


@lru_cache(maxsize=256)
def _year_offsets(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """(start, offset) pairs in ms of a UTC year: its first instant, then each change of the clocks."""
    start = day_number(date(year, 1, 1)) * DAY_S
    days = 364 if year == MAXYEAR else 365 + isleap(year)  # what comes later cannot be told in every zone
    pairs = [(start * SECOND_MS, _offset_s(zone, start) * SECOND_MS)]
    end = start + days * DAY_S
    for low in range(start, end, _PROBE_S):
        high = min(low + _PROBE_S, end - 1)
        if pairs[-1][1] != _offset_s(zone, high) * SECOND_MS:
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
