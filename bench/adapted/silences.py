"""Meters that fell silent: nothing is learned beforehand, each hour is judged by what came before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analytics.suspicion.silence import silences
from bench.adapted.alarms import COLUMNS

if TYPE_CHECKING:
    from analytics.suspicion.budget import Budget
    from bench.task_folder import TaskFolder


def detect(folder: TaskFolder, _: Budget) -> dict[str, pd.DataFrame]:
    """Alarms of every meter."""
    index, hour = folder.index, pd.Timedelta(hours=1)
    rows = [
        ("clean", meter, index[raised], index[end - 1] + hour, "silent_meter")
        for meter in folder.series["clean"]
        for raised, end in silences(folder.series["clean"][meter].to_numpy())
    ]
    return {"": pd.DataFrame(rows, columns=COLUMNS)}
