"""How many series an estate makes in a store: tags come from the registry alone, so it is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from facility.catalogue import Catalogue

SERIES_BUDGET = 100_000
"""For one site: an InfluxDB keeps an index of its series, by default in memory."""

NEAR_SHARE = 0.8
LOGS = 1
"""An InfluxDB also has a series for each point in its log of changes."""


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
    """Series of readings, of the log and of all rollups: at most so many, if every meter is accounted."""
    metered, building_utilities = set(), set()
    for point in catalogue.points:
        meter, utility = catalogue.meter[point.meter], catalogue.utility_of(point)
        if point.quantity.is_counter and utility is not None:
            metered.add((meter.id, point.quantity))
            building_utilities.add((meter.building, utility))
    rollups = sum(len(metered if "meter" in rollup.tags else building_utilities) for rollup in ROLLUPS.values())
    return len(catalogue.points) * (1 + LOGS) + rollups
