"""The data of an answer to numbers in our units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_agent.drivers.framed.frames import cjt188_frames, dlt645_frames
from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.cjt188 import UNIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge_agent.drivers.framed.frames import MeterFrame
    from facility.protocols.cjt188 import Cjt188Profile, ValuePoint
    from facility.protocols.dlt645 import Dlt645Profile, ItemPoint

REFUSED = 0x40


def dlt645_value(point: ItemPoint, data: bytes) -> float | None:
    """The value in the quantity's unit before ratios; None where there is none, or the data is too short."""
    image = data[point.at : point.at + point.form.size]
    raw = point.form.read(image) if len(image) == point.form.size else None
    return None if raw is None else scaled(raw, point.scale)


def cjt188_value(point: ValuePoint, data: bytes) -> float | None:
    """The value in the quantity's unit, None where there is none. Raises ``DriverError`` for a unit we do not know."""
    end = point.at + point.form.size
    image, code = data[point.at : end], data[end : end + 1]
    raw = point.form.read(image) if len(image) == point.form.size else None
    if raw is None:
        return None
    if not point.has_unit:
        return scaled(raw, point.scale)
    factor = UNIT_CODES[point.quantity.unit].get(code[0]) if code else None
    if factor is None:
        raise DriverError(f"its unit is {code.hex().upper() or 'nothing'}h, which is no {point.quantity.unit}")
    value = scaled(raw, point.scale) * factor
    return value if math.isfinite(value) else None


def dlt645_example(profile: Dlt645Profile, frame: bytes) -> dict[str, float]:
    """What the frame of an example says, by ``quantity/channel``. Raises ``DriverError`` where it is none."""
    data, size = _first(dlt645_frames(frame)).data, profile.edition.id_bytes
    item = data[:size][::-1].hex().upper()
    return _values((p.name, dlt645_value(p, data[size:])) for p in profile.points if p.item == item)


def cjt188_example(profile: Cjt188Profile, frame: bytes) -> dict[str, float]:
    """The same of a meter that says its type."""
    found = _first(cjt188_frames(frame))
    if found.who[0] != profile.meter_type:
        raise DriverError(f"is of a meter of type {found.who[0]:02X}h")
    item = (found.data[:2] if profile.is_high_first else found.data[1::-1]).hex().upper()
    return _values((p.name, cjt188_value(p, found.data[3:])) for p in profile.points if p.item == item)


def _first(frames: Iterator[MeterFrame]) -> MeterFrame:
    if (found := next(frames, None)) is None:
        raise DriverError("is no frame with a right length and checksum")
    return found


def _values(said: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    return {name: value for name, value in said if value is not None}
