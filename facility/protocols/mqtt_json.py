"""JSON over MQTT: values in messages that devices or their bridges publish by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.broker_address import broker_address
from facility.documents.part import DocumentPart
from facility.errors import ConfigError, Problem, quoted
from facility.profile import DeviceProfile, ProfileExample, ProfilePoint
from facility.protocols.document import ExamplePart, ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.rules import ProtocolRules
from facility.protocols.topics import fault_of_topic
from facility.quantities import BY_WORD, Kind

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

MOST_UNIT_BYTES = 1_000
"""Far beyond every name, and so short that no topic made with it becomes too long."""


@dataclass(frozen=True, slots=True)
class TextNumber:
    """How a device writes a number as text: its decimal mark, and the unit that follows it (none: nothing does)."""

    decimal: str = "."
    unit: str = ""


@unique
class Many(StrEnum):
    """What stands for a list of numbers, where a device says one for each channel: their sum, or the last of them."""

    SUM = "sum"
    LAST = "last"


@unique
class TimeForm(StrEnum):
    """How a message says when its values were true: seconds or milliseconds since 1970, or ISO 8601 with its offset."""

    UNIX_S = "unix_s"
    UNIX_MS = "unix_ms"
    ISO = "iso8601"


@dataclass(frozen=True, slots=True)
class MessageTime:
    """Where a message says when its values were true, and how it is written."""

    path: tuple[str, ...]
    form: TimeForm


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """A topic with ``{unit}``, and the keys that lead to a value in its messages."""

    topic: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JsonPoint(ProfilePoint):
    """Where an MQTT device says a quantity: topic with ``{unit}``, path of keys, JSON words that mean numbers.

    With ``words`` a value is one of them or none. ``text`` says that a number may come as text, and how it is written.
    ``none`` are numbers and words that say that there is no value, as null does. ``many`` says what a list stands for.
    ``also`` are other messages that say the same in other words, as the device is set.
    """

    topic: str
    path: tuple[str, ...]
    scale: float = 1.0
    words: dict[str, float] = field(default_factory=dict)
    text: TextNumber | None = None
    offset: float = field(default=0.0, kw_only=True)
    none: tuple[float | str, ...] = field(default=(), kw_only=True)
    many: Many | None = field(default=None, kw_only=True)
    time: MessageTime | None = field(default=None, kw_only=True)
    also: tuple[MessagePlace, ...] = field(default=(), kw_only=True)

    def topics_of(self, unit: str) -> tuple[str, ...]:
        """The topics on which the device with that address says it."""
        return tuple(place.topic.replace("{unit}", unit) for place in self._places)

    def path_on(self, topic: str, unit: str) -> tuple[str, ...] | None:
        """Where in a message of this topic it is said; None if it is not."""
        each = zip(self.topics_of(unit), self._places, strict=True)
        return next((place.path for its, place in each if its == topic), None)

    @property
    def _places(self) -> tuple[MessagePlace, ...]:
        return (MessagePlace(self.topic, self.path), *self.also)


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


class TextPart(DocumentPart):
    """How a number is written as text: ``{}`` for ``"840.5"``; ``{unit: W, decimal: ","}`` for ``"840,5 W"``."""

    decimal: Literal[".", ","] = "."
    unit: str = ""


class TimePart(DocumentPart):
    """Where a message says when its values were true: keys joined by dots, and how the time is written."""

    path: str = Field(min_length=1)
    form: TimeForm


class PlacePart(DocumentPart):
    """Another message that says the same."""

    topic: str = Field(min_length=1, max_length=MOST_UNIT_BYTES)
    path: str


class MessagePart(SaidPart):
    """One value in a JSON message. ``topic`` may hold ``{unit}``; ``path`` is keys joined by dots, or empty.

    Where it is empty the message is the value itself. ``words`` are all that the value may be; ``text`` allows numbers
    that come as text. ``not_available`` are numbers or words that say that there is none; ``of_list`` says whether the
    sum or the last of a list is meant; ``time`` is where the message says when it was so. ``also`` are other messages
    that say the same.
    """

    topic: str = Field(min_length=1, max_length=MOST_UNIT_BYTES)
    path: str
    words: dict[str, float] = {}
    text: TextPart | None = None
    not_available: list[float | str] = []
    of_list: Many | None = None
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
    if part.words and part.text is not None:
        document.report((*place, "text"), "'words' and 'text' stand together", "one of them")
    if part.words and part.of_list is not None:
        document.report((*place, "of_list"), "'words' and 'of_list' stand together", "one of them")
    if quantity is None:
        return
    is_state, allowed = quantity.kind is Kind.STATE, f"{quantity.low:g} to {quantity.high:g}"
    meant: dict[str | float, tuple[str, float]] = {}
    for word, value in part.words.items():
        other, its = meant.setdefault(_number(word), (word, value))
        if its != value:
            document.report((*place, "words", word), f"'{word}' and '{other}' are one number that means two things")
        if not quantity.low <= value <= quantity.high or (is_state and value not in {0, 1}):
            document.report((*place, "words", word), f"'{word}' means {value:g}, which is no {quantity.word}", allowed)


def _check_topic(document: Document, place: tuple[str | int, ...], topic: str) -> None:
    if fault := fault_of_topic(topic.replace("{unit}", MOST_UNIT_BYTES * "u")):
        document.report(place, f"topic {quoted(topic)} {fault}", "such as zigbee2mqtt/{unit}")


def _path(written: str) -> tuple[str, ...]:
    return tuple(written.split(".")) if written else ()


def _number(word: str) -> str | float:
    """The number that a word is, for numbers are matched by value; the word itself where it is none."""
    try:
        return float(word)
    except ValueError:
        return word


def _point(quantity: Quantity, part: MessagePart) -> JsonPoint:
    text, time = part.text, part.time
    return JsonPoint(
        quantity,
        part.channel,
        part.topic,
        _path(part.path),
        part.scale,
        part.words,
        TextNumber(text.decimal, text.unit) if text else None,
        offset=part.offset,
        none=tuple(part.not_available),
        many=part.of_list,
        time=MessageTime(_path(time.path), time.form) if time else None,
        also=tuple(MessagePlace(other.topic, _path(other.path)) for other in part.also),
        optional=part.optional,
    )


MQTT_JSON = ProtocolRules(("mqtt", "mqtts"), MqttJsonDocument, json_broker, json_unit, units="names")
