"""What a building or the estate used over months, by carrier and by stretches of equal factors."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import day_of_number
from accounting.standard_coal import CarrierUse, exactly, factor_on
from facility.factors import Carrier, co2_factors, kgce_factors
from facility.quantities import Utility
from facility.remark import Remark, RemarkKind
from reports.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facility.catalogue import Catalogue
    from facility.factors import Factor
    from stores.readings.port import ReadingStore, Times, Values

_SURELY = 1 - 1e-6


def used_by_vehicles(estate: Catalogue, months: Sequence[str], building: str) -> Iterator[CarrierUse]:
    """Fuel of vehicles, month by month under the factors of its first day, those that are alike together."""
    kgce, co2 = kgce_factors(estate.site.factor_sets), co2_factors(estate.site.co2, estate.site.factor_sets)
    sums: dict[tuple[Carrier, Factor | None, Factor | None], Decimal] = defaultdict(Decimal)
    calendar = SiteCalendar(estate.site)
    for one in estate.stated.vehicle_fuel:
        if one.month in months and (not building or one.building == building):
            day = calendar.local_date(calendar.month_edges(one.month)[0])
            sums[one.fuel, factor_on(kgce, one.fuel, day), factor_on(co2, one.fuel, day)] += exactly(one.kg)
    for (carrier, coal, emitted), kg in sums.items():
        yield CarrierUse(carrier, kg, coal, emitted, for_vehicles=True)


def used_by_meters(
    store: ReadingStore,
    estate: Catalogue,
    calendar: SiteCalendar,
    span: tuple[int, int],
    building: str,
    lacking: list[Remark],
) -> Iterator[CarrierUse]:
    """What meters counted, by stretches of equal factors."""
    edges = calendar.day_edges(*span)
    days = [day_of_number(n) for n in calendar.local_days(edges[:-1]).tolist()]
    kgce, co2 = kgce_factors(estate.site.factor_sets), co2_factors(estate.site.co2, estate.site.factor_sets)
    for utility in Utility:
        qty = _days(store, estate, utility, edges, building, lacking)
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
    utility: Utility,
    edges: Times,
    building: str,
    lacking: list[Remark],
) -> Values | None:
    """Use of each day (d,), NaN where a building's is not wholly known; None where nothing is counted."""
    total: Values | None = None
    for one in [building] if building else estate.building:
        if not estate.head_counters(one, utility):
            continue
        own = np.full(len(edges) - 1, np.nan)
        tags = {"building": one, "utility": utility.value}
        for found in store.read_rollup("building_1d", tags, int(edges[0]), int(edges[-1]), _FIELDS):
            known = np.nan_to_num(found.fields["completeness"]) + np.nan_to_num(found.fields["estimated"])
            whole = known >= _SURELY
            own[np.searchsorted(edges, found.t_ms[whole], side="right") - 1] = found.fields["qty"][whole]
        if missing := int(np.isnan(own).sum()):
            params = {"utility": utility, "building": one, "days": missing, "whole": len(own)}
            lacking.append(Remark(RemarkKind.USE_NOT_KNOWN, params))
        total = own if total is None else total + own
    return total


_FIELDS = ("qty", "completeness", "estimated")
