"""How a number lies in registers, and which bit patterns there say that a device has no number to give.

A code is hex digits, high word first, one for each four bits of the registers; ``x`` at its end is any digit:
``7FFFxxxx`` is 7FFFh in the most significant word of two, whatever the other holds.
Float registers need no code: NaN, infinity and what no meter can mean are never values.
"""

from __future__ import annotations

import re
import struct
from enum import StrEnum, unique
from functools import cache
from typing import TYPE_CHECKING

from facility.quantities import Kind

if TYPE_CHECKING:
    from facility.quantities import Quantity


@unique
class Coding(StrEnum):
    """How a number lies in registers."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT24 = "uint24"
    INT24 = "int24"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT48 = "uint48"
    INT48 = "int48"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    BCD48 = "bcd48"
    BCD64 = "bcd64"
    TEXT = "text"
    BIT = "bit"

    @property
    def bits(self) -> int:
        """How many bits the number has; 0 for a text, which is as long as its profile says."""
        return 1 if self is Coding.BIT else int("".join(filter(str.isdigit, self.value)) or 0)

    @property
    def registers(self) -> int:
        """How many 16-bit registers the number fills: 24 bits are the low ones of two. A bit is a place of its own."""
        return -(-self.bits // 16)


FLOAT_FORMATS = {Coding.FLOAT32: ">f", Coding.FLOAT64: ">d"}
SIGNED = {Coding.INT16, Coding.INT24, Coding.INT32, Coding.INT48, Coding.INT64}
DECIMAL = {Coding.BCD16, Coding.BCD32, Coding.BCD48, Coding.BCD64}
"""A digit in each four bits. Anything there that is no digit is no value, so these need no codes."""

GREATEST_FLOAT = 1e36
"""No quantity comes near in any unit. Beyond it lie the greatest float (7F7FFFFF) and the numbers 1E37 to 8E37 by which
some devices say what is wrong (JUMO diraTRON, Modbus protocol description, 3.9.2)."""

NONE, DEFAULT = "none", "default"
"""What may stand for a list of codes: no code at all, and those of the coding's default."""

WrittenCode = int | float | str
"""As a profile writes it: digits with ``x``, bits as a number (0x8000), the number itself (-32768), or a word."""

Codes = WrittenCode | list[WrittenCode]
"""Codes as a profile writes them; one need not be in a list."""

DEFAULT_CODES = {
    Coding.UINT16: ("FFFF",),
    Coding.INT16: ("7FFF", "8000"),
    Coding.UINT24: ("FFFFFF", "7FFFFF", "800000"),
    Coding.INT24: ("7FFFFF", "800000"),
    Coding.UINT32: ("FFFFFFFF", "7FFFFFFF", "80000000"),
    Coding.INT32: ("7FFFxxxx", "8000xxxx"),
    Coding.UINT48: ("FFFFxxxxxxxx", "7FFFxxxxxxxx", "8000xxxxxxxx"),
    Coding.INT48: ("7FFFxxxxxxxx", "8000xxxxxxxx"),
    Coding.UINT64: ("FFFFxxxxxxxxxxxx", "7FFFxxxxxxxxxxxx", "8000xxxxxxxxxxxx"),
    Coding.INT64: ("7FFFxxxxxxxxxxxx", "8000xxxxxxxxxxxx"),
}
"""What makers use, where a profile states nothing: all ones of an unsigned number, both ends of a signed one.

All ones of unsigned, 8000h of signed numbers: SunSpec Information Model Overview 1.8, standard data formats.
All ones of unsigned, the greatest of signed numbers: ABB B23/B24 user manual 2CMC485003M0201, 9.2.
7FFFh in the most significant word: Carlo Gavazzi EM24-DIN communication protocol, 2.2.
The ends of a signed number count in unsigned registers of 32 and 64 bits too, as not every map tells the two apart, but
exactly: a counter passes each number once, and may stand at those around it. All ones of a signed number is -1.
"""


@cache
def default_codes(coding: Coding, quantity: Quantity) -> tuple[str, ...]:
    """The codes of a register of which its profile states none. A state has none: its FFFFh may be true.

    -1 is a code where the quantity cannot be negative. An unsigned counter of 32 bits passes FFFF0000h to FFFFFFFEh
    before it rolls over; nothing else gets there.
    """
    if quantity.kind in {Kind.STATE, Kind.EVENT}:
        return ()
    codes = DEFAULT_CODES.get(coding, ())
    if coding in SIGNED and quantity.low >= 0:
        codes = (*codes, "F" * _digits(coding))
    if coding is Coding.UINT32 and not quantity.is_counter:
        codes = (*codes, "FFFFxxxx")
    return codes


def read_codes(written: Codes, coding: Coding, quantity: Quantity) -> tuple[str, ...]:
    """The codes that are written; what no register of the coding can hold is left out."""
    default = default_codes(coding, quantity)
    each = (default if one == DEFAULT else _read_code(one, coding) for one in listed(written))
    return tuple(dict.fromkeys(code for codes in each for code in codes))


def misfits(written: Codes, coding: Coding) -> list[WrittenCode]:
    """What is written and no register of the coding can hold."""
    return [one for one in listed(written) if one not in {NONE, DEFAULT} and not _read_code(one, coding)]


def listed(written: Codes) -> list[WrittenCode]:
    """One code or word stands for a list of it."""
    return written if isinstance(written, list) else [written]


def fits(code: str, bits: int) -> bool:
    """Whether registers that hold these bits, as an unsigned number, say the code."""
    fixed, wanted = _mask(code)
    return bits & fixed == wanted


@cache
def _mask(code: str) -> tuple[int, int]:
    """Which bits a code fixes, and what they must be."""
    fixed = "".join("0" if digit == "x" else "F" for digit in code)
    return int(fixed, 16), int(code.replace("x", "0"), 16)


def _read_code(one: WrittenCode, coding: Coding) -> tuple[str, ...]:
    if isinstance(one, str):
        code = one.upper().replace("X", "x")
        return (code,) if len(code) == _digits(coding) and re.fullmatch("[0-9A-F]+x*", code) else ()
    bits = _bits(one, coding) if isinstance(one, int) else ()
    return (*bits, *_float_bits(one, coding)) if coding in FLOAT_FORMATS else bits


def _bits(number: int, coding: Coding) -> tuple[str, ...]:
    """The digits of bits as a number, and of a negative number in two's complement."""
    digits = _digits(coding)
    size = 1 << 4 * digits
    return (f"{number % size:0{digits}X}",) if -size // 2 <= number < size else ()


def _float_bits(number: float, coding: Coding) -> tuple[str, ...]:
    try:
        return (struct.pack(FLOAT_FORMATS[coding], number).hex().upper(),)
    except OverflowError:
        return ()


def _digits(coding: Coding) -> int:
    return coding.bits // 4
