"""Bills and indicators of the buildings that a reader may see: made of everything that a building's totals rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from facility.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Callable

    from facility.catalogue import Catalogue
    from stores.access.reader import Reader
    from stores.readings.port import ReadingStore
    from stores.records.accounting.closed_months import ClosedMonths
    from stores.records.accounting.spells import Spells

Made = TypeVar("Made")


class VisiblePapers:
    """Hands what a paper is made of to who makes it, for one building at a time."""

    def __init__(
        self,
        store: ReadingStore,
        estate: Callable[[], Catalogue | None],
        closed: ClosedMonths,
        spells: Spells,
        reader: Reader,
    ) -> None:
        """``estate`` is the whole one: a building's bill names all departments that bear it."""
        self._store, self._estate, self._closed, self._spells, self._reader = store, estate, closed, spells, reader

    def show(self, building: str) -> bool:
        """Whether papers of a building show: all that they sum must."""
        return self._reader.sight.points is None and building in self._reader.sight.catalogue.building

    def made(self, building: str, make: Callable[[ReadingStore, Catalogue, ClosedMonths, Spells], Made]) -> Made:
        """What ``make`` makes. Raises ``Denied`` for a building whose papers do not show."""
        estate = self._estate()
        if estate is None or not self.show(building):
            raise Denied(f"{self._reader.name} may not look at papers of {building}")
        here = (one.id for one in estate.points if estate.meter[one.meter].building == building)
        self._reader.reads.note("papers", here)
        return make(self._store, estate, self._closed, self._spells)
