"""The strip of domains beside energy: water, environment, security, assets and catering, each in a few figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.figures.heard import stale_after_s
from console.figures.tiles import Tile, flow_tile, point_stale_after_s, point_tile, slug
from console.figures.use import live_sum
from facility.model import MeterRole, Provenance, SpaceKind
from facility.quantities import Quantity, Utility
from wording.formats import NOTHING, Amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from console.visit import Visit
    from facility.model import Meter, Point

KITCHEN_ENDUSES = frozenset({"catering", "cooking", "kitchen", "canteen"})
SERVER_ENDUSES = frozenset({"server_room", "server-room", "data_centre", "data-centre"})
COMPUTING_ENDUSES = frozenset({"it", "computing", "server_it", "server-it", "servers"})
NOT_ROOMS = frozenset(
    {SpaceKind.COLD_STORE, SpaceKind.SERVER_ROOM, SpaceKind.PLANT_ROOM, SpaceKind.ROOF, SpaceKind.OUTDOORS}
)
"""Kinds of space whose temperature says nothing of how people feel."""

CO2_WATCH_PPM, CO2_ACT_PPM = 1000.0, 1500.0
FREEZER_WATCH_C, FREEZER_ACT_C = -16.0, -12.0
PUE_WATCH, PUE_ACT = 1.8, 2.5


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure of a domain: its label's text id, the live tile, and where it is."""

    label: str
    tile: Tile
    where: str = ""


@dataclass(frozen=True, slots=True)
class Domain:
    """One part of the estate: its word (also its icon), its figures and what they come from."""

    word: str
    facts: tuple[Fact, ...]
    provenance: Provenance


def domains(visit: Visit) -> list[Domain]:
    """Every domain that this estate has sources for."""
    found = []
    for word, facts_of in DOMAINS.items():
        facts, points = facts_of(visit)
        if facts:
            found.append(Domain(word, tuple(facts), _provenance(visit, points)))
    return found


Found = tuple[list[Fact], list["Point"]]
NOT_FOUND: Found = ([], [])


def _water(visit: Visit) -> Found:
    meters = [m for m in visit.catalogue.meters_of_utility(Utility.WATER) if m.role is MeterRole.HEAD]
    points = [p for m in meters for p in visit.catalogue.points_of(m.id)]
    if not meters:
        return NOT_FOUND
    return [Fact("domain.water.flow", flow_tile(visit, "water-flow", meters, Utility.WATER))], points


def _environment(visit: Visit) -> Found:
    rooms = [p for p in _sensors(visit, Quantity.TEMPERATURE) if _kind(visit, p) not in NOT_ROOMS]
    air = _sensors(visit, Quantity.CO2)
    facts = []
    if rooms:
        facts.append(_mean_temperature(visit, rooms))
    if air:
        facts.append(_worst(visit, air, "domain.environment.co2", "co2", CO2_WATCH_PPM, CO2_ACT_PPM))
    return facts, rooms + air


def _security(visit: Visit) -> Found:
    facts, points = [], []
    for quantity in (Quantity.DOOR_OPEN, Quantity.LEAK, Quantity.SMOKE):
        sensors = _sensors(visit, quantity)
        points += sensors
        if sensors:
            facts.append(Fact(f"domain.security.{quantity.word}", _state_tile(visit, quantity, sensors)))
    return facts, points


def _assets(visit: Visit) -> Found:
    """PUE: everything that the server room draws over what its computers draw."""
    racks = _used_for(visit, COMPUTING_ENDUSES)
    rooms = _used_for(visit, SERVER_ENDUSES)
    batteries = [p for p in _sensors(visit, Quantity.BATTERY) if _kind(visit, p) is SpaceKind.SERVER_ROOM]
    facts: list[Fact] = []
    if racks and rooms:
        facts.append(Fact("domain.assets.pue", _pue_tile(visit, rooms, racks)))
    facts += [Fact("domain.assets.ups", _quiet(point_tile(visit, p, "asset"))) for p in batteries[:1]]
    points = [p for m in racks + rooms for p in visit.catalogue.points_of(m.id)] + batteries[:1]
    return facts, points


def _catering(visit: Visit) -> Found:
    gas = [m for m in visit.catalogue.meters_of_utility(Utility.GAS) if m.enduse in KITCHEN_ENDUSES]
    cold = [p for p in _sensors(visit, Quantity.TEMPERATURE) if _kind(visit, p) is SpaceKind.COLD_STORE]
    facts = []
    if gas:
        facts.append(Fact("domain.catering.gas", flow_tile(visit, "canteen-gas", gas, Utility.GAS)))
    if cold:
        facts.append(_worst(visit, cold, "domain.catering.freezer", "freezer", FREEZER_WATCH_C, FREEZER_ACT_C))
    return facts, cold + [p for m in gas for p in visit.catalogue.points_of(m.id)]


