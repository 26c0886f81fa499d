"""CJ/T 188: water, heat and gas meters that say all their values in one answer, each with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.documents.part import DocumentPart
from facility.profile import DeviceProfile, ProfilePoint
from facility.protocols.decimal_form import DecimalForm, FormText, fills_bytes
from facility.protocols.document import ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.framed import FrameExample, FrameExamplePart, check_form, digits_of, framed_line, read_examples
from facility.protocols.rules import ProtocolRules

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

SCHEMES = ("cjt188+serial", "cjt188+tcp")
ADDRESS_DIGITS = 14
CURRENT_DATA = "901F"
MOST_BYTES = 100

UNIT_CODES: dict[str, dict[int, float]] = {
    "kWh": {0x05: 1.0, 0x08: 1e3, 0x0E: 1 / 3.6, 0x11: 1e3 / 3.6},
    "W": {0x17: 1e3},
    "m3": {0x29: 1e-3, 0x2C: 1.0},
    "L/h": {0x35: 1e3},
    "m3/h": {0x35: 1.0},
}
"""By our unit, the codes that a meter may say behind a number, and what turns it into ours.

kWh, MWh, MJ, GJ; kW; L, m3; m3/h: the table of unit codes of CJ/T 188-2004, as two open-source drivers quote it.
"""


@dataclass(frozen=True, slots=True)
class ValuePoint(ProfilePoint):
    """Where a meter says a quantity: in the data of ``item`` from byte ``at``.

    ``has_unit``: a code for its unit follows. A number with a code that none of our units has is not read, and that is
    told.
    """

    item: str
    form: DecimalForm
    at: int
    scale: float = 1.0
    has_unit: bool = True


@dataclass(frozen=True, slots=True)
class Cjt188Profile(DeviceProfile):
    """A model of a meter type (10h cold water, 20h heat, 30h gas …). ``is_high_first``: identifiers are sent so."""

    protocol: ClassVar[str] = "cjt188"

    points: tuple[ValuePoint, ...]
    examples: tuple[FrameExample, ...] = ()
    meter_type: int = 0x10
    is_high_first: bool = False


class MeterTypePart(DocumentPart):
    """The type byte of the meter, and which byte of an identifier is sent first: most meters send the low one."""

    type: int = Field(ge=0x10, le=0x49)
    id_order: Literal["low_first", "high_first"] = "low_first"


class ValuePart(SaidPart):
    """One value: ``at`` counts the bytes behind identifier and serial number; ``form`` is that of its digits."""

    id: str = Field(default=CURRENT_DATA, pattern=r"^[0-9A-F]{4}$")
    at: int = Field(ge=0, le=MOST_BYTES)
    form: FormText
    has_unit: bool = True


class Cjt188Document(ProfileDocument):
    """A profile file of a CJ/T 188 meter."""

    protocol: Literal["cjt188"]
    cjt188: MeterTypePart
    items: list[ValuePart] = Field(min_length=1)
    examples: list[FrameExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> Cjt188Profile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        for i, part in enumerate(self.items):
            check_form(document, i, part.form)
            if part.has_unit and part.unit not in UNIT_CODES:
                what = f"no unit code means {part.unit}"
                document.report(("items", i, "has_unit"), what, "has_unit: false, and a scale")
        points = read_points(document, "items", self.items, _point)
        examples = read_examples(document, self.examples)
        check_examples(document, self.examples, points)
        return self.made(
            Cjt188Profile,
            points,
            examples,
            meter_type=self.cjt188.type,
            is_high_first=self.cjt188.id_order == "high_first",
        )


def _point(quantity: Quantity, part: ValuePart) -> ValuePoint | None:
    if not fills_bytes(part.form):
        return None
    form = DecimalForm.of(part.form)
    return ValuePoint(
        quantity, part.channel, part.id, form, part.at, part.scale, part.has_unit, optional=part.optional
    )  # fmt: skip


def cjt188_address(bus: Bus, unit: str) -> bytes:
    """The seven bytes of a meter's address. Raises ``ConfigError`` for what is none."""
    return digits_of(bus, unit, ADDRESS_DIGITS)


CJT188 = ProtocolRules(SCHEMES, Cjt188Document, framed_line, cjt188_address)
