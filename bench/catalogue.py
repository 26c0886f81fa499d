"""How long an estate of 16,000 points takes to answer what ingest, edge, analytics and pages ask of it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from accounting.dirty import dirty_between
from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from console.figures.heard import heard_in
from console.figures.use import live_sum
from facility.catalogue import Agent, Bus, Catalogue
from facility.ledger.installation import Installation
from facility.model import Building, Meter, MeterRole, Name, Point, Site
from facility.quantities import Quantity, Utility
from ingest.gate import Gate
from stores.counters import Counters
from stores.readings.live import Picture
from stores.readings.memory import MemoryStore
from stores.readings.port import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = Path(__file__).parent / "results" / "catalogue.json"
BUILDINGS, METERS_EACH, AGENTS = 200, 20, 50
KINDS = (
    (Utility.ELECTRICITY, (Quantity.ENERGY_IMPORT, Quantity.ACTIVE_POWER, Quantity.VOLTAGE, Quantity.CURRENT)),
    (Utility.WATER, (Quantity.WATER_VOLUME, Quantity.WATER_FLOW, Quantity.BATTERY, Quantity.SIGNAL)),
    (None, (Quantity.TEMPERATURE, Quantity.HUMIDITY, Quantity.CO2, Quantity.BATTERY)),
)
MOST_MS = 500.0
"""What any of these may take. With a pass through the whole estate for each meter they took up to a second."""


def town() -> Catalogue:
    """Two hundred buildings of twenty meters with four points each; every meter was swapped once."""
    meters, points, ledger = [], [], []
    for b in range(BUILDINGS):
        for m in range(METERS_EACH):
            utility, quantities = KINDS[m % len(KINDS)]
            role = MeterRole.HEAD if m < len(KINDS) - 1 else MeterRole.SUB
            agent = f"edge-{b % AGENTS}"
            meter = Meter(f"b{b}-m{m}", Name("M"), f"b{b}", "p", agent, "bus", str(m + 1), utility=utility, role=role)
            meters.append(meter)
            points += [Point(meter.id, quantity) for quantity in quantities]
            first = datetime(2020, 1, 1, tzinfo=UTC)
            ledger += [Installation(meter.id, first + timedelta(days=1_000 * k), serial=str(k)) for k in range(2)]
    return Catalogue(
        Site("town", Name("Town"), "Asia/Shanghai", "CNY"),
        (),
        tuple(Building(f"b{b}", Name("B")) for b in range(BUILDINGS)),
        (),
        tuple(Agent(f"edge-{a}", (Bus("bus", "modbus+tcp://127.0.0.1:1"),)) for a in range(AGENTS)),
        tuple(meters),
        tuple(points),
        tuple(ledger),
    )


def look_up_points(catalogue: Catalogue) -> None:
    """What a page or a pass of analytics asks of every meter."""
    for meter in catalogue.meters:
        catalogue.points_of(meter.id)
        catalogue.accounted_point(meter)


def look_up_buildings(catalogue: Catalogue) -> None:
    """Every building's meters, and its heads of each utility."""
    for building in catalogue.buildings:
        catalogue.meters_of(building.id)
        for utility in Utility:
            catalogue.head_meters(building.id, utility)


@cache
def picture() -> Picture:
    """A newest value of every point."""
    return Picture(values=MappingProxyType({point.id: Latest(1, 1.0) for point in town().points}))


def look_live(catalogue: Catalogue) -> None:
    """What the first page says of each building: what flows now and when it was last heard."""
    for building in catalogue.buildings:
        live_sum(catalogue, catalogue.head_meters(building.id, Utility.ELECTRICITY), Utility.ELECTRICITY, picture())
        heard_in(catalogue, building.id, picture(), 2)


def look_up_agents(catalogue: Catalogue) -> None:
    """Every agent's extract, and the points by which ingest reconciles its hours."""
    gate = Gate(catalogue)
    for agent in catalogue.agents:
        catalogue.part_for(agent.id)
        gate.points_of(agent.id)


ASKED: dict[str, Callable[[Catalogue], object]] = {
    "points_of_4_000_meters_ms": look_up_points,
    "meters_of_200_buildings_ms": look_up_buildings,
    "live_figures_of_200_buildings_ms": look_live,
    "extracts_of_50_agents_ms": look_up_agents,
    "ledger_of_2_800_counters_ms": lambda catalogue: Counters(MemoryStore(), catalogue, NoSpells()),
    "rollup_writer_ms": lambda catalogue: RollupWriter(MemoryStore(), catalogue),
    "what_a_change_of_the_estate_touches_ms": lambda catalogue: dirty_between(replace(catalogue), catalogue),
}


def main() -> int:
    """Write ``bench/results/catalogue.json``; 1 where a figure misses. Each is asked of an estate just loaded."""
    figures: dict[str, float] = {"points": len(picture().values)}
    for name, ask in ASKED.items():
        catalogue = town()
        begun = perf_counter()
        ask(catalogue)
        figures[name] = round((perf_counter() - begun) * 1000, 1)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    return int(any(took > MOST_MS for name, took in figures.items() if name.endswith("_ms")))


if __name__ == "__main__":
    sys.exit(main())
