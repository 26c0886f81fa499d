"""What a Modbus device says: numbers in registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, ClassVar

from facility.profile import DeviceProfile, ProfileExample, ProfilePoint
from facility.protocols.modbus.coding import DECIMAL, FLOAT_FORMATS, Coding, default_codes

if TYPE_CHECKING:
    from collections.abc import Iterator


@unique
class RegisterTable(StrEnum):
    """The Modbus table that a register or a bit lives in (function code 3, 4, 1 or 2)."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def holds_bits(self) -> bool:
        """Whether each address is one bit."""
        return self in {RegisterTable.COIL, RegisterTable.DISCRETE}


@unique
class WordOrder(StrEnum):
    """Which comes first of the 16-bit words of a longer number, or of the two bytes of a word: the high or the low."""

    BIG = "big"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class RegisterPoint(ProfilePoint):
    """Where a Modbus device keeps a number: value = raw x scale + offset (x ratios), in the quantity's unit.

    ``not_available`` are the codes that its profile states, None where it states nothing. ``mask`` are the bits of a
    whole number that count, 0 for all. ``length`` is how many registers a text fills.
    """

    address: int
    coding: Coding
    table: RegisterTable
    scale: float = 1.0
    word_order: WordOrder = WordOrder.BIG
    not_available: tuple[str, ...] | None = None
    offset: float = field(default=0.0, kw_only=True)
    byte_order: WordOrder = field(default=WordOrder.BIG, kw_only=True)
    mask: int = field(default=0, kw_only=True)
    length: int = field(default=0, kw_only=True)

    @property
    def codes(self) -> tuple[str, ...]:
        """The bit patterns that are no value here: as its profile states them, else the default of its coding."""
        return default_codes(self.coding, self.quantity) if self.not_available is None else self.not_available

    @property
    def count(self) -> int:
        """How many registers it fills, or one bit."""
        return self.length or self.coding.registers

    @property
    def registers(self) -> tuple[RegisterPoint, ...]:
        """Itself: a point of one number."""
        return (self,)


@dataclass(frozen=True, slots=True)
class ComposedPoint(ProfilePoint):
    """A value of several numbers: the sum of its terms, times its factors, times ten to the power of its exponent.

    Each is a number with a scale of its own. Where one of them is not available there is no value.
    """

    terms: tuple[RegisterPoint, ...]
    factors: tuple[RegisterPoint, ...] = ()
    exponent: RegisterPoint | None = None

    @property
    def registers(self) -> tuple[RegisterPoint, ...]:
        """All numbers that it is made of."""
        return (*self.terms, *self.factors, *([self.exponent] if self.exponent else []))


PlacedPoint = RegisterPoint | ComposedPoint
"""A point of which it is known where it stands."""


@dataclass(frozen=True, slots=True)
class EitherPoint(ProfilePoint):
    """A value that stands at one of several places, by firmware or version; which one is found by asking."""

    choices: tuple[PlacedPoint, ...]

    @property
    def registers(self) -> tuple[RegisterPoint, ...]:
        """All places that it may be at."""
        return tuple(register for choice in self.choices for register in choice.registers)


ModbusPoint = PlacedPoint | EitherPoint


@dataclass(frozen=True, slots=True)
class BlockGroup:
    """Addresses from ``first`` to ``last`` of one table that are read in blocks of their own, with their own limits."""

    table: RegisterTable
    first: int
    last: int
    max_registers: int
    max_gap: int


@dataclass(frozen=True, slots=True)
class RegisterExample(ProfileExample):
    """Registers as a device held them, of one table where it says so: address → words from there on."""

    registers: dict[int, tuple[int, ...]]
    table: RegisterTable | None = None


@dataclass(frozen=True, slots=True)
class ModbusProfile(DeviceProfile):
    """A model that is asked for blocks of at most ``max_registers``, at most ``max_gap`` in a row unwanted.

    ``pause_s`` is how long it is left alone between two requests.
    """

    protocol: ClassVar[str] = "modbus"

    points: tuple[ModbusPoint, ...]
    examples: tuple[RegisterExample, ...] = ()
    max_registers: int = 125
    max_gap: int = 8
    codes_source: str = ""
    """The document that states the codes for "not available"; empty where nothing is published."""
    groups: tuple[BlockGroup, ...] = ()
    pause_s: float = 0.0

    def no_value(self) -> tuple[str, ...]:
        """By coding, how the model says that it has no value, whether that is the default, and what proves it."""
        lines = [_codes_line(register) for register in self.registers()]
        return (*dict.fromkeys(lines), *([self.codes_source] if self.codes_source else []))

    def registers(self) -> Iterator[RegisterPoint]:
        """Every number that any of its points is made of."""
        for point in self.points:
            yield from point.registers


def _codes_line(register: RegisterPoint) -> str:
    if register.coding in FLOAT_FORMATS:
        return f"{register.coding}: {', '.join(['NaN', *register.codes])}"
    if register.coding in DECIMAL:
        return f"{register.coding}: {', '.join(['what is no digit', *register.codes])}"
    if register.coding is Coding.TEXT:
        return "text: what is no number"
    codes = ", ".join(register.codes) or "none"
    return f"{register.coding}: {codes}{'' if register.not_available is not None else ' (default)'}"
