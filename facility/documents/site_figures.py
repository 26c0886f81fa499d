"""What must stand in a site.yaml so that its figures come out whole: nothing stops an agent, much would be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.building_use import BuildingUse
from facility.quantities import ACCOUNTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.documents.part import Document
    from facility.documents.site_schema import SiteDocument
    from facility.model import Point


def check_figures(document: Document, body: SiteDocument, points: Sequence[Sequence[Point]]) -> None:
    """Report uses of buildings that have no name in any language, and meters whose counter nobody would account.

    ``points`` are those of each meter, in the order of the document.
    """
    for i, building in enumerate(body.buildings):
        if building.use not in set(BuildingUse):
            document.report(("buildings", i, "use"), f"unknown use '{building.use}'", BuildingUse)
    utility_of = {quantity: utility for utility, quantity in ACCOUNTED.items()}
    for i, (meter, own) in enumerate(zip(body.meters, points, strict=True)):
        counted = [point.quantity for point in own if point.quantity in utility_of]
        if meter.utility is None and counted:
            what = f"'utility' is missing: nobody would account the {counted[0].word} of {meter.id}"
            document.report(("meters", i), what, list(dict.fromkeys(utility_of[one] for one in counted)))
