"""An estate of so many points for ``bench.stack``: its site file, what its devices say when, and its history.

Two of five points are counters, one agent reads at most 2,500 points, and there are a hundred doors and a hundred leak
sensors, whatever the size.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import offsets_ms, zone_called
from facility.model import ReadingBatch
from facility.quantities import Quantity, Utility
from stores.counter_rows import counter_tags
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Times, Values

BUILDINGS, DOORS, LEAKS = 50, 100, 100
MOST_POINTS_AN_AGENT, MOST_UNITS = 2_500, 200
POINTS_OF_A_METER = ("active_power", "energy_import", "energy_export", "voltage", "current")
POLL_S = 60
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
ROLLUP_DAYS, RAW_DAYS, STATE_DAYS = 432, 2, 30
POINTS_AT_ONCE = 20

HEAD = """\
version: 1
site: {id: town, name: Town, timezone: %s, currency: EUR, prices: [
  {utility: electricity, per_unit: 0.3, valid_from: 2020-01-01, basis: a price for measuring},
  {utility: water, per_unit: 2.5, valid_from: 2020-01-01, basis: a price for measuring}]}
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A meter or sensor: where it stands, who reads it, how, and as which unit."""

    id: str
    kind: str
    building: int
    agent: str
    bus: str
    unit: str


@dataclass
class Plan:
    """The devices of an estate, and when each door opens or sensor gets wet (ms UTC, by meter)."""

    points: int
    days: int = ROLLUP_DAYS
    """How far back its history reaches."""

    zone: str = "UTC"
    """Its clocks: where they differ by a quarter or half of an hour, hours end then."""

    points_an_agent: int = MOST_POINTS_AN_AGENT
    """That one agent reads at most."""

    devices: list[Device] = field(default_factory=list)
    raised_ms: dict[str, int] = field(default_factory=dict)

    @property
    def offset_ms(self) -> int:
        """What its clocks are ahead of UTC, which must not change."""
        return int(offsets_ms(np.array([time.time_ns() // 1_000_000]), zone_called(self.zone))[0])

    @property
    def agents(self) -> list[str]:
        """Their ids."""
        return [f"edge-{n}" for n in range(math.ceil(self.points / self.points_an_agent))]

    def on_bus(self) -> Iterator[tuple[str, str]]:
        """Every Modbus bus: agent and bus."""
        return iter(dict.fromkeys((d.agent, d.bus) for d in self.devices if d.bus != "radio"))

    def of_kind(self, kind: str) -> list[Device]:
        """The devices of one kind."""
        return [device for device in self.devices if device.kind == kind]


def plan(points: int, days: int = ROLLUP_DAYS, zone: str = "UTC", points_an_agent: int = MOST_POINTS_AN_AGENT) -> Plan:
    """So many points: five of each electricity meter, one of each water meter, door and leak sensor."""
    made = Plan(points, days, zone, points_an_agent)
    electricity = (points - BUILDINGS - DOORS - LEAKS) // len(POINTS_OF_A_METER)
    units = dict.fromkeys(made.agents, 0)
    numbers = {"electricity": electricity, "water": BUILDINGS, "door": DOORS, "leak": LEAKS}
    for kind, n in ((kind, n) for kind, number in numbers.items() for n in range(number)):
        building, name = n % BUILDINGS, f"{kind[0]}{n}"
        agent = made.agents[building % len(made.agents)]
        bus, unit = "radio", name
        if kind in {"electricity", "water"}:
            bus, unit = f"m{units[agent] // MOST_UNITS}", str(units[agent] % MOST_UNITS + 1)
            units[agent] += 1
        made.devices.append(Device(name, kind, building, agent, bus, unit))
    return made


def nowhere(made: Plan) -> dict[tuple[str, str], str]:
    """An address of its own for each bus, at which nobody answers."""
    urls = {bus: f"modbus+tcp://127.0.0.1:{port}" for port, bus in enumerate(made.on_bus(), start=1)}
    return urls | {(agent, "radio"): "mqtt://user:word@127.0.0.1:1" for agent in made.agents}


def site_text(made: Plan, bus_urls: Mapping[tuple[str, str], str]) -> str:
    """The site file; ``bus_urls`` says by agent and bus where each is."""
    armed = 'armed: {mon-sun: "00:00-23:59"}'  # a door that stands open is an alarm at whichever hour this runs
    buildings = "\n".join(f"  - {{id: b{n}, name: Building {n}, {armed}}}" for n in range(BUILDINGS))
    agents = "\n".join(_agent(agent, bus_urls) for agent in made.agents)
    meters = "\n".join(map(_meter, made.devices))
    return f"{HEAD % made.zone}buildings:\n{buildings}\nagents:\n{agents}\nmeters:\n{meters}\n"


def _agent(agent: str, bus_urls: Mapping[tuple[str, str], str]) -> str:
    buses = ", ".join(f'{{id: {bus}, url: "{url}"}}' for (owner, bus), url in bus_urls.items() if owner == agent)
    return f"  - {{id: {agent}, buses: [{buses}]}}"


def _meter(device: Device) -> str:
    head = "role: head" if int(device.id[1:]) < BUILDINGS else f"enduse: use-{int(device.id[1:]) // BUILDINGS}"
    points = ", ".join(f"{{quantity: {word}}}" for word in POINTS_OF_A_METER)
    words = {
        "electricity": f"profile: eastron/sdm120, utility: electricity, {head}, points: [{points}]",
        "water": f"profile: generic/pulse-water, utility: water, {head}",
        "door": "profile: aqara/mccgq11lm",
        "leak": "profile: aqara/sjcgq11lm",
    }[device.kind]
    return (
        f"  - {{id: {device.id}, name: {device.id}, building: b{device.building}, level: internal,"
        f" agent: {device.agent}, bus: {device.bus}, unit: {device.unit}, poll_s: {POLL_S}, {words}}}"
    )


def said(made: Plan, meter: str, quantity: Quantity, t_ms: Times) -> Values:
    """What a device says of a quantity at each instant (n,), in the quantity's unit."""
    if quantity in {Quantity.DOOR_OPEN, Quantity.LEAK}:
        return (t_ms >= made.raised_ms.get(meter, 2**62)).astype(np.float64)
    number = int(meter[1:])
    rate = 0.5 + number % 7 / 7  # kW, or m³ an hour
    day = 2 * np.pi * (t_ms % DAY_MS) / DAY_MS
    hours = (t_ms - 1_700_000_000_000) / HOUR_MS % 20_000
    if quantity in {Quantity.ENERGY_IMPORT, Quantity.WATER_VOLUME}:
        return np.asarray(rate * (hours - 0.6 * 12 / np.pi * np.sin(day)), np.float64)
    if quantity is Quantity.ENERGY_EXPORT:
        return np.full(len(t_ms), float(number))
    if quantity is Quantity.ACTIVE_POWER:
        return np.asarray(1000 * rate * (1 - 0.6 * np.cos(day)), np.float64)
    return np.full(len(t_ms), 230.0 if quantity is Quantity.VOLTAGE else 4.0)


