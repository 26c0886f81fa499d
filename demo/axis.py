"""The hours that the demo can show, each with the recorded hour behind it and how busy a building is then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from demo.recording import HOUR_MS
from demo.shift import DAY_MS, LAST_RECORDED_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.shift import Shift

FIRST_RECORDED_DAY = date(2021, 10, 1)
EPOCH_MONDAY = 4  # 5 January 1970, counted from 1 January
SATURDAY = 5
BANK_HOLIDAYS = (
    date(2021, 12, 27),
    date(2021, 12, 28),
    date(2022, 1, 3),
    date(2022, 4, 15),
    date(2022, 4, 18),
    date(2022, 5, 2),
    date(2022, 6, 2),
    date(2022, 6, 3),
    date(2022, 8, 29),
    date(2022, 9, 19),
    date(2022, 12, 26),
    date(2022, 12, 27),
)
"""Days off in England within the recording (written out here, so that the devices stay small)."""

CLOSURES = ((date(2021, 12, 24), date(2022, 1, 1)), (date(2022, 12, 24), date(2023, 1, 1)))
"""Days, both included, on which the university is closed, in recorded time."""


@dataclass(frozen=True)
class Axis:
    """Shown hours from ``start_ms`` on; ``recorded[i]`` is the recorded hour behind hour *i*."""

    shift: Shift
    start_ms: int
    hours: int
    recorded: NDArray[np.int64]
    closed: NDArray[np.int64]

    @property
    def end_ms(self) -> int:
        """First instant that cannot be shown any more."""
        return self.start_ms + self.hours * HOUR_MS

    def edges_ms(self) -> NDArray[np.int64]:
        """The instants (hours + 1,) between and around the hours."""
        return self.start_ms + HOUR_MS * np.arange(self.hours + 1, dtype=np.int64)

    def hour_of(self, t_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """The hour in which each instant (n,) lies, its end included: a reading tells of the hour before it."""
        return np.clip((t_ms - self.start_ms - 1) // HOUR_MS, 0, self.hours - 1)

    def inside(self, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether instants (n,) can be shown."""
        return (t_ms >= self.start_ms) & (t_ms <= self.end_ms)

    def working(self, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the local day of each instant (n,) is a working day."""
        day = self.shift.wall_ms(t_ms) // DAY_MS
        weekend = (day - EPOCH_MONDAY) % 7 >= SATURDAY
        return ~(weekend | np.isin(day, self.closed))

    def occupancy(self, t_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """How busy an office is at instants (n,), 0 to 1: working days from 07:30 to 18:30, with a dip at noon."""
        hours = (7.5, 9.0, 11.8, 12.5, 13.3, 16.5, 18.5)
        level = np.interp(self.local_hour(t_ms), hours, (0.0, 0.95, 1.0, 0.75, 1.0, 0.9, 0.0))
        return np.where(self.working(t_ms), level, 0.0)

    def local_hour(self, t_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """Local time of day of each instant (n,), in hours."""
        hours: NDArray[np.float64] = (self.shift.wall_ms(t_ms) % DAY_MS) / HOUR_MS
        return hours


def make_axis(shift: Shift, recorded_start_ms: int, recorded_hours: int) -> Axis:
    """The axis for a shift: from the first recorded local midnight after the start to the end of the last day."""
    first = datetime.combine(FIRST_RECORDED_DAY, time(1))  # 00:00 UTC was 01:00 in London
    last = datetime.combine(LAST_RECORDED_DAY + timedelta(days=1), time())
    start_ms, end_ms = (round(shift.shown(wall).timestamp() * 1000) for wall in (first, last))
    hours = (end_ms - start_ms) // HOUR_MS
    begins = start_ms + HOUR_MS * np.arange(hours, dtype=np.int64)
    recorded = (shift.to_recorded(begins) - recorded_start_ms) // HOUR_MS
    return Axis(shift, start_ms, hours, np.clip(recorded, 0, recorded_hours - 1), _closed_days())


def _closed_days() -> NDArray[np.int64]:
    """Bank holidays and closures in recorded time, as days since 1 January 1970."""
    days = set(BANK_HOLIDAYS)
    for first, last in CLOSURES:
        days.update(first + timedelta(days=i) for i in range((last - first).days + 1))
    return np.array(sorted(day.toordinal() - date(1970, 1, 1).toordinal() for day in days), dtype=np.int64)
