"""What is wrong with a meter's use, by name: a suspect, and which hours and how much it is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analytics.baselines.port import is_workday
from analytics.rolling import rolling_sum
from analytics.suspicion.bouts import QUIET_BELOW
from analytics.suspicion.policy import suspects
from analytics.suspicion.shapes import DAY_H, MORNING_H

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analytics.baselines.port import Floats, HoursOfWeek
    from analytics.suspicion.followed import Followed
    from analytics.suspicion.policy import Suspect

Flags = npt.NDArray[np.bool_]

LOOK_BACK_H = 14 * DAY_H
DRIFT_H = 5 * DAY_H
"""What took longer than this to be seen came slowly."""

BY_DAY = (7, 19)
STILL_THERE = 0.5
"""Of its size when it was told: with less it has ended."""

SHARED = 0.5
"""Of what is wasted by night as much is wasted by day: then it is no matter of the night."""

LEAST_BY_DAY_H = 4
"""Of fewer hours by day nothing is concluded."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong: ``kind`` is its detector's name; rows are of the hours it was found in.

    It began with hour ``since``, was told at the end of hour ``raised`` and is over once hour ``end`` has begun;
    ``loud`` (end - raised,) are the hours in which it was still to be seen.
    """

    kind: str
    since: int
    raised: int
    end: int
    loud: Flags
    span_h: int = 1
    """Of a leak: over how many hours its flow was added up, because the counter counts in large steps."""

    unseen: float = 0.0
    """Of a leak: a smaller one would not be told on this meter, in its unit per hour."""

    def moved(self, rows: int) -> Trouble:
        """The same in an array in which everything lies so many rows later."""
        return replace(self, since=self.since + rows, raised=self.raised + rows, end=self.end + rows)

    def is_seen(self, row: int) -> bool:
        """Whether it is to be seen in an hour."""
        return self.raised <= row < self.end and bool(self.loud[row - self.raised])


def without_cases(
    y: Floats, cases: Iterable[Trouble], most_h: int | None = None, *, once_raised: bool = False
) -> Floats:
    """``y`` (n,) with NaN in the hours that belong to a case, ``most_h`` of each at most: they are not normal.

    ``once_raised``: only those that were known to belong to it when they had ended.
    """
    left = y.copy()
    for one in cases:
        first = one.raised if once_raised else one.since
        left[first : one.end if most_h is None else min(one.end, first + most_h)] = np.nan
    return left


def troubles(followed: Followed, scores: Mapping[str, Floats]) -> Iterator[Trouble]:
    """What scores by family, (n,) each, tell of; each is named by what was known when it was told."""
    lately = {hours: rolling_sum(np.nan_to_num(followed.error), hours) / hours for hours in set(_LATELY_H.values())}
    wasted: list[Trouble] = []
    for one in suspects(scores):
        if one.family == "early" and any(other.is_seen(one.raised) for other in wasted if other.kind != "early_start"):
            continue  # what runs all night runs in the morning
        kind, since = _NAMED[one.family](followed, one)
        rows, loud = slice(one.raised, one.end), scores[one.family] >= QUIET_BELOW
        if hours := _LATELY_H.get(kind):
            is_there = lately[hours] >= STILL_THERE * lately[hours][one.raised]
            loud = is_there & loud if kind != "spike" else is_there  # the hours after a spike have it before them
        found = Trouble(kind, since, one.raised, one.end, loud[rows])
        wasted += [found] if one.family == "waste" else []
        yield found


_LATELY_H = {"spike": 1, "night_waste": 3, "weekend_or_holiday_waste": 3, "base_load_step": 24, "drift": 72}
"""Over so many hours it must still be there; what is longest seen is longest remembered by the shapes."""


def _waste(followed: Followed, one: Suspect) -> tuple[str, int]:
    """Whether by night, on days off, or at all hours; at once, or slowly."""
    since = began(followed, one.raised)
    hours = slice(since, one.raised + 1)
    how, error = followed.hour_of_week[hours], np.nan_to_num(followed.error[hours])
    off, by_day = ~is_workday(how), is_working_hour(how)
    if ((how % DAY_H >= MORNING_H[0]) & (how % DAY_H <= MORNING_H[1]) & ~off).all() and len(how) <= DAY_H:
        return "early_start", since
    if one.raised - since > DRIFT_H:
        return "drift", since
    if np.count_nonzero(by_day) >= LEAST_BY_DAY_H and (
        by_day.all() or error[by_day].mean() > SHARED * error[~by_day].mean()
    ):
        return "base_load_step", since
    return ("weekend_or_holiday_waste" if off.all() else "night_waste"), since


def _early(followed: Followed, one: Suspect) -> tuple[str, int]:
    """Since the beginning of the last morning."""
    hour = followed.hour_of_week[: one.raised + 1] % DAY_H
    mornings = np.flatnonzero(hour == MORNING_H[0])
    return "early_start", int(mornings[-1]) if len(mornings) else one.raised


def _spike(followed: Followed, one: Suspect) -> tuple[str, int]:
    return "spike", min(one.raised, len(followed.y) - 1)


def _stuck(followed: Followed, one: Suspect) -> tuple[str, int]:
    """Since the first of the equal hours."""
    differs = np.flatnonzero(followed.y[: one.raised + 1] != followed.y[one.raised])
    return "stuck_meter", int(differs[-1]) + 1 if len(differs) else 0


_NAMED = {"waste": _waste, "early": _early, "spike": _spike, "stuck": _stuck}


def is_working_hour(hour_of_week: HoursOfWeek) -> Flags:
    """Whether hours (n,) lie in the usual working day."""
    hour = hour_of_week % DAY_H
    return is_workday(hour_of_week) & (hour >= BY_DAY[0]) & (hour < BY_DAY[1])


def began(followed: Followed, raised: int) -> int:
    """Since when, most likely, more is used: the hour from which on the errors up to ``raised`` add up to most.

    Each counts less half the usual size of the last of them, so that what was normal before adds nothing.
    """
    first = max(0, raised + 1 - LOOK_BACK_H)
    z = np.nan_to_num(followed.error[first : raised + 1] / followed.spread[first : raised + 1])
    z = np.clip(z, -6, 6)
    gain = np.cumsum((z - 1.0)[::-1])
    return raised - int(np.argmax(gain))