def write_history(store: ReadingStore, catalogue: Catalogue, made: Plan, now_ms: int, since_ms: int = 0) -> None:
    """Rollups of all its days and raw readings of the last ones up to now, through the store's port.

    Where it was written up to ``since_ms`` already, what came after that.
    """
    for point in catalogue.counters:
        tags = counter_tags(catalogue, point)
        for name, step_ms in (("usage_1h", HOUR_MS), ("usage_1d", DAY_MS)):
            store.write_rollup(name, [_use(made, [point], tags, (since_ms, now_ms), step_ms)])
    for building in catalogue.buildings:
        for utility in (Utility.ELECTRICITY, Utility.WATER):
            heads = list(catalogue.head_counters(building.id, utility))
            tags = {"site": catalogue.site.id, "building": building.id, "utility": utility.value}
            for name, step_ms in (("building_1h", HOUR_MS), ("building_1d", DAY_MS)):
                store.write_rollup(name, [_use(made, heads, tags, (since_ms, now_ms), step_ms)])
    _write_readings(store, catalogue, made, now_ms, since_ms)


def _use(made: Plan, points: list[Point], tags: Mapping[str, str], span: tuple[int, int], step_ms: int) -> RollupSeries:
    last = (span[1] + made.offset_ms) // step_ms
    first = max(last - made.days * DAY_MS // step_ms, (span[0] + made.offset_ms) // step_ms)
    edges = np.arange(first, last + 1, dtype=np.int64) * step_ms - made.offset_ms
    qty = sum(np.diff(said(made, point.meter, point.quantity, edges)) for point in points)
    ones = np.ones(len(edges) - 1)
    fields = {"qty": qty, "est_qty": 0 * ones, "completeness": ones, "complete": ones, "cost": qty * 0.3}
    if tags["utility"] == Utility.ELECTRICITY.value:
        fields["peak_kw"] = qty * (HOUR_MS / step_ms)
    return RollupSeries(tags, edges[:-1], fields)


def _write_readings(store: ReadingStore, catalogue: Catalogue, made: Plan, now_ms: int, since_ms: int) -> None:
    states = [point for point in catalogue.points if point.quantity in {Quantity.DOOR_OPEN, Quantity.LEAK}]
    others = [point for point in catalogue.points if point not in set(states)]
    for days, points in ((RAW_DAYS, others), (STATE_DAYS, states)):
        span = max(now_ms - min(days, made.days) * DAY_MS, since_ms // MINUTE_MS * MINUTE_MS), now_ms
        for begin in range(0, len(points), POINTS_AT_ONCE):
            _write_some(store, made, points[begin : begin + POINTS_AT_ONCE], span)


def _write_some(store: ReadingStore, made: Plan, points: list[Point], span: tuple[int, int]) -> None:
    p: list[int] = []
    t: list[int] = []
    x: list[float] = []
    for number, point in enumerate(points):
        changes = np.array([made.raised_ms[point.meter]] if point.meter in made.raised_ms else [], np.int64)
        t_ms = np.union1d(np.arange(*span, MINUTE_MS, dtype=np.int64) + hash_ms(point.meter), changes)
        t_ms = t_ms[(t_ms >= span[0]) & (t_ms < span[1])]
        p += [number] * len(t_ms)
        t += t_ms.tolist()
        x += said(made, point.meter, point.quantity, t_ms).tolist()
    store.write(ReadingBatch(points=[point.id for point in points], p=p, t_ms=t, x=x, q=[]))


def hash_ms(meter: str) -> int:
    """At which millisecond of the minute a device speaks."""
    return int(meter[1:]) * 977 % MINUTE_MS
