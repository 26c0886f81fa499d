"""Expected use of meters: of a later year by what was learned before, or of the next day by what is a day old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.baselines.day_ahead import DayAheadBaseline
from analytics.baselines.port import Expectation
from analytics.baselines.towt import TowtBaseline
from analytics.fits import TRAIN_H

if TYPE_CHECKING:
    from analytics.suspicion.budget import Budget
    from bench.task_folder import TaskFolder

ANEW_H = 73 * 24
BACK_H = 60 * 24


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
    train, test, how, temp_c = folder.rows("train"), folder.rows("test"), folder.hour_of_week(meter), folder.temp_c
    y = folder.series["readings"][meter].to_numpy()[train]
    model = TowtBaseline().fit(how[train], None if temp_c is None else temp_c[train], y)
    return model.predict(how[test], None if temp_c is None else temp_c[test])


def _operational(folder: TaskFolder, meter: str) -> Expectation:
    """By a model that is learned anew five times a year, of the last 400 days."""
    test, how, temp_c = folder.rows("test"), folder.hour_of_week(meter), folder.temp_c
    y = folder.series["readings"][meter].to_numpy()
    parts = []
    for start in range(test.start, test.stop, ANEW_H):
        learned, back = (
            slice(max(0, start - TRAIN_H), start),
            slice(max(0, start - BACK_H), min(start + ANEW_H, test.stop)),
        )
        model = DayAheadBaseline().fit(how[learned], None if temp_c is None else temp_c[learned], y[learned])
        temp = None if temp_c is None else temp_c[back]
        parts.append(model.follow(how[back], temp, y[back], start - back.start))
    return Expectation(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("expected", "lo", "hi")))
