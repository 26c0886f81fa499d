"""What departments bear of a building's use, day by day: by their own meters, and by their shares of the rest."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from accounting.allocation import bearers_on, borne, days_of_change
from accounting.local_time import day_of_number
from facility.errors import ConfigError
from facility.remark import Remark, RemarkKind
from reports.whole_days import whole_days

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from accounting.allocation import Bearers
    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.quantities import Utility
    from stores.readings.port import ReadingStore, Times, Values


def borne_by(
    store: ReadingStore,
    estate: Catalogue,
    calendar: SiteCalendar,
    total: tuple[str, Utility],
    edges: Times,
    used: Values,
    departments: frozenset[str],
    lacking: list[Remark],
) -> Values | None:
    """What departments bear of a building's use of days (d,); None where nothing names them for it.

    NaN where the use, or what one of the meters counted that share it, is not wholly known, where a figure that the
    rule needs is not stated, and where nobody is named: that is noted as ``lacking``.
    """
    if not departments & _named(estate, total[0]):
        return None
    days = [day_of_number(n) for n in calendar.local_days(edges[:-1]).tolist()]
    part = np.full(len(days), np.nan)
    row = 0
    for bearers, some in groupby(_bearers(estate, total, days, lacking)):
        rows = slice(row, row := row + len([*some]))
        if bearers is not None:
            part[rows] = _part(store, estate, bearers, edges, rows, used, departments)
    return part


def _named(estate: Catalogue, building: str) -> frozenset[str]:
    """The departments that may bear something of a building at some time."""
    stated = estate.stated_of(building)
    owners = {estate.building[building].department, *(one.department for one in stated.memberships)}
    return frozenset(owners.union(*(dict(rule.shares) for rule in stated.allocations)) - {""})


def _bearers(
    estate: Catalogue, total: tuple[str, Utility], days: Sequence[date], lacking: list[Remark]
) -> list[Bearers | None]:
    """Who bears each day; None where that cannot be said, with the reason."""
    building, utility = estate.building[total[0]], total[1]
    stated = estate.stated_of(building.id)
    changes = days_of_change(stated)
    found: list[Bearers | None] = []
    for k, day in enumerate(days):
        if k and day not in changes:
            found.append(found[-1])
            continue
        try:
            bearers = bearers_on(estate, building, utility, day)
            why = f"nobody is named in {building.id} on {day}"
        except ConfigError as error:
            bearers, why = None, str(error)
        if bearers is None:
            lacking.append(Remark(RemarkKind.SHARES_NOT_KNOWN, {"utility": utility, "what": why}))
        found.append(bearers)
    return found


def _part(
    store: ReadingStore,
    estate: Catalogue,
    bearers: Bearers,
    edges: Times,
    rows: slice,
    used: Values,
    departments: frozenset[str],
) -> Values:
    """What departments bear of some rows."""
    if not departments & {*bearers.meters.values(), *bearers.rest}:
        return np.zeros(rows.stop - rows.start)
    some = edges[rows.start : rows.stop + 1]
    counted = {meter: _counted(store, estate, meter, some) for meter in bearers.meters}
    parts = borne(bearers, used[rows], counted)
    mine = sum((qty for (name, _), qty in parts.items() if name in departments), np.zeros(len(some) - 1))
    known: Values = np.where(np.isnan(used[rows]), np.nan, mine)
    return known


def _counted(store: ReadingStore, estate: Catalogue, meter: str, edges: Times) -> Values:
    point = estate.accounted_point(estate.meter[meter])
    if point is None:
        return np.zeros(len(edges) - 1)
    return whole_days(store, "usage_1d", {"meter": meter, "quantity": point.quantity.word}, edges)
