"""Leaks of water meters: learned in the first half, looked for in the second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analytics.suspicion.leaks import WARM_UP_H, LeakRule
from bench.adapted.alarms import COLUMNS, RAISED_H

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.suspicion.budget import Budget
    from bench.task_folder import TaskFolder

LEAST_L = 0.5
"""Litres an hour: the meters show whole litres, so this is a litre in two hours."""


def detect(folder: TaskFolder, budget: Budget) -> dict[str, pd.DataFrame]:
    """Alarms of every meter and series."""
    rows = [
        (series, meter, *span)
        for meter in folder.series["clean"]
        for series, *span in _alarms(folder, str(meter), budget)
    ]
    return {"": pd.DataFrame(rows, columns=COLUMNS)}


def _alarms(folder: TaskFolder, meter: str, budget: Budget) -> Iterator[tuple[str, pd.Timestamp, pd.Timestamp, str]]:
    test, hour = folder.rows("test"), pd.Timedelta(hours=1)
    rule = LeakRule(least=LEAST_L, budget=budget).fit(folder.series["clean"][meter].to_numpy()[: test.start])
    back = max(0, test.start - 2 * WARM_UP_H)
    for series, readings in folder.series.items():
        for one in rule.detect(readings[meter].to_numpy()[back:]):
            raised, end = back + one.raised, back + min(one.end, one.raised + RAISED_H)
            if raised >= test.start:
                yield series, folder.index[raised], folder.index[end - 1] + hour, one.kind
