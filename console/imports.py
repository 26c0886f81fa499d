"""What the pages of imports say alike: the meters that one is about, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.visit import Visit
    from stores.access import KeptImport


def meters_of(visit: Visit, kept: KeptImport) -> list[str]:
    """Each meter once; one that the estate has no more by its id."""
    ids = dict.fromkeys(point.partition("/")[0] for point in kept.points)
    known = visit.catalogue.meter
    return [known[one].name.in_language(visit.texts.language) if one in known else one for one in ids]
