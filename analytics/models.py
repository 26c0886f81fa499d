"""Which model is in force in which week: fitted every Monday on what lies before, kept while it is in force."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS
from analytics.baselines.port import Expectation
from analytics.baselines.recentred import RecentredBaseline
from analytics.sufficiency import Insufficient, Shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounting.local_time import Times
    from analytics.baselines.port import Floats, HoursOfWeek

WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS
"""1970-01-05, the first Monday: weeks are counted from here, so every start of the process fits at the same hours."""

TRAIN_H = 400 * 24
RECENT_H = 16 * 24
RECORD_H = 77 * 24
"""How far before the first step expectations reach back: detectors compare with a meter's own recent weeks."""

Key = tuple[str, int, int]


class Models:
    """Baselines by counter and week. A counter without enough history has none, and the shortage is kept as data."""

    def __init__(self, make: Callable[[], RecentredBaseline] = RecentredBaseline) -> None:
        self._make = make
        self._fitted: dict[Key, RecentredBaseline | None] = {}
        self.refused: dict[str, tuple[Shortage, ...]] = {}

    def expectation(
        self, name: str, t_ms: Times, hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats, first: int
    ) -> Expectation:
        """Expected use and band of a counter in the hours from ``t_ms`` (n,) on, (n,); causal from hour ``first`` on.

        Before ``first`` the model of its week looks back ``RECORD_H``; earlier hours are NaN.
        """
        found = Expectation(*(np.full(len(y), np.nan) for _ in range(3)))
        for fit_at, start, end in _weeks(t_ms, first):
            model = self._model(name, t_ms, fit_at, hour_of_week, temp_c, y)
            if model is None:
                continue
            back = max(0, start - RECENT_H)
            stretch = slice(back, end)
            temp = None if temp_c is None else temp_c[stretch]
            part = model.follow(hour_of_week[stretch], temp, y[stretch], start - back)
            for whole, new in ((found.expected, part.expected), (found.lo, part.lo), (found.hi, part.hi)):
                whole[start:end] = new
        return found

    def forget_before(self, t_ms: int) -> None:
        """Drop models that are no longer in force."""
        self._fitted = {key: model for key, model in self._fitted.items() if key[1] >= t_ms}

    def _model(
        self, name: str, t_ms: Times, fit_at: int, how: HoursOfWeek, temp_c: Floats | None, y: Floats
    ) -> RecentredBaseline | None:
        """The model fitted on what lay before hour ``fit_at``; None where that was not enough."""
        known = slice(max(0, fit_at - TRAIN_H), fit_at)
        key = (name, int(t_ms[fit_at]), int(np.isfinite(y[known]).sum()))
        if key not in self._fitted:
            try:
                temp = None if temp_c is None else temp_c[known]
                self._fitted[key] = self._make().fit(how[known], temp, y[known])
                self.refused.pop(name, None)
            except Insufficient as error:
                self._fitted[key] = None
                self.refused[name] = error.shortages
        return self._fitted[key]


def _weeks(t_ms: Times, first: int) -> Iterator[tuple[int, int, int]]:
    """(hour of the fit, first hour, end hour) of each stretch in which one model is in force."""
    weeks = (t_ms[[first, -1]] - MONDAY_MS) // WEEK_MS
    fits = np.searchsorted(t_ms, MONDAY_MS + WEEK_MS * np.arange(weeks[0], weeks[1] + 2)).tolist()
    start = max(0, fits[0] - RECORD_H)
    for fit_at, end in pairwise(fits):
        yield fit_at, start, end
        start = end
