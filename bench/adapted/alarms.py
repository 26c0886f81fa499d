"""Faults of electricity meters: learned in the training year, looked for hour by hour in the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.fits import learned
from analytics.suspicion.policy import suspects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.baselines.port import Floats
    from analytics.baselines.recentred import RecentredBaseline
    from analytics.suspicion.budget import Budget
    from analytics.suspicion.policy import AlarmPolicy
    from bench.task_folder import TaskFolder

COLUMNS = ["series", "meter", "start", "end", "kind"]
BACK_H = 60 * 24
"""So long before the test the models begin to follow: levels and shapes look back no further."""

RAISED_H = 12
"""A message stands for so long. Whoever was told is not told again until it grew or was over."""


def detect(folder: TaskFolder, budget: Budget) -> dict[str, pd.DataFrame]:
    """Alarms of every meter and series, and how suspicious each hour of the series with faults is."""
    rows: list[tuple[str, str, pd.Timestamp, pd.Timestamp, str]] = []
    suspicion: dict[str, Floats] = {}
    for meter in folder.series["clean"]:
        learned = _learned(folder, str(meter), budget)
        for series in folder.series:
            scores = _scores(folder, str(meter), series, *learned)
            rows += ((series, str(meter), *span, kind) for *span, kind in _alarms(folder, scores))
            if series == "injected":
                suspicion[str(meter)] = np.max(list(scores.values()), axis=0)
    found = {"": pd.DataFrame(rows, columns=COLUMNS)}
    if suspicion:
        found[".scores"] = pd.DataFrame(suspicion, index=folder.index[folder.rows("test")])
    return found


def _learned(folder: TaskFolder, meter: str, budget: Budget) -> tuple[RecentredBaseline, AlarmPolicy]:
    train = folder.rows("train")
    temp_c = None if folder.temp_c is None else folder.temp_c[train]
    y = folder.series["clean"][meter].to_numpy()[train]
    model = learned(folder.hour_of_week(meter)[train], temp_c, y, is_water=False)
    model.suspicion.budget = budget
    return model.baseline, model.suspicion


def _scores(
    folder: TaskFolder, meter: str, series: str, baseline: RecentredBaseline, suspicion: AlarmPolicy
) -> dict[str, Floats]:
    """Scores of the test hours."""
    test = folder.rows("test")
    first = test.start - BACK_H
    back = slice(max(first - BACK_H, 0), test.stop)
    temp_c = None if folder.temp_c is None else folder.temp_c[back]
    y = folder.series[series][meter].to_numpy()[back]
    followed = baseline.follow(folder.hour_of_week(meter)[back], temp_c, y, first - back.start)
    return {family: score[BACK_H:] for family, score in suspicion.scores(followed).items()}


def _alarms(folder: TaskFolder, scores: dict[str, Floats]) -> Iterator[tuple[pd.Timestamp, pd.Timestamp, str]]:
    """When each was raised, once its hour was known, until when its message stands, and what it is."""
    index, hour = folder.index[folder.rows("test")], pd.Timedelta(hours=1)
    for one in suspects(scores):
        end = min(one.end, one.raised + RAISED_H)
        yield index[one.raised], index[end - 1] + hour, one.family
