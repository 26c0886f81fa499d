"""The schema of a tariff in site.yaml: which keys its text may hold, and what each may be."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from facility.documents.part import DocumentPart
from facility.quantities import Utility
from facility.tariff import Period


class RulePart(DocumentPart):
    """Slots ``08:00-11:00`` of a period; ``dates`` such as ``07-15..08-31``; ``days`` such as ``mon``, ``holiday``."""

    period: Period
    slots: list[str] = Field(min_length=1)
    dates: list[str] = []
    days: list[str] = []


class StepPart(DocumentPart):
    """Above so much of the cycle's use a unit costs so much more."""

    above: float = Field(gt=0)
    plus: float


class TiersPart(DocumentPart):
    """Tiered prices (阶梯) on top of the period's price."""

    cycle: Literal["month", "year"]
    steps: list[StepPart] = Field(min_length=1)


class CapacityPart(DocumentPart):
    """A charge per kVA and month."""

    kva: float = Field(gt=0)
    per_kva_month: float = Field(ge=0)


class DemandPart(DocumentPart):
    """A charge per kW of declared or highest measured demand and month."""

    per_kw_month: float = Field(ge=0)
    declared_kw: float | None = Field(default=None, gt=0)
    tolerance: float = Field(default=0.05, ge=0, le=1)
    penalty_factor: float = Field(default=2.0, ge=1)


class TariffPart(DocumentPart):
    """A tariff from a day on, with the document it comes from; ``otherwise`` is the period outside all slots."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    utility: Utility
    valid_from: dt.date
    basis: str = Field(min_length=1)
    prices: dict[Period, float] = Field(min_length=1)
    rules: list[RulePart] = []
    otherwise: Period | None = None
    buildings: list[str] = []
    tiers: TiersPart | None = None
    capacity: CapacityPart | None = None
    demand: DemandPart | None = None
    fixed_per_month: float = Field(default=0.0, ge=0)
