"""Baselines by name: add one by a file here and a line in this table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analytics.baselines.day_ahead import DayAheadBaseline
from analytics.baselines.heated import HeatedWeekBaseline
from analytics.baselines.recentred import RecentredBaseline
from analytics.baselines.towt import TowtBaseline
from analytics.baselines.weighted_week import WeightedWeekBaseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.baselines.contract import Baseline

BASELINES: dict[str, Callable[[], Baseline]] = {
    "towt": TowtBaseline,
    "towt_recentred": RecentredBaseline,
    "weighted_week": WeightedWeekBaseline,
    "heated_week": HeatedWeekBaseline,
    "day_ahead": DayAheadBaseline,
    "day_ahead_trees": partial(DayAheadBaseline, trees=0.5),
    "heated_day_ahead_trees": partial(DayAheadBaseline, heats=True, trees=0.6),
}
"""``towt_recentred`` for alarms, on ``towt``; ``weighted_week`` and, where gas or heat is used, ``heated_week`` for
savings; the others for the next day, with boosted trees where their cost does not matter."""
