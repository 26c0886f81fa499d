"""What a Modbus device says: numbers in registers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar

from facility.profile import DeviceProfile, ProfileExample, ProfilePoint


@unique
class RegisterTable(StrEnum):
    """The Modbus table a register lives in (function code 3 or 4)."""

    HOLDING = "holding"
    INPUT = "input"


@unique
class Coding(StrEnum):
    """How a number lies in registers."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def registers(self) -> int:
        """How many 16-bit registers the number fills."""
        return int("".join(filter(str.isdigit, self.value))) // 16


@unique
class WordOrder(StrEnum):
    """Order of the 16-bit words of a longer number; bytes inside a word are always big-endian."""

    BIG = "big"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class RegisterPoint(ProfilePoint):
    """Where a Modbus device keeps a quantity: value = raw x scale (x ratios), in the quantity's unit."""

    address: int
    coding: Coding
    table: RegisterTable
    scale: float = 1.0
    word_order: WordOrder = WordOrder.BIG
    unavailable: tuple[int, ...] = ()


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
