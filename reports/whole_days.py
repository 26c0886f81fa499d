"""Stored days of a rollup of which all is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stores.readings.port import ReadingStore, Times, Values

_SURELY = 1 - 1e-6
_FIELDS = ("qty", "completeness", "estimated")


def whole_days(store: ReadingStore, name: str, tags: Mapping[str, str], edges: Times) -> Values:
    """Use of the days between edges (d + 1,), (d,): NaN where a day is not wholly measured or estimated."""
    own = np.full(len(edges) - 1, np.nan)
    for found in store.read_rollup(name, tags, int(edges[0]), int(edges[-1]), _FIELDS):
        known = np.nan_to_num(found.fields["completeness"]) + np.nan_to_num(found.fields["estimated"])
        whole = known >= _SURELY
        own[np.searchsorted(edges, found.t_ms[whole], side="right") - 1] = found.fields["qty"][whole]
    return own
