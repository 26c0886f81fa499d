"""The live pieces of a page as HTML, by id: what the stream sends to replace what stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.figures.building import SENSORS_HIDDEN, UTILITIES
from console.figures.domains import domains
from console.figures.estate import number_unsettled
from console.figures.heard import heard_everywhere, heard_in
from console.figures.tiles import (
    Tile,
    estate_power_tile,
    flow_tile,
    point_tile,
    power_tile,
    reporting_tile,
    seen_tile,
    slug,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jinja2 import Environment

    from console.visit import Visit


@dataclass(frozen=True, slots=True)
class Piece:
    """A live piece as it stands on pages: what it says, as HTML, and in which round that changed last."""

    said: Tile | int
    html: str
    round: int

    def still_says(self, said: Tile | int) -> bool:
        """Whether a page that shows this need not be sent what is said now."""
        return (
            said.is_as_shown(self.said) if isinstance(said, Tile) and isinstance(self.said, Tile) else said == self.said
        )


def renew(
    templates: Environment, visit: Visit, of: str, pieces: Mapping[str, Piece], round_number: int
) -> dict[str, Piece]:
    """The live pieces of ``estate``, of ``alerts`` (the badge alone) or of a building, each marked for its place.

    Those of ``pieces`` that still say what is so are taken over as they are; the others are of this round.
    """
    template = templates.get_template("_parts.html")
    module: Any = template.make_module({"t": visit.texts, "f": visit.formats, "now": visit.now})
    made: dict[str, Piece] = {}

    def put(name: str, said: Tile | int, macro: Callable[..., object]) -> None:
        known = pieces.get(name)
        is_known = known is not None and known.still_says(said)
        made[name] = known if known and is_known else Piece(said, str(macro(said, replaces=True)), round_number)

    put("alert-badge", number_unsettled(visit), module.alert_badge)
    for tile in _tiles(visit, of):
        put(tile.id, tile, module.tile)
    return made


def _tiles(visit: Visit, of: str) -> Iterator[Tile]:
    if of == "estate":
        yield from _estate_tiles(visit)
    elif of in visit.catalogue.building:
        yield from _building_tiles(visit, of)


def _estate_tiles(visit: Visit) -> Iterator[Tile]:
    yield estate_power_tile(visit)
    heard = heard_everywhere(visit)
    yield reporting_tile(visit, heard.values())
    for name, one in heard.items():
        yield power_tile(visit, visit.catalogue.building[name])
        yield seen_tile(visit, visit.catalogue.building[name], one)
    for domain in domains(visit):
        yield from (fact.tile for fact in domain.facts)


def _building_tiles(visit: Visit, building: str) -> Iterator[Tile]:
    heard = heard_in(visit.catalogue, building, visit.picture, visit.now_ms)
    yield seen_tile(visit, visit.catalogue.building[building], heard)
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
