"""What hours cost and emit, and what was used and paid in each period of a tariff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.demand import QUARTERS, quarter_edges
from accounting.emissions import Emissions
from accounting.tariffs import Tariffs
from analytics.rollups.hours import HourlyUse, by_hour_and_period
from facility.tariff import PERIODS

if TYPE_CHECKING:
    from accounting.calendars import SiteCalendar
    from accounting.tariffs import Pricing
    from facility.model import Site
    from facility.quantities import Utility
    from stores.readings.port import Times, Values

PERIOD_FIELDS = tuple(f"{what}_{period}" for what in ("qty", "cost") for period in PERIODS)


class Costs:
    """By the tariffs and the emission factors of one site."""

    def __init__(self, site: Site, calendar: SiteCalendar) -> None:
        self._tariffs, self._emissions = Tariffs(site, calendar), Emissions(site, calendar)
        self._newest: tuple[tuple[Utility, str], Times, Pricing] | None = None

    def has_periods(self, utility: Utility, building: str) -> bool:
        """Whether a tariff of the building has more than one period."""
        return self._tariffs.has_periods(utility, building)

    def has_factor(self, utility: Utility) -> bool:
        """Whether it is stated what using a utility emits."""
        return self._emissions.has_factor(utility)

    def of(self, utility: Utility, building: str, use: HourlyUse) -> dict[str, Values]:
        """What hours cost and emit; where a tariff has periods, use and cost of each, from quarters to the minute."""
        emitted = {}
        if self.has_factor(utility):
            emitted["co2"] = use.qty * self._emissions.factors(utility, use.edges_ms[:-1])
        if not self.has_periods(utility, building):
            return {"cost": self._tariffs.price(utility, building, use.edges_ms).cost(use.qty), **emitted}
        pricing = self._by_quarters(utility, building, use.edges_ms)
        quantities, costs = (by_hour_and_period(table) for table in pricing.by_period(use.quarters))
        unpriced = (pricing.tariff < 0).reshape(-1, QUARTERS).any(axis=1)
        costs[unpriced] = np.nan
        columns = np.concatenate((quantities, costs), axis=1)
        return {"cost": costs.sum(axis=1), **emitted, **dict(zip(PERIOD_FIELDS, columns.T, strict=True))}

    def _by_quarters(self, utility: Utility, building: str, edges_ms: Times) -> Pricing:
        """Prices of quarters of hours between edges (n + 1,): meters of a building ask one after the other."""
        if self._newest and self._newest[0] == (utility, building) and np.array_equal(self._newest[1], edges_ms):
            return self._newest[2]
        pricing = self._tariffs.price(utility, building, quarter_edges(edges_ms))
        self._newest = (utility, building), edges_ms, pricing
        return pricing
