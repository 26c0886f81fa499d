"""Where a profile file says that a number lies: one register, a sum of several, one of several places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from facility.documents.part import DocumentPart
from facility.protocols.document import Offset, Scale
from facility.protocols.modbus.coding import DECIMAL, FLOAT_FORMATS, Coding, WrittenCode, misfits
from facility.protocols.modbus.profile import RegisterTable, WordOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.protocols.modbus.coding import Codes

MOST_TEXT_REGISTERS = 16
MOST_PARTS = 16
ADDRESSES = 0x10000


def _as_word(written: object) -> object:
    """``false`` is a word that is no code; pydantic would take it for the number 0."""
    return str(written).lower() if isinstance(written, bool) else written


CodePart = Annotated[WrittenCode, BeforeValidator(_as_word)]
CodesPart = CodePart | list[CodePart]
ALLOWED_CODES = "none, default, or a list of them and of codes, such as [0x8000] or [7FFFxxxx], that fill the register"


class NumberPart(DocumentPart):
    """Where one number lies and how: ``scale`` and ``offset`` are its own."""

    address: int = Field(ge=0, le=65535)
    type: Coding
    table: RegisterTable | None = None
    word_order: WordOrder | None = None
    byte_order: WordOrder | None = None
    mask: int = Field(default=0, ge=0)
    length: int = Field(default=0, ge=0, le=MOST_TEXT_REGISTERS)
    scale: Scale = 1.0
    offset: Offset = 0.0
    not_available: CodesPart | None = None


class SumPart(DocumentPart):
    """Numbers that are added (a negative scale takes one away), what multiplies them, and a power of ten."""

    sum: list[NumberPart] = Field(min_length=1, max_length=MOST_PARTS)
    times: list[NumberPart] = Field(default=[], max_length=MOST_PARTS)
    exponent: NumberPart | None = None


def faults_of_number(part: NumberPart, table: RegisterTable) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a number in a table, as key, sentence and what is allowed."""
    yield from faults_of_place(part.type, part.address, part.mask, part.length, table)
    yield from faults_of_codes(part.type, part.not_available)


def faults_of_place(
    coding: Coding, address: int, mask: int, length: int, table: RegisterTable
) -> Iterator[tuple[str, str, str]]:
    """Whether such a number can lie there."""
    if (coding is Coding.BIT) != table.holds_bits:
        yield "type", f"'{coding}' is nothing that the {table} table holds", "bit in coil and discrete, else a number"
    if (coding is Coding.TEXT) != (length > 0):
        yield "length", f"length {length} is wrong for '{coding}'", "a text has one, in registers; nothing else has"
    if address + (length or coding.registers) > ADDRESSES:
        yield "address", f"a {coding} at {address} ends beyond the last register", "0 to 65535, with all its words"
    is_whole = coding.bits > 1 and coding not in FLOAT_FORMATS and coding not in DECIMAL
    if mask and not (is_whole and mask < 1 << coding.bits):
        yield "mask", f"mask {mask:#x} is wrong for '{coding}'", "bits of a whole number, such as 0x0003"


def faults_of_codes(coding: Coding, written: Codes | None) -> Iterator[tuple[str, str, str]]:
    """Every code that its register cannot hold."""
    for code in misfits(written, coding) if written is not None else ():
        yield "not_available", f"'{code}' is no code of {coding}", ALLOWED_CODES
