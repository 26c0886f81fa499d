"""Energy as standard coal and as CO2, per area and per person, and where that stands on a quota's ladder.

All figures are decimals: what a document prints is computed as it prints it. Source of the formulas: DB11/T 1958-2022
(comprehensive energy E = Σ eᵢ·pᵢ; energy per floor area without that of vehicles), as quoted in public reprints.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.factors import Carrier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from facility.factors import Factor
    from facility.stated import Quota


@dataclass(frozen=True, slots=True)
class CarrierUse:
    """Use of a carrier over a time in which its factors stay the same; ``quantity`` None: not known as a whole."""

    carrier: Carrier
    quantity: Decimal | None
    kgce_factor: Factor | None
    co2_factor: Factor | None
    for_vehicles: bool = False

    @property
    def kgce(self) -> Decimal | None:
        """Standard coal; None where the use or the factor is not known, and of water, which is no energy."""
        return _times(self.quantity, self.kgce_factor)

    @property
    def co2_kg(self) -> Decimal | None:
        """CO2; None where the use or the factor is not known."""
        return _times(self.quantity, self.co2_factor)


@dataclass(frozen=True, slots=True)
class Energy:
    """What several carriers come to; each sum is None where a part of it is not known."""

    total_kgce: Decimal | None
    vehicles_kgce: Decimal | None
    co2_kg: Decimal | None
    water_m3: Decimal | None
    electricity_kwh: Decimal | None

    @property
    def without_vehicles_kgce(self) -> Decimal | None:
        """What buildings used."""
        if self.total_kgce is None or self.vehicles_kgce is None:
            return None
        return self.total_kgce - self.vehicles_kgce


@unique
class Rung(StrEnum):
    """Where a figure stands on a quota's ladder."""

    ABOVE_CONSTRAINT = "above_constraint"  # exceeds 约束值
    CONSTRAINT = "constraint"  # meets 约束值, not 基准值
    BENCHMARK = "benchmark"  # meets 基准值, not 引导值
    GUIDE = "guide"  # meets 引导值


def energy_of(uses: Sequence[CarrierUse]) -> Energy:
    """The sums. CO2 is of what has a factor; a use of energy that lacks one for coal leaves the total unknown."""
    energy = [one for one in uses if one.carrier is not Carrier.WATER]
    emitting = [one for one in energy if one.co2_factor]
    return Energy(
        total_kgce=_sum(one.kgce for one in energy),
        vehicles_kgce=_sum(one.kgce for one in energy if one.for_vehicles),
        co2_kg=_sum(one.co2_kg for one in emitting) if emitting else None,
        water_m3=_sum_of(uses, Carrier.WATER),
        electricity_kwh=_sum_of(uses, Carrier.ELECTRICITY),
    )


def per(total: Decimal | None, count: Decimal | None) -> Decimal | None:
    """A total for each of so many; None where either is not known, or there are none."""
    return None if total is None or not count else total / count


def factor_on(factors: Sequence[Factor], carrier: Carrier, day: date) -> Factor | None:
    """The newest factor of a carrier that holds on a day; ``factors`` are oldest first."""
    return next((one for one in reversed(factors) if one.carrier is carrier and one.valid_from <= day), None)


def rung_of(value: Decimal, quota: Quota) -> Rung:
    """The best rung that a figure meets; a rung is met by what equals it."""
    ladder = ((quota.guide, Rung.GUIDE), (quota.benchmark, Rung.BENCHMARK), (quota.constraint, Rung.CONSTRAINT))
    met = (rung for limit, rung in ladder if limit is not None and value <= exactly(limit))
    return next(met, Rung.ABOVE_CONSTRAINT)


def exactly(x: float) -> Decimal:
    """A double as the decimal that it prints as."""
    return Decimal(repr(float(x)))


def _times(quantity: Decimal | None, factor: Factor | None) -> Decimal | None:
    return None if quantity is None or factor is None else quantity * exactly(factor.per_unit)


def _sum_of(uses: Sequence[CarrierUse], carrier: Carrier) -> Decimal | None:
    own = [one.quantity for one in uses if one.carrier is carrier]
    return _sum(own) if own else None


def _sum(parts: Iterable[Decimal | None]) -> Decimal | None:
    known = list(parts)
    return None if None in known else sum((one for one in known if one is not None), Decimal(0))
