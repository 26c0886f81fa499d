"""How much of each shape of trouble the last hours hold: matched filters, in the counter's unit.

A filter asks how large a constant (in all hours, or in those of a night, or in the shape of a morning's rise) fits the
errors of its hours best, each weighed by how well that hour is usually known. It looks backwards only. Only what is
used in excess is looked for: what is missing shows as a flat or an empty line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.baselines.port import is_workday
from analytics.rolling import median, rolling_sum, sum_of_last

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analytics.baselines.port import Floats
    from analytics.suspicion.followed import Followed

DAY_H, WEEK_H = 24, 168
MOST_Z = 6.0
"""One wild hour counts no more than so many standard deviations."""

LEVEL_H = (8, 24, 72)
"""Hours over which a higher level is looked for: what is large shows at once, what is small takes days."""

SLOW_H = (72, 168)
"""The same against the level of a week before, so that what rises slowly is not taken for normal meanwhile."""

NIGHT_H = ((10, 0.9), (24, 0.4), (72, 0.5))
"""The same in unoccupied hours alone, and how much of a usual stretch of them must be known."""

SLOW_NIGHT_H = ((168, 0.5),)
"""And in those hours against the level of a week before: a base load that rises by a tenth shows in nights first."""

EARLY_DAYS = (1, 3)
EARLY_H = 3
MORNING_H = (2, 9)
KNOWN = 0.6
BEFORE_SPIKE_H = 4

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "waste": (
        *(f"level_{h}" for h in LEVEL_H),
        *(f"slow_{h}" for h in SLOW_H),
        *(f"night_{h}" for h, _ in NIGHT_H),
        *(f"slow_night_{h}" for h, _ in SLOW_NIGHT_H),
    ),
    "early": tuple(f"early_{days}" for days in EARLY_DAYS),
    "spike": ("spike",),
}
"""Shapes that tell of the same thing: a person is told of it once."""

REACH_H = 2 * WEEK_H
"""How far back the shapes of an hour look."""


def shapes_of(followed: Followed) -> dict[str, Floats]:
    """Size of each shape at each hour, (n,) each, in the counter's unit; 0 where too little is known."""
    working, hour = is_workday(followed.hour_of_week), followed.hour_of_week % DAY_H
    inside = 1 / followed.spread
    fresh, slow = _weighed(followed, followed.level), _weighed(followed, _a_week_before(followed.level))
    known = np.where(np.isfinite(followed.error), inside, 0.0)
    out = ~working | (hour < 7) | (hour >= 19)  # noqa: PLR2004 - the usual day, only to tell nights from days
    sums = _Sums(known, inside)
    found = {f"level_{h}": one for h, one in sums.constants(fresh, [(h, KNOWN) for h in LEVEL_H])}
    found |= {f"slow_{h}": one for h, one in sums.constants(slow, [(h, KNOWN) for h in SLOW_H])}
    fresh_out, slow_out, known_out, inside_out = (np.where(out, one, 0.0) for one in (fresh, slow, known, inside))
    nights = _Sums(known_out, inside_out)
    found |= {f"night_{h}": one for h, one in nights.constants(fresh_out, NIGHT_H)}
    found |= {f"slow_night_{h}": one for h, one in nights.constants(slow_out, SLOW_NIGHT_H)}
    return found | _early(followed, fresh, known) | {"spike": _spike(followed)}


def _weighed(followed: Followed, level: Floats) -> Floats:
    """Errors from a level over their spread twice: to be like each other, and to weigh more what is well known."""
    z = np.nan_to_num((followed.y - followed.base - level) / followed.spread)
    return np.asarray(np.clip(z, -MOST_Z, MOST_Z) / followed.spread, np.float64)


def _a_week_before(level: Floats) -> Floats:
    return np.concatenate([level[:WEEK_H], level[:-WEEK_H]])[: len(level)]


class _Sums:
    """What is known (n,) and what usually is, (n,), as weights summed up to each hour: once for all shapes."""

    def __init__(self, known: Floats, inside: Floats) -> None:
        self._known, self._inside = np.cumsum(known**2), np.cumsum(inside**2)

    def constants(self, weighed: Floats, spans: Iterable[tuple[int, float]]) -> Iterator[tuple[int, Floats]]:
        """The constant that fits the last ``hours`` best, of each of ``spans``: (hours, least share of usual weight).

        0 where less of that is known.
        """
        sums = np.cumsum(weighed)
        for hours, least in spans:
            weight, whole = sum_of_last(self._known, hours), sum_of_last(self._inside, hours)
            seen = whole[whole > 0]
            usual = median(seen) if len(seen) else 1.0
            fitted = sum_of_last(sums, hours) / np.maximum(weight, 1e-12)
            yield hours, np.where(weight >= least * usual, fitted, 0.0)


def _early(followed: Followed, weighed: Floats, known: Floats) -> dict[str, Floats]:
    """How surely the mornings of the last working days rose hours too early, in standard deviations."""
    hour = followed.hour_of_week % DAY_H
    morning = is_workday(followed.hour_of_week) & (hour >= MORNING_H[0]) & (hour <= MORNING_H[1])
    later = np.concatenate([followed.base[EARLY_H:], followed.base[-EARLY_H:]])[: len(followed.base)]
    rise = np.where(morning, np.maximum(np.nan_to_num(later - followed.base), 0.0), 0.0)
    found = {}
    for days in EARLY_DAYS:
        weight = rolling_sum((known * rise) ** 2, days * DAY_H)
        fitted = rolling_sum(weighed * rise, days * DAY_H)
        found[f"early_{days}"] = np.where(weight > 0, fitted / np.sqrt(np.maximum(weight, 1e-12)), 0.0)
    return found


def _spike(followed: Followed) -> Floats:
    """How far an hour lies above what was expected and above the hours just before it, in the counter's unit."""
    error = followed.error
    past = np.nan_to_num(error)
    one, two, three, four = (_shifted(past, k) for k in range(1, BEFORE_SPIKE_H + 1))
    lower = np.maximum(np.minimum(one, two), np.minimum(three, four))
    upper = np.minimum(np.maximum(one, two), np.maximum(three, four))  # both are the middle two, in any order
    return np.asarray(np.nan_to_num(error - np.maximum((lower + upper) / 2, 0.0)), np.float64)


def _shifted(x: Floats, hours: int) -> Floats:
    return np.concatenate([np.zeros(min(hours, len(x))), x[:-hours]])[: len(x)]
