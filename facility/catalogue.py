"""Everything that stands in one estate, with the look-ups that ingest, edge, analytics and pages need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from facility.model import MeterRole
from facility.quantities import ACCOUNTED

if TYPE_CHECKING:
    from facility.ledger import Installation
    from facility.model import Building, Department, Meter, Point, Site, Space
    from facility.quantities import Quantity, Utility


@dataclass(frozen=True, slots=True)
class Bus:
    """One wire or connection of an agent. ``url`` says protocol and place, e.g. ``modbus+rtu:///dev/ttyUSB0``."""

    id: str
    url: str
    timeout_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Agent:
    """One edge agent and the buses it reads."""

    id: str
    buses: tuple[Bus, ...]


@dataclass(frozen=True)
class Catalogue:
    """An estate as loaded from site.yaml or from the registry. Immutable; reload to change."""

    site: Site
    departments: tuple[Department, ...]
    buildings: tuple[Building, ...]
    spaces: tuple[Space, ...]
    agents: tuple[Agent, ...]
    meters: tuple[Meter, ...]
    points: tuple[Point, ...]
    installations: tuple[Installation, ...] = ()

    @cached_property
    def building(self) -> dict[str, Building]:
        """Buildings by id."""
        return {building.id: building for building in self.buildings}

    @cached_property
    def space(self) -> dict[str, Space]:
        """Spaces by id."""
        return {space.id: space for space in self.spaces}

    @cached_property
    def meter(self) -> dict[str, Meter]:
        """Meters by id."""
        return {meter.id: meter for meter in self.meters}

    @cached_property
    def point(self) -> dict[str, Point]:
        """Points by id."""
        return {point.id: point for point in self.points}

    @cached_property
    def agent(self) -> dict[str, Agent]:
        """Agents by id."""
        return {agent.id: agent for agent in self.agents}

    def meters_of(self, building: str, utility: Utility | None = None) -> tuple[Meter, ...]:
        """Meters of a building, optionally of one utility."""
        return tuple(m for m in self.meters if m.building == building and (utility is None or m.utility is utility))

    def head_meters(self, building: str, utility: Utility) -> tuple[Meter, ...]:
        """The meters whose sum is the building's total for a utility."""
        return tuple(m for m in self.meters_of(building, utility) if m.role is MeterRole.HEAD)

    def points_of(self, meter: str) -> tuple[Point, ...]:
        """Points of a meter."""
        return tuple(p for p in self.points if p.meter == meter)

    def find_point(self, meter: str, quantity: Quantity) -> Point | None:
        """The first point of a meter with that quantity (its total, where there are channels)."""
        return next((p for p in self.points if p.meter == meter and p.quantity is quantity), None)

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
        """What one agent needs to know and nothing else: its own buses, meters and points."""
        meters = tuple(m for m in self.meters if m.agent == agent)
        ids = {m.id for m in meters}
        homes = {m.building for m in meters}
        owners = {b.department for b in self.buildings if b.id in homes}
        return Catalogue(
            site=self.site,
            departments=tuple(d for d in self.departments if d.id in owners),
            buildings=tuple(b for b in self.buildings if b.id in homes),
            spaces=tuple(s for s in self.spaces if s.building in homes),
            agents=(self.agent[agent],),
            meters=meters,
            points=tuple(p for p in self.points if p.meter in ids),
        )
