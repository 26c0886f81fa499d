"""Charges of a whole month: capacity, demand, a fixed sum; each by the days on which its tariff held."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from accounting.charges import demand_parts
from reports.rounding import exactly, round_together, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounting.arrays import Bools
    from accounting.tariffs import Pricing
    from facility.tariff import Demand
    from reports.peaks import Peak, Peaks
    from stores.readings.port import Times


CHARGES = ("capacity", "demand", "demand_above", "fixed")
"""What is charged for a month beside periods and tiers."""


@dataclass(frozen=True, slots=True)
class MonthPart:
    """The days of a month on which a tariff held."""

    days: int
    of: int


@dataclass(frozen=True, slots=True)
class MonthCharge:
    """One charge under the tariff at a position of ``Pricing.tariffs``, before it is rounded.

    ``part`` is None where the tariff held all month.
    """

    tariff: int
    what: str  # of ``CHARGES``
    quantity: Decimal
    unit: str
    price: Decimal
    part: MonthPart | None
    peak: Peak | None = None

    @property
    def exact(self) -> Fraction:
        """Money, not rounded."""
        share = Fraction(self.part.days, self.part.of) if self.part else Fraction(1)
        return exactly(self.quantity) * exactly(self.price) * share


def month_charges(
    pricing: Pricing, local_days: Times, peaks: Peaks, smallest: Decimal
) -> list[tuple[MonthCharge, Decimal]]:
    """Every charge of the month with its amount, tariff by tariff in the order of time.

    ``local_days`` (n,) are the days of the hours that ``pricing`` is of. The same charge under several tariffs is
    rounded together to ``smallest``: a sum that all of them ask for adds up to that sum.
    """
    found = [one for k in _in_force(pricing) for one in _charges(pricing, k, local_days, peaks)]
    amounts: dict[int, Decimal] = {}
    for what in dict.fromkeys(one.what for one in found):
        places = [i for i, one in enumerate(found) if one.what == what]
        amounts |= zip(places, round_together([found[i].exact for i in places], smallest), strict=True)
    return [(one, amounts[i]) for i, one in enumerate(found)]


def demand_peak(pricing: Pricing, k: int, peaks: Peaks) -> Peak | None:
    """What demand is charged by under a tariff: the peak of all hours in which the same demand was declared, or none.

    A tariff that changes a price amid the month changes no demand of the month.
    """
    return peaks.highest(_same_demand(pricing, k))


def unmeasured_demand(pricing: Pricing, peaks: Peaks) -> bool:
    """Whether a tariff of the month charges demand and no quarter-hour was measured that tells which."""
    return any(pricing.tariffs[k].demand and demand_peak(pricing, k, peaks) is None for k in _in_force(pricing))


def _in_force(pricing: Pricing) -> list[int]:
    positions: list[int] = np.unique(pricing.tariff[pricing.tariff >= 0]).tolist()
    return positions


def _same_demand(pricing: Pricing, k: int) -> Bools:
    """The hours whose tariffs have the demand terms of the tariff at ``k``, prices apart: (n,)."""
    terms = _terms(pricing.tariffs[k].demand)
    same = [i for i in _in_force(pricing) if _terms(pricing.tariffs[i].demand) == terms]
    return np.isin(pricing.tariff, same)


def _terms(demand: Demand | None) -> tuple[float | None, float] | None:
    return (demand.declared_kw, demand.tolerance if demand.declared_kw else 0.0) if demand else None


def _charges(pricing: Pricing, k: int, local_days: Times, peaks: Peaks) -> Iterator[MonthCharge]:
    tariff = pricing.tariffs[k]
    part = _part(pricing.tariff == k, local_days)
    if tariff.capacity:
        kva = rounded(tariff.capacity.kva)
        yield MonthCharge(k, "capacity", kva, "kVA", _exact(tariff.capacity.per_kva_month), part)
    if tariff.demand:
        yield from _demand(k, tariff.demand, part, demand_peak(pricing, k, peaks))
    if tariff.fixed_per_month:
        yield MonthCharge(k, "fixed", rounded(1.0), "month", _exact(tariff.fixed_per_month), part)


def _demand(k: int, demand: Demand, part: MonthPart | None, peak: Peak | None) -> Iterator[MonthCharge]:
    """A declared demand is paid whatever was measured; a measured one only where something was."""
    if demand.declared_kw is None and peak is None:
        return
    plain, above = demand_parts(demand, float(peak.kw) if peak else 0.0)
    price = _exact(demand.per_kw_month)
    yield MonthCharge(k, "demand", rounded(plain), "kW", price, part, peak)
    if rounded(above):
        yield MonthCharge(k, "demand_above", rounded(above), "kW", price * _exact(demand.penalty_factor), part, peak)


def _part(rows: Bools, local_days: Times) -> MonthPart | None:
    days, of = len(np.unique(local_days[rows])), len(np.unique(local_days))
    return None if days == of else MonthPart(days, of)


def _exact(price: float) -> Decimal:
    return Decimal(repr(float(price)))
