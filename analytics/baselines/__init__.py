"""Baselines by name: add one by a file here and a line in this table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.baselines.day_ahead import DayAheadBaseline
from analytics.baselines.recentred import RecentredBaseline
from analytics.baselines.towt import TowtBaseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.baselines.port import Baseline

BASELINES: dict[str, Callable[[], Baseline]] = {
    "towt": TowtBaseline,
    "towt_recentred": RecentredBaseline,
    "towt_day_ahead": DayAheadBaseline,
}
"""``towt`` for savings and charts of the past, ``towt_recentred`` for alarms, ``towt_day_ahead`` for the next day."""
