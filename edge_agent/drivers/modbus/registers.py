"""Registers to numbers in our units, and numbers back to registers for simulated devices."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.modbus.profile import Coding, WordOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.protocols.modbus.profile import RegisterPoint

FLOAT_FORMATS = {Coding.FLOAT32: ">f", Coding.FLOAT64: ">d"}
SIGNED = {Coding.INT16, Coding.INT32, Coding.INT64}


def decode_registers(
    point: RegisterPoint, words: Sequence[int], *, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> float | None:
    """The value in the quantity's unit, or None where the device says "not available", NaN or infinity.

    Raises ``DriverError`` if the device sent another number of words than the coding fills.
    """
    if len(words) != point.coding.registers:
        raise DriverError(f"{point.quantity.word} needs {point.coding.registers} registers, {len(words)} came")
    ordered = words if point.word_order is WordOrder.BIG else words[::-1]
    image = struct.pack(f">{len(ordered)}H", *ordered)
    pattern = int.from_bytes(image, "big")
    if point.coding in FLOAT_FORMATS:
        raw: float = struct.unpack(FLOAT_FORMATS[point.coding], image)[0]
    else:
        raw = int.from_bytes(image, "big", signed=point.coding in SIGNED)
    if pattern in point.unavailable or raw in point.unavailable:
        return None
    value = scaled(raw, point.scale) * point.factor(ct_ratio, pt_ratio)
    return value if math.isfinite(value) else None


def encode_registers(
    point: RegisterPoint, value: float | None, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> tuple[int, ...]:
    """The words a device would hold: the inverse of ``decode_registers``, to the resolution of the register.

    None is the device's "not available" (NaN for floats). Raises ``OverflowError`` if the register is too small.
    """
    size = 2 * point.coding.registers
    if value is None:
        image = _unavailable(point, size)
    else:
        secondary = value / point.factor(ct_ratio, pt_ratio) / point.scale
        if point.coding in FLOAT_FORMATS:
            image = struct.pack(FLOAT_FORMATS[point.coding], secondary)
        else:
            image = round(secondary).to_bytes(size, "big", signed=point.coding in SIGNED)
    words: tuple[int, ...] = struct.unpack(f">{point.coding.registers}H", image)
    return words if point.word_order is WordOrder.BIG else words[::-1]


def _unavailable(point: RegisterPoint, size: int) -> bytes:
    if point.unavailable:
        return (point.unavailable[0] % (1 << (8 * size))).to_bytes(size, "big")
    if point.coding in FLOAT_FORMATS:
        return struct.pack(FLOAT_FORMATS[point.coding], math.nan)
    raise OverflowError(f"{point.quantity.word} has no word for 'not available'")
