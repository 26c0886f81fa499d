"""JSON over MQTT: values in messages that devices or their bridges publish by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.broker_address import broker_address
from facility.errors import ConfigError, Problem
from facility.profile import DeviceProfile, ProfileExample, ProfilePoint
from facility.protocols.document import ExamplePart, ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.rules import ProtocolRules

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

WILDCARDS = frozenset("+#\0")
"""MQTT 5.0, 4.7: they have a meaning of their own in a subscription and stand in no topic."""


@dataclass(frozen=True, slots=True)
class JsonPoint(ProfilePoint):
    """Where an MQTT device says a quantity: topic with ``{unit}``, path of keys, JSON words that mean numbers."""

    topic: str
    path: tuple[str, ...]
    scale: float = 1.0
    words: dict[str, float] = field(default_factory=dict)

    def topic_of(self, unit: str) -> str:
        """The topic on which the device with that address says it."""
        return self.topic.replace("{unit}", unit)


@dataclass(frozen=True, slots=True)
class JsonExample(ProfileExample):
    """A message as a device sent it."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class MqttJsonProfile(DeviceProfile):
    """A model that publishes."""

    protocol: ClassVar[str] = "mqtt_json"

    points: tuple[JsonPoint, ...]
    examples: tuple[JsonExample, ...] = ()


class MessagePart(SaidPart):
    """One value in a JSON message. ``topic`` may hold ``{unit}``; ``path`` is keys joined by dots."""

    topic: str
    path: str
    words: dict[str, float] = {}


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
        check_examples(document, self.examples, points)
        examples = tuple(JsonExample(e.note, e.expect, e.topic, e.payload) for e in self.examples)
        unconfirmed = tuple(self.unconfirmed)
        return MqttJsonProfile(self.profile, self.name, self.kind, self.proof(), points, examples, unconfirmed)


def json_broker(bus: Bus) -> BrokerAddress:
    """The broker that a bus's URL names. Raises ``ConfigError`` without repeating a password."""
    return broker_address(bus.url, f"bus {bus.id}", needs_credentials=False)


def json_unit(bus: Bus, unit: str) -> str:
    """The part of a topic that a unit stands for. Raises ``ConfigError`` for one that can be in no topic."""
    if not unit or WILDCARDS.intersection(unit):
        raise ConfigError(Problem(f"bus {bus.id}", f"unit '{unit}' is no part of a topic", "a name without + and #"))
    return unit


def _point(quantity: Quantity, part: MessagePart) -> JsonPoint:
    path = tuple(part.path.split("."))
    return JsonPoint(quantity, part.channel, part.topic, path, part.scale, part.words, optional=part.optional)


MQTT_JSON = ProtocolRules(("mqtt", "mqtts"), MqttJsonDocument, json_broker, json_unit)
