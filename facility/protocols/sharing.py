"""Which meters have one address: two at one place are a slip of the pen, unless both say that they share a device."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from facility.protocols import check_bus, check_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.catalogue import Bus


ALLOWED_SHARING = "another address, or shares_device: true at each meter that is a part of one device"


@dataclass(frozen=True, slots=True)
class MeterPlace:
    """A meter on a bus of an agent. ``shares_device``: it is a part of a device that other meters are parts of, too."""

    meter: str
    agent: str
    bus: Bus
    unit: str
    shares_device: bool


def unsaid_sharing(places: Iterable[MeterPlace]) -> dict[str, str]:
    """By meter, the one before it at the same address of the same line, where not both say that they share a device.

    Two buses with one URL are one line. What has no lawful place at all is told of elsewhere.
    """
    first: dict[object, MeterPlace] = {}
    found: dict[str, str] = {}
    for place in places:
        with suppress(ConfigError):
            before = first.setdefault((place.agent, check_bus(place.bus), check_unit(place.bus, place.unit)), place)
            if before is not place and not (before.shares_device and place.shares_device):
                found[place.meter] = before.meter
    return found
