"""The proof of conservation: what registers say was used in a month, device by device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from accounting.intervals import MAX_GAP_MS
from facility.model import Quality
from stores.counter_rows import read_counter
from stores.readings.port import Series

if TYPE_CHECKING:
    from accounting.calendars import SiteCalendar
    from accounting.ledger import Stretch
    from accounting.registers import Total
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.counters import Counters
    from stores.readings.port import ReadingStore

LONG_STANDSTILL = timedelta(days=7)
"""A register that shows the same for so long is named: is nothing used there, or does the meter stand still?"""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A time of the month, at least ``LONG_STANDSTILL``, over which a register showed the same."""

    start: datetime
    end: datetime
    face: float


@unique
class RegisterEnd(StrEnum):
    """How a register is known at an instant."""

    READ = "read"  # a reading, or the read of a swap, stands there
    SUBSTITUTED = "substituted"  # a value stands there that somebody put in the place of a reading
    INTERPOLATED = "interpolated"  # it lies between two readings that measure what is between them
    IN_SILENCE = "in_silence"  # it lies in a silence: an estimate
    UNREAD = "unread"  # the device was never read, neither here nor before or after


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One device's part of the month: its face at both ends, the ratio, and what was counted.

    ``events`` is what was counted beside closing minus opening times ratio: roll-overs, resets, steps back.
    All three are None where a device was never read. ``estimated`` says that an end lies in a silence. Bills of before
    2026-12 do not say more of their ends.
    """

    meter: str
    serial: str
    start: datetime
    end: datetime
    opening: float | None
    closing: float | None
    ratio: float
    counted: float
    events: float | None
    estimated: bool
    standstills: tuple[Standstill, ...] = ()
    opening_is: RegisterEnd | None = None
    closing_is: RegisterEnd | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A meter's month by registers."""

    registers: tuple[RegisterLine, ...]
    counted: float


def prove(
    store: ReadingStore, counters: Counters, calendar: SiteCalendar, point: Point, start_ms: int, end_ms: int
) -> Proof:
    """Registers of a counter over a month, read from the readings themselves and from the ledger."""
    series = counters.around(point, start_ms, end_ms)
    total = counters.total(point, series)
    if not len(total.t_ms):
        return Proof((), 0.0)
    first, last = max(start_ms, int(total.t_ms[0])), min(end_ms, int(total.t_ms[-1]))
    if first >= last:
        return Proof((), 0.0)
    lines = []
    stretches = counters.stretches[point.id]
    running = _Running(total, store, counters.catalogue, calendar, point, start_ms)
    serials = _serials(counters, point)
    for k, stretch in enumerate(stretches):
        begin = max(first, stretch.since_ms)
        until = min(last, stretches[k + 1].since_ms) if k + 1 < len(stretches) else last
        if begin < until:
            following = stretches[k + 1] if k + 1 < len(stretches) else None
            ends = _End(begin, running), _End(until, running)
            lines.append(_line(point, serials[k], stretch, following, series, total, ends))
    return Proof(tuple(lines), sum(line.counted for line in lines))


def _serials(counters: Counters, point: Point) -> list[str]:
    catalogue = counters.catalogue
    return [one.serial for one in catalogue.ledger_of(catalogue.meter[point.meter])]


class _End:
    """The counter at one end of a stretch: its total there, and whether that is an estimate."""

    def __init__(self, t_ms: int, running: _Running) -> None:
        self.t_ms = t_ms
        self.estimated = running.is_estimate(t_ms)
        self.total = running.at(t_ms)

    def known(self, own: Series) -> RegisterEnd:
        """How the register of a device with some readings is known here."""
        here = own.q[own.t_ms == self.t_ms]
        if len(here):
            return RegisterEnd.SUBSTITUTED if here[0] == Quality.SUBSTITUTED else RegisterEnd.READ
        return RegisterEnd.IN_SILENCE if self.estimated else RegisterEnd.INTERPOLATED


