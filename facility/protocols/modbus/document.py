"""The text form of a Modbus profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from facility.documents.part import DocumentPart
from facility.model import Ratio
from facility.protocols.document import ExamplePart, ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.modbus.profile import (
    Coding,
    ModbusProfile,
    RegisterExample,
    RegisterPoint,
    RegisterTable,
    WordOrder,
)

if TYPE_CHECKING:
    from facility.documents.part import Document
    from facility.quantities import Quantity

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
"""What one Modbus register holds."""


class RegisterPart(SaidPart):
    """One register point. ``unit`` is what value = raw x scale is in; it must be the quantity's unit."""

    address: int = Field(ge=0, le=65535)
    type: Coding
    table: RegisterTable | None = None
    word_order: WordOrder | None = None
    ratio: Ratio = Ratio.NONE
    unavailable: list[int] = []


class RegisterExamplePart(ExamplePart):
    """Registers as a device held them, by their first address, and the values they must decode to."""

    registers: dict[int, list[Word]] = Field(min_length=1)


class ModbusPart(DocumentPart):
    """What holds for all registers of the device."""

    table: RegisterTable
    word_order: WordOrder = WordOrder.BIG
    max_registers: int = Field(default=125, ge=1, le=125)
    max_gap: int = Field(default=8, ge=0, le=125)


class ModbusDocument(ProfileDocument):
    """A profile file of a Modbus device."""

    protocol: Literal["modbus"]
    modbus: ModbusPart
    registers: list[RegisterPart] = Field(min_length=1)
    examples: list[RegisterExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> ModbusProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
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
        )

    def _point(self, quantity: Quantity, part: RegisterPart) -> RegisterPoint:
        return RegisterPoint(
            quantity,
            part.channel,
            part.address,
            part.type,
            part.table or self.modbus.table,
            part.scale,
            part.word_order or self.modbus.word_order,
            tuple(part.unavailable),
            optional=part.optional,
            ratio=part.ratio,
        )
