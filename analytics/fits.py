"""Fits baselines of many counters, in processes of their own where there are many: nobody who watches waits for them.

What they learn from is read where they are fitted, some counters at a time, and forgotten at once: only coefficients
come back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from analytics.baselines.recentred import RecentredBaseline
from analytics.grid import USE_FIELDS, Grid
from analytics.sufficiency import Insufficient, Shortage
from analytics.suspicion.leaks import LeakRule
from analytics.suspicion.policy import AlarmPolicy
from analytics.suspicion.trouble import LOOK_BACK_H, troubles, without_cases
from facility.quantities import Utility
from stores.counter_rows import one_series
from stores.readings import open_readings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analytics.baselines.port import Floats, HoursOfWeek
    from analytics.scene import Times
    from analytics.suspicion.followed import Followed
    from analytics.suspicion.trouble import Trouble
    from stores.readings.port import ReadingStore

TRAIN_H = 400 * 24
COUNTERS_AT_ONCE = 20
FEW = 64
"""So many counters are fitted sooner than a process is started."""

MOST_PROCESSES = 2
LONGEST_S = 600.0
LEAST_LEAK_M3H = 0.02
"""The smallest leak that is worth a person in a public building."""

NICENESS = 5
"""What is watched goes before what is learned."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One counter: its id and tags, its building's place among the temperatures, the hours at which it is fitted."""

    name: str
    tags: Mapping[str, str]
    outdoors: int | None
    fit_at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """What the lessons of an estate share: the hours (edges (n + 1,), ms UTC), their hour of the week, temperatures."""

    edges_ms: Times
    hour_of_week: HoursOfWeek
    temps_c: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """What is normal for a counter, and from what on it is told that something is not."""

    baseline: RecentredBaseline
    suspicion: AlarmPolicy
    leaks: LeakRule | None = None
    """Of a water meter alone."""

    hours: int = 0
    """That it was learned from."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model fitted on what lay before an instant, or what was short."""

    name: str
    fit_ms: int
    model: Model | None
    shortages: tuple[Shortage, ...] = ()


def fit_here(store: ReadingStore, training: Training, lessons: Sequence[Lesson]) -> Iterator[list[Fitted]]:
    """Fit in this process, some counters at a time."""
    for k in range(0, len(lessons), COUNTERS_AT_ONCE):
        yield fit_some(store, training, lessons[k : k + COUNTERS_AT_ONCE])


def fit_some(store: ReadingStore, training: Training, lessons: Sequence[Lesson]) -> list[Fitted]:
    """Read what some counters used, and fit their models."""
    grid = Grid(training.edges_ms)
    first = min(max(0, min(one.fit_at) - TRAIN_H) for one in lessons)
    last = max(max(one.fit_at) for one in lessons)
    some = [{"meter": one.tags["meter"], "quantity": one.tags["quantity"]} for one in lessons]
    span = int(grid.edges_ms[first]), int(grid.edges_ms[last])
    rows = store.read_rollups("usage_1h", some, *span, USE_FIELDS)
    found = []
    for one in lessons:
        mine = [r for r in rows if (r.tags["meter"], r.tags["quantity"]) == (one.tags["meter"], one.tags["quantity"])]
        y = grid.measured(one_series(mine, one.tags)) if mine else np.full(grid.hours, np.nan)
        found += [_fit(training, one, y, fit_at) for fit_at in one.fit_at]
    return found


def _fit(training: Training, lesson: Lesson, y: Floats, fit_at: int) -> Fitted:
    known, fit_ms = slice(max(0, fit_at - TRAIN_H), fit_at), int(training.edges_ms[fit_at])
    temp_c = None if lesson.outdoors is None else training.temps_c[lesson.outdoors][known]
    try:
        is_water = lesson.tags["utility"] == Utility.WATER.value
        model = learned(training.hour_of_week[known], temp_c, y[known], is_water=is_water)
    except Insufficient as error:
        return Fitted(lesson.name, fit_ms, None, error.shortages)
    return Fitted(lesson.name, fit_ms, model)


def learned(hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats, *, is_water: bool) -> Model:
    """A model of hours (n,) each. Raises ``Insufficient`` when they do not suffice.

    What is normal is learned twice: hours that the first time showed to be a leak or waste teach nothing the second,
    of waste those of a fortnight: what lasts for longer is what the meter does now. Limits are learned from all hours.
    """
    leaks = LeakRule(least=LEAST_LEAK_M3H).fit(y) if is_water else None
    if leaks is not None:
        baseline, followed = _ordinary(hour_of_week, temp_c, y, leaks.detect(y), None)
    else:
        baseline = RecentredBaseline()
        followed = baseline.learn(hour_of_week, temp_c, y)
        wasted = troubles(followed, AlarmPolicy().fit(followed).scores(followed))
        baseline, followed = _ordinary(hour_of_week, temp_c, y, wasted, (baseline, followed), LOOK_BACK_H)
    return Model(baseline, AlarmPolicy().fit(followed), leaks, int(np.isfinite(y).sum()))


def _ordinary(
    hour_of_week: HoursOfWeek, temp_c: Floats | None, y: Floats, cases: Iterable[Trouble],
    before: tuple[RecentredBaseline, Followed] | None, most_h: int | None = None,
) -> tuple[RecentredBaseline, Followed]:  # fmt: skip
    """What is learned of hours (n,) that belong to no case, and all hours beside it.

    Where there is no case, or too little is left without them, it is what was learned ``before``, or of all hours.
    """
    baseline, ordinary = RecentredBaseline(), without_cases(y, cases, most_h)
    if not np.array_equal(ordinary, y, equal_nan=True):
        with suppress(Insufficient):
            return baseline, replace(baseline.learn(hour_of_week, temp_c, ordinary), y=y)
    return before or (baseline, baseline.learn(hour_of_week, temp_c, y))


class FitPool:
    """Fits in processes that open the store by its URL, and end when all is fitted. Few counters are fitted here."""

    def __init__(self, store: ReadingStore, url: str) -> None:
        self._store, self._url = store, url

    def __call__(self, training: Training, lessons: Sequence[Lesson]) -> Iterable[list[Fitted]]:
        """Some fitted models at a time, in any order."""
        return fit_here(self._store, training, lessons) if len(lessons) < FEW else self._in_processes(training, lessons)

    def _in_processes(self, training: Training, lessons: Sequence[Lesson]) -> Iterator[list[Fitted]]:
        parts = [lessons[k : k + COUNTERS_AT_ONCE] for k in range(0, len(lessons), COUNTERS_AT_ONCE)]
        processes = min(MOST_PROCESSES, os.cpu_count() or 1)
        # Spawned, not forked: a copy of a process with threads may hold a lock that nobody in it will ever open.
        with get_context("spawn").Pool(processes, _begin, (self._url, training)) as pool:
            done = pool.imap_unordered(_learn, parts)
            for _ in parts:
                yield done.next(LONGEST_S)


class _Pupil:
    """What a process of the pool has at hand."""

    store: ReadingStore
    training: Training


def _begin(url: str, training: Training) -> None:
    os.nice(NICENESS)
    _Pupil.store, _Pupil.training = open_readings(url), training


def _learn(lessons: Sequence[Lesson]) -> list[Fitted]:
    return fit_some(_Pupil.store, _Pupil.training, lessons)
