"""The hours a baseline is asked about: what their days are, and the weather in them and before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analytics.rolling import rolling_sum

if TYPE_CHECKING:
    from analytics.baselines.port import Flags, Floats, HoursOfWeek

DAY_H = 24
WORK, SATURDAY, OFF = 0, 1, 2
_SATURDAY_H = 120

LAGS_H = (6, 24, 72)
"""Walls and pipes remember the weather for hours to days: its mean over so long is known beside it."""

LONG_H = 96
"""Days off that last for longer are a closure: emptier than a Sunday."""


@dataclass(frozen=True)
class Hours:
    """Consecutive hours; all arrays (n,).

    ``hour_of_week`` is local, 0 = Monday 00:00; closed days count as Sundays and moved workdays as Wednesdays.
    ``closed`` marks the weekdays that are closed, ``temp_c`` is outside, ``ghi_wm2`` the sun on level ground; each may
    be None. A stretch of them (``hours[a:b]``) remembers the weather before it: cut it from what is known.
    """

    hour_of_week: HoursOfWeek
    temp_c: Floats | None = None
    closed: Flags | None = None
    ghi_wm2: Floats | None = None
    lagged: dict[str, Floats] = field(default_factory=dict)
    """Mean weather of the last hours, by what and of how many."""

    def __post_init__(self) -> None:
        """Reckon what nobody has given: the weather before, and closures by how long they are."""
        if self.lagged:
            return
        self.lagged["long"] = _in_long_runs(self.day_type != WORK)
        if self.temp_c is not None:
            known = without_gaps(self.temp_c)
            self.lagged.update({"temp_c": known} | {f"temp_{h}": rolling_mean(known, h) for h in LAGS_H})
        if self.ghi_wm2 is not None:
            sun = np.nan_to_num(self.ghi_wm2)
            self.lagged.update({"ghi": sun, f"ghi_{DAY_H}": rolling_mean(sun, DAY_H)})

    def __len__(self) -> int:
        return len(self.hour_of_week)

    def __getitem__(self, rows: slice) -> Hours:
        """A stretch of them: views."""
        return Hours(
            self.hour_of_week[rows],
            None if self.temp_c is None else self.temp_c[rows],
            None if self.closed is None else self.closed[rows],
            None if self.ghi_wm2 is None else self.ghi_wm2[rows],
            {name: x[rows] for name, x in self.lagged.items()},
        )

    @property
    def day_type(self) -> HoursOfWeek:
        """``WORK``, ``SATURDAY`` or ``OFF``, (n,)."""
        late = self.hour_of_week >= _SATURDAY_H
        return np.asarray(np.where(late, np.where(self.hour_of_week < _SATURDAY_H + DAY_H, SATURDAY, OFF), WORK))

    @property
    def part(self) -> HoursOfWeek:
        """Hour of the day and type of the day as one, 0–71, (n,)."""
        return np.asarray(self.day_type * DAY_H + self.hour_of_week % DAY_H, np.int64)

    @property
    def is_closed(self) -> Flags:
        """The weekdays that are closed, (n,): none where nobody has told."""
        return np.zeros(len(self), np.bool_) if self.closed is None else self.closed


def rolling_mean(x: Floats, hours: int) -> Floats:
    """Mean of the last ``hours``, of fewer at the start; (n,)."""
    return rolling_sum(x, hours) / np.minimum(np.arange(len(x)) + 1, hours)


def without_gaps(x: Floats) -> Floats:
    """``x`` (n,) with the newest known value in its gaps, the first known one before it; 0 where nothing is known."""
    known = np.isfinite(x)
    if not known.any():
        return np.zeros(len(x))
    last = np.maximum.accumulate(np.where(known, np.arange(len(x)), -1))
    return np.asarray(x[np.where(last < 0, int(np.argmax(known)), last)], np.float64)


def _in_long_runs(off: Flags) -> Floats:
    """1 in hours (n,) of a run of days off of more than ``LONG_H``, else 0."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], off, [False]]).astype(np.int8)))
    found = np.zeros(len(off))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        found[first:end] = float(end - first > LONG_H)
    return found
