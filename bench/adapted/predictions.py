"""Expected use of meters: of a later year by what was learned before, or of the next day by what is a day old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.baselines.day_ahead import DayAheadBaseline
from analytics.baselines.heated import HeatedWeekBaseline
from analytics.baselines.port import Expectation
from analytics.baselines.weighted_week import WeightedWeekBaseline
from analytics.fits import TRAIN_H

if TYPE_CHECKING:
    from analytics.suspicion.budget import Budget
    from bench.task_folder import TaskFolder

ANEW_H = 73 * 24
BACK_H = 60 * 24
TREES, HEATED_TREES = 0.5, 0.6


def predict(folder: TaskFolder, _: Budget) -> dict[str, pd.DataFrame]:
    """What is expected of every meter in the test hours, and its band."""
    expect = _savings if folder.kind == "savings" else _operational
    found = {str(meter): expect(folder, str(meter)) for meter in folder.meters.index}
    index = folder.index[folder.rows("test")]
    columns = {"": "expected", ".low": "lo", ".high": "hi"}
    return {
        suffix: pd.DataFrame({meter: getattr(one, name) for meter, one in found.items()}, index=index)
        for suffix, name in columns.items()
    }


def _savings(folder: TaskFolder, meter: str) -> Expectation:
    hours, train = folder.hours(meter), folder.rows("train")
    y = folder.series["readings"][meter].to_numpy()[train]
    model = HeatedWeekBaseline() if folder.heats else WeightedWeekBaseline()
    return model.fit(hours[train], y).predict(hours[folder.rows("test")])


def _operational(folder: TaskFolder, meter: str) -> Expectation:
    """By a model that is learned anew five times a year, of the last 400 days."""
    test, hours, parts = folder.rows("test"), folder.hours(meter), []
    trees = HEATED_TREES if folder.heats else TREES
    y = folder.series["readings"][meter].to_numpy()
    for start in range(test.start, test.stop, ANEW_H):
        learned = slice(max(0, start - TRAIN_H), start)
        back = slice(max(0, start - BACK_H), min(start + ANEW_H, test.stop))
        model = DayAheadBaseline(heats=folder.heats, trees=trees).fit(hours[learned], y[learned])
        parts.append(model.follow(hours[back], y[back], start - back.start))
    return Expectation(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("expected", "lo", "hi")))
