"""The text form of a Modbus profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from facility.documents.part import DocumentPart
from facility.model import Ratio
from facility.protocols.document import ExamplePart, ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.modbus.coding import DEFAULT, Coding, listed, read_codes
from facility.protocols.modbus.places import (
    MOST_PARTS,
    CodesPart,
    NumberPart,
    SumPart,
    faults_of_codes,
    faults_of_number,
)
from facility.protocols.modbus.profile import (
    BlockGroup,
    ComposedPoint,
    EitherPoint,
    ModbusProfile,
    RegisterExample,
    RegisterPoint,
    RegisterTable,
    WordOrder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.documents.part import Document, Place
    from facility.protocols.modbus.profile import ModbusPoint, PlacedPoint
    from facility.quantities import Quantity

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
"""What one Modbus register holds."""

EXPONENT_CODES = ("8000",)
"""A scale factor that is not implemented: SunSpec Information Model Overview 1.8, sunssf. Its -1 is a tenth."""

ONE_PLACE = "'address' and 'type', or 'sum', or 'either'"
MOST_PAUSE_S = 5.0


class RegisterPart(SaidPart):
    """One point: a number at an address, a ``sum`` of several, or ``either`` of the places where firmwares have it.

    ``unit`` is what value = raw x scale + offset is in; it must be the quantity's unit. ``times`` are numbers that
    multiply it, ``exponent`` is a power of ten. ``unavailable`` is how versions before said codes; they add to the
    default, which those versions did not have.
    """

    address: int | None = Field(default=None, ge=0, le=65535)
    type: Coding | None = None
    table: RegisterTable | None = None
    word_order: WordOrder | None = None
    byte_order: WordOrder | None = None
    mask: int = Field(default=0, ge=0)
    length: int = Field(default=0, ge=0)
    ratio: Ratio = Ratio.NONE
    not_available: CodesPart | None = None
    unavailable: list[int] = []
    sum: list[NumberPart] = Field(default=[], max_length=MOST_PARTS)
    times: list[NumberPart] = Field(default=[], max_length=MOST_PARTS)
    exponent: NumberPart | None = None
    either: list[NumberPart | SumPart] = Field(default=[], max_length=MOST_PARTS)

    @property
    def own(self) -> NumberPart | None:
        """The number at the point's own address, if it has one."""
        if self.address is None or self.type is None:
            return None
        return NumberPart.model_construct(**{key: getattr(self, key) for key in NumberPart.model_fields})

    @property
    def fault(self) -> str:
        """Why it names no place, or more than one; empty where all is well."""
        ways = [self.address is not None or self.type is not None, bool(self.sum), bool(self.either)]
        if sum(ways) != 1 or (ways[0] and self.own is None):
            return f"{self.quantity}/{self.channel} stands at no place, or at more than one"
        is_scaled = self.scale != 1.0 or self.offset or self.not_available is not None or self.mask or self.length
        if not ways[0] and is_scaled:
            return "scale, offset, codes, mask and length stand at each number"
        return "times and exponent stand in each of 'either'" if ways[2] and (self.times or self.exponent) else ""

    def numbers(self) -> Iterator[tuple[Place, NumberPart]]:
        """Every number that it is made of, and where it stands in the part."""
        if self.own:
            yield (), self.own
        yield from _numbers_of(self.sum, self.times, self.exponent, ())
        for i, choice in enumerate(self.either):
            if isinstance(choice, NumberPart):
                yield ("either", i), choice
            else:
                yield from _numbers_of(choice.sum, choice.times, choice.exponent, ("either", i))


class RegisterExamplePart(ExamplePart):
    """Registers as a device held them, by their first address, and the values they must decode to.

    ``table`` says which table they are of, where a model has more than one at the same addresses.
    """

    registers: dict[int, list[Word]] = Field(min_length=1)
    table: RegisterTable | None = None


class StatedCodes(DocumentPart):
    """The codes for "not available" that a document publishes, by type; a type that is not named has the default."""

    source: str = Field(min_length=1)
    codes: dict[Coding, CodesPart] = Field(min_length=1)


class GroupPart(DocumentPart):
    """Addresses that are read in blocks of their own, with limits of their own."""

    first: int = Field(ge=0, le=65535)
    last: int = Field(ge=0, le=65535)
    table: RegisterTable | None = None
    max_registers: int | None = Field(default=None, ge=1, le=125)
    max_gap: int | None = Field(default=None, ge=0, le=125)


class ModbusPart(DocumentPart):
    """What holds for all registers of the device. ``pause_s``: it needs so long between two requests."""

    table: RegisterTable
    word_order: WordOrder = WordOrder.BIG
    byte_order: WordOrder = WordOrder.BIG
    max_registers: int = Field(default=125, ge=1, le=125)
    max_gap: int = Field(default=8, ge=0, le=125)
    not_available: StatedCodes | None = None
    groups: list[GroupPart] = []
    pause_s: float = Field(default=0.0, ge=0, le=MOST_PAUSE_S)


