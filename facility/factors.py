"""Dated figures by which use is told otherwise: what it emits, and what is typical for a kind of building."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from facility.building_use import BuildingUse
    from facility.quantities import Utility


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
