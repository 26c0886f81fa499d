"""The text form of a device profile: one YAML file per model, with its sources and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from facility.documents.part import DocumentPart, parse
from facility.model import TOTAL, Ratio
from facility.profile import (
    Coding,
    DeviceProfile,
    JsonExample,
    JsonPoint,
    Protocol,
    RegisterExample,
    RegisterPoint,
    Source,
    Table,
    WordOrder,
)
from facility.quantities import BY_WORD, WORDS

if TYPE_CHECKING:
    from facility.documents.part import Document
    from facility.quantities import Quantity

Channel = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
"""A part of a point's id, so without ``/``."""

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
"""What one Modbus register holds."""


class SourcePart(DocumentPart):
    """Document, version and section that state the facts."""

    document: str
    version: str
    section: str


class RegisterPart(DocumentPart):
    """One register point. ``unit`` is what value = raw x scale is in; it must be the quantity's unit."""

    quantity: str
    channel: Channel = TOTAL
    unit: str
    address: int = Field(ge=0, le=65535)
    type: Coding
    table: Table | None = None
    scale: float = Field(default=1.0, gt=0)
    word_order: WordOrder | None = None
    ratio: Ratio = Ratio.NONE
    unavailable: list[int] = []
    optional: bool = False


class MessagePart(DocumentPart):
    """One value in a JSON message. ``topic`` may hold ``{unit}``; ``path`` is keys joined by dots."""

    quantity: str
    channel: Channel = TOTAL
    unit: str
    topic: str
    path: str
    scale: float = Field(default=1.0, gt=0)
    words: dict[str, float] = {}
    optional: bool = False


class ExamplePart(DocumentPart):
    """Raw input and the values it must decode to, keyed ``quantity/channel``."""

    note: str
    registers: dict[int, list[Word]] = {}
    topic: str = ""
    payload: str = ""
    expect: dict[str, float]


class ModbusPart(DocumentPart):
    """What holds for all registers of the device."""

    table: Table
    word_order: WordOrder = WordOrder.BIG
    max_registers: int = Field(default=125, ge=1, le=125)
    max_gap: int = Field(default=8, ge=0, le=125)


class ProfileDocument(DocumentPart):
    """A whole profile file."""

    profile: str = Field(pattern=r"^[a-z0-9_-]+/[a-z0-9_-]+$")
    name: str
    kind: Literal["electricity", "water", "gas", "heat", "environment", "security", "power_supply", "generic"]
    protocol: Protocol
    sources: list[SourcePart] = Field(min_length=1)
    unconfirmed: list[str] = []
    modbus: ModbusPart | None = None
    registers: list[RegisterPart] = []
    messages: list[MessagePart] = []
    examples: list[ExamplePart] = Field(min_length=1)


def load_profile(text: str, name: str) -> DeviceProfile:
    """Read one profile file. ``name`` is the file's name for messages. Raises ``ConfigError``."""
    document = parse(text, name)
    body = document.validate(ProfileDocument)
    _check_protocol(document, body)
    registers = tuple(
        RegisterPoint(
            quantity=quantity,
            channel=part.channel,
            address=part.address,
            coding=part.type,
            table=part.table or (body.modbus.table if body.modbus else Table.HOLDING),
            scale=part.scale,
            word_order=part.word_order or (body.modbus.word_order if body.modbus else WordOrder.BIG),
            ratio=part.ratio,
            unavailable=tuple(part.unavailable),
            optional=part.optional,
        )
        for i, part in enumerate(body.registers)
        if (quantity := _quantity(document, ("registers", i), part.quantity, part.unit))
    )
    messages = tuple(
        JsonPoint(
            quantity, part.channel, part.topic, tuple(part.path.split(".")), part.scale, part.words, part.optional
        )
        for i, part in enumerate(body.messages)
        if (quantity := _quantity(document, ("messages", i), part.quantity, part.unit))
    )
    _check_points(document, registers or messages, "registers" if registers else "messages")
    document.check()
    _check_examples(document, body, registers or messages)
    document.check()
    return DeviceProfile(
        id=body.profile,
        name=body.name,
        kind=body.kind,
        protocol=body.protocol,
        sources=tuple(Source(s.document, s.version, s.section) for s in body.sources),
        unconfirmed=tuple(body.unconfirmed),
        registers=registers,
        messages=messages,
        max_registers=body.modbus.max_registers if body.modbus else 125,
        max_gap=body.modbus.max_gap if body.modbus else 8,
        register_examples=tuple(
            RegisterExample(e.note, {a: tuple(w) for a, w in e.registers.items()}, e.expect)
            for e in body.examples
            if e.registers
        ),
        json_examples=tuple(JsonExample(e.note, e.topic, e.payload, e.expect) for e in body.examples if e.payload),
    )


def _check_protocol(document: Document, body: ProfileDocument) -> None:
    if body.protocol is Protocol.MODBUS and (not body.registers or body.modbus is None):
        document.report(("protocol",), "a modbus profile needs 'modbus' and 'registers'")
    if body.protocol is Protocol.MQTT_JSON and not body.messages:
        document.report(("protocol",), "an mqtt_json profile needs 'messages'")


def _quantity(document: Document, place: tuple[str, int], word: str, unit: str) -> Quantity | None:
    """The quantity called ``word`` if ``unit`` is its unit; otherwise report and return None."""
    if word not in WORDS:
        document.report((*place, "quantity"), f"unknown quantity '{word}'", WORDS)
        return None
    quantity = BY_WORD[word]
    if unit != quantity.unit:
        document.report((*place, "unit"), f"unit '{unit}' is wrong for {word}", quantity.unit)
        return None
    return quantity


def _check_points(document: Document, points: tuple[RegisterPoint | JsonPoint, ...], part: str) -> None:
    seen: set[tuple[Quantity, str]] = set()
    for i, point in enumerate(points):
        key = (point.quantity, point.channel)
        if key in seen:
            document.report((part, i), f"{point.quantity.word}/{point.channel} is written twice")
        seen.add(key)


def _check_examples(document: Document, body: ProfileDocument, points: tuple[RegisterPoint | JsonPoint, ...]) -> None:
    """An example must say something, and expect only what the profile offers."""
    offered = [f"{point.quantity.word}/{point.channel}" for point in points]
    for i, example in enumerate(body.examples):
        if bool(example.registers) == bool(example.payload):
            document.report(("examples", i), "an example needs 'registers' or 'payload'", "one of them")
        for key in example.expect:
            if key not in offered:
                document.report(("examples", i, "expect", key), f"'{key}' is not a point of this profile", offered)
