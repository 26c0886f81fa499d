"""Puts questions to rollups together: one estate, its zone, and the units in which its utilities are used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dashboards.influxql import TIME, Extent, source
from dashboards.sheet import Choice, Question
from dashboards.units import units_used
from facility.model import MeterRole
from facility.quantities import Utility

if TYPE_CHECKING:
    from facility.catalogue import Catalogue

OF_READER = "$READER"
"""Stands for the reader's language in the name of a field: ``title_$READER``."""

BUILDING, UTILITY = "$building", "$utility"
RATES = {"kWh": "kW", "m3": "m3/h"}
"""What a mean of hours is in: a kilowatt-hour in an hour is a kilowatt."""


@dataclass(frozen=True, slots=True)
class UseUnit:
    """The utilities whose use is told in one unit. ``word`` ends the names of columns that hold such use."""

    unit: str
    utilities: tuple[Utility, ...]
    is_only: bool

    @property
    def word(self) -> str:
        """``kwh``, ``m3``."""
        return self.unit.lower()

    @property
    def rate(self) -> str:
        """The unit of its mean over an hour."""
        return RATES[self.unit]

    @property
    def condition(self) -> tuple[str, ...]:
        """Keeps the other units out of a figure; nothing where there are none."""
        return () if self.is_only else (f'"utility" =~ /^({"|".join(self.utilities)})$/',)


@dataclass(frozen=True)
class Asking:
    """Questions about one estate."""

    catalogue: Catalogue

    @property
    def site(self) -> str:
        """Its id."""
        return self.catalogue.site.id

    @cached_property
    def utilities(self) -> tuple[Utility, ...]:
        """Those of which some building has a head meter, in the order of their list."""
        used = {meter.utility for meter in self.catalogue.meters if meter.role is MeterRole.HEAD}
        return tuple(utility for utility in Utility if utility in used)

    @cached_property
    def units(self) -> tuple[UseUnit, ...]:
        """The units of its utilities."""
        found = units_used(self.utilities)
        return tuple(UseUnit(unit, some, is_only=len(found) == 1) for unit, some in found.items())

    @property
    def here(self) -> Extent:
        """The building and the utility that are chosen."""
        return Extent(self.site, BUILDING, UTILITY)

    @property
    def everywhere(self) -> Extent:
        """All buildings, the utility that is chosen."""
        return Extent(self.site, utility=UTILITY)

    def building(self) -> Choice:
        """Chooses a building."""
        return Choice("building", tuple(self.catalogue.building), "building")

    def utility(self) -> Choice:
        """Chooses a utility."""
        return Choice("utility", tuple(self.utilities), "utility")

    def rows(self, figures: str, rollup: str, where: str, most: int = 100, order: str = "") -> Question:
        """Rows as they stand, at most so many."""
        ordered = f" ORDER BY time {order}" if order else ""
        return Question(f"SELECT {figures} FROM {source(rollup)} WHERE {where}{ordered} LIMIT {most}", is_table=True)

    def each_row(self, figures: str, rollup: str, where: str, tag: str, most: int = 62) -> Question:
        """Rows as they stand, a series for each value of a tag, at most so many of each."""
        query = f"SELECT {figures} FROM {source(rollup)} WHERE {where}{_grouped(tag)} LIMIT {most}"
        return Question(query, alias=f"$tag_{tag}")

    def one(self, figures: str, rollup: str, where: str) -> Question:
        """One figure of the whole time."""
        return Question(f"SELECT {figures} FROM {source(rollup)} WHERE {where}")

    def table(self, figures: str, rollup: str, where: str, *tags: str) -> Question:
        """A row for each value of the tags."""
        return Question(f"SELECT {figures} FROM {source(rollup)} WHERE {where}{_grouped(*tags)}", is_table=True)

    def sums(self, figures: str, inner: str, rollup: str, where: str, *tags: str, by: str = "") -> Question:
        """Figures of figures: of each series first, then of all together, or of each value of ``by``."""
        within = f"SELECT {inner} FROM {source(rollup)} WHERE {where}{_grouped(*tags)}"
        return Question(f"SELECT {figures} FROM ({within}){_grouped(by)}", is_table=bool(by))

    def course(
        self, figures: str, rollup: str, where: str, *tags: str, step: str = "$__interval", fill: str = "null"
    ) -> Question:
        """Figures over time, a bucket after the other on the site's clock; a series for each value of the tags.

        An empty bucket is null, so that a panel sees the gap however long its buckets are.
        """
        buckets = ", ".join((f"time({step})", *(f'"{tag}"' for tag in tags)))
        query = f"SELECT {figures} FROM {source(rollup)} WHERE {where} GROUP BY {buckets} fill({fill}) {self.zone}"
        return Question(query, alias=f"$tag_{tags[0]}" if tags else "$col")

    def course_of(self, figures: str, inner: str, rollup: str, where: str, step: str, fill: str = "0") -> Question:
        """Figures over time of what is worked out row by row; a day without a row adds nothing, or is ``none``."""
        rows = f"SELECT {inner} FROM {source(rollup)} WHERE {where}"
        return Question(f"SELECT {figures} FROM ({rows}) WHERE {TIME} GROUP BY time({step}) fill({fill}) {self.zone}")

    @property
    def zone(self) -> str:
        """Makes days begin at the site's midnight, those of 23 and 25 hours too."""
        return f"tz('{self.catalogue.site.timezone}')"


def _grouped(*tags: str) -> str:
    said = ", ".join(f'"{tag}"' for tag in tags if tag)
    return f" GROUP BY {said}" if said else ""
