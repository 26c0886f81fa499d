"""Charges of a whole month or year beside the price of a period: tiers, capacity, demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from accounting.arrays import Floats
    from facility.tariff import Capacity, Demand, Tiers


def tier_parts(tiers: Tiers, before: float, qty: float) -> Floats:
    """How much of ``qty`` lies above each of k steps and below the next, (k,), in its own unit.

    ``before`` was used earlier in the cycle.
    """
    edges = np.array([step.above for step in tiers.steps] + [np.inf])
    reached = np.minimum(before + qty, edges[1:]) - np.maximum(before, edges[:-1])
    parts: Floats = np.maximum(reached, 0.0)
    return parts


def capacity_charge(capacity: Capacity) -> float:
    """Money a month."""
    return capacity.kva * capacity.per_kva_month


def demand_parts(demand: Demand, peak_kw: float) -> tuple[float, float]:
    """Demand in kW at the plain price and at the penalty's, for a month's highest quarter-hour.

    Without a declared demand the measured one is paid. With one it is paid as declared, and what lies above it and
    its tolerance is paid as a penalty.
    """
    if demand.declared_kw is None:
        return peak_kw, 0.0
    return demand.declared_kw, max(0.0, peak_kw - demand.declared_kw * (1 + demand.tolerance))


def demand_charge(demand: Demand, peak_kw: float) -> float:
    """Money a month."""
    plain, above = demand_parts(demand, peak_kw)
    return (plain + above * demand.penalty_factor) * demand.per_kw_month