DOMAINS: dict[str, Callable[[Visit], Found]] = {
    "water": _water,
    "environment": _environment,
    "security": _security,
    "assets": _assets,
    "catering": _catering,
}


def _sensors(visit: Visit, quantity: Quantity) -> list[Point]:
    return list(visit.catalogue.points_of_quantity(quantity))


def _used_for(visit: Visit, enduses: frozenset[str]) -> list[Meter]:
    return [meter for enduse in sorted(enduses) for meter in visit.catalogue.meters_of_enduse(enduse)]


def _kind(visit: Visit, point: Point) -> SpaceKind | None:
    space = visit.catalogue.space.get(visit.catalogue.meter[point.meter].space)
    return space.kind if space else None


def _known(visit: Visit, points: Sequence[Point]) -> list[tuple[float, int, Point]]:
    values = visit.picture.values
    return [(values[p.id].x, values[p.id].t_ms, p) for p in points if p.id in values]


def _worst(visit: Visit, points: Sequence[Point], label: str, tile_id: str, watch: float, act: float) -> Fact:
    """The highest reading of some points, and where it is."""
    known = _known(visit, points)
    if not known:
        return Fact(label, Tile(tile_id, NOTHING, tone="unknown"))
    x, t_ms, point = max(known, key=lambda entry: entry[0])
    tone = "act" if x >= act else "watch" if x >= watch else "ok"
    amount = visit.formats.reading(point.quantity, x)
    return Fact(label, Tile(tile_id, amount, t_ms, point_stale_after_s(visit, point), tone), _where(visit, point))


def _mean_temperature(visit: Visit, rooms: Sequence[Point]) -> Fact:
    known = _known(visit, rooms)
    if not known:
        return Fact("domain.environment.temperature", Tile("room-temperature", NOTHING, tone="unknown"))
    mean = sum(x for x, _, _ in known) / len(known)
    amount = visit.formats.reading(Quantity.TEMPERATURE, mean)
    at_ms = min(t_ms for _, t_ms, _ in known)
    limit_s = max(point_stale_after_s(visit, p) for _, _, p in known)
    where = _where(visit, rooms[0]) if len(rooms) == 1 else visit.texts.counted("domain.environment.mean", len(known))
    return Fact("domain.environment.temperature", Tile("room-temperature", amount, at_ms, limit_s), where)


def _state_tile(visit: Visit, quantity: Quantity, sensors: Sequence[Point]) -> Tile:
    """All sensors of one kind in one of three states: fine, alarm, or unknown because one is silent."""
    tiles = [point_tile(visit, p) for p in sensors]
    raised = [tile for tile in tiles if tile.tone in {"watch", "act"}]
    silent = [tile for tile in tiles if tile.tone == "unknown"]
    if raised:
        word, tone = "on", raised[0].tone
    elif silent:
        word, tone = "unknown", "unknown"
    else:
        word, tone = "off", "ok"
    counts = {"n": len(raised) or len(silent) or len(tiles), "all": len(tiles)}
    text = visit.texts(f"domain.security.{quantity.word}.{word}", **counts)
    return Tile(slug("state", quantity.word), Amount(text, ""), tone=tone)


def _pue_tile(visit: Visit, rooms: Sequence[Meter], racks: Sequence[Meter]) -> Tile:
    whole = live_sum(visit.catalogue, rooms, Utility.ELECTRICITY, visit.picture)
    computers = live_sum(visit.catalogue, racks, Utility.ELECTRICITY, visit.picture)
    if whole is None or computers is None or computers.x <= 0:
        return Tile("pue", NOTHING, tone="unknown")
    pue = whole.x / computers.x
    tone = "act" if pue >= PUE_ACT else "watch" if pue >= PUE_WATCH else "ok"
    older = min(whole, computers, key=lambda part: part.t_ms)
    return Tile("pue", Amount(visit.formats.number(pue, 2), ""), older.t_ms, stale_after_s(older.poll_s), tone)


def _quiet(tile: Tile) -> Tile:
    """The same figure without its age, which then shows only when it is old."""
    return replace(tile, shows_age=False)


def _where(visit: Visit, point: Point) -> str:
    """Space, else meter, in the reader's language."""
    return visit.names.place(point.meter) or visit.names.meter(point.meter)


def _provenance(visit: Visit, points: Sequence[Point]) -> Provenance:
    """What a domain's figures come from; the least real source speaks for all."""
    kinds = {visit.catalogue.meter[p.meter].provenance for p in points}
    for kind in (Provenance.SYNTHETIC, Provenance.RECORDED):
        if kind in kinds:
            return kind
    return Provenance.METERED
