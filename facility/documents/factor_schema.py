"""The keys of a site.yaml's CO2 factors and typical uses."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from facility.building_use import BuildingUse
from facility.documents.part import DocumentPart
from facility.quantities import Utility


class Co2Part(DocumentPart):
    """What a unit of a utility emits, valid from a date on. The unit is written out, so that no grams slip in."""

    utility: Utility
    kg_per_unit: float = Field(ge=0)
    unit: str = Field(json_schema_extra={"allowed": ["kg/kWh", "kg/m3"]})
    valid_from: dt.date
    basis: str = Field(min_length=1)


class TypicalUsePart(DocumentPart):
    """What is typical of a utility for buildings of a use, and the document that says so."""

    use: BuildingUse
    utility: Utility
    kwh_per_m2: float = Field(gt=0)
    basis: str = Field(min_length=1)
