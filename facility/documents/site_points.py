"""The points of a meter in an estate's text: which of its profile's it has, and what each is graded as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.levels import LEVEL_WORDS, Level, parse_level
from facility.model import Point, Ratio
from facility.quantities import BY_WORD, WORDS

if TYPE_CHECKING:
    from facility.documents.part import Document, Place
    from facility.documents.site_schema import MeterPart
    from facility.profile import DeviceProfile, ProfilePoint


def read_points(
    document: Document, i: int, part: MeterPart, profile: DeviceProfile | None, custodian: str
) -> list[Point]:
    """The points of a meter: those it lists, else all of its profile that are not optional."""
    if profile is None:
        return []
    offered = [p.name for p in profile.points]
    if not part.points:
        level = _level(document, ("meters", i, "level"), part.level, custodian)
        chosen_by_profile = (p for p in profile.points if not p.optional)
        return [Point(part.id, p.quantity, p.channel, level, ratio=_ratio(p)) for p in chosen_by_profile]
    points = []
    for j, chosen in enumerate(part.points):
        place: Place = ("meters", i, "points", j)
        if chosen.quantity not in WORDS:
            document.report((*place, "quantity"), f"unknown quantity '{chosen.quantity}'", WORDS)
            continue
        quantity = BY_WORD[chosen.quantity]
        said = profile.find(quantity, chosen.channel)
        if said is None:
            document.report(
                (*place, "quantity"), f"{profile.id} does not say {chosen.quantity}/{chosen.channel}", offered
            )
        if chosen.unit is not None and chosen.unit != quantity.unit:
            document.report((*place, "unit"), f"unit '{chosen.unit}' is wrong for {quantity.word}", quantity.unit)
        level = _level(document, (*place, "level"), chosen.level or part.level, custodian)
        points.append(Point(part.id, quantity, chosen.channel, level, chosen.low, chosen.high, _ratio(said)))
    return points


def _ratio(said: ProfilePoint | None) -> Ratio | None:
    """By which transformer ratios an agent multiplies this point, None for none."""
    return said.ratio if said is not None and said.ratio is not Ratio.NONE else None


def _level(document: Document, place: Place, word: str | None, custodian: str) -> Level | None:
    """Unstated it is none where somebody decides about levels, and internal where nobody does."""
    if word is None:
        return None if custodian else Level.INTERNAL
    try:
        return parse_level(word)
    except Rejected as error:
        what = error.detail if error.reason == "core_data" else f"unknown level '{word}'"
        document.report(place, what, LEVEL_WORDS)
        return None
