"""Registers to numbers in our units, and numbers back to registers for simulated devices."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.modbus.coding import FLOAT_FORMATS, GREATEST_FLOAT, SIGNED, fits
from facility.protocols.modbus.profile import WordOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.protocols.modbus.profile import RegisterPoint


def decode_registers(
    point: RegisterPoint, words: Sequence[int], *, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> float | None:
    """The value in the quantity's unit, or None where the words are a code for "not available" or no number.

    Raises ``DriverError`` if the device sent another number of words than the coding fills.
    """
    if len(words) != point.coding.registers:
        raise DriverError(f"{point.quantity.word} needs {point.coding.registers} registers, {len(words)} came")
    ordered = words if point.word_order is WordOrder.BIG else words[::-1]
    image = struct.pack(f">{len(ordered)}H", *ordered)
    raw, bits = _number(point, image), int.from_bytes(image, "big")
    if raw is None or any(fits(code, bits) for code in point.codes):
        return None
    value = scaled(raw, point.scale) * point.factor(ct_ratio, pt_ratio)
    return value if math.isfinite(value) else None


def _number(point: RegisterPoint, image: bytes) -> float | None:
    """What stands in the registers, before it is scaled; None for NaN, infinity and what no meter can mean."""
    if point.coding not in FLOAT_FORMATS:
        return int.from_bytes(image, "big", signed=point.coding in SIGNED)
    raw: float = struct.unpack(FLOAT_FORMATS[point.coding], image)[0]
    return raw if abs(raw) < GREATEST_FLOAT else None


def encode_registers(
    point: RegisterPoint, value: float | None, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> tuple[int, ...]:
    """The words a device would hold: the inverse of ``decode_registers``, to the resolution of the register.

    None is its first code for "not available", or NaN. Raises ``OverflowError`` where it has none or is too small.
    """
    size = 2 * point.coding.registers
    if value is None:
        image = _no_value(point)
    else:
        secondary = value / point.factor(ct_ratio, pt_ratio) / point.scale
        if point.coding in FLOAT_FORMATS:
            image = struct.pack(FLOAT_FORMATS[point.coding], secondary)
        else:
            image = round(secondary).to_bytes(size, "big", signed=point.coding in SIGNED)
    words: tuple[int, ...] = struct.unpack(f">{point.coding.registers}H", image)
    return words if point.word_order is WordOrder.BIG else words[::-1]


def _no_value(point: RegisterPoint) -> bytes:
    if point.codes:
        return bytes.fromhex(point.codes[0].replace("x", "F"))
    if point.coding in FLOAT_FORMATS:
        return struct.pack(FLOAT_FORMATS[point.coding], math.nan)
    raise OverflowError(f"{point.quantity.word} has no word for 'not available'")
