"""How many series an estate makes in a store: tags come from the registry alone, so it is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.quotas import counted_by_quotas
from facility.quantities import Kind, Quantity, Utility
from facility.status import ServerProcess
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from facility.catalogue import Catalogue

SERIES_BUDGET = 100_000
"""For one site: an InfluxDB keeps an index of its series, by default in memory."""

NEAR_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class SeriesUse:
    """Series against a budget."""

    series: int
    budget: int

    @property
    def is_near(self) -> bool:
        """Worth a word, and not yet too many."""
        return NEAR_SHARE * self.budget < self.series <= self.budget

    @property
    def is_over(self) -> bool:
        """More than the budget."""
        return self.series > self.budget

    def __str__(self) -> str:
        return f"{self.series:,} of {self.budget:,}"


def count_series(catalogue: Catalogue) -> int:
    """Series of readings and of all rollups: at most so many, if every meter is accounted.

    Of alerts and events, which are few, one a building is reckoned; the log of changes stands in a few.
    """
    return len(catalogue.points) + sum(rollup_series(catalogue).values())


def rollup_series(catalogue: Catalogue) -> dict[str, int]:
    """Series of each rollup, by its name."""
    metered, building_utilities = set(), set()
    for point in catalogue.points:
        meter, utility = catalogue.meter[point.meter], catalogue.utility_of(point)
        if point.quantity.is_counter and utility is not None:
            metered.add((meter.id, point.quantity))
            building_utilities.add((meter.building, utility))
    radios = {point.meter for point in catalogue.points if point.quantity in {Quantity.BATTERY, Quantity.SIGNAL}}
    numbers = {
        "live": sum(point.quantity.kind is Kind.GAUGE for point in catalogue.points),
        "device_health": sum(1 + len(agent.buses) for agent in catalogue.agents) + len(radios),
        "platform_1m": len(ServerProcess),
        "events": len(catalogue.buildings),
        "alert_1d": len(catalogue.buildings),
        "quota": 2 * sum(len(counted_by_quotas(catalogue.stated, one.id)) for one in catalogue.buildings),
        "score_1m": sum(
            meter.utility in {Utility.ELECTRICITY, Utility.WATER} and catalogue.accounted_point(meter) is not None
            for meter in catalogue.meters
        ),
    }
    of_tags = {True: len(metered), False: len(building_utilities)}
    return {name: numbers.get(name, of_tags["meter" in rollup.tags]) for name, rollup in ROLLUPS.items()}
