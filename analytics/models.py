"""Which model is in force when: fitted on a Monday on what lies before, kept while it is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.baselines.port import Expectation
from analytics.fits import TRAIN_H, Fitted, learned
from analytics.learned_when import EVERY_WEEKS, WEEK_MS, Learner
from analytics.sufficiency import Insufficient, Shortage
from analytics.suspicion.budget import Budget
from analytics.suspicion.followed import joined
from analytics.suspicion.shapes import REACH_H, shapes_of
from analytics.suspicion.trouble import LOOK_BACK_H, Trouble, troubles
from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from accounting.local_time import Times
    from analytics.baselines.port import Floats, HoursOfWeek
    from analytics.fits import Model
    from analytics.suspicion.followed import Followed
    from analytics.suspicion.policy import AlarmPolicy

RECENT_H = 30 * 24
LITTLE_H = 13 * 7 * 24
"""What was learned from fewer hours is learned anew the next Monday."""

JUDGED_H = LOOK_BACK_H + REACH_H
"""How far before the first step suspicion reaches back: a case that runs for longer is told from there on."""

LEAKS_BACK_H = 91 * 24
"""The same of water: a leak that runs for longer is told anew."""


@dataclass(frozen=True)
class JudgedUse(Expectation):
    """What was expected, what is wrong, and how suspicious each hour is, (n,): above 1 it is told."""

    troubles: tuple[Trouble, ...]
    score: Floats


class Models:
    """Baselines by counter and Monday. A counter without enough history has none, and the shortage is kept as data."""

    def __init__(self, budget: Budget = Budget.NORMAL, *, are_on: bool = True) -> None:
        """Where they are not on nothing is expected of any counter; leaks are looked for by their rule all the same."""
        self.budget = budget
        self.are_on = are_on
        self._fitted: dict[str, dict[int, Model | None]] = {}
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
        *,
        utility: Utility,
    ) -> JudgedUse:
        """Expected use and band of a counter in the hours from ``t_ms`` (n,) on, (n,), and what is wrong in them.

        Causal from hour ``first`` on. Before ``first`` the model in force there looks back ``RECORD_H``; earlier hours
        are NaN. No model is fitted after ``known_ms``: the one before reaches beyond it. A model that nobody has kept
        is fitted on ``y``. What is looked for is of its utility; water is looked at further back (``leaks``).
        """
        found = Expectation(*(np.full(len(y), np.nan) for _ in range(3)))
        if not self.are_on:
            return JudgedUse(found.expected, found.lo, found.hi, (), found.expected)
        stretches: list[tuple[int, Followed, AlarmPolicy]] = []

        def fitted_at(row: int) -> Model | None:
            return self._model(name, t_ms, row, hour_of_week, temp_c, y, utility)

        for one in Learner(name, lambda row: _knows_little(fitted_at(row))).terms(t_ms, first, known_ms):
            model = fitted_at(one.fit_at)
            if model is None:
                stretches.clear()
                continue
            start, end = one.start, one.end
            back = max(0, start - RECENT_H)
            stretch = slice(back, end)
            temp = None if temp_c is None else temp_c[stretch]
            followed = model.baseline.follow(hour_of_week[stretch], temp, y[stretch], start - back)
            part = model.baseline.banded(followed.hour_of_week, followed.expected)
            for whole, new in ((found.expected, part.expected), (found.lo, part.lo), (found.hi, part.hi)):
                whole[start:end] = new
            stretches.append((start, followed, model.suspicion))
        score = np.full(len(y), np.nan)
        is_judged = utility is Utility.ELECTRICITY
        wrong = tuple(self._troubles(stretches, first, score)) if is_judged else ()
        return JudgedUse(found.expected, found.lo, found.hi, wrong, score)

    def leaks(self, name: str, t_ms: Times, y: Floats, first: int) -> tuple[tuple[Trouble, ...], Floats]:
        """Leaks of a water counter in hours (n,), by the model in force at hour ``first``; and the score of each."""
        fit_at = next(self.learner(name, t_ms).terms(t_ms, first)).fit_at
        model, score = self._fitted.get(name, {}).get(int(t_ms[fit_at])), np.full(len(y), np.nan)
        if model is not None and model.leaks is not None:
            skip = max(0, first - LEAKS_BACK_H)
            found, score[skip:] = model.leaks.judge(y[skip:])
            return tuple(one.moved(skip) for one in found), score
        return (), score

    def unseen_leaks(self) -> Mapping[str, float]:
        """By water counter the flow below which a leak of it is not told, in its unit per hour."""
        newest = {name: models[max(models)] for name, models in list(self._fitted.items()) if models}
        return {name: one.leaks.unseen for name, one in newest.items() if one is not None and one.leaks is not None}

    def _troubles(
        self, stretches: list[tuple[int, Followed, AlarmPolicy]], first: int, score: Floats
    ) -> Iterator[Trouble]:
        """What is wrong from hour ``first`` on, each stretch judged by the limits in force; rows are of all hours.

        The highest score of each of these hours is written into ``score``.
        """
        stretches = [one for one in stretches if one[0] + len(one[1].y) > first - JUDGED_H]
        if not stretches:
            return
        begin = stretches[0][0]
        skip = max(0, first - JUDGED_H - begin)
        whole = joined([followed for _, followed, _ in stretches])
        shapes, parts = shapes_of(whole), []
        for start, followed, suspicion in stretches:
            rows = slice(start - begin, start - begin + len(followed.y))
            mine = {name: shape[rows] for name, shape in shapes.items()}
            parts.append(suspicion.rated(followed, mine))
        scores = {family: np.concatenate([part[family] for part in parts])[skip:] for family in parts[0]}
        score[begin + skip : begin + len(whole.y)] = np.max(list(scores.values()), axis=0)
        yield from (one.moved(begin + skip) for one in troubles(whole.since(skip), scores))

    def wants(self, utility: Utility) -> bool:
        """Whether counters of a utility are learned."""
        return self.are_on or utility is Utility.WATER

    def learner(self, name: str, t_ms: Times) -> Learner:
        """When a counter learns whose hours begin with ``t_ms`` (n,), as far as is known."""
        fitted = self._fitted.setdefault(name, {})
        return Learner(name, lambda row: (at := int(t_ms[row])) in fitted and _knows_little(fitted[at]))

    def has(self, name: str, fit_ms: int) -> bool:
        """Whether the model of a Monday is known, or that there is none."""
        return fit_ms in self._fitted.get(name, ())

    def keep(self, fitted: Fitted) -> None:
        """Take a model that was fitted elsewhere."""
        self.learned += 1
        if fitted.model is not None:
            fitted.model.suspicion.budget = self.budget
            if fitted.model.leaks is not None:
                fitted.model.leaks.budget = self.budget
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
        """Drop models that are no longer in force at an instant."""
        oldest_ms = t_ms - (EVERY_WEEKS + 1) * WEEK_MS
        for name, models in self._fitted.items():
            self._fitted[name] = {fit_ms: model for fit_ms, model in models.items() if fit_ms >= oldest_ms}

    def forget_after(self, name: str, t_ms: int) -> None:
        """Drop what a counter's models have learned from hours that have changed since, from an instant on."""
        if name in self._fitted:
            self._fitted[name] = {fit_ms: model for fit_ms, model in self._fitted[name].items() if fit_ms <= t_ms}

    def _model(
        self, name: str, t_ms: Times, fit_at: int, how: HoursOfWeek, temp_c: Floats | None, y: Floats,
        utility: Utility,
    ) -> Model | None:  # fmt: skip
        """The model fitted on what lay before hour ``fit_at``; None where that was not enough."""
        fit_ms = int(t_ms[fit_at])
        if not self.has(name, fit_ms):
            known = slice(max(0, fit_at - TRAIN_H), fit_at)
            temp = None if temp_c is None else temp_c[known]
            try:
                fitted = Fitted(name, fit_ms, learned(how[known], temp, y[known], is_water=utility is Utility.WATER))
            except Insufficient as error:
                fitted = Fitted(name, fit_ms, None, error.shortages)
            self.keep(fitted)
        return self._fitted[name][fit_ms]


def _knows_little(model: Model | None) -> bool:
    return model is None or model.hours < LITTLE_H
