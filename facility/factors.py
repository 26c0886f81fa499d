"""Dated figures by which use is told otherwise: as standard coal, as what it emits, by what is typical."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from facility.building_use import BuildingUse


@unique
class Carrier(StrEnum):
    """What energy or water comes in: a utility that meters count, or a fuel that is bought by weight."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    HEAT = "heat"
    COOLING = "cooling"
    RAW_COAL = "raw_coal"
    COKE = "coke"
    CRUDE_OIL = "crude_oil"
    FUEL_OIL = "fuel_oil"
    GASOLINE = "gasoline"
    KEROSENE = "kerosene"
    DIESEL = "diesel"
    LPG = "lpg"

    @property
    def utility(self) -> Utility | None:
        """The utility that it is; None for a fuel."""
        return Utility(self.value) if self.value in {*Utility} else None

    @property
    def unit(self) -> str:
        """In what it is counted: a utility's own unit, kg of fuel."""
        return self.utility.unit if self.utility else "kg"


FUELS = tuple(carrier for carrier in Carrier if carrier.utility is None)
"""Carriers that no meter counts."""


@dataclass(frozen=True, slots=True)
class Co2Factor:
    """CO2 in kg for each kWh or m³ of a utility, from a local day on, by the document ``basis``."""

    utility: Utility
    kg_per_unit: float
    valid_from: date
    basis: str


@dataclass(frozen=True, slots=True)
class TypicalUse:
    """What a typical building of a use needs of a utility, kWh per m² and year, by the document ``basis``."""

    use: BuildingUse
    utility: Utility
    kwh_per_m2: float
    basis: str


@dataclass(frozen=True, slots=True)
class FactorSet:
    """Factors that are used together from a local day on, by the document ``basis``.

    ``kgce`` are kilograms of standard coal, ``co2`` kilograms of CO2, each for a unit of a carrier. What a set does
    not state is told by the one before it.
    """

    id: str
    valid_from: date
    basis: str
    kgce: tuple[tuple[Carrier, float], ...] = ()
    co2: tuple[tuple[Carrier, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Factor:
    """What a unit of a carrier stands for from a local day on, and the set that says so."""

    carrier: Carrier
    per_unit: float
    valid_from: date
    set_id: str
    basis: str


def kgce_factors(sets: tuple[FactorSet, ...]) -> tuple[Factor, ...]:
    """Standard coal in kg for a unit of each carrier, oldest first."""
    return _factors((one, one.kgce) for one in sets)


def co2_factors(stated: tuple[Co2Factor, ...], sets: tuple[FactorSet, ...]) -> tuple[Factor, ...]:
    """CO2 in kg for a unit of each carrier, oldest first: those stated one by one, and those of sets."""
    single = (Factor(Carrier(one.utility.value), one.kg_per_unit, one.valid_from, "", one.basis) for one in stated)
    return tuple(sorted((*single, *_factors((one, one.co2) for one in sets)), key=lambda one: one.valid_from))


def _factors(sets: Iterable[tuple[FactorSet, tuple[tuple[Carrier, float], ...]]]) -> tuple[Factor, ...]:
    found = [
        Factor(carrier, per_unit, one.valid_from, one.id, one.basis)
        for one, stated in sets
        for carrier, per_unit in stated
    ]
    return tuple(sorted(found, key=lambda one: one.valid_from))
