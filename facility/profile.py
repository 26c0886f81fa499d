"""What a device profile is: how one model of meter says its quantities, with the proof that it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.model import TOTAL, Ratio

if TYPE_CHECKING:
    from facility.quantities import Quantity


@unique
class Protocol(StrEnum):
    """How a device is asked."""

    MODBUS = "modbus"
    MQTT_JSON = "mqtt_json"


@unique
class Table(StrEnum):
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
class RegisterPoint:
    """Where a Modbus device keeps a quantity: value = raw x scale (x ratios), in the quantity's unit."""

    quantity: Quantity
    channel: str
    address: int
    coding: Coding
    table: Table
    scale: float = 1.0
    word_order: WordOrder = WordOrder.BIG
    ratio: Ratio = Ratio.NONE
    unavailable: tuple[int, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class JsonPoint:
    """Where an MQTT device says a quantity: topic suffix, path of keys in the JSON, words that stand for numbers."""

    quantity: Quantity
    channel: str
    topic: str
    path: tuple[str, ...]
    scale: float = 1.0
    words: dict[str, float] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The document that proves the facts of a profile."""

    document: str
    version: str
    section: str


@dataclass(frozen=True, slots=True)
class RegisterExample:
    """Registers as a device held them (address → words) and the values they must decode to."""

    note: str
    registers: dict[int, tuple[int, ...]]
    expect: dict[str, float]


@dataclass(frozen=True, slots=True)
class JsonExample:
    """A message as a device sent it and the values it must decode to."""

    note: str
    topic: str
    payload: str
    expect: dict[str, float]


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """One model of meter or sensor. ``id`` is ``maker/model``, as its file lies in ``device_profiles/``."""

    id: str
    name: str
    kind: str
    protocol: Protocol
    sources: tuple[Source, ...]
    unconfirmed: tuple[str, ...] = ()
    registers: tuple[RegisterPoint, ...] = ()
    messages: tuple[JsonPoint, ...] = ()
    max_registers: int = 125
    max_gap: int = 8
    register_examples: tuple[RegisterExample, ...] = ()
    json_examples: tuple[JsonExample, ...] = ()

    @property
    def points(self) -> tuple[RegisterPoint | JsonPoint, ...]:
        """Everything this model can say."""
        return self.registers or self.messages

    def find(self, quantity: Quantity, channel: str = TOTAL) -> RegisterPoint | JsonPoint | None:
        """The point for a quantity and channel, or None if this model does not say it."""
        return next((p for p in self.points if p.quantity is quantity and p.channel == channel), None)