class ModbusDocument(ProfileDocument):
    """A profile file of a Modbus device."""

    protocol: Literal["modbus"]
    modbus: ModbusPart
    registers: list[RegisterPart] = Field(min_length=1)
    examples: list[RegisterExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> ModbusProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        self._check_numbers(document)
        points: tuple[ModbusPoint, ...] = read_points(document, "registers", self.registers, self._point)
        check_examples(document, self.examples, points)
        return self.made(
            ModbusProfile,
            points,
            tuple(map(_example, self.examples)),
            max_registers=self.modbus.max_registers,
            max_gap=self.modbus.max_gap,
            codes_source=self.modbus.not_available.source if self.modbus.not_available else "",
            groups=tuple(map(self._group, self.modbus.groups)),
            pause_s=self.modbus.pause_s,
        )

    def _check_numbers(self, document: Document) -> None:
        """Report every point without a place, and every number that cannot lie where it is said to."""
        stated = self.modbus.not_available.codes if self.modbus.not_available else {}
        for coding, codes in stated.items():
            for _, what, allowed in faults_of_codes(coding, codes):
                document.report(("modbus", "not_available", "codes", coding.value), what, allowed)
        for i, part in enumerate(self.registers):
            if part.fault:
                document.report(("registers", i), part.fault, ONE_PLACE)
            for place, number in part.numbers():
                for key, what, allowed in faults_of_number(number, number.table or part.table or self.modbus.table):
                    document.report(("registers", i, *place, key), what, allowed)

    def _point(self, quantity: Quantity, part: RegisterPart) -> ModbusPoint | None:
        if part.fault:
            return None
        if part.either:
            each = [self._choice(quantity, part, choice) for choice in part.either]
            return EitherPoint(quantity, part.channel, tuple(each), optional=part.optional, ratio=part.ratio)
        if part.own and not part.times and not part.exponent:
            return self._number(quantity, part, part.own)
        return self._composed(quantity, part, SumPart.model_construct(
            sum=[part.own] if part.own else part.sum, times=part.times, exponent=part.exponent))  # fmt: skip

    def _choice(self, quantity: Quantity, part: RegisterPart, choice: NumberPart | SumPart) -> PlacedPoint:
        if isinstance(choice, NumberPart):
            return self._number(quantity, part, choice)
        return self._composed(quantity, part, choice)

    def _composed(self, quantity: Quantity, part: RegisterPart, said: SumPart) -> ComposedPoint:
        terms = tuple(self._number(quantity, part, one) for one in said.sum)
        factors = tuple(self._number(quantity, part, one) for one in said.times)
        power = said.exponent
        exponent = self._number(quantity, part, power, EXPONENT_CODES) if power else None
        return ComposedPoint(
            quantity, part.channel, terms, factors, exponent, optional=part.optional, ratio=part.ratio
        )  # fmt: skip

    def _number(
        self, quantity: Quantity, part: RegisterPart, number: NumberPart, codes: tuple[str, ...] | None = None
    ) -> RegisterPoint:
        stated = self._codes(quantity, part, number)
        return RegisterPoint(
            quantity,
            part.channel,
            number.address,
            number.type,
            number.table or part.table or self.modbus.table,
            number.scale,
            number.word_order or part.word_order or self.modbus.word_order,
            codes if stated is None else stated,
            offset=number.offset,
            byte_order=number.byte_order or part.byte_order or self.modbus.byte_order,
            mask=number.mask,
            length=number.length,
            optional=part.optional,
            ratio=part.ratio,
        )

    def _codes(self, quantity: Quantity, part: RegisterPart, number: NumberPart) -> tuple[str, ...] | None:
        """What is written at the number, else for its type; None where nothing is, and the default holds."""
        stated = self.modbus.not_available
        written = number.not_available
        if written is None and stated is not None:
            written = stated.codes.get(number.type)
        if part.unavailable and number == part.own:
            written = [*listed(DEFAULT if written is None else written), *part.unavailable]
        return None if written is None else read_codes(written, number.type, quantity)

    def _group(self, part: GroupPart) -> BlockGroup:
        most, gap = part.max_registers, part.max_gap
        return BlockGroup(
            part.table or self.modbus.table,
            part.first,
            part.last,
            self.modbus.max_registers if most is None else most,
            self.modbus.max_gap if gap is None else gap,
        )


def _numbers_of(
    terms: list[NumberPart], factors: list[NumberPart], exponent: NumberPart | None, at: Place
) -> Iterator[tuple[Place, NumberPart]]:
    for key, numbers in (("sum", terms), ("times", factors)):
        yield from (((*at, key, i), number) for i, number in enumerate(numbers))
    if exponent:
        yield (*at, "exponent"), exponent


def _example(part: RegisterExamplePart) -> RegisterExample:
    registers = {address: tuple(words) for address, words in part.registers.items()}
    return RegisterExample(part.note, part.expect, registers, part.table, captured=part.captured)
