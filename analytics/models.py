"""Which model is in force in which week: fitted every Monday on what lies before, kept while it is in force."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS
from analytics.baselines.port import Expectation
from analytics.baselines.recentred import RecentredBaseline
from analytics.fits import TRAIN_H, Fitted
from analytics.sufficiency import Insufficient, Shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounting.local_time import Times
    from analytics.baselines.port import Floats, HoursOfWeek

WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS
"""1970-01-05, the first Monday: weeks are counted from here, so every start of the process fits at the same hours."""

RECENT_H = 16 * 24
RECORD_H = 77 * 24
"""How far before the first step expectations reach back: detectors compare with a meter's own recent weeks."""


class Models:
    """Baselines by counter and week. A counter without enough history has none, and the shortage is kept as data."""

    def __init__(self, make: Callable[[], RecentredBaseline] = RecentredBaseline) -> None:
        self._make = make
        self._fitted: dict[str, dict[int, RecentredBaseline | None]] = {}
        self.refused: dict[str, tuple[Shortage, ...]] = {}
        self.learned = 0
        """How many models were fitted so far."""

    def expectation(
        self,
        name: str,
        t_ms: Times,
        hour_of_week: HoursOfWeek,
        temp_c: Floats | None,
        y: Floats,
        first: int,
        known_ms: int | None = None,
    ) -> Expectation:
        """Expected use and band of a counter in the hours from ``t_ms`` (n,) on, (n,); causal from hour ``first`` on.

        Before ``first`` the model of its week looks back ``RECORD_H``; earlier hours are NaN. A week that begins after
        ``known_ms`` has no model yet: the one before reaches into it. A model that nobody has kept is fitted on ``y``.
        """
        found = Expectation(*(np.full(len(y), np.nan) for _ in range(3)))
        for fit_at, start, end in weeks(t_ms, first, known_ms):
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

    def has(self, name: str, fit_ms: int) -> bool:
        """Whether the model of a week is known, or that there is none."""
        return fit_ms in self._fitted.get(name, ())

    def keep(self, fitted: Fitted) -> None:
        """Take a model that was fitted elsewhere."""
        self.learned += 1
        self._fitted.setdefault(fitted.name, {})[fitted.fit_ms] = fitted.model
        if fitted.model is None:
            self.refused[fitted.name] = fitted.shortages
        else:
            self.refused.pop(fitted.name, None)

    def kept(self) -> Iterator[Fitted]:
        """All models, and all that there is none."""
        for name, models in self._fitted.items():
            for fit_ms, model in models.items():
                yield Fitted(name, fit_ms, model, self.refused.get(name, ()) if model is None else ())

    def forget_before(self, t_ms: int) -> None:
        """Drop models that are no longer in force."""
        for name, models in self._fitted.items():
            self._fitted[name] = {fit_ms: model for fit_ms, model in models.items() if fit_ms >= t_ms}

    def forget_after(self, name: str, t_ms: int) -> None:
        """Drop what a counter's models have learned from hours that have changed since, from an instant on."""
        if name in self._fitted:
            self._fitted[name] = {fit_ms: model for fit_ms, model in self._fitted[name].items() if fit_ms <= t_ms}

    def _model(
        self, name: str, t_ms: Times, fit_at: int, how: HoursOfWeek, temp_c: Floats | None, y: Floats
    ) -> RecentredBaseline | None:
        """The model fitted on what lay before hour ``fit_at``; None where that was not enough."""
        fit_ms = int(t_ms[fit_at])
        if not self.has(name, fit_ms):
            known = slice(max(0, fit_at - TRAIN_H), fit_at)
            temp = None if temp_c is None else temp_c[known]
            try:
                fitted = Fitted(name, fit_ms, self._make().fit(how[known], temp, y[known]))
            except Insufficient as error:
                fitted = Fitted(name, fit_ms, None, error.shortages)
            self.keep(fitted)
        return self._fitted[name][fit_ms]


def weeks(t_ms: Times, first: int, known_ms: int | None = None) -> Iterator[tuple[int, int, int]]:
    """(hour of the fit, first hour, end hour) of each stretch in which one model is in force.

    No model is fitted after ``known_ms``: the last one goes on.
    """
    numbers = (t_ms[[first, -1]] - MONDAY_MS) // WEEK_MS
    mondays = MONDAY_MS + WEEK_MS * np.arange(numbers[0], numbers[1] + 2)
    fits = np.searchsorted(t_ms, mondays).tolist()
    if known_ms is not None:
        fits = [fit for fit, monday in zip(fits[:-1], mondays.tolist(), strict=False) if monday <= known_ms] + fits[-1:]
    start = max(0, fits[0] - RECORD_H)
    for fit_at, end in pairwise(fits):
        yield fit_at, start, end
        start = end
