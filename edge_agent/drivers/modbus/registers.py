"""Registers to numbers in our units, and numbers back to registers for simulated devices."""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING

from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.modbus.coding import DECIMAL, FLOAT_FORMATS, GREATEST_FLOAT, SIGNED, Coding, fits
from facility.protocols.modbus.profile import ComposedPoint, EitherPoint, RegisterTable, WordOrder
from facility.so_many import so_many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from facility.protocols.modbus.profile import ModbusPoint, RegisterPoint

Held = dict[tuple[RegisterTable, int], int]
"""Words (or bits) as a device holds them, by table and address."""

GREATEST_EXPONENT = 18
"""No scale factor is beyond: what is there is none."""

_NUMBER_TEXT = re.compile(rb"[+-]?[0-9]+(?:\.[0-9]+)?")


class AmbiguousError(DriverError):
    """More than one of the places where a value may stand says something, and nothing tells which is meant."""


def decode_point(
    point: ModbusPoint, held: Mapping[tuple[RegisterTable, int], int], *, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> float | None:
    """The value of a point of which all numbers are held, or None where one of them is not available.

    Of ``either`` those places count of which all numbers are held. Raises ``AmbiguousError``.
    """
    if isinstance(point, EitherPoint):
        there = [choice for choice in point.choices if is_held(choice, held)]
        found = choose([decode_point(choice, held, ct_ratio=ct_ratio, pt_ratio=pt_ratio) for choice in there])
        return found[1] if found else None
    if isinstance(point, ComposedPoint):
        value = _composed(point, held)
        return None if value is None else _finite(value * point.factor(ct_ratio, pt_ratio))
    words = [held[point.table, address] for address in range(point.address, point.address + point.count)]
    return decode_registers(point, words, ct_ratio=ct_ratio, pt_ratio=pt_ratio)


def is_held(point: ModbusPoint, held: Mapping[tuple[RegisterTable, int], int]) -> bool:
    """Whether all numbers that a point is made of are there; of ``either`` those of one place."""
    if isinstance(point, EitherPoint):
        return any(is_held(choice, held) for choice in point.choices)
    return all((r.table, r.address + i) in held for r in point.registers for i in range(r.count))


def choose(values: Sequence[float | None]) -> tuple[int, float] | None:
    """Which of several places is meant, and its value: the only one that says something, or else the first zero.

    A register that a firmware does not have may be refused, not available, or zero. Raises ``AmbiguousError`` where
    two say different things beside zero: nothing is guessed.
    """
    said = [(i, value) for i, value in enumerate(values) if value is not None]
    more = [(i, value) for i, value in said if value]
    if len({value for _, value in more}) > 1:
        shown = " and ".join(f"{value:g}" for _, value in more)
        raise AmbiguousError(f"stands at several places that differ: {shown}")
    return next(iter(more or said), None)


def decode_registers(
    point: RegisterPoint, words: Sequence[int], *, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> float | None:
    """The value in the quantity's unit, or None where the words are a code for "not available" or no number.

    Raises ``DriverError`` if the device sent another number of words than the coding fills.
    """
    if len(words) != point.count:
        raise DriverError(f"{point.quantity.word} needs {so_many(point.count, 'register')}, {len(words)} came")
    if point.coding is Coding.BIT:
        raw: float | None = words[0]
    else:
        ordered = words if point.word_order is WordOrder.BIG else words[::-1]
        raw = _number(point, struct.pack(f"{_order(point)}{len(ordered)}H", *ordered))
    if raw is None:
        return None
    return _finite((scaled(raw, point.scale) + point.offset) * point.factor(ct_ratio, pt_ratio))


def _composed(point: ComposedPoint, held: Mapping[tuple[RegisterTable, int], int]) -> float | None:
    """Sum, factors and power of ten, before the ratios; each number without ratios of its own."""
    terms = [decode_point(term, held) for term in point.terms]
    factors = [decode_point(factor, held) for factor in point.factors]
    power = decode_point(point.exponent, held) if point.exponent else 0.0
    if power is None or abs(power) > GREATEST_EXPONENT or power % 1:
        return None
    known = [number for number in (*terms, *factors) if number is not None]
    if len(known) < len(terms) + len(factors):
        return None
    return scaled(math.fsum(known[: len(terms)]) * math.prod(known[len(terms) :]), 10.0**power)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _order(point: RegisterPoint) -> str:
    return ">" if point.byte_order is WordOrder.BIG else "<"


def _number(point: RegisterPoint, image: bytes) -> float | None:
    """What stands in the registers, before it is scaled; None for a code, NaN, and what no meter can mean."""
    coding = point.coding
    if coding is Coding.TEXT:
        text = image.strip(b"\0 ")
        return float(text) if _NUMBER_TEXT.fullmatch(text) else None
    bits = int.from_bytes(image, "big") & (1 << coding.bits) - 1
    if any(fits(code, bits) for code in point.codes):
        return None
    if coding in FLOAT_FORMATS:
        raw: float = struct.unpack(FLOAT_FORMATS[coding], image)[0]
        return raw if abs(raw) < GREATEST_FLOAT else None
    if coding in DECIMAL:
        digits = image.hex()
        return int(digits) if digits.isdecimal() else None
    if point.mask:
        return (bits & point.mask) // (point.mask & -point.mask)
    return bits - (1 << coding.bits) if coding in SIGNED and bits >> coding.bits - 1 else bits


def encode_registers(
    point: RegisterPoint, value: float | None, ct_ratio: float = 1.0, pt_ratio: float = 1.0
) -> tuple[int, ...]:
    """The words a device would hold: the inverse of ``decode_registers``, to the resolution of the register.

    None is its first code for "not available", or what is no number. Raises ``OverflowError`` where it has none or is
    too small.
    """
    if value is None:
        image = _no_value(point)
    else:
        image = _image(point, (value / point.factor(ct_ratio, pt_ratio) - point.offset) / point.scale)
    if point.coding is Coding.BIT:
        return (image[-1],)
    words: tuple[int, ...] = struct.unpack(f"{_order(point)}{point.count}H", image)
    return words if point.word_order is WordOrder.BIG else words[::-1]


def _image(point: RegisterPoint, raw: float) -> bytes:
    """A number before it is scaled, high word first."""
    coding, size = point.coding, 2 * point.count
    if coding in FLOAT_FORMATS:
        return struct.pack(FLOAT_FORMATS[coding], raw)
    whole = round(raw)
    text = f"{raw:.15g}" if coding is Coding.TEXT else f"{whole:0{2 * size}d}"
    if coding is Coding.TEXT and len(text) <= size:
        return text.encode().ljust(size, b"\0")
    if coding in DECIMAL and len(text) == 2 * size and whole >= 0:
        return bytes.fromhex(text)
    if coding in DECIMAL or coding is Coding.TEXT:
        raise OverflowError(f"{text} does not fit {size} bytes of {coding}")
    if point.mask:
        whole *= point.mask & -point.mask
    return whole.to_bytes(coding.bits // 8 or 1, "big", signed=coding in SIGNED).rjust(size, b"\0")


def _no_value(point: RegisterPoint) -> bytes:
    if point.codes:
        return bytes.fromhex(point.codes[0].replace("x", "F")).rjust(2 * point.count, b"\0")
    if point.coding in FLOAT_FORMATS:
        return struct.pack(FLOAT_FORMATS[point.coding], math.nan)
    if point.coding in DECIMAL or point.coding is Coding.TEXT:
        return b"\xff" * 2 * point.count
    raise OverflowError(f"{point.quantity.word} has no word for 'not available'")
