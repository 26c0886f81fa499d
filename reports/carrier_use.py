"""What a building, a department or the estate used over months, by carrier and by stretches of equal factors."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import day_of_number
from accounting.standard_coal import CarrierUse, exactly, factor_on
from facility.factors import Carrier, co2_factors, kgce_factors
from facility.quantities import Utility
from facility.remark import Remark, RemarkKind
from reports.borne_days import borne_by
from reports.rounding import rounded
from reports.whole_days import whole_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.factors import Factor
    from stores.readings.port import ReadingStore, Times, Values


@dataclass(frozen=True, slots=True)
class Whose:
    """What a report is about: a building, some departments, their parts of a building; with neither the estate."""

    building: str = ""
    departments: frozenset[str] = frozenset()


def used_by_vehicles(
    estate: Catalogue, calendar: SiteCalendar, months: Sequence[str], whose: Whose
) -> Iterator[CarrierUse]:
    """Fuel of vehicles, month by month under the factors of its first day, those that are alike together."""
    kgce, co2 = kgce_factors(estate.site.factor_sets), co2_factors(estate.site.co2, estate.site.factor_sets)
    sums: dict[tuple[Carrier, Factor | None, Factor | None], Decimal] = defaultdict(Decimal)
    for one in estate.stated.vehicle_fuel:
        is_theirs = not whose.departments or one.department in whose.departments
        if one.month in months and is_theirs and whose.building in {"", one.building}:
            day = calendar.local_date(calendar.month_edges(one.month)[0])
            sums[one.fuel, factor_on(kgce, one.fuel, day), factor_on(co2, one.fuel, day)] += exactly(one.kg)
    for (carrier, coal, emitted), kg in sums.items():
        yield CarrierUse(carrier, kg, coal, emitted, for_vehicles=True)


def used_by_meters(
    store: ReadingStore,
    estate: Catalogue,
    calendar: SiteCalendar,
    span: tuple[int, int],
    whose: Whose,
    lacking: list[Remark],
) -> Iterator[CarrierUse]:
    """What meters counted, by stretches of equal factors; of departments what they bear of it, day by day."""
    edges = calendar.day_edges(*span)
    days = [day_of_number(n) for n in calendar.local_days(edges[:-1]).tolist()]
    kgce, co2 = kgce_factors(estate.site.factor_sets), co2_factors(estate.site.co2, estate.site.factor_sets)
    for utility in Utility:
        qty = _days(store, estate, calendar, utility, edges, whose, lacking)
        if qty is None:
            continue
        carrier = Carrier(utility.value)
        cells: dict[tuple[Factor | None, Factor | None], list[int]] = defaultdict(list)
        for row, day in enumerate(days):
            cells[factor_on(kgce, carrier, day), factor_on(co2, carrier, day)].append(row)
        for (coal, emitted), rows in cells.items():
            whole = float(qty[rows].sum())
            yield CarrierUse(carrier, None if np.isnan(whole) else rounded(whole), coal, emitted)


def _days(
    store: ReadingStore,
    estate: Catalogue,
    calendar: SiteCalendar,
    utility: Utility,
    edges: Times,
    whose: Whose,
    lacking: list[Remark],
) -> Values | None:
    """Use of each day (d,), NaN where a building's is not wholly known; None where nothing is counted."""
    total: Values | None = None
    for one in [whose.building] if whose.building else estate.building:
        if not estate.head_counters(one, utility):
            continue
        tags = {"building": one, "utility": utility.value}
        own = whole_days(store, "building_1d", tags, edges)
        if whose.departments:
            part = borne_by(store, estate, calendar, (one, utility), edges, own, whose.departments, lacking)
            if part is None:
                continue
            own = part
        if missing := int(np.isnan(own).sum()):
            params = {"utility": utility, "building": one, "days": missing, "whole": len(own)}
            lacking.append(Remark(RemarkKind.USE_NOT_KNOWN, params))
        total = own if total is None else total + own
    return total
