"""A pump and valve loop, second by second: a side figure, for the product watches hours of meters and no such loop.

What it lends are its ways alone: means over some spans, scaled by what is reached by fits that have not seen their
rows. Temperatures are left out: they follow the room and the hours that the loop has run, not what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.rolling import rolling_sum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.baselines.port import Floats
    from analytics.suspicion.budget import Budget
    from bench.task_folder import TaskFolder

LEARN_ROWS = 400
SPANS_S = (5, 20, 60)
FOLDS = 4
SHRINK = 0.1
"""So much of each sensor's own spread is added: so few rows hardly tell what goes with what."""

APART = ("file", "row", "Temperature", "Thermocouple")


def detect(folder: TaskFolder, _: Budget) -> dict[str, pd.DataFrame]:
    """How suspicious each row of every file is that was not learned from; an alarm is what no learned row reached."""
    return {"": pd.concat(_files(folder.series["sensors"]), ignore_index=True)}


def _files(sensors: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for file, table in sensors.groupby("file"):
        score = suspicion(table.drop(columns=list(APART)).to_numpy(np.float64))[LEARN_ROWS:]
        yield pd.DataFrame({"file": file, "row": table.row.to_numpy()[LEARN_ROWS:], "score": score, "alarm": score > 1})


def suspicion(x: Floats) -> Floats:
    """How far rows (n, sensors) lie from the first ones, (n,): 1 is as far as any of those lay."""
    found = [_over(x, span) for span in SPANS_S]
    return np.asarray(np.exp(np.log(np.array(found) + 1e-9).mean(axis=0)), np.float64)


def _over(x: Floats, span: int) -> Floats:
    """The same by means over a span of rows."""
    counts = np.minimum(np.arange(1, len(x) + 1), span)
    means = np.stack([rolling_sum(column, span) / counts for column in x.T], axis=1)
    learned = means[span - 1 : LEARN_ROWS]
    folds = np.array_split(np.arange(len(learned)), FOLDS)
    apart = [Normal.of(np.delete(learned, fold, axis=0)).distance(learned[fold]) for fold in folds]
    return np.asarray(Normal.of(learned).distance(means) / np.concatenate(apart).max(), np.float64)


@dataclass(frozen=True, slots=True)
class Normal:
    """Mean and spread of each sensor, (sensors,), and the inverse of how they go together."""

    mean: Floats
    spread: Floats
    inverse: Floats

    @classmethod
    def of(cls, x: Floats) -> Normal:
        """Learned of rows (n, sensors)."""
        mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
        together = np.cov(((x - mean) / spread).T) + SHRINK * np.eye(x.shape[1])
        return cls(mean, spread, np.linalg.inv(together))

    def distance(self, x: Floats) -> Floats:
        """Squared distance of rows (n, sensors), (n,)."""
        z = (x - self.mean) / self.spread
        return np.asarray(np.einsum("ij,jk,ik->i", z, self.inverse, z), np.float64)
