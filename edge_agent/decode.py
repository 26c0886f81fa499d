"""Registers and JSON messages to numbers in our units, and numbers back to registers for simulated devices."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from facility.errors import DriverError
from facility.model import Ratio
from facility.profile import Coding, WordOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facility.profile import JsonPoint, RegisterPoint

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
    value = _scaled(raw, point.scale) * _ratio(point, ct_ratio, pt_ratio)
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
        secondary = value / _ratio(point, ct_ratio, pt_ratio) / point.scale
        if point.coding in FLOAT_FORMATS:
            image = struct.pack(FLOAT_FORMATS[point.coding], secondary)
        else:
            image = round(secondary).to_bytes(size, "big", signed=point.coding in SIGNED)
    words: tuple[int, ...] = struct.unpack(f">{point.coding.registers}H", image)
    return words if point.word_order is WordOrder.BIG else words[::-1]


def decode_json(
    points: Iterable[JsonPoint], topic: str, payload: bytes, *, unit: str = "{unit}"
) -> dict[tuple[str, str], float]:
    """What a message says, by ``(quantity word, channel)``; what it does not say is absent.

    ``unit`` is the device's address, which stands for ``{unit}`` in the points' topics. Raises ``DriverError``
    if the payload is not JSON.
    """
    wanted = [point for point in points if point.topic.replace("{unit}", unit) == topic]
    if not wanted:
        return {}
    try:
        tree = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MemoryError) as error:
        raise DriverError(f"{topic}: not JSON: {error}") from None
    said = {(p.quantity.word, p.channel): _number(_find(tree, p.path), p) for p in wanted}
    return {key: value for key, value in said.items() if value is not None}


def _scaled(raw: float, scale: float) -> float:
    """``raw x scale``; 2315 x 0.1 is taken as 2315 / 10, which is the nearest float to 231.5."""
    divisor = round(1 / scale)
    return raw / divisor if divisor > 1 and math.isclose(divisor * scale, 1.0, rel_tol=1e-12) else raw * scale


def _ratio(point: RegisterPoint, ct_ratio: float, pt_ratio: float) -> float:
    ct = ct_ratio if point.ratio in {Ratio.CT, Ratio.CT_PT} else 1.0
    pt = pt_ratio if point.ratio in {Ratio.PT, Ratio.CT_PT} else 1.0
    return ct * pt


def _unavailable(point: RegisterPoint, size: int) -> bytes:
    if point.unavailable:
        return (point.unavailable[0] % (1 << (8 * size))).to_bytes(size, "big")
    if point.coding in FLOAT_FORMATS:
        return struct.pack(FLOAT_FORMATS[point.coding], math.nan)
    raise OverflowError(f"{point.quantity.word} has no word for 'not available'")


def _find(tree: Any, path: Sequence[str]) -> Any:
    """The node at a path of keys (or positions in lists); None if it is not there."""
    for key in path:
        if isinstance(tree, dict):
            tree = tree.get(key)
        elif isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return None
    return tree


def _number(node: Any, point: JsonPoint) -> float | None:
    """A finite number in the quantity's unit; strings count only if the profile gives them a meaning."""
    word = ("true" if node else "false") if isinstance(node, bool) else node
    if isinstance(word, str):
        plain = {"true": 1.0, "false": 0.0} if isinstance(node, bool) else {}
        return point.words.get(word, plain.get(word))
    if not isinstance(node, int | float):
        return None
    stated = point.words.get(str(node))
    try:
        value = _scaled(node, point.scale) if stated is None else stated
    except OverflowError:  # a whole number beyond all floats
        return None
    return value if math.isfinite(value) else None
