"""What the things of an estate are called: buildings, meters, spaces, points and the states of a sensor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.catalogue import Catalogue
    from facility.model import Building, Meter, Point, Space
    from facility.quantities import Quantity
    from wording.texts import Texts

_DOOR_SENSOR = re.compile(r"(?: (?:contact|sensor))+$|门磁(?:传感器|开关)?$")
"""How people end the name of a door's sensor."""

ON = 0.5
"""From here on a state is set: they are stored as 0 and 1."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id, in one language; an id that the estate does not have (any more) stands for itself."""

    catalogue: Catalogue
    language: str

    def building(self, building: str) -> str:
        """A building's name."""
        return self._named(self.catalogue.building, building)

    def meter(self, meter: str) -> str:
        """A meter's name."""
        return self._named(self.catalogue.meter, meter)

    def door(self, meter: str) -> str:
        """The door that a sensor watches: what stands open is the back door, not its contact."""
        return _DOOR_SENSOR.sub("", self.meter(meter)) or self.meter(meter)

    def space(self, space: str) -> str:
        """A space's name."""
        return self._named(self.catalogue.space, space)

    def place(self, meter: str) -> str:
        """The space in which a meter hangs; empty where that is not known."""
        known = self.catalogue.meter.get(meter)
        return self.space(known.space) if known and known.space in self.catalogue.space else ""

    def _named(self, known: Mapping[str, Building] | Mapping[str, Meter] | Mapping[str, Space], of: str) -> str:
        return known[of].name.in_language(self.language) if of in known else of


def point_name(texts: Texts, point: Point) -> str:
    """``Voltage l1``: what a point says, and of which of several."""
    name = texts(f"quantity.{point.quantity.word}")
    return name if point.channel == "total" else f"{name} {point.channel}"


def state_word(texts: Texts, quantity: Quantity, x: float) -> str:
    """A state in a word: ``open``, ``dry``."""
    return texts(f"state.{quantity.word}.{'on' if x >= ON else 'off'}")
