"""The data of an answer to numbers in our units, and numbers back to data for simulated meters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.drivers.framed.frames import cjt188_frames, dlt645_frames
from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.cjt188 import UNIT_CODES, Cjt188Profile

if TYPE_CHECKING:
    from facility.protocols.cjt188 import ValuePoint
    from facility.protocols.dlt645 import Dlt645Profile, ItemPoint

REFUSED = 0x40


@dataclass(frozen=True, slots=True)
class UnknownUnit:
    """A number in a unit that we do not know, in words."""

    why: str


def dlt645_value(point: ItemPoint, data: bytes) -> float | None:
    """The value in the quantity's unit before ratios; None where there is none, or the data is too short."""
    image = data[point.at : point.at + point.form.size]
    raw = point.form.read(image) if len(image) == point.form.size else None
    return None if raw is None else scaled(raw, point.scale)


def cjt188_value(point: ValuePoint, data: bytes) -> float | UnknownUnit | None:
    """The value in the quantity's unit, None where there is none, or what its unit is that we do not know."""
    end = point.at + point.form.size
    image, code = data[point.at : end], data[end : end + 1]
    raw = point.form.read(image) if len(image) == point.form.size else None
    if raw is None:
        return None
    if not point.has_unit:
        return scaled(raw, point.scale)
    factor = UNIT_CODES[point.quantity.unit].get(code[0]) if code else None
    if factor is None:
        return UnknownUnit(f"its unit is {code.hex().upper() or 'nothing'}h, which is no {point.quantity.unit}")
    value = scaled(raw, point.scale) * factor
    return value if math.isfinite(value) else None


def example_values(profile: Dlt645Profile | Cjt188Profile, frame: bytes) -> dict[str, float]:
    """What the frame of an example says, by ``quantity/channel``. Raises ``DriverError`` where it is none."""
    is_water = isinstance(profile, Cjt188Profile)
    found = next(iter(cjt188_frames(frame) if is_water else dlt645_frames(frame)), None)
    if found is None:
        raise DriverError("is no frame with a right length and checksum")
    said: dict[str, float] = {}
    if isinstance(profile, Cjt188Profile):
        if found.who[0] != profile.meter_type:
            raise DriverError(f"is of a meter of type {found.who[0]:02X}h")
        item = found.data[:2].hex() if profile.is_high_first else found.data[1::-1].hex()
        for place in profile.points:
            value = cjt188_value(place, found.data[3:]) if place.item == item.upper() else None
            if isinstance(value, UnknownUnit):
                raise DriverError(f"{place.name}: {value.why}")
            said.update({} if value is None else {place.name: value})
        return said
    size = profile.edition.id_bytes
    item = found.data[:size][::-1].hex().upper()
    for point in profile.points:
        number = dlt645_value(point, found.data[size:]) if point.item == item else None
        said.update({} if number is None else {point.name: number})
    return said
