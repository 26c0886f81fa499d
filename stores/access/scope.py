"""What somebody may see and do: part of the estate, up to a data level, and the acts that are theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from itertools import product
from typing import TYPE_CHECKING

from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.catalogue import Catalogue
    from facility.levels import Level
    from facility.model import Building, Meter, Point


@unique
class Act(StrEnum):
    """What a person may be allowed to do beside looking."""

    TAKE = "take a case or give it back"
    JUDGE = "give a verdict or take it back"
    REPLAY = "have refused readings taken in again"
    DISCARD = "discard what was refused"
    DECIDE = "decide about a register in doubt"


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the estate that somebody may see: some buildings, or those of some departments, up to a level.

    None hides nothing. Where either ``buildings`` or ``departments`` is given, a building shows that one of them names.
    A point without a level shows only to who may see every level.
    """

    buildings: frozenset[str] | None = None
    departments: frozenset[str] | None = None
    level: Level | None = None

    @property
    def hides_buildings(self) -> bool:
        """Whether there may be buildings that do not show."""
        return self.buildings is not None or self.departments is not None

    def shows_building(self, building: Building) -> bool:
        """Whether a building is in the scope."""
        named = building.id in (self.buildings or ()) or building.department in (self.departments or ())
        return named or not self.hides_buildings

    def shows_level_of(self, point: Point) -> bool:
        """Whether a point is graded low enough."""
        return self.level is None or (point.level is not None and point.level <= self.level)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may see, and what they may do with it."""

    scope: Scope = EVERYTHING
    acts: frozenset[Act] = frozenset(Act)


def rights_of_everybody(name: str) -> Rights:
    """Whoever is signed in may see and do all."""
    del name
    return Rights()


@dataclass(frozen=True, slots=True)
class Sight:
    """The estate as a scope shows it: a catalogue without the rest, and what questions to the records are narrowed to.

    The sets are None where nothing is hidden, so that who may see all is asked nothing more.
    """

    catalogue: Catalogue
    buildings: frozenset[str] | None = None
    points: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    """Agents all of whose points show: a message holds readings of any of them."""
    sums: frozenset[tuple[str, str]] | None = None
    """Buildings and utilities whose totals show: a sum is graded as high as the highest of what it sums."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return self.buildings is None and self.points is None


def sight_of(whole: Catalogue, scope: Scope) -> Sight:
    """What a scope shows of an estate. Who looks finds no trace of the rest in it."""
    if scope == EVERYTHING:
        return Sight(whole)
    buildings = {b.id for b in whole.buildings if scope.shows_building(b)}
    points = {p.id for p in whole.points if whole.meter[p.meter].building in buildings and scope.shows_level_of(p)}
    catalogue = _part(whole, buildings, points)
    mixed = {whole.meter[p.meter].agent for p in whole.points if p.id not in points}
    return Sight(
        catalogue=catalogue,
        buildings=frozenset(buildings) if scope.hides_buildings else None,
        points=frozenset(points) if scope.level is not None else None,
        agents=frozenset(catalogue.agent) - mixed,
        sums=frozenset(_sums(whole, buildings, points)) if scope.level is not None else None,
    )


def _sums(whole: Catalogue, buildings: set[str], points: set[str]) -> Iterator[tuple[str, str]]:
    """The building and utility of every total all of whose counters show."""
    for building, utility in product(buildings, Utility):
        if all(counter.id in points for counter in whole.head_counters(building, utility)):
            yield building, utility.value


def _part(whole: Catalogue, buildings: set[str], points: set[str]) -> Catalogue:
    shown = {p.meter for p in whole.points if p.id in points}
    hidden = {p.meter for p in whole.points} - shown

    def shows(meter: Meter) -> bool:
        return meter.building in buildings and meter.id not in hidden

    meters = {m.id: m for m in whole.meters if shows(m)}
    agents = {m.agent for m in meters.values()}
    owners = {b.department for b in whole.buildings if b.id in buildings}
    return replace(
        whole,
        departments=tuple(d for d in whole.departments if d.id in owners),
        buildings=tuple(b for b in whole.buildings if b.id in buildings),
        spaces=tuple(s for s in whole.spaces if s.building in buildings),
        agents=tuple(a for a in whole.agents if a.id in agents),
        meters=tuple(meters.values()),
        points=tuple(p for p in whole.points if p.id in points),
        installations=tuple(i for i in whole.installations if i.meter in meters),
        stated=whole.stated.part(buildings, meters.keys()),
    )
