"""DL/T 645: electricity meters that say each item by its identifier, in decimal digits. Editions 1997 and 2007."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.documents.part import DocumentPart
from facility.model import Ratio
from facility.profile import DeviceProfile, ProfilePoint
from facility.protocols.decimal_form import DecimalForm, FormText, fills_bytes
from facility.protocols.document import ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.framed import FrameExample, FrameExamplePart, check_form, digits_of, framed_line, read_examples
from facility.protocols.rules import ProtocolRules

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

SCHEMES = ("dlt645+serial", "dlt645+tcp")
ADDRESS_DIGITS = 12
MOST_BYTES = 200
"""An answer of the 2007 edition holds no more."""


@unique
class Edition(StrEnum):
    """Of the standard: identifiers of two bytes, or of four."""

    OF_1997 = "1997"
    OF_2007 = "2007"

    @property
    def id_bytes(self) -> int:
        """How long an identifier is."""
        return 2 if self is Edition.OF_1997 else 4


@dataclass(frozen=True, slots=True)
class ItemPoint(ProfilePoint):
    """Where a meter says a quantity: the item's identifier, the bytes in its data from ``at``, and their form."""

    item: str
    form: DecimalForm
    scale: float = 1.0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Dlt645Profile(DeviceProfile):
    """A model that is asked for one item, or block of items, at a time."""

    protocol: ClassVar[str] = "dlt645"

    points: tuple[ItemPoint, ...]
    examples: tuple[FrameExample, ...] = ()
    edition: Edition = Edition.OF_2007


class EditionPart(DocumentPart):
    """The edition of the standard that the model speaks."""

    edition: Edition


class ItemPart(SaidPart):
    """One item: ``id`` in hexadecimal digits, high byte first, as the standard prints it; ``form`` of its digits.

    ``at`` is where its bytes begin in the data of a block. ``has_sign``: the highest bit says that it is negative.
    """

    id: str
    form: FormText
    has_sign: bool = False
    at: int = Field(default=0, ge=0, le=MOST_BYTES)
    ratio: Ratio = Ratio.NONE


class Dlt645Document(ProfileDocument):
    """A profile file of a DL/T 645 meter."""

    protocol: Literal["dlt645"]
    dlt645: EditionPart
    items: list[ItemPart] = Field(min_length=1)
    examples: list[FrameExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> Dlt645Profile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        self._check(document)
        points = read_points(document, "items", self.items, self._point)
        examples = read_examples(document, self.examples)
        check_examples(document, self.examples, points)
        return self.made(
            Dlt645Profile,
            points,
            examples,
            edition=self.dlt645.edition,
        )

    def _check(self, document: Document) -> None:
        digits = 2 * self.dlt645.edition.id_bytes
        for i, part in enumerate(self.items):
            if len(part.id) != digits or not set(part.id) <= set("0123456789ABCDEF"):
                document.report(("items", i, "id"), f"'{part.id}' is no identifier", f"{digits} digits of 0 to F")
            check_form(document, i, part.form)

    @staticmethod
    def _point(quantity: Quantity, part: ItemPart) -> ItemPoint | None:
        if not fills_bytes(part.form):
            return None
        return ItemPoint(
            quantity,
            part.channel,
            part.id,
            DecimalForm.of(part.form, has_sign=part.has_sign),
            part.scale,
            part.at,
            optional=part.optional,
            ratio=part.ratio,
        )


def dlt645_address(bus: Bus, unit: str) -> bytes:
    """The six bytes of a meter's address. Raises ``ConfigError`` for what is none."""
    return digits_of(bus, unit, ADDRESS_DIGITS)


DLT645 = ProtocolRules(SCHEMES, Dlt645Document, framed_line, dlt645_address)
