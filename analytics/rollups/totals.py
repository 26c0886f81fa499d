"""Which head meters make a building's total of a utility, and how their hours are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.rollups.hours import HourlyUse
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import Values

Total = tuple[str, Utility]
"""Of a building and a utility."""


def sum_of_known(columns: Sequence[Values]) -> Values:
    """Sums (n,) of what is known, NaN where nothing is: what was measured is no less for what was not."""
    table = np.stack(columns)
    sums: Values = np.nansum(table, axis=0)
    sums[np.isnan(table).all(axis=0)] = np.nan
    return sums


def side_by_side(uses: list[HourlyUse]) -> list[list[HourlyUse]]:
    """Uses grouped so that those of one group overlap or touch, and those of two do not."""
    groups: list[list[HourlyUse]] = []
    end = 0
    for use in sorted(uses, key=lambda one: int(one.edges_ms[0])):
        if not groups or int(use.edges_ms[0]) > end:
            groups.append([])
        groups[-1].append(use)
        end = max(end, int(use.edges_ms[-1]))
    return groups


def totals_of(catalogue: Catalogue) -> dict[Total, tuple[Point, ...]]:
    """Building and utility → the counters of its head meters."""
    totals = ((building.id, utility) for building in catalogue.buildings for utility in Utility)
    return {total: heads for total in totals if (heads := catalogue.head_counters(*total))}
