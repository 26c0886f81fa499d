"""Which thermometer stands outdoors for a building, and its mean over hours and days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facility.model import Quality, SpaceKind
from facility.quantities import Quantity
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Series, Times, Values


def outdoor_points(catalogue: Catalogue) -> dict[str, Point]:
    """Building → its outdoor thermometer; a building without one borrows the estate's first."""
    found: dict[str, Point] = {}
    for point in catalogue.points_of_quantity(Quantity.TEMPERATURE):
        meter = catalogue.meter[point.meter]
        space = catalogue.space.get(meter.space)
        if space is not None and space.kind is SpaceKind.OUTDOORS:
            found.setdefault(meter.building, point)
    estate = next(iter(found.values()), None)
    return {b.id: found.get(b.id, estate) for b in catalogue.buildings} if estate else {}


def means(series: Series, edges_ms: Times) -> Values:
    """Mean of the readings in each half-open interval between edges (n + 1,), ms UTC: (n,), NaN where none are."""
    good = series.q != Quality.SUSPECT
    running = np.concatenate(([0.0], np.cumsum(series.x[good])))
    rows = np.searchsorted(series.t_ms[good], edges_ms)
    counts = np.diff(rows)
    return np.where(counts > 0, np.diff(running[rows]) / np.maximum(counts, 1), np.nan)


def write_outdoors(
    store: ReadingStore,
    calendar: SiteCalendar,
    thermometer: Point,
    span: tuple[int, int],
    totals: Iterable[dict[str, str]],
) -> None:
    """Write the hours and days of a thermometer's readings in a span (first and last, ms UTC) into these totals."""
    days, hours = calendar.day_edges(span[0], span[1] + 1), calendar.hour_edges(span[0], span[1] + 1)
    series = store.read([thermometer.id], int(days[0]), int(days[-1]))[thermometer.id]
    tags = list(totals)
    for name, edges in (("building_1h", hours), ("building_1d", days)):
        fields = {"t_out": means(series, edges)}
        store.write_rollup(name, [RollupSeries(one, edges[:-1], fields) for one in tags])
