"""Values in JSON, whichever way a message comes: where they stand in it, and how numbers are written there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, Literal

from facility.documents.part import DocumentPart
from facility.profile import ProfileExample, ProfilePoint
from facility.protocols.document import SaidPart
from facility.quantities import Kind

if TYPE_CHECKING:
    from facility.documents.part import Document
    from facility.quantities import Quantity


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
    """Where a device says a quantity: topic (of HTTP: resource) with ``{unit}``, path of keys, words that mean numbers.

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
    """A message as a device sent it: its topic, of HTTP the resource that was asked for."""

    topic: str
    payload: str


class TextPart(DocumentPart):
    """How a number is written as text: ``{}`` for ``"840.5"``; ``{unit: W, decimal: ","}`` for ``"840,5 W"``."""

    decimal: Literal[".", ","] = "."
    unit: str = ""


class JsonPart(SaidPart):
    """One value in JSON. ``path`` is keys joined by dots; where it is empty, all of it is the value.

    ``words`` are all that the value may be; ``text`` allows numbers that come as text. ``not_available`` are numbers or
    words that say that there is none; ``of_list`` says whether the sum or the last of a list is meant.
    """

    path: str
    words: dict[str, float] = {}
    text: TextPart | None = None
    not_available: list[float | str] = []
    of_list: Many | None = None

    def said_at(self, quantity: Quantity, topic: str, **more: Any) -> JsonPoint:
        """The point that says it on a topic, or in a resource."""
        return JsonPoint(
            quantity,
            self.channel,
            topic,
            path_of(self.path),
            self.scale,
            self.words,
            TextNumber(self.text.decimal, self.text.unit) if self.text else None,
            offset=self.offset,
            none=tuple(self.not_available),
            many=self.of_list,
            optional=self.optional,
            **more,
        )


def check_value(document: Document, place: tuple[str | int, ...], part: JsonPart, quantity: Quantity | None) -> None:
    """Report what words and text cannot mean."""
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


def path_of(written: str) -> tuple[str, ...]:
    """The keys of a path."""
    return tuple(written.split(".")) if written else ()


def _number(word: str) -> str | float:
    """The number that a word is, for numbers are matched by value; the word itself where it is none."""
    try:
        return float(word)
    except ValueError:
        return word
