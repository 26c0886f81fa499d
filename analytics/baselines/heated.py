"""The normal week of a meter that heats, for savings: the mean of a line and of trees that never rise with warmth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from analytics.baselines.boosting import boosted, seen_columns
from analytics.baselines.port import Expectation
from analytics.baselines.weighted_week import WeightedWeekBaseline

if TYPE_CHECKING:
    from analytics.baselines.hours import Hours
    from analytics.baselines.port import Floats

COVERAGE = 0.97
"""Of the errors of the line alone in held-back weeks: heating seasons differ by more than weeks of one do."""


class HeatedWeekBaseline(WeightedWeekBaseline):
    """As its line (``WeightedWeekBaseline`` that heats), with a share of boosted trees."""

    def __init__(self, *, trees: float = 0.6, coverage: float = COVERAGE) -> None:
        """``trees`` is the share of the boosted part, 0 for none of it."""
        super().__init__(heats=True, half_life_days=240.0, coverage=coverage)
        self.trees = trees

    def fit(self, hours: Hours, y: Floats) -> Self:
        """Learn from consecutive hours, ``y`` (n,)."""
        super().fit(hours, y)
        if self.trees:
            columns, ways = seen_columns(hours)
            self.boosted_ = boosted(np.stack(columns, axis=1).astype(np.float32), y, ways)
        return self

    def predict(self, hours: Hours) -> Expectation:
        """Expected use of each hour (n,)."""
        line = super().predict(hours)
        if not self.trees:
            return line
        columns = np.stack(seen_columns(hours)[0], axis=1).astype(np.float32)
        moved = self.trees * (np.clip(self.boosted_.predict(columns), *self.bounds_) - line.expected)
        floor = min(self.bounds_[0], 0.0)
        return Expectation(line.expected + moved, np.maximum(line.lo + moved, floor), line.hi + moved)
