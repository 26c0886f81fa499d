"""What somebody may see and do: parts of the estate, each up to a data level, and the acts that are theirs there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from facility.levels import Level
from facility.quantities import Utility
from facility.rights import ADMINISTRATORS, Act, acts_of
from stores.records.accounts.grants import RolePart
from stores.records.shown_points import ShownPoints

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from facility.catalogue import Catalogue
    from facility.model import Building, Meter, Point
    from facility.trees import Trees
    from facility.work import Alert
    from stores.records.accounts.grants import Grant


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
class Permit:
    """What one role allows, and in which part of the estate."""

    scope: Scope = EVERYTHING
    acts: frozenset[Act] = frozenset(Act)
    needs_phone: bool = False
    """An administrator's: it holds for who has shown a code of their phone, where that is asked for."""

    def reaches(self, building: Building | None, point: Point | None = None) -> bool:
        """Whether it holds in a building, or of a point there; of what the estate has no more only one for all does."""
        here = not self.scope.hides_buildings if building is None else self.scope.shows_building(building)
        return here and (point is None or self.scope.shows_level_of(point))


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may see, and what they may do with it. Without a permit: nothing."""

    permits: tuple[Permit, ...] = ()

    @property
    def scopes(self) -> frozenset[Scope]:
        """The parts of the estate that they may look at."""
        return frozenset(one.scope for one in self.permits if Act.LOOK in one.acts)

    @property
    def without_phone(self) -> Rights:
        """What is left of them before a code was shown."""
        return Rights(tuple(one for one in self.permits if not one.needs_phone))

    def may(self, act: Act) -> bool:
        """Whether an act is theirs anywhere."""
        return any(act in one.acts for one in self.permits)

    def may_here(self, act: Act, building: Building | None, point: Point | None = None) -> bool:
        """Whether an act is theirs in a building, and on a point of it."""
        return any(act in one.acts and one.reaches(building, point) for one in self.permits)


def rights_by(grants: Iterable[Grant], trees: Trees | None) -> Rights:
    """What the roles of a person allow them by the tree of departments of now; None: nothing was applied yet."""
    return Rights(tuple(Permit(_scope_of(one, trees), acts_of(one.role), one.role in ADMINISTRATORS) for one in grants))


def _scope_of(grant: Grant, trees: Trees | None) -> Scope:
    """A role for a department holds in the buildings of it and of each department below it, as they stand now."""
    if grant.part is RolePart.DEPARTMENT:
        return Scope(buildings=trees.buildings_of(grant.target) if trees else frozenset(), level=grant.level)
    named = frozenset({grant.target})
    return Scope(buildings=named if grant.part is RolePart.BUILDING else None, level=grant.level)


@dataclass(frozen=True)
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
    """Buildings and utilities whose totals show: a sum is graded as high as the highest of what it sums, or as
    its custodian says."""
    above: frozenset[str] = frozenset()
    """Points that are graded too high: a case that rests on one of them does not show, whatever else it names."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return self.buildings is None and self.points is None

    @cached_property
    def important(self) -> frozenset[str]:
        """The important points (重要数据) among those that show: each look at one is put on record."""
        return frozenset(p.id for p in self.catalogue.points if p.level is Level.IMPORTANT)

    def important_in(self, points: Iterable[str]) -> dict[str, set[str]]:
        """The important ones of these points, by building."""
        found: dict[str, set[str]] = defaultdict(set)
        for point in self.important.intersection(points):
            found[self.catalogue.meter[self.catalogue.point[point].meter].building].add(point)
        return found

    def important_beside(self, point: str) -> set[str]:
        """The important points of the building of one of them."""
        building = self.catalogue.meter[self.catalogue.point[point].meter].building
        return self.important_in(self.important)[building]

    def shows(self, case: Alert) -> bool:
        """Whether a case does: its building, its point, and nothing of what it rests on is graded too high."""
        is_here = self.buildings is None or case.building in self.buildings
        return (
            is_here
            and (self.points is None or case.point in self.points)
            and self.above.isdisjoint(one.point for one in case.evidence)
        )


def sight_of(whole: Catalogue, scopes: Collection[Scope]) -> Sight:
    """What the scopes show together of an estate; none shows nothing. Who looks finds no trace of the rest in it."""
    if EVERYTHING in scopes:
        return Sight(whole)
    shown = {b.id: [one for one in scopes if one.shows_building(b)] for b in whole.buildings}
    buildings = {building for building, by in shown.items() if by}
    points = {
        p.id for p in whole.points if any(one.shows_level_of(p) for one in shown.get(whole.meter[p.meter].building, ()))
    }
    catalogue = _part(whole, buildings, points)
    mixed = {whole.meter[p.meter].agent for p in whole.points if p.id not in points}
    hides_levels = any(all(one.level is not None for one in shown[building]) for building in buildings)
    return Sight(
        catalogue=catalogue,
        buildings=None if any(not one.hides_buildings for one in scopes) else frozenset(buildings),
        points=ShownPoints(points, whole.point) if hides_levels else None,
        agents=frozenset(catalogue.agent) - mixed,
        sums=frozenset(_sums(whole, scopes, buildings, points)) if hides_levels else None,
        above=frozenset(_above(whole, scopes, buildings, points)) if hides_levels else frozenset(),
    )


def _above(whole: Catalogue, scopes: Collection[Scope], buildings: set[str], points: set[str]) -> Iterator[str]:
    """Points that do not show though their building does, and those elsewhere that no scope would show."""
    for point in whole.points:
        is_here = whole.meter[point.meter].building in buildings
        if point.id not in points and (is_here or not any(one.shows_level_of(point) for one in scopes)):
            yield point.id


def _sums(
    whole: Catalogue, scopes: Collection[Scope], buildings: set[str], points: set[str]
) -> Iterator[tuple[str, str]]:
    """The building and utility of every total that shows: by the level that its custodian gave it, or all it sums."""
    for building, utility in product(buildings, Utility):
        graded = whole.building[building].totals.get(utility)
        if graded is None:
            shows = all(counter.id in points for counter in whole.head_counters(building, utility))
        else:
            here = [one.level for one in scopes if one.shows_building(whole.building[building])]
            shows = any(level is None or graded <= level for level in here)
        if shows:
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
