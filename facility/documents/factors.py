"""Reads the CO2 factors and typical uses of a site.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.factors import Co2Factor, TypicalUse

if TYPE_CHECKING:
    from facility.documents.part import Document
    from facility.documents.site_schema import SitePart


def read_co2(document: Document, part: SitePart) -> tuple[Co2Factor, ...]:
    """The factors; a unit that is not the utility's own and two that begin together are reported with their line."""
    begun = [(one.utility, one.valid_from) for one in part.co2]
    for i, one in enumerate(part.co2):
        unit = f"kg/{one.utility.unit}"
        if one.unit != unit:
            document.report(("site", "co2", i, "unit"), f"unit '{one.unit}' is wrong for {one.utility}", unit)
        if begun[i] in begun[:i]:
            what = f"two CO2 factors of {one.utility} both begin on {one.valid_from}"
            document.report(("site", "co2", i, "valid_from"), what, "one factor for a utility at a time")
    return tuple(Co2Factor(one.utility, one.kg_per_unit, one.valid_from, one.basis) for one in part.co2)


def read_typical_use(document: Document, part: SitePart) -> tuple[TypicalUse, ...]:
    """What is typical; what is no energy, and two for one kind of building, are reported with their line."""
    named = [(one.use, one.utility) for one in part.typical_use]
    for i, one in enumerate(part.typical_use):
        if one.utility.unit != "kWh":
            what = f"{one.utility} is not told in kWh"
            document.report(("site", "typical_use", i, "utility"), what, "electricity, heat, cooling")
        if named[i] in named[:i]:
            what = f"two typical uses of {one.utility} for '{one.use}'"
            document.report(("site", "typical_use", i, "use"), what, "one for a use and a utility")
    return tuple(TypicalUse(one.use, one.utility, one.kwh_per_m2, one.basis) for one in part.typical_use)
