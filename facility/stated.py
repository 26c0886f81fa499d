"""What people state of an estate, dated and sourced: areas, heads, fuel, quotas, who belongs where, who pays."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

    from facility.factors import Carrier
    from facility.quantities import Utility


@unique
class FigureKind(StrEnum):
    """What a stated figure counts."""

    FLOOR_AREA = "floor_area_m2"
    PERSONS = "persons"  # who use energy, on a daily average
    WATER_PERSONS = "water_persons"  # who use water; where none are stated, those who use energy
    VEHICLES = "vehicles"
    MEALS = "meals"  # on a daily average


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that somebody states of a building, of a department, or of a department's part of a building.

    With neither it is of the whole estate. It holds from a local day on, until the next one.
    """

    kind: FigureKind
    value: float
    valid_from: date
    basis: str
    building: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class VehicleFuel:
    """Fuel of vehicles in a local month, kg: never a part of a building's energy."""

    fuel: Carrier
    kg: float
    month: str
    basis: str
    building: str = ""
    department: str = ""


@unique
class Indicator(StrEnum):
    """What a quota limits, in a year."""

    ENERGY_PER_M2 = "energy_per_m2"  # kgce/m², vehicles' fuel left out
    ENERGY_PER_PERSON = "energy_per_person"  # kgce/person
    WATER_PER_PERSON = "water_per_person"  # m³/person
    ELECTRICITY_PER_M2 = "electricity_per_m2"  # kWh/m²
    ELECTRICITY_PER_PERSON = "electricity_per_person"  # kWh/person


@dataclass(frozen=True, slots=True)
class Quota:
    """The ladder 约束/基准/引导 of an indicator, from a local day on, by the document ``basis``.

    ``factor_set`` is the set by which the document counts standard coal; empty where it counts none. Without a
    building it is that of all buildings that have none of their own.
    """

    indicator: Indicator
    constraint: float
    valid_from: date
    basis: str
    benchmark: float | None = None
    guide: float | None = None
    factor_set: str = ""
    building: str = ""


@unique
class Member(StrEnum):
    """What belongs to something else of the two trees."""

    DEPARTMENT = "department"
    BUILDING = "building"
    SPACE = "space"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class Membership:
    """That something belongs to a department, or stands in a space, from a local day on, until the next one begins."""

    member: Member
    id: str
    valid_from: date
    department: str = ""
    space: str = ""


@unique
class RestBy(StrEnum):
    """How the use that no department's own meters count is shared."""

    AREA = "area"
    HEADCOUNT = "headcount"
    FIXED = "fixed"
    REMAINDER = "remainder"  # one department bears it all


@dataclass(frozen=True, slots=True)
class AllocationRule:
    """Which departments bear a building's bill from a local day on, by the document ``basis``.

    What ``meters`` count, their departments bear. The rest is shared among ``shares``: departments, each with its fixed
    share where the rest goes by that. Without a utility it is the rule of all that have none of their own.
    """

    building: str
    valid_from: date
    basis: str
    rest: RestBy
    shares: tuple[tuple[str, float | None], ...]
    meters: tuple[str, ...] = ()
    utility: Utility | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """All that is stated of an estate."""

    figures: tuple[Figure, ...] = ()
    vehicle_fuel: tuple[VehicleFuel, ...] = ()
    quotas: tuple[Quota, ...] = ()
    memberships: tuple[Membership, ...] = ()
    allocations: tuple[AllocationRule, ...] = ()

    def part(self, buildings: AbstractSet[str], meters: AbstractSet[str]) -> Stated:
        """What somebody may know who sees some buildings and meters: nothing of others, and nothing of the whole."""
        return Stated(
            figures=tuple(one for one in self.figures if one.building in buildings),
            vehicle_fuel=tuple(one for one in self.vehicle_fuel if one.building in buildings),
            quotas=tuple(one for one in self.quotas if not one.building or one.building in buildings),
            memberships=tuple(
                one
                for one in self.memberships
                if one.id in (buildings if one.member is Member.BUILDING else meters)
                and one.member in {Member.BUILDING, Member.METER}
            ),
            allocations=tuple(one for one in self.allocations if one.building in buildings),
        )

    def by_building(self, homes: Mapping[str, str]) -> dict[str, Stated]:
        """What bears on the bills of each building: its figures, whose it and its meters are, how it is shared.

        ``homes`` are the buildings of meters.
        """
        figures, memberships, allocations = _lists(), _lists(), _lists()
        for figure in self.figures:
            figures[figure.building].append(figure)
        for one in self.memberships:
            if one.member in {Member.BUILDING, Member.METER}:
                memberships[one.id if one.member is Member.BUILDING else homes.get(one.id, "")].append(one)
        for rule in self.allocations:
            allocations[rule.building].append(rule)
        return {
            name: Stated(tuple(figures[name]), (), (), tuple(memberships[name]), tuple(allocations[name]))
            for name in {*figures, *memberships, *allocations} - {""}
        }


def _lists() -> defaultdict[str, list[Any]]:
    return defaultdict(list)


NOTHING_STATED = Stated()
"""Of an estate of which nothing is stated."""
