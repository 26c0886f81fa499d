"""What the profile files of all protocols have in common, for each protocol to add its own keys."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from facility.documents.part import DocumentPart
from facility.model import TOTAL
from facility.profile import ProfilePoint, Source
from facility.quantities import BY_WORD, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from facility.documents.part import Document
    from facility.profile import DeviceProfile
    from facility.quantities import Quantity

Channel = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
"""A part of a point's id, so without ``/``."""


def _no_zero(scale: float) -> float:
    if not scale:
        raise PydanticCustomError("zero", "a scale of 0 makes every value 0")
    return scale


Made = TypeVar("Made", bound="DeviceProfile")


class SourcePart(DocumentPart):
    """Document, version and section that state the facts; ``secondary`` where it is not the maker's."""

    document: str
    version: str
    section: str
    secondary: bool = False


Scale = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_no_zero)]
"""What a raw number is multiplied by; a negative one turns the sign of a device that counts the other way."""

Offset = Annotated[float, Field(allow_inf_nan=False)]
"""What is added once a number is scaled."""


class SaidPart(DocumentPart):
    """One point. ``unit`` is what its value is in once it is scaled; it must be the quantity's unit."""

    quantity: str
    channel: Channel = TOTAL
    unit: str
    scale: Scale = 1.0
    offset: Offset = 0.0
    optional: bool = False


class ExamplePart(DocumentPart):
    """The values that something must decode to, keyed ``quantity/channel``; ``captured``: a real device said it."""

    note: str
    expect: dict[str, float]
    captured: bool = False


class ProfileDocument(DocumentPart):
    """A whole profile file. Its protocol adds its own keys, and the word under ``protocol``."""

    profile: str = Field(pattern=r"^[a-z0-9_-]+/[a-z0-9_-]+$")
    name: str
    kind: Literal["electricity", "water", "gas", "heat", "environment", "security", "power_supply", "generic"]
    sources: list[SourcePart] = Field(min_length=1)
    unconfirmed: list[str] = []
    seen_on_site: list[str] = []

    @abstractmethod
    def read(self, document: Document) -> DeviceProfile:
        """The profile; what is wrong with it is reported to the document, which is yet to be checked."""

    def made(self, kind: Callable[..., Made], points: object, examples: object, **own: object) -> Made:
        """A profile of its protocol's kind: what every file says, its points and examples, and what is its own."""
        sources = tuple(Source(s.document, s.version, s.section, s.secondary) for s in self.sources)
        facts = (self.profile, self.name, self.kind, sources, points, examples, tuple(self.unconfirmed))
        return kind(*facts, seen_on_site=tuple(self.seen_on_site), **own)


Part = TypeVar("Part", bound=SaidPart)
Said = TypeVar("Said", bound=ProfilePoint)


def read_points(
    document: Document, key: str, parts: Sequence[Part], made: Callable[[Quantity, Part], Said | None]
) -> tuple[Said, ...]:
    """The points under a key of the file; unknown words, wrong units and what is written twice are reported.

    ``made`` gives None for a part that it has reported itself.
    """
    points: list[Said] = []
    for i, part in enumerate(parts):
        quantity = _quantity(document, (key, i), part)
        point = made(quantity, part) if quantity is not None else None
        if point is None:
            continue
        if point.name in {one.name for one in points}:
            document.report((key, i), f"{point.name} is written twice")
        points.append(point)
    return tuple(points)


def check_examples(document: Document, examples: Sequence[ExamplePart], points: Sequence[ProfilePoint]) -> None:
    """Raise ``ConfigError`` with what is wrong so far, or else with what an example expects and no point offers."""
    document.check()
    offered = [point.name for point in points]
    for i, example in enumerate(examples):
        for key in example.expect:
            if key not in offered:
                document.report(("examples", i, "expect", key), f"'{key}' is not a point of this profile", offered)
    document.check()


def _quantity(document: Document, place: tuple[str, int], part: SaidPart) -> Quantity | None:
    """The quantity that a part names if its unit is right; otherwise report and return None."""
    if part.quantity not in WORDS:
        document.report((*place, "quantity"), f"unknown quantity '{part.quantity}'", WORDS)
        return None
    quantity = BY_WORD[part.quantity]
    if part.unit != quantity.unit:
        document.report((*place, "unit"), f"unit '{part.unit}' is wrong for {part.quantity}", quantity.unit)
        return None
    return quantity
