"""Everything that stands in one estate, with the look-ups that ingest, edge, analytics and pages need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from facility.ledger.installation import history_of
from facility.model import MeterRole
from facility.quantities import ACCOUNTED
from facility.stated import NOTHING_STATED, Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from facility.ledger.installation import Installation
    from facility.model import Building, Department, Meter, Point, Site, Space
    from facility.quantities import Quantity, Utility

Key = TypeVar("Key")
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Bus:
    """One wire or connection of an agent. ``url`` says protocol and place, e.g. ``modbus+rtu:///dev/ttyUSB0``."""

    id: str
    url: str
    timeout_s: float = 1.0

    @property
    def scheme(self) -> str:
        """What the URL begins with; it says which protocol is spoken."""
        return self.url.partition(":")[0].lower()


@dataclass(frozen=True, slots=True)
class Agent:
    """One edge agent and the buses it reads."""

    id: str
    buses: tuple[Bus, ...]


@dataclass(frozen=True)
class Catalogue:
    """An estate as loaded from site.yaml or from the registry. Immutable; reload to change.

    Look-ups answer from indexes, each built when it is first asked for: none goes through the whole estate.
    """

    site: Site
    departments: tuple[Department, ...]
    buildings: tuple[Building, ...]
    spaces: tuple[Space, ...]
    agents: tuple[Agent, ...]
    meters: tuple[Meter, ...]
    points: tuple[Point, ...]
    installations: tuple[Installation, ...] = ()
    stated: Stated = NOTHING_STATED

    @cached_property
    def building(self) -> Mapping[str, Building]:
        """Buildings by id."""
        return {building.id: building for building in self.buildings}

    @cached_property
    def space(self) -> Mapping[str, Space]:
        """Spaces by id."""
        return {space.id: space for space in self.spaces}

    @cached_property
    def meter(self) -> Mapping[str, Meter]:
        """Meters by id."""
        return {meter.id: meter for meter in self.meters}

    @cached_property
    def point(self) -> Mapping[str, Point]:
        """Points by id."""
        return {point.id: point for point in self.points}

    @cached_property
    def agent(self) -> Mapping[str, Agent]:
        """Agents by id."""
        return {agent.id: agent for agent in self.agents}

    def spaces_of(self, building: str) -> tuple[Space, ...]:
        """Spaces of a building."""
        return self._spaces_by_building.get(building, ())

    def meters_of(self, building: str, utility: Utility | None = None) -> tuple[Meter, ...]:
        """Meters of a building, optionally of one utility."""
        if utility is None:
            return self._meters_by_building.get(building, ())
        return self._meters_by_total.get((building, utility), ())

    def head_meters(self, building: str, utility: Utility) -> tuple[Meter, ...]:
        """The meters whose sum is the building's total for a utility."""
        return tuple(m for m in self.meters_of(building, utility) if m.role is MeterRole.HEAD)

    def head_counters(self, building: str, utility: Utility) -> tuple[Point, ...]:
        """The counters whose sum is the building's total for a utility."""
        heads = map(self.accounted_point, self.head_meters(building, utility))
        return tuple(point for point in heads if point is not None)

    def meters_of_utility(self, utility: Utility) -> tuple[Meter, ...]:
        """Meters of a utility, in every building."""
        return self._meters_by_utility.get(utility, ())

    def meters_of_enduse(self, enduse: str) -> tuple[Meter, ...]:
        """Meters of one end use, in every building."""
        return self._meters_by_enduse.get(enduse, ())

    def meters_of_agent(self, agent: str) -> tuple[Meter, ...]:
        """Meters that an agent reads."""
        return self._meters_by_agent.get(agent, ())

    def meters_on(self, agent: str, bus: str) -> tuple[Meter, ...]:
        """Meters on one bus of an agent."""
        return self._meters_by_bus.get((agent, bus), ())

    def installations_of(self, meter: str) -> tuple[Installation, ...]:
        """What the ledger says of a meter, in its order; nothing where no installation was ever noted."""
        return self._installations_by_meter.get(meter, ())

    def ledger_of(self, meter: Meter) -> tuple[Installation, ...]:
        """Every installation of a meter, oldest first, never none."""
        return history_of(meter, self.installations_of(meter.id))

    def points_of(self, meter: str) -> tuple[Point, ...]:
        """Points of a meter."""
        return self._points_by_meter.get(meter, ())

    def points_of_quantity(self, quantity: Quantity) -> tuple[Point, ...]:
        """Points of a quantity, of all meters."""
        return self._points_by_quantity.get(quantity, ())

    def stated_of(self, building: str) -> Stated:
        """What is stated of a building and of its departments' parts, which meters are whose, and who bears it."""
        return self._stated_by_building.get(building, NOTHING_STATED)

    def find_point(self, meter: str, quantity: Quantity) -> Point | None:
        """The first point of a meter with that quantity (its total, where there are channels)."""
        return next((point for point in self.points_of(meter) if point.quantity is quantity), None)

    @cached_property
    def counters(self) -> tuple[Point, ...]:
        """Points whose use is accounted."""
        return tuple(p for p in self.points if p.quantity.is_counter)

    def accounted_point(self, meter: Meter) -> Point | None:
        """The counter from which a meter's use and cost are computed, or None for a sensor."""
        return self.find_point(meter.id, ACCOUNTED[meter.utility]) if meter.utility else None

    def utility_of(self, point: Point) -> Utility | None:
        """What a point's figures count for: its meter's utility, or else that of its quantity."""
        return self.meter[point.meter].utility or point.quantity.utility

    def part_for(self, agent: str) -> Catalogue:
        """What one agent needs to know and nothing else: its own buses, meters and points.

        Prices are none of its business, and may be those of buildings that it does not know. Agents of before 2026-12
        know no ``banner``, and no agent shows one.
        """
        meters = self.meters_of_agent(agent)
        homes = {m.building for m in meters}
        owners = {b.department for b in self.buildings if b.id in homes}
        return Catalogue(
            site=replace(self.site, banner=None, prices=(), tariffs=(), co2=(), typical_use=(), factor_sets=()),
            departments=tuple(d for d in self.departments if d.id in owners),
            buildings=tuple(b for b in self.buildings if b.id in homes),
            spaces=tuple(s for s in self.spaces if s.building in homes),
            agents=(self.agent[agent],),
            meters=meters,
            points=tuple(point for meter in meters for point in self.points_of(meter.id)),
        )

    @cached_property
    def _spaces_by_building(self) -> Mapping[str, tuple[Space, ...]]:
        return _grouped(self.spaces, lambda space: space.building)

    @cached_property
    def _meters_by_building(self) -> Mapping[str, tuple[Meter, ...]]:
        return _grouped(self.meters, lambda meter: meter.building)

    @cached_property
    def _stated_by_building(self) -> Mapping[str, Stated]:
        return self.stated.by_building({meter.id: meter.building for meter in self.meters})

    @cached_property
    def _meters_by_total(self) -> Mapping[tuple[str, Utility | None], tuple[Meter, ...]]:
        return _grouped(self.meters, lambda meter: (meter.building, meter.utility))

    @cached_property
    def _meters_by_utility(self) -> Mapping[Utility | None, tuple[Meter, ...]]:
        return _grouped(self.meters, lambda meter: meter.utility)

    @cached_property
    def _meters_by_enduse(self) -> Mapping[str, tuple[Meter, ...]]:
        return _grouped(self.meters, lambda meter: meter.enduse)

    @cached_property
    def _meters_by_agent(self) -> Mapping[str, tuple[Meter, ...]]:
        return _grouped(self.meters, lambda meter: meter.agent)

    @cached_property
    def _meters_by_bus(self) -> Mapping[tuple[str, str], tuple[Meter, ...]]:
        return _grouped(self.meters, lambda meter: (meter.agent, meter.connection))

    @cached_property
    def _installations_by_meter(self) -> Mapping[str, tuple[Installation, ...]]:
        return _grouped(self.installations, lambda one: one.meter)

    @cached_property
    def _points_by_meter(self) -> Mapping[str, tuple[Point, ...]]:
        return _grouped(self.points, lambda point: point.meter)

    @cached_property
    def _points_by_quantity(self) -> Mapping[Quantity, tuple[Point, ...]]:
        return _grouped(self.points, lambda point: point.quantity)


def _grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, tuple[Thing, ...]]:
    """The things of each key, in their order."""
    found: dict[Key, list[Thing]] = defaultdict(list)
    for thing in things:
        found[key(thing)].append(thing)
    return {each: tuple(some) for each, some in found.items()}
