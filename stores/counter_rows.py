"""The rollup rows of one counter: under which tags they stand, and how they are read while some stand under older ones.

What a meter is for (role, end use) and where (building, utility) are tags, as the registry has them now. Rows of a
closed month, and those not yet computed again, stand under the tags of their time, at times beside newer ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore


def counter_tags(catalogue: Catalogue, point: Point) -> dict[str, str]:
    """The tags of a counter's rows, as the registry has them."""
    meter, utility = catalogue.meter[point.meter], catalogue.utility_of(point)
    assert utility is not None
    return {
        "site": catalogue.site.id,
        "building": meter.building,
        "utility": utility.value,
        "meter": meter.id,
        "role": meter.role.value,
        "enduse": meter.enduse,
        "quantity": point.quantity.word,
    }


def one_series(found: Sequence[RollupSeries], tags: Mapping[str, str]) -> RollupSeries:
    """A counter's rows in time order, whichever tags they stand under; of one time the row under ``tags``.

    Columns of (n,) and (m,) rows become (k,), each time once.
    """
    if len(found) == 1:
        return found[0]
    ordered = sorted(found, key=lambda one: one.tags == tags)
    t_ms = np.concatenate([one.t_ms for one in ordered])
    times, rows = np.unique(t_ms[::-1], return_index=True)
    fields = {field: np.concatenate([one.fields[field] for one in ordered])[::-1][rows] for field in found[0].fields}
    return RollupSeries(tags, times, fields)


def read_counter(
    store: ReadingStore, catalogue: Catalogue, point: Point, name: str, span: tuple[int, int], fields: Sequence[str]
) -> RollupSeries:
    """A counter's rows of a rollup in ``[start, end)`` ms as one series; without rows it is empty."""
    found = store.read_rollup(name, {"meter": point.meter, "quantity": point.quantity.word}, *span, fields)
    if not found:
        return RollupSeries({}, np.empty(0, np.int64), {field: np.empty(0) for field in fields})
    return one_series(found, counter_tags(catalogue, point))
