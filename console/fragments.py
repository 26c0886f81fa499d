"""The live pieces of a page as HTML, by id: what the stream sends to replace what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.figures.building import SENSORS_HIDDEN, UTILITIES
from console.figures.domains import domains
from console.figures.estate import number_unsettled
from console.figures.tiles import (
    estate_power_tile,
    flow_tile,
    point_tile,
    power_tile,
    reporting_tile,
    seen_tile,
    slug,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment

    from console.figures.tiles import Tile
    from console.visit import Visit


def fragments(templates: Environment, visit: Visit, of: str) -> dict[str, str]:
    """Live pieces of ``estate``, of ``alerts`` (the badge alone) or of a building, each marked for its place."""
    template = templates.get_template("_parts.html")
    module = template.make_module({"t": visit.texts, "f": visit.formats, "now": visit.now})
    pieces = {"alert-badge": str(module.alert_badge(number_unsettled(visit), replaces=True))}  # type: ignore[attr-defined]
    for tile in _tiles(visit, of):
        pieces[tile.id] = str(module.tile(tile, replaces=True))  # type: ignore[attr-defined]
    return pieces


def _tiles(visit: Visit, of: str) -> Iterator[Tile]:
    if of == "estate":
        yield from _estate_tiles(visit)
    elif of in visit.catalogue.building:
        yield from _building_tiles(visit, of)


def _estate_tiles(visit: Visit) -> Iterator[Tile]:
    yield estate_power_tile(visit)
    yield reporting_tile(visit)
    for building in visit.catalogue.buildings:
        if visit.catalogue.meters_of(building.id):
            yield power_tile(visit, building)
            yield seen_tile(visit, building)
    for domain in domains(visit):
        yield from (fact.tile for fact in domain.facts)


def _building_tiles(visit: Visit, building: str) -> Iterator[Tile]:
    yield seen_tile(visit, visit.catalogue.building[building])
    for utility in UTILITIES:
        heads = visit.catalogue.head_meters(building, utility)
        if heads:
            yield flow_tile(visit, slug("flow", building, utility.value), heads, utility, shows_age=True)
    for meter in visit.catalogue.meters_of(building):
        if meter.utility is None:
            points = visit.catalogue.points_of(meter.id)
            yield from (point_tile(visit, p) for p in points if p.quantity not in SENSORS_HIDDEN)
        elif meter.role != "head":
            yield flow_tile(visit, slug("meter", meter.id), [meter], meter.utility)
