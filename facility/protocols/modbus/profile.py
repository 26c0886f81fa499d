"""What a Modbus device says: numbers in registers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar

from facility.profile import DeviceProfile, ProfileExample, ProfilePoint
from facility.protocols.modbus.coding import FLOAT_FORMATS, Coding, default_codes


@unique
class RegisterTable(StrEnum):
    """The Modbus table a register lives in (function code 3 or 4)."""

    HOLDING = "holding"
    INPUT = "input"


@unique
class WordOrder(StrEnum):
    """Order of the 16-bit words of a longer number; bytes inside a word are always big-endian."""

    BIG = "big"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class RegisterPoint(ProfilePoint):
    """Where a Modbus device keeps a quantity: value = raw x scale (x ratios), in the quantity's unit.

    ``not_available`` are the codes that its profile states, None where it states nothing.
    """

    address: int
    coding: Coding
    table: RegisterTable
    scale: float = 1.0
    word_order: WordOrder = WordOrder.BIG
    not_available: tuple[str, ...] | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The bit patterns that are no value here: as its profile states them, else the default of its coding."""
        return default_codes(self.coding, self.quantity) if self.not_available is None else self.not_available


@dataclass(frozen=True, slots=True)
class RegisterExample(ProfileExample):
    """Registers as a device held them: address → words from there on."""

    registers: dict[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ModbusProfile(DeviceProfile):
    """A model that is asked for blocks of at most ``max_registers``, at most ``max_gap`` in a row unwanted."""

    protocol: ClassVar[str] = "modbus"

    points: tuple[RegisterPoint, ...]
    examples: tuple[RegisterExample, ...] = ()
    max_registers: int = 125
    max_gap: int = 8
    codes_source: str = ""
    """The document that states the codes for "not available"; empty where nothing is published."""

    def no_value(self) -> tuple[str, ...]:
        """By coding, how the model says that it has no value, whether that is the default, and what proves it."""
        lines = [_codes_line(point) for point in self.points]
        return (*dict.fromkeys(lines), *([self.codes_source] if self.codes_source else []))


def _codes_line(point: RegisterPoint) -> str:
    if point.coding in FLOAT_FORMATS:
        return f"{point.coding}: {', '.join(['NaN', *point.codes])}"
    codes = ", ".join(point.codes) or "none"
    return f"{point.coding}: {codes}{'' if point.not_available is not None else ' (default)'}"