class _Running:
    """A counter's total at any instant: by its readings and, where they are silent, by what the intervals gave.

    Intervals of before ``start_ms`` are not asked: a closed month stays as it was handed in, whatever is known now.
    """

    def __init__(
        self,
        total: Total,
        store: ReadingStore,
        catalogue: Catalogue,
        calendar: SiteCalendar,
        point: Point,
        start_ms: int,
    ) -> None:
        self._total, self._calendar, self._start_ms = total, calendar, start_ms
        self._read = partial(read_counter, store, catalogue, point, "usage_1h")

    def is_estimate(self, t_ms: int) -> bool:
        """Whether no reading stands at an instant and none measure what lies around it."""
        following = int(np.searchsorted(self._total.t_ms, t_ms))
        if following >= len(self._total.t_ms) or self._total.t_ms[following] == t_ms:
            return False
        return self.silence_at(t_ms) is not None or bool(self._total.estimated[following])

    def silence_at(self, t_ms: int) -> tuple[int, int] | None:
        """When the silence began that an instant lies in, and when it ended; None where readings measure it."""
        times = self._total.t_ms
        row = int(np.searchsorted(times, t_ms, side="right")) - 1
        if row < 0 or row + 1 >= len(times) or times[row] == t_ms or times[row + 1] - times[row] <= MAX_GAP_MS:
            return None
        return int(times[row]), int(times[row + 1])

    def at(self, t_ms: int) -> float:
        """The total at an edge of an hour, or where readings measure it.

        In a silence it is that at the beginning of the hour in which the silence began, and what the intervals
        counted from there: in that hour another silence may have ended, and so on. Of one that began before the month
        it is that at the end of the hour in which it ended, less what they counted up to there. Where silence follows
        silence to the last reading (a meter that is read every few hours) it is known by the registers.
        """
        reached = self._reached(t_ms, forward=False)
        if reached < self._start_ms:
            reached = self._reached(t_ms, forward=True)
        if reached > self._total.t_ms[-1]:
            reached = t_ms
        known = float(np.interp(reached, self._total.t_ms, self._total.total))
        rows = self._read((min(reached, t_ms), max(reached, t_ms)), ["qty"])
        counted = float(np.nansum(rows.fields["qty"]))
        return known - counted if reached > t_ms else known + counted

    def _reached(self, t_ms: int, *, forward: bool) -> int:
        """The nearest edge of an hour, or the instant itself, that lies in no silence, or before the month."""
        silence = self.silence_at(t_ms)
        while silence is not None and (forward or t_ms >= self._start_ms):
            t_ms = self._hour_after(silence[1]) if forward else self._hour_of(silence[0])
            silence = self.silence_at(t_ms)
        return t_ms

    def _hour_of(self, t_ms: int) -> int:
        return int(self._calendar.hour_edges(t_ms, t_ms + 1)[0])

    def _hour_after(self, t_ms: int) -> int:
        return int(self._calendar.hour_edges(t_ms - 1, t_ms)[-1])


def _line(
    point: Point,
    serial: str,
    stretch: Stretch,
    following: Stretch | None,
    series: Series,
    total: Total,
    ends: tuple[_End, _End],
) -> RegisterLine:
    begin, until = ends
    counted = until.total - begin.total
    own = _own_readings(series, total, stretch, following)
    at_swaps = (
        stretch.opening if begin.t_ms == stretch.since_ms else None,
        following.closing if following and following.since_ms == until.t_ms else None,
    )
    (opening, opening_is), (closing, closing_is) = (
        _register(own, total, stretch, end, read) for end, read in zip(ends, at_swaps, strict=True)
    )
    return RegisterLine(
        meter=point.meter,
        serial=serial,
        start=datetime.fromtimestamp(begin.t_ms / 1000, UTC),
        end=datetime.fromtimestamp(until.t_ms / 1000, UTC),
        opening=opening,
        closing=closing,
        ratio=stretch.true,
        counted=counted,
        events=None if opening is None or closing is None else counted - (closing - opening) * stretch.true,
        estimated=begin.estimated or until.estimated,
        standstills=_standstills(own, stretch, begin.t_ms, until.t_ms),
        opening_is=opening_is,
        closing_is=closing_is,
    )


def _standstills(own: Series, stretch: Stretch, start_ms: int, end_ms: int) -> tuple[Standstill, ...]:
    """Where a device's readings show the same for long between two instants."""
    if not len(own):
        return ()
    moved = np.flatnonzero(np.diff(own.x)) + 1
    firsts, lasts = np.append(0, moved), np.append(moved, len(own)) - 1
    begins, untils = np.maximum(own.t_ms[firsts], start_ms), np.minimum(own.t_ms[lasts], end_ms)
    long = np.flatnonzero(untils - begins >= LONG_STANDSTILL / timedelta(milliseconds=1)).tolist()
    times = [[datetime.fromtimestamp(int(column[k]) / 1000, UTC) for column in (begins, untils)] for k in long]
    faces = [float(own.x[firsts[k]]) / stretch.told for k in long]
    return tuple(Standstill(start, end, face) for (start, end), face in zip(times, faces, strict=True))


def _own_readings(series: Series, total: Total, stretch: Stretch, following: Stretch | None) -> Series:
    """The readings of one stretch that its total goes by: what is left out of that is no register that anybody saw."""
    rows = (series.t_ms >= stretch.since_ms) & np.isin(series.t_ms, total.t_ms)
    if following is not None:
        rows &= series.t_ms < following.since_ms
    return Series(series.t_ms[rows], series.x[rows], series.q[rows])


def _register(
    own: Series, total: Total, stretch: Stretch, end: _End, read: float | None
) -> tuple[float | None, RegisterEnd]:
    """The device's face at an end and how it is known; ``own`` are its readings, ``read`` what a person read there."""
    if read is not None:
        return read, RegisterEnd.READ
    return (_face(own, total, stretch, end), end.known(own)) if len(own) else (None, RegisterEnd.UNREAD)


def _face(own: Series, total: Total, stretch: Stretch, end: _End) -> float:
    """The device's face at an instant: what its last reading before showed, and what was counted since.

    Before its first reading it is that less what was counted up to it. So it rolls over where the register does, and
    neither a reset after it nor a silence around it bends it.
    """
    row = max(int(np.searchsorted(own.t_ms, end.t_ms, side="right")) - 1, 0)
    since = end.total - float(total.total[np.searchsorted(total.t_ms, own.t_ms[row])])
    face = float(own.x[row]) / stretch.told + since / stretch.true
    return face % stretch.span if stretch.span else face
