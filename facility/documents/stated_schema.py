"""The keys of a site.yaml for what people state: factor sets, figures, fuel, quotas, memberships, allocation."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from facility.documents.part import DocumentPart
from facility.factors import FUELS, Carrier
from facility.quantities import Utility
from facility.stated import FigureKind, Indicator, Member, RestBy

SLUG = r"^[a-z0-9][a-z0-9_-]{0,62}$"
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
FUEL_UNITS = ("kg", "t", "L")


class FactorSetPart(DocumentPart):
    """Factors that a document states together, from a date on; each for a kWh, a m³, or a kg of fuel."""

    id: str = Field(pattern=SLUG)
    valid_from: dt.date
    basis: str = Field(min_length=1)
    kgce: dict[Carrier, float] = {}
    co2: dict[Carrier, float] = {}


class FigurePart(DocumentPart):
    """A dated number of a building, of a department, or of a department's part of a building."""

    kind: FigureKind
    value: float = Field(ge=0)
    valid_from: dt.date
    basis: str = Field(min_length=1)
    building: str = ""
    department: str = ""


class VehicleFuelPart(DocumentPart):
    """Fuel of vehicles in a month. Litres need the density by which they are weighed."""

    fuel: Carrier = Field(json_schema_extra={"allowed": [*FUELS]})
    quantity: float = Field(ge=0)
    unit: str = Field(json_schema_extra={"allowed": [*FUEL_UNITS]})
    month: str = Field(pattern=MONTH)
    basis: str = Field(min_length=1)
    density_kg_per_l: float | None = Field(default=None, gt=0)
    building: str = ""
    department: str = ""


class QuotaPart(DocumentPart):
    """A ladder of a year's indicator: 约束值 over 基准值 over 引导值."""

    indicator: Indicator
    constraint: float = Field(gt=0)
    benchmark: float | None = Field(default=None, gt=0)
    guide: float | None = Field(default=None, gt=0)
    factor_set: str = ""
    valid_from: dt.date
    basis: str = Field(min_length=1)
    building: str = ""


class MembershipPart(DocumentPart):
    """That something belongs to a department, or stands in a space, from a date on."""

    member: Member
    id: str = Field(min_length=1)
    valid_from: dt.date
    department: str = ""
    space: str = ""


class AllocationPart(DocumentPart):
    """Which departments bear a building's bill, from a date on."""

    building: str = Field(min_length=1)
    valid_from: dt.date
    basis: str = Field(min_length=1)
    utility: Utility | None = None
    meters: list[str] = []
    rest: RestBy
    departments: list[str] = Field(min_length=1)
    shares: list[float] = []
