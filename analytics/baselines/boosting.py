"""Boosted trees where a line does not do: lagged heat above all (Friedman 2001, by scikit-learn's histograms)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.baselines.hours import LAGS_H

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from analytics.baselines.hours import Hours
    from analytics.baselines.port import Floats

FALLS, FREE = -1, 0
TREES, RATE, LEAVES, LEAF_H, BINS = 150, 0.06, 15, 30, 63


def boosted(x: npt.NDArray[np.float32], y: Floats, ways: Sequence[int] | None = None) -> Any:
    """Trees that were learned from rows (n, columns) and ``y`` (n,); ``ways``: -1 where use must fall with a column."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - a second to load; few ask for trees

    model = HistGradientBoostingRegressor(
        max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=LEAF_H, l2_regularization=1.0,
        max_bins=BINS, early_stopping=False, monotonic_cst=ways, random_state=0,
    )  # fmt: skip
    known = np.isfinite(y)
    return model.fit(x[known], y[known])


def seen_columns(hours: Hours) -> tuple[list[Floats], list[int]]:
    """What is known of each hour beforehand, (n,) each, and which way use goes with it where it heats."""
    how = hours.hour_of_week.astype(np.float64)
    columns, ways = [how % 24, how // 24, how, hours.is_closed.astype(np.float64), hours.lagged["long"]], [FREE] * 5
    for name in ("temp_c", *(f"temp_{h}" for h in LAGS_H)):
        if name in hours.lagged:
            columns.append(hours.lagged[name])
            ways.append(FALLS)
    sunny = [x for name, x in hours.lagged.items() if name.startswith("ghi")]
    return [*columns, *sunny], [*ways, *[FREE] * len(sunny)]
