"""How much is told: a budget of false alarms, and the limits that keep it, learned from a meter's own past."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Self

import numpy as np

from analytics.suspicion.shapes import FAMILIES, WEEK_H

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.baselines.port import Floats

YEAR_H = 8760
WEEKS_A_MONTH = 4.35
WARM_UP_H = 5 * WEEK_H
"""So long nothing is learned from shapes: levels have nothing to look back on."""

APART_H = 24
"""Alarms that are closer than this are one."""

PEAKS_A_YEAR = 6.0
"""A shape is measured by the size it reaches so often in a year without trouble."""

UNSEEN = 0.3
"""A short past has not seen what a year would show: limits rise by so much each time a year is e times longer."""


@unique
class Budget(StrEnum):
    """How many alarms a staff will bear."""

    QUIET = "quiet"
    NORMAL = "normal"
    KEEN = "keen"


@dataclass(frozen=True, slots=True)
class _Allowance:
    """``a_year``: alarms a meter may have had in its own past; ``usual``: what a meter's limit is as a rule.

    A limit is the geometric mean of both. A year holds too few alarms to tell a meter's own limit well, and the next
    year always holds something new.
    """

    a_year: float
    usual: float
    measured_a_month: float
    """False alarms of an electricity meter in a month of buildings that nobody had looked at (``bench.models``)."""


ALLOWED: Mapping[Budget, _Allowance] = {
    Budget.QUIET: _Allowance(1.0, 3.0, 0.15),
    Budget.NORMAL: _Allowance(2.0, 1.9, 0.3),
    Budget.KEEN: _Allowance(6.0, 1.1, 0.9),
}
SHAPES = tuple(shape for family in FAMILIES.values() for shape in family)


class AlarmSizes:
    """How large each shape must be to be told of; learned from one meter's shapes by fits that did not see them."""

    def fit(self, shapes: Mapping[str, Floats]) -> Self:
        """Learn from the hours (n,) of each shape."""
        learned = {name: shapes[name][min(WARM_UP_H, len(shapes[name]) // 2) :] for name in SHAPES}
        years = len(learned[SHAPES[0]]) / YEAR_H
        self.peaks_ = np.array([max(limit(learned[name], PEAKS_A_YEAR * years), 1e-9) for name in SHAPES])
        largest = np.max([learned[name] / peak for name, peak in zip(SHAPES, self.peaks_, strict=True)], axis=0)
        own = limits(largest, [one.a_year * years for one in ALLOWED.values()])
        self.own_ = own * (1 + UNSEEN * max(0.0, -np.log(years))) ** 2
        return self

    def sizes(self, budget: Budget) -> Floats:
        """Size from which on each of ``SHAPES`` is told, (shapes,), in the unit of the shape."""
        own = max(float(self.own_[list(ALLOWED).index(budget)]), 0.1)
        return np.asarray(self.peaks_ * np.sqrt(own * ALLOWED[budget].usual), np.float64)


LEVELS = 1 - np.geomspace(2e-5, 0.1, 60)


def limit(score: Floats, allowed: float) -> float:
    """The lowest of some quantiles of a score (n,) above which lie no more than so many alarms."""
    return float(limits(score, [allowed])[0])


def limits(score: Floats, allowed: Sequence[float]) -> Floats:
    """The same of several numbers of alarms (m,)."""
    levels = highest_quantiles(score, LEVELS)
    above = alarms_above(score, levels)
    over = [np.flatnonzero(above > most) for most in allowed]
    firsts = [int(few[0]) if len(few) else len(levels) for few in over]
    return np.array([levels[first - 1] if first else levels[0] * 1.0001 + 1e-9 for first in firsts])


def highest_quantiles(x: Floats, shares: Floats) -> Floats:
    """As ``numpy.quantile`` of ``x`` (n,) at falling shares (m,): only what lies above the lowest of them is sorted."""
    place = shares * (len(x) - 1)
    below = place.astype(np.int64)
    least = int(below[-1])
    top = np.sort(np.partition(x, least)[least:])
    low, high = top[below - least], top[np.minimum(below + 1, len(x) - 1) - least]
    part = place - below
    near = np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))  # noqa: PLR2004
    return np.asarray(near, np.float64)


def alarms_above(score: Floats, levels: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many alarms the hours of a score (n,) above each level (m,) are, (m,): those that are close are one.

    Of these hours the ones count in whose last day no other is above the level.
    """
    least = levels.min()
    high = np.flatnonzero(score > least)
    near = np.minimum(score[high], _highest_before(score)[high])
    above = (np.searchsorted(np.sort(column), levels, side="right") for column in (score[high], near))
    hours, repeated = (len(high) - place for place in above)
    return np.asarray(hours - repeated, np.int64)


def _highest_before(x: Floats) -> Floats:
    """The highest of the ``APART_H`` hours before each, (n,); -inf before the first."""
    highest = np.concatenate([[-np.inf], x[:-1]])[: len(x)]
    for hours in (1, 2, 4, 8, 8):  # of so many hours more, up to 24
        highest = np.concatenate([highest[:hours], np.maximum(highest[hours:], highest[:-hours])])
    return highest
