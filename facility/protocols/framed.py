"""What meter buses with frames between 68 and 16 share: lines, digits, and examples that are whole frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from facility.errors import ConfigError, Problem
from facility.profile import ProfileExample
from facility.protocols.decimal_form import ALLOWED_FORMS, fills_bytes
from facility.protocols.document import ExamplePart
from facility.protocols.lines import NetworkLine, SerialLine, network_line, serial_line

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.documents.part import Document

USUAL_LINE = SerialLine("/dev/ttyUSB0", 2400, "E", 1)
"""2400 baud, even parity, as most meters of all three kinds are delivered; a meter may be set otherwise."""

NO_PORT = 0
"""Converters to TCP have no usual port."""


@dataclass(frozen=True, slots=True)
class FrameExample(ProfileExample):
    """An answer as a device sent it, from its first byte (68, or 81 of BACnet) to its last."""

    frame: bytes


class FrameExamplePart(ExamplePart):
    """The hexadecimal digits of an answer, and the values it must decode to."""

    frame: str = Field(min_length=1)


def read_examples(document: Document, parts: list[FrameExamplePart]) -> tuple[FrameExample, ...]:
    """The examples of a profile; what is no hexadecimal text is reported."""
    examples = []
    for i, part in enumerate(parts):
        try:
            examples.append(FrameExample(part.note, part.expect, bytes.fromhex(part.frame), captured=part.captured))
        except ValueError:
            document.report(
                ("examples", i, "frame"), "is no row of hexadecimal bytes", "such as 68 96 63 … 16, or 81 0A …"
            )
    return tuple(examples)


def check_form(document: Document, i: int, form: str) -> None:
    """Report digits of an item that fill no whole bytes."""
    if not fills_bytes(form):
        document.report(("items", i, "form"), f"'{form}' fills no whole bytes", ALLOWED_FORMS)


def framed_line(bus: Bus) -> NetworkLine | SerialLine:
    """The line that a bus's URL names. Raises ``ConfigError`` if it names none."""
    if bus.scheme.endswith("+serial"):
        return serial_line(bus, USUAL_LINE)
    return network_line(bus, NO_PORT, has_rtu_frames=True)


def digits_of(bus: Bus, unit: str, most: int) -> bytes:
    """The address that a unit stands for, low byte first. Raises ``ConfigError`` for what is no row of digits."""
    if not (unit.isascii() and unit.isdecimal() and len(unit) <= most):
        what = f"unit '{unit}' is no address of a {bus.scheme.partition('+')[0]} meter"
        raise ConfigError(Problem(f"bus {bus.id}", what, f"up to {most} digits, as they are printed on the meter"))
    return bytes.fromhex(unit.zfill(most))[::-1]
