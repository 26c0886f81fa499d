"""JSON over MQTT: values in messages that devices or their bridges publish by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.broker_address import broker_address
from facility.documents.part import DocumentPart
from facility.errors import ConfigError, Problem, quoted
from facility.profile import DeviceProfile
from facility.protocols.document import ExamplePart, ProfileDocument, check_examples, read_points
from facility.protocols.json_values import (
    JsonExample,
    JsonPart,
    JsonPoint,
    MessagePlace,
    MessageTime,
    TimeForm,
    check_value,
    path_of,
)
from facility.protocols.rules import ProtocolRules
from facility.protocols.topics import fault_of_topic
from facility.quantities import BY_WORD

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

MOST_UNIT_BYTES = 1_000
"""Far beyond every name, and so short that no topic made with it becomes too long."""


@dataclass(frozen=True, slots=True)
class MqttJsonProfile(DeviceProfile):
    """A model that publishes."""

    protocol: ClassVar[str] = "mqtt_json"

    points: tuple[JsonPoint, ...]
    examples: tuple[JsonExample, ...] = ()


class TimePart(DocumentPart):
    """Where a message says when its values were true: keys joined by dots, and how the time is written."""

    path: str = Field(min_length=1)
    form: TimeForm


class PlacePart(DocumentPart):
    """Another message that says the same."""

    topic: str = Field(min_length=1, max_length=MOST_UNIT_BYTES)
    path: str


class MessagePart(JsonPart):
    """One value in a message. ``topic`` may hold ``{unit}``; where ``path`` is empty the message is the value itself.

    ``time`` is where the message says when it was so. ``also`` are other messages that say the same.
    """

    topic: str = Field(min_length=1, max_length=MOST_UNIT_BYTES)
    time: TimePart | None = None
    also: list[PlacePart] = []


class MessageExamplePart(ExamplePart):
    """A message as a device sent it, and the values it must decode to."""

    topic: str
    payload: str = Field(min_length=1)


class MqttJsonDocument(ProfileDocument):
    """A profile file of a device that publishes JSON."""

    protocol: Literal["mqtt_json"]
    messages: list[MessagePart] = Field(min_length=1)
    examples: list[MessageExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> MqttJsonProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        points = read_points(document, "messages", self.messages, _point)
        for i, (part, quantity) in enumerate((part, BY_WORD.get(part.quantity)) for part in self.messages):
            _check_message(document, i, part, quantity)
        check_examples(document, self.examples, points)
        each = self.examples
        return self.made(
            MqttJsonProfile,
            points,
            tuple(JsonExample(e.note, e.expect, e.topic, e.payload, captured=e.captured) for e in each),
        )


def json_broker(bus: Bus) -> BrokerAddress:
    """The broker that a bus's URL names. Raises ``ConfigError`` without repeating a password."""
    return broker_address(bus.url, f"bus {bus.id}", needs_credentials=False)


def json_unit(bus: Bus, unit: str) -> str:
    """The part of a topic that a unit stands for. Raises ``ConfigError`` for one that can be in no topic."""
    fault = fault_of_topic(unit)
    if not fault and len(unit.encode()) > MOST_UNIT_BYTES:
        fault = f"is {len(unit.encode())} bytes long"
    if fault:
        what = f"unit {quoted(unit)} is no part of a topic: it {fault}"
        raise ConfigError(Problem(f"bus {bus.id}", what, f"a name without + and #, of at most {MOST_UNIT_BYTES} bytes"))
    return unit


def _check_message(document: Document, i: int, part: MessagePart, quantity: Quantity | None) -> None:
    """Report a topic that is none, and what words and text cannot mean."""
    place = ("messages", i)
    _check_topic(document, (*place, "topic"), part.topic)
    for k, elsewhere in enumerate(part.also):
        where = (*place, "also", k, "topic")
        _check_topic(document, where, elsewhere.topic)
        if elsewhere.topic in {part.topic, *(before.topic for before in part.also[:k])}:
            document.report(where, f"topic {quoted(elsewhere.topic)} stands there twice", "each topic once")
    check_value(document, place, part, quantity)


def _check_topic(document: Document, place: tuple[str | int, ...], topic: str) -> None:
    if fault := fault_of_topic(topic.replace("{unit}", MOST_UNIT_BYTES * "u")):
        document.report(place, f"topic {quoted(topic)} {fault}", "such as zigbee2mqtt/{unit}")


def _point(quantity: Quantity, part: MessagePart) -> JsonPoint:
    time = part.time
    return part.said_at(
        quantity,
        part.topic,
        time=MessageTime(path_of(time.path), time.form) if time else None,
        also=tuple(MessagePlace(elsewhere.topic, path_of(elsewhere.path)) for elsewhere in part.also),
    )


MQTT_JSON = ProtocolRules(("mqtt", "mqtts"), MqttJsonDocument, json_broker, json_unit, units="names")
