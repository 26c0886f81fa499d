"""The text form of a Modbus profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from facility.documents.part import DocumentPart
from facility.model import Ratio
from facility.protocols.document import ExamplePart, ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.modbus.coding import DEFAULT, Codes, Coding, WrittenCode, listed, misfits, read_codes
from facility.protocols.modbus.profile import (
    ModbusProfile,
    RegisterExample,
    RegisterPoint,
    RegisterTable,
    WordOrder,
)

if TYPE_CHECKING:
    from facility.documents.part import Document, Place
    from facility.quantities import Quantity

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
"""What one Modbus register holds."""


def _as_word(written: object) -> object:
    """``false`` is a word that is no code; pydantic would take it for the number 0."""
    return str(written).lower() if isinstance(written, bool) else written


CodePart = Annotated[WrittenCode, BeforeValidator(_as_word)]
CodesPart = CodePart | list[CodePart]
ALLOWED_CODES = "none, default, or a list of them and of codes, such as [0x8000] or [7FFFxxxx], that fill the register"


class RegisterPart(SaidPart):
    """One register point. ``unit`` is what value = raw x scale is in; it must be the quantity's unit.

    ``unavailable`` is how versions before said codes; they add to the default, which those versions did not have.
    """

    address: int = Field(ge=0, le=65535)
    type: Coding
    table: RegisterTable | None = None
    word_order: WordOrder | None = None
    ratio: Ratio = Ratio.NONE
    not_available: CodesPart | None = None
    unavailable: list[int] = []


class RegisterExamplePart(ExamplePart):
    """Registers as a device held them, by their first address, and the values they must decode to."""

    registers: dict[int, list[Word]] = Field(min_length=1)


class StatedCodes(DocumentPart):
    """The codes for "not available" that a document publishes, by type; a type that is not named has the default."""

    source: str = Field(min_length=1)
    codes: dict[Coding, CodesPart] = Field(min_length=1)


class ModbusPart(DocumentPart):
    """What holds for all registers of the device."""

    table: RegisterTable
    word_order: WordOrder = WordOrder.BIG
    max_registers: int = Field(default=125, ge=1, le=125)
    max_gap: int = Field(default=8, ge=0, le=125)
    not_available: StatedCodes | None = None


class ModbusDocument(ProfileDocument):
    """A profile file of a Modbus device."""

    protocol: Literal["modbus"]
    modbus: ModbusPart
    registers: list[RegisterPart] = Field(min_length=1)
    examples: list[RegisterExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> ModbusProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        self._check_codes(document)
        points = read_points(document, "registers", self.registers, self._point)
        check_examples(document, self.examples, points)
        shown = ((e, {address: tuple(words) for address, words in e.registers.items()}) for e in self.examples)
        return ModbusProfile(
            self.profile,
            self.name,
            self.kind,
            self.proof(),
            points,
            tuple(RegisterExample(example.note, example.expect, registers) for example, registers in shown),
            tuple(self.unconfirmed),
            max_registers=self.modbus.max_registers,
            max_gap=self.modbus.max_gap,
            codes_source=self.modbus.not_available.source if self.modbus.not_available else "",
        )

    def _check_codes(self, document: Document) -> None:
        """Report every code that its register cannot hold."""
        stated = self.modbus.not_available.codes if self.modbus.not_available else {}
        written: list[tuple[Place, Coding, Codes]] = [
            (("modbus", "not_available", "codes", coding.value), coding, codes) for coding, codes in stated.items()
        ]
        for i, part in enumerate(self.registers):
            if part.not_available is not None:
                written.append((("registers", i, "not_available"), part.type, part.not_available))
        for place, coding, codes in written:
            for code in misfits(codes, coding):
                document.report(place, f"'{code}' is no code of {coding}", ALLOWED_CODES)

    def _point(self, quantity: Quantity, part: RegisterPart) -> RegisterPoint:
        return RegisterPoint(
            quantity,
            part.channel,
            part.address,
            part.type,
            part.table or self.modbus.table,
            part.scale,
            part.word_order or self.modbus.word_order,
            self._codes(quantity, part),
            optional=part.optional,
            ratio=part.ratio,
        )

    def _codes(self, quantity: Quantity, part: RegisterPart) -> tuple[str, ...] | None:
        """What is written at the register, else for its type; None where nothing is, and the default holds."""
        stated = self.modbus.not_available
        written = part.not_available
        if written is None and stated is not None:
            written = stated.codes.get(part.type)
        if part.unavailable:
            written = [*listed(DEFAULT if written is None else written), *part.unavailable]
        return None if written is None else read_codes(written, part.type, quantity)
