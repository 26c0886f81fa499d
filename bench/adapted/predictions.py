"""Expected use of meters: of a later year by what was learned before, or of the next day by what is a day old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.baselines.recentred import RecentredBaseline
from analytics.baselines.towt import TowtBaseline

if TYPE_CHECKING:
    from analytics.baselines.port import Expectation
    from analytics.suspicion.budget import Budget
    from bench.task_folder import TaskFolder


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
    train, test, how, temp_c = folder.rows("train"), folder.rows("test"), folder.hour_of_week(meter), folder.temp_c
    y = folder.series["readings"][meter].to_numpy()
    model = RecentredBaseline().fit(how[train], None if temp_c is None else temp_c[train], y[train])
    followed = model.follow(how[: test.stop], None if temp_c is None else temp_c[: test.stop], y, test.start)
    return model.banded(followed.hour_of_week, np.asarray(followed.expected, np.float64))
