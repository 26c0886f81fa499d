"""The points of a meter in an estate's text: which of its profile's it has, and what each is graded as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.documents.site_schema import PointPart
from facility.errors import Rejected
from facility.levels import LEVEL_WORDS, Level, parse_level
from facility.model import Point, Ratio
from facility.quantities import ACCOUNTED, BY_WORD, WORDS, Utility

if TYPE_CHECKING:
    from facility.documents.part import Document, Place
    from facility.documents.site_schema import BuildingPart, MeterPart
    from facility.profile import DeviceProfile, ProfilePoint


def read_points(
    document: Document, i: int, part: MeterPart, profile: DeviceProfile | None, custodian: str
) -> list[Point]:
    """The points of a meter: those it lists, else all of its profile that are not optional."""
    if is_read_by_hand(part):
        return _of_hand(document, i, part, custodian)
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


def is_read_by_hand(part: MeterPart) -> bool:
    """Whether people read a meter: nothing is said of an agent, nor of how one would reach it."""
    return not (part.profile or part.agent or part.bus or part.unit)


def _of_hand(document: Document, i: int, part: MeterPart, custodian: str) -> list[Point]:
    """The points of a meter that people read: those it lists, else the counter of its utility.

    What its face shows is multiplied by the transformers' ratios.
    """
    own = part.points or ([PointPart(quantity=ACCOUNTED[part.utility].word)] if part.utility else [])
    if not own:
        what = "who reads this meter, and what it shows, is not said"
        document.report(("meters", i), what, "a profile with agent, bus and unit; or a utility, where people read it")
    points = []
    for j, chosen in enumerate(own):
        place: Place = ("meters", i, "points", j)
        if chosen.quantity not in WORDS:
            document.report((*place, "quantity"), f"unknown quantity '{chosen.quantity}'", WORDS)
            continue
        quantity = BY_WORD[chosen.quantity]
        level = _level(document, (*place, "level"), chosen.level or part.level, custodian)
        ratio = Ratio.CT_PT if quantity.utility is Utility.ELECTRICITY and quantity.is_counter else None
        points.append(Point(part.id, quantity, chosen.channel, level, chosen.low, chosen.high, ratio))
    return points


def read_totals(document: Document, i: int, part: BuildingPart, custodian: str) -> dict[Utility, Level]:
    """The levels of a building's totals that its custodian graded otherwise than what they sum."""
    if part.totals and not custodian:
        document.report(("buildings", i, "totals"), "are graded by a custodian alone", "site: {custodian: NAME}")
    found = {one: _level(document, ("buildings", i, "totals", one), word, "") for one, word in part.totals.items()}
    return {one: level for one, level in found.items() if level is not None}


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
