"""Which head meters make a building's total of a utility, and how their hours are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.demand import peak_rate
from analytics.rollups.hours import HourlyUse
from facility.quantities import Utility
from stores.counter_rows import counter_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import Times, Values

_SHARE_DIGITS = 9  # by less than that, two meters miss the same

SHARES = ("completeness", "estimated")
"""Fields that are shares of time."""

Shares = tuple[dict[str, str], dict[str, "Values"]]
"""Of a head meter its tags and its shares."""

Total = tuple[str, Utility]
"""Of a building and a utility."""


def sum_of_known(columns: Sequence[Values]) -> Values:
    """Sums (n,) of what is known, NaN where nothing is: what was measured is no less for what was not."""
    table = np.stack(columns)
    sums: Values = np.nansum(table, axis=0)
    sums[np.isnan(table).all(axis=0)] = np.nan
    return sums


def peaks(quarters: Values, edges_ms: Times) -> dict[str, Values]:
    """The highest quarter of each hour and when it begins, from quarters (4 n,) that are NaN where not measured."""
    peak_kw, minute = peak_rate(quarters, edges_ms)
    return {"peak_kw": peak_kw, "peak_minute": minute}


def together(edges_ms: Times, uses: Sequence[HourlyUse]) -> HourlyUse:
    """What head meters used together in the hours between edges (n + 1,); nothing where it is not known of each.

    Of their shares of time those of the worst.
    """
    completeness, estimated = worst_of([(use.completeness, use.estimated) for use in uses])
    return HourlyUse(
        edges_ms,
        np.sum([use.qty for use in uses], axis=0),
        np.sum([use.est_qty for use in uses], axis=0),
        completeness,
        estimated,
        np.sum([use.quarters for use in uses], axis=0),
        np.min([use.measured for use in uses], axis=0),
    )


def worst_of(shares: Sequence[tuple[Values, Values]]) -> tuple[Values, Values]:
    """Measured and estimated share (n,) of that meter, of some, that misses most, then of the one estimated most."""
    measured, estimated = (np.stack(column) for column in zip(*shares, strict=True))
    missing = np.round(1.0 - measured - estimated, _SHARE_DIGITS)
    worst = np.lexsort((estimated, missing), axis=0)[-1:]
    return np.take_along_axis(measured, worst, axis=0)[0], np.take_along_axis(estimated, worst, axis=0)[0]


def heads_beside(edges_ms: Times, uses: Sequence[HourlyUse], *, with_peaks: bool) -> dict[str, Values]:
    """How many head meters a total has, of how many each hour's use is known at all, (n,); peaks of those measured."""
    known: Values = np.sum([~np.isnan(use.qty) for use in uses], axis=0, dtype=np.float64)
    counts = {"heads": np.full(len(known), float(len(uses))), "heads_known": known}
    return counts | (peaks(sum_of_known([use.measured_quarters for use in uses]), edges_ms) if with_peaks else {})


def covering(edges_ms: Times, uses: Sequence[HourlyUse]) -> HourlyUse | None:
    """The hours between edges (n + 1,), cut out of uses if one of them has them all."""
    first, last = int(edges_ms[0]), int(edges_ms[-1])
    whole = (use for use in uses if int(use.edges_ms[0]) <= first and last <= int(use.edges_ms[-1]))
    return next((use.cut(first, last) for use in whole), None)


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


def shares_of_heads(
    catalogue: Catalogue, heads: Sequence[Point], uses: Sequence[HourlyUse], run: slice
) -> list[Shares]:
    """Of each of several head meters its tags and its shares of some hours; those of one alone are the total's."""
    both = zip(heads, uses, strict=False) if len(heads) > 1 else ()
    return [(counter_tags(catalogue, head), {name: getattr(use, name)[run] for name in SHARES}) for head, use in both]
