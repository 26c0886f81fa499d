"""A meter that counts nothing any more: no use above zero for longer than it ever rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analytics.baselines.port import Floats

MOST_H = 24
"""Nobody waits longer to be told, however long a meter rests by itself."""

LEAST_H = 3
OVER_RECORD = 1.5
FIRST_H = 28 * 24
"""So long a meter's own record is not believed yet."""


def silences(y: Floats) -> list[tuple[int, int]]:
    """Silences of a meter's hours ``y`` (n,): told at the end of the first row, over at the second.

    A silence is told once it is longer than one and a half of the longest rest before, ``MOST_H`` at most. What comes
    later changes only its end.
    """
    used = y > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~used, [False]]).astype(np.int8)))
    found, record = [], 0
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        wait = MOST_H if start < FIRST_H else max(LEAST_H, min(MOST_H, int(np.ceil(OVER_RECORD * (record + 1)))))
        if end - start > wait:
            found.append((start + wait, end))
        record = max(record, min(end - start, MOST_H))
    return found
