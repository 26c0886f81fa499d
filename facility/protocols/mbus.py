"""Wired M-Bus: meters that say all their values in one telegram, each with what it is and its unit (EN 13757-3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.errors import ConfigError, Problem
from facility.model import Ratio
from facility.profile import DeviceProfile, ProfilePoint
from facility.protocols.document import ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.framed import FrameExample, FrameExamplePart, framed_line, read_examples
from facility.protocols.rules import ProtocolRules

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

SCHEMES = ("mbus+serial", "mbus+tcp")

Record = Literal["energy", "volume", "power", "volume_flow", "flow_temperature", "return_temperature"]
"""What a record of a telegram is about."""

RECORD_UNITS = {
    "energy": "kWh",
    "volume": "m3",
    "power": "W",
    "volume_flow": "L/h",
    "flow_temperature": "degC",
    "return_temperature": "degC",
}
"""In which of our units a record comes; gas flow is given in m3/h, which is a scale of 0.001."""

PRIMARY = range(1, 251)
"""EN 13757-2, 5.7.5: 0 is a meter that nobody has numbered, 251 to 255 mean something else."""

SECONDARY = r"[0-9F]{8}([0-9A-F]{8})?"
ALLOWED_UNITS = "1 to 250, or the number printed on the meter with s before it, such as s12345678"

WILD = "FFFFFFFF"
"""Any maker, version and medium."""


@dataclass(frozen=True, slots=True)
class RecordPoint(ProfilePoint):
    """Which record of a telegram a quantity is: the ``nth`` of its kind with that storage, tariff and subunit."""

    record: str
    scale: float = 1.0
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    nth: int = 0


@dataclass(frozen=True, slots=True)
class MbusProfile(DeviceProfile):
    """A model, whose telegram is asked for as a whole."""

    protocol: ClassVar[str] = "mbus"

    points: tuple[RecordPoint, ...]
    examples: tuple[FrameExample, ...] = ()


@dataclass(frozen=True, slots=True)
class MbusAddress:
    """A primary address, or the eight bytes by which a meter is selected (number, maker, version, medium)."""

    primary: int
    secondary: bytes = b""


class RecordPart(SaidPart):
    """One record: what it is, and which of several alike."""

    record: Record
    storage: int = Field(default=0, ge=0, le=10_000)
    tariff: int = Field(default=0, ge=0, le=100)
    subunit: int = Field(default=0, ge=0, le=100)
    nth: int = Field(default=0, ge=0, le=50)
    ratio: Ratio = Ratio.NONE


class MbusDocument(ProfileDocument):
    """A profile file of an M-Bus meter."""

    protocol: Literal["mbus"]
    records: list[RecordPart] = Field(min_length=1)
    examples: list[FrameExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> MbusProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        for i, part in enumerate(self.records):
            if part.scale == 1.0 and part.unit != RECORD_UNITS[part.record]:
                what = f"'{part.record}' comes in {RECORD_UNITS[part.record]}, not in {part.unit}"
                document.report(("records", i, "record"), what, "another record, or a scale")
        points = read_points(document, "records", self.records, _point)
        examples = read_examples(document, self.examples)
        check_examples(document, self.examples, points)
        return self.made(
            MbusProfile,
            points,
            examples,
        )


def _point(quantity: Quantity, part: RecordPart) -> RecordPoint:
    which = (part.storage, part.tariff, part.subunit, part.nth)
    return RecordPoint(
        quantity, part.channel, part.record, part.scale, *which, optional=part.optional, ratio=part.ratio
    )  # fmt: skip


def mbus_address(bus: Bus, unit: str) -> MbusAddress:
    """The address that a unit stands for. Raises ``ConfigError`` for what is none."""
    if unit.isascii() and unit.isdecimal() and int(unit) in PRIMARY:
        return MbusAddress(int(unit))
    digits = unit[1:].upper()
    if unit[:1] in {"s", "S"} and re.fullmatch(SECONDARY, digits):
        number, rest = digits[:8], digits[8:] or WILD
        maker, version, medium = rest[:4], rest[4:6], rest[6:]
        low_first = bytes.fromhex(number)[::-1] + bytes.fromhex(maker)[::-1]
        return MbusAddress(0xFD, low_first + bytes.fromhex(version + medium))
    raise ConfigError(Problem(f"bus {bus.id}", f"unit '{unit}' is no M-Bus address", ALLOWED_UNITS))


MBUS = ProtocolRules(SCHEMES, MbusDocument, framed_line, mbus_address)
