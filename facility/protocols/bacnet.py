"""BACnet/IP: objects of a controller, each with a present value, flags that say whether to believe it, and a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from facility.errors import ConfigError, Problem, quoted
from facility.model import Ratio
from facility.profile import DeviceProfile, ProfilePoint
from facility.protocols.document import ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.framed import FrameExample, FrameExamplePart, read_examples
from facility.protocols.lines import network_line
from facility.protocols.rules import ProtocolRules

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.protocols.lines import NetworkLine
    from facility.quantities import Quantity

SCHEME = "bacnet"
PORT = 0xBAC0
"""ANSI/ASHRAE 135, Annex J: 47808."""

MEASURED = ("accumulator", "analog-input", "analog-output", "analog-value", "large-analog-value", "pulse-converter")
COUNTED_STATES = ("binary-input", "binary-output", "binary-value", "multi-state-input", "multi-state-value")
OBJECT = re.compile(rf"({'|'.join(MEASURED + COUNTED_STATES)}),([0-9]{{1,7}})")
ALLOWED_OBJECTS = f"a type and its instance, such as analog-input,1; types: {', '.join(MEASURED + COUNTED_STATES)}"

LAST_INSTANCE = 4_194_302
"""Clause 12: an instance has 22 bits, of which the last stands for any device."""

NETWORKS = range(1, 65_535)
UNIT = re.compile(
    r"(?P<instance>[0-9]{1,7})(@(?P<network>[0-9]{1,5}):((?P<mac>[0-9]{1,3})|0x(?P<long>([0-9A-F]{2}){1,7})))?"
)
ALLOWED_UNITS = (
    f"the instance of its device object (0 to {LAST_INSTANCE}), and where it is behind a router @NETWORK:MAC, "
    "such as 1234 or 1234@2001:5"
)

UNITS: dict[str, dict[int, tuple[float, float]]] = {
    "kWh": {18: (0.001, 0), 19: (1, 0), 146: (1000, 0), 16: (1 / 3_600_000, 0), 17: (1 / 3600, 0), 126: (1 / 3.6, 0)},
    "W": {47: (1, 0), 48: (1000, 0), 49: (1_000_000, 0), 132: (0.001, 0)},
    "var": {11: (1, 0), 12: (1000, 0), 13: (1_000_000, 0)},
    "kvarh": {242: (0.001, 0), 243: (1, 0), 244: (1000, 0)},
    "V": {5: (1, 0), 6: (1000, 0), 124: (0.001, 0)},
    "A": {3: (1, 0), 2: (0.001, 0)},
    "Hz": {27: (1, 0)},
    "m3": {80: (1, 0), 82: (0.001, 0)},
    "L/h": {136: (1, 0), 88: (60, 0), 87: (3600, 0), 135: (1000, 0)},
    "m3/h": {135: (1, 0), 136: (0.001, 0), 85: (3600, 0)},
    "degC": {62: (1, 0), 63: (1, -273.15), 64: (1 / 1.8, -32 / 1.8)},
    "%": {98: (1, 0), 29: (1, 0)},
    "ppm": {96: (1, 0)},
    "1": {95: (1, 0), 15: (1, 0)},
}
"""Factor and offset to our unit, by the number of an engineering unit (135, clause 21, BACnetEngineeringUnits)."""


@dataclass(frozen=True, slots=True)
class ObjectPoint(ProfilePoint):
    """The object whose present value a quantity is; with ``has_unit`` its ``units`` are asked for and converted."""

    object: str
    scale: float = 1.0
    offset: float = 0.0
    has_unit: bool = True

    @property
    def properties(self) -> tuple[str, ...]:
        """What is asked of the object."""
        kind = self.object.partition(",")[0]
        unit = ("units",) if self.has_unit and kind in MEASURED else ()
        return ("present-value", "status-flags", *unit, *(("scale",) if kind == "accumulator" else ()))


@dataclass(frozen=True, slots=True)
class BacnetProfile(DeviceProfile):
    """A model of controller or meter, by its objects."""

    protocol: ClassVar[str] = "bacnet"

    points: tuple[ObjectPoint, ...]
    examples: tuple[FrameExample, ...] = ()


@dataclass(frozen=True, slots=True)
class BacnetAddress:
    """The device object at the bus's address, or behind a router that is there, at ``mac`` of another network."""

    instance: int
    network: int = 0
    mac: bytes = b""


class ObjectPart(SaidPart):
    """One object, such as ``analog-input,1``; ``has_unit: false`` where its own unit says nothing true."""

    object: str
    has_unit: bool = True
    ratio: Ratio = Ratio.NONE


class BacnetDocument(ProfileDocument):
    """A profile file of a device that speaks BACnet."""

    protocol: Literal["bacnet"]
    objects: list[ObjectPart] = Field(min_length=1)
    examples: list[FrameExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> BacnetProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        points = read_points(document, "objects", self.objects, _point)
        for i, part in enumerate(self.objects):
            _check(document, i, part)
        examples = read_examples(document, self.examples)
        check_examples(document, self.examples, points)
        return self.made(BacnetProfile, points, examples)


def _check(document: Document, i: int, part: ObjectPart) -> None:
    found = OBJECT.fullmatch(part.object)
    if not found or int(found[2]) > LAST_INSTANCE:
        document.report(("objects", i, "object"), f"{quoted(part.object)} is no object", ALLOWED_OBJECTS)
    elif found[1] in MEASURED and part.has_unit and part.unit not in UNITS:
        document.report(("objects", i, "has_unit"), f"no unit of BACnet is known that is {part.unit}", "false")


def _point(quantity: Quantity, part: ObjectPart) -> ObjectPoint:
    said = (part.object, part.scale, part.offset, part.has_unit)
    return ObjectPoint(quantity, part.channel, *said, optional=part.optional, ratio=part.ratio)


def bacnet_line(bus: Bus) -> NetworkLine:
    """The UDP port that a bus's URL names. Raises ``ConfigError`` if it names none, or more than that."""
    line = network_line(bus, PORT, has_rtu_frames=False)
    url = urlsplit(bus.url)
    if url.path.strip("/") or url.query or url.fragment or url.username is not None:
        raise ConfigError(Problem(f"bus {bus.id}", "the URL says more than is read there", f"{SCHEME}://host:{PORT}"))
    return replace(line, is_datagrams=True)


def bacnet_address(bus: Bus, unit: str) -> BacnetAddress:
    """The address that a unit stands for. Raises ``ConfigError`` for what is none."""
    found = UNIT.fullmatch(unit)
    if found and int(found["instance"]) <= LAST_INSTANCE:
        instance, network, mac = int(found["instance"]), int(found["network"] or 0), int(found["mac"] or 0)
        if not found["network"]:
            return BacnetAddress(instance)
        if network in NETWORKS and mac <= 0xFF:  # noqa: PLR2004 - one byte
            return BacnetAddress(instance, network, bytes.fromhex(found["long"]) if found["long"] else bytes((mac,)))
    raise ConfigError(Problem(f"bus {bus.id}", f"unit {quoted(unit)} is no BACnet address", ALLOWED_UNITS))


BACNET = ProtocolRules((SCHEME,), BacnetDocument, bacnet_line, bacnet_address)
