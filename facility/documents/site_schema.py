"""The schema of site.yaml: which keys an estate's text may hold, and what each may be."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AliasChoices, Field, StringConstraints, model_validator

from facility.building_use import BuildingUse
from facility.documents.factor_schema import Co2Part, TypicalUsePart
from facility.documents.part import DocumentPart
from facility.documents.stated_schema import (
    AllocationPart,
    FactorSetPart,
    FigurePart,
    MembershipPart,
    QuotaPart,
    VehicleFuelPart,
)
from facility.documents.tariff_schema import TariffPart
from facility.ledger.installation import FEWEST_DIGITS, MOST_DIGITS
from facility.levels import LEVEL_WORDS
from facility.model import TOTAL, MeterRole, Name, Provenance, SpaceKind
from facility.protocols import SCHEMES
from facility.quantities import Utility

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]

MOST_SHIFT_DAYS = 36_525
"""A century."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class NamePart(DocumentPart):
    """A name in both languages; a bare string is the English one."""

    en: str
    zh: str = ""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        return {"en": value} if isinstance(value, str) else value

    def name(self) -> Name:
        """As the model's type."""
        return Name(self.en, self.zh)


class ClosurePart(DocumentPart):
    """Days, both included, on which everything is closed."""

    first: dt.date
    last: dt.date
    name: str = ""


class NoticePart(DocumentPart):
    """A year's notice of moved workdays, or a house's own; ``basis`` names the document."""

    year: int = Field(ge=1990, le=2100)
    basis: str = Field(min_length=1)
    workdays: list[dt.date] = []
    days_off: list[dt.date] = []


class HolidaysPart(DocumentPart):
    """Public holidays by ISO country and subdivision. ``shift_days`` moves them with shifted data."""

    country: str = ""
    subdivision: str = ""
    shift_days: int = Field(default=0, ge=-MOST_SHIFT_DAYS, le=MOST_SHIFT_DAYS)
    closures: list[ClosurePart] = []
    notices: list[NoticePart] = []


class PricePart(DocumentPart):
    """A flat price, valid from a date on, with the document it comes from."""

    utility: Utility
    per_unit: float = Field(ge=0)
    valid_from: dt.date
    basis: str = ""


class SitePart(DocumentPart):
    """The estate itself."""

    id: Slug
    name: NamePart
    timezone: str = Field(json_schema_extra={"allowed": "an IANA name"})
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    banner: NamePart | None = Field(default=None, validation_alias=AliasChoices("banner", "notice"))
    """A line above every page. Site files of before 2026-12 call it ``notice``; an export writes ``banner``."""
    custodian: str = Field(default="", max_length=60)
    """Who decides about data levels: none changes otherwise, and readings of a point without one wait in quarantine."""
    holidays: HolidaysPart = HolidaysPart()
    prices: list[PricePart] = []
    tariffs: list[TariffPart] = []
    co2: list[Co2Part] = []
    typical_use: list[TypicalUsePart] = []
    factor_sets: list[FactorSetPart] = []


class DepartmentPart(DocumentPart):
    """Who uses buildings and pays for them."""

    id: Slug
    name: NamePart
    cost_centre: str = ""


class SpacePart(DocumentPart):
    """A room, floor or zone."""

    id: Slug
    name: NamePart
    kind: SpaceKind = SpaceKind.ROOM


class BuildingPart(DocumentPart):
    """A building; ``hours`` maps ``mon-fri`` or ``sat`` to ``08:00-18:00``, ``armed`` also to ``22:00-06:00``."""

    id: Slug
    name: NamePart
    department: str = ""
    use: str = Field(default=BuildingUse.OFFICE.value, json_schema_extra={"allowed": [*BuildingUse]})
    floor_area_m2: float | None = Field(default=None, gt=0)
    hours: dict[str, str] = {}
    armed: dict[str, str] = {}
    totals: dict[Utility, str] = Field(default={}, json_schema_extra={"allowed": [*LEVEL_WORDS]})
    spaces: list[SpacePart] = []


class BusPart(DocumentPart):
    """One wire of an agent."""

    id: Slug
    url: str = Field(json_schema_extra={"allowed": f"a URL of {', '.join(SCHEMES)}"})
    timeout_s: float = Field(default=1.0, gt=0, le=60)


class AgentPart(DocumentPart):
    """An edge agent."""

    id: Slug
    buses: list[BusPart] = Field(min_length=1)


class PointPart(DocumentPart):
    """A point chosen from the profile, or a narrower range or another level for it."""

    quantity: str = Field(json_schema_extra={"allowed": "a quantity of the [glossary](glossary.md)"})
    channel: str = TOTAL
    unit: str | None = None
    level: str | None = None
    low: float | None = None
    high: float | None = None


class InstallationPart(DocumentPart):
    """A device at the meter's place from a local time on; ``closing`` is the last read of the one before."""

    since: dt.datetime
    serial: str = ""
    digits: int | None = Field(default=None, ge=FEWEST_DIGITS, le=MOST_DIGITS)
    rolls_over_at: float | None = Field(default=None, gt=0)
    ct_ratio: float = Field(default=1.0, gt=0)
    pt_ratio: float = Field(default=1.0, gt=0)
    told_ct_ratio: float | None = Field(default=None, gt=0)
    told_pt_ratio: float | None = Field(default=None, gt=0)
    opening: float | None = Field(default=None, ge=0)
    closing: float | None = Field(default=None, ge=0)
    continues: bool = False
    photo: str = ""
    reason: Words
    by: Words


class MeterPart(DocumentPart):
    """A meter or sensor. Without ``points`` it reads all points of its profile that are not optional.

    With ``installations`` the facts of the device (serial, ratios, digits) stand there and nowhere else. One that
    people read has no ``profile``, ``agent``, ``bus`` and ``unit``: its utility's counter, or ``points``.
    """

    id: Slug
    name: NamePart
    building: str
    space: str = ""
    profile: str = ""
    agent: str = ""
    bus: str = ""
    unit: str = ""
    utility: Utility | None = None
    role: MeterRole = MeterRole.SUB
    enduse: Slug = TOTAL
    serial: str = ""
    ct_ratio: float = Field(default=1.0, gt=0)
    pt_ratio: float = Field(default=1.0, gt=0)
    digits: int | None = Field(default=None, ge=FEWEST_DIGITS, le=MOST_DIGITS)
    poll_s: float = Field(default=10.0, ge=1, le=86400)
    read_every_days: int | None = Field(default=None, ge=1, le=366)
    level: str | None = Field(default=None, json_schema_extra={"allowed": [*LEVEL_WORDS]})
    provenance: Provenance = Provenance.METERED
    rolls_over_at: float | None = Field(default=None, gt=0)
    most_per_hour: float | None = Field(default=None, gt=0)
    shares_device: bool = False
    """Whether other meters are parts of the same device: each of them says so."""
    installations: list[InstallationPart] = []
    points: list[PointPart] = []


class SiteDocument(DocumentPart):
    """A whole site.yaml."""

    version: int = Field(ge=1, le=1)
    site: SitePart
    departments: list[DepartmentPart] = []
    buildings: list[BuildingPart] = Field(json_schema_extra={"allowed": "at least 1"})
    agents: list[AgentPart] = []
    meters: list[MeterPart] = []
    figures: list[FigurePart] = []
    vehicle_fuel: list[VehicleFuelPart] = []
    quotas: list[QuotaPart] = []
    memberships: list[MembershipPart] = []
    allocations: list[AllocationPart] = []
