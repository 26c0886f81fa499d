"""When something was told of, and how long it lasted: told once, anew when it grew, armed again after quiet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.baselines.port import Floats

QUIET_BELOW = 0.7
"""Of the size at which it was raised; below it lies quiet, so that what hovers at its limit is one bout."""

ARMED_AFTER_H = 72
GROWN = 2.0
"""What became so many times as large as when it was raised is raised anew."""

PEAK_H = 24


@dataclass(frozen=True, slots=True)
class Bout:
    """Rows: raised at the end of hour ``raised``, over once hour ``end`` has begun (n where it goes on)."""

    raised: int
    end: int


def bouts(score: Floats) -> Iterator[Bout]:
    """Spells of a score (n,) that is raised of above 1, in their order. What comes later changes only their ends."""
    over, quiet = np.flatnonzero(score > 1), _ends_of_quiet(score)
    k, n = 0, len(score)
    while k < len(over):
        raised = int(over[k])
        after = int(np.searchsorted(quiet, raised))
        end = int(quiet[after]) if after < len(quiet) else n
        yield from _grown(score, raised, end)
        k = int(np.searchsorted(over, end))


def _grown(score: Floats, raised: int, end: int) -> Iterator[Bout]:
    while True:
        peak = float(score[raised : min(raised + PEAK_H, end)].max())
        grown = np.flatnonzero(score[raised + PEAK_H : end] > GROWN * peak)
        next_raised = raised + PEAK_H + int(grown[0]) if len(grown) else end
        yield Bout(raised, next_raised)
        if next_raised == end:
            return
        raised = next_raised


def _ends_of_quiet(score: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Hours at whose end it has been quiet long enough to be armed again."""
    loud = np.where(score >= QUIET_BELOW, np.arange(len(score)), -1)
    since = np.arange(len(score)) - np.maximum.accumulate(loud)
    return np.flatnonzero(since >= ARMED_AFTER_H)
