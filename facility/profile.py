"""What a device profile is: how one model of meter says its quantities, with the proof that it does.

Where a point is said, and what an example looks like, differs by protocol: ``facility/protocols/`` has a part for each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, ClassVar

from facility.model import TOTAL, Ratio

if TYPE_CHECKING:
    from facility.quantities import Quantity


@dataclass(frozen=True, slots=True)
class ProfilePoint:
    """Something that a model can say. Each protocol has its own kind, which adds where it is said and how.

    An ``optional`` point is read only where the site names it.
    """

    quantity: Quantity
    channel: str
    optional: bool = field(default=False, kw_only=True)
    ratio: Ratio = field(default=Ratio.NONE, kw_only=True)

    @property
    def name(self) -> str:
        """``quantity/channel``: what the point is called in examples, and in a meter's points."""
        return f"{self.quantity.word}/{self.channel}"

    def factor(self, ct_ratio: float, pt_ratio: float) -> float:
        """What a secondary value is multiplied by behind transformers of these ratios."""
        ct = ct_ratio if self.ratio in {Ratio.CT, Ratio.CT_PT} else 1.0
        pt = pt_ratio if self.ratio in {Ratio.PT, Ratio.CT_PT} else 1.0
        return ct * pt


@dataclass(frozen=True, slots=True)
class ProfileExample:
    """What a device said, and the values by ``quantity/channel`` that it must become; each protocol adds the former.

    ``captured``: a device in the world said it, and whoever published it tells what it means; else it was composed.
    """

    note: str
    expect: dict[str, float]
    captured: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Source:
    """The document that proves the facts of a profile; ``secondary``: not the maker's, but somebody's who read it."""

    document: str
    version: str
    section: str
    secondary: bool = False


@unique
class ProofStep(StrEnum):
    """How well the facts of a profile are proved, from the lowest step of the ladder to the highest."""

    CLAIMED = "claimed"  # one secondary source says so
    LISTED = "listed"  # a document of the maker, or two independent sources that agree
    VERIFIED = "verified"  # what a real device said decodes to what it showed
    PROVEN = "proven"  # read on site and compared with the device's display


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """One model of meter or sensor. ``id`` is ``maker/model``, as its file lies in ``device_profiles/``.

    Each protocol has its own kind of profile, with points and examples of its own kind alone.
    """

    protocol: ClassVar[str] = ""

    id: str
    name: str
    kind: str
    sources: tuple[Source, ...]
    points: tuple[ProfilePoint, ...]
    examples: tuple[ProfileExample, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    seen_on_site: tuple[str, ...] = field(default=(), kw_only=True)
    """Where and when its values were compared with a display."""

    @property
    def standing(self) -> ProofStep:
        """The step of the ladder that its sources and examples have reached."""
        if self.seen_on_site:
            return ProofStep.PROVEN
        if any(example.captured for example in self.examples):
            return ProofStep.VERIFIED
        is_listed = len(self.sources) > 1 or not all(source.secondary for source in self.sources)
        return ProofStep.LISTED if is_listed else ProofStep.CLAIMED

    def find(self, quantity: Quantity, channel: str = TOTAL) -> ProfilePoint | None:
        """The point for a quantity and channel, or None if this model does not say it."""
        return next((p for p in self.points if p.quantity is quantity and p.channel == channel), None)

    def no_value(self) -> tuple[str, ...]:
        """How the model says that it has no value, for people; empty where its protocol has a way for all (null)."""
        return ()


def divisor_of(scale: float) -> int:
    """The whole number that a scale below one divides by, 0 for any other: 2315 x 0.1 is taken as 2315 / 10.

    To divide gives the nearest float to 231.5, to multiply does not always.
    """
    divisor = round(1 / scale) if scale else 0
    return divisor if divisor > 1 and math.isclose(divisor * scale, 1.0, rel_tol=1e-12) else 0


def scaled(raw: float, scale: float) -> float:
    """``raw x scale``, as near as a float can be; a negative scale turns the sign."""
    divisor = divisor_of(abs(scale))
    value = raw / divisor if divisor else raw * abs(scale)
    return -value if scale < 0 else value
