"""Numbers that live: each has an id, so that the first page and the stream of changes render the same piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.figures.heard import STATE_STALE_S, meter_stale_after_s, stale_after_s
from console.figures.use import LIVE_QUANTITY, live_sum
from facility.quantities import ALARM_STATES, Kind, Utility
from wording.formats import NOTHING, Amount
from wording.names import ON, state_word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.figures.heard import HeardLately
    from console.visit import Visit
    from facility.model import Building, Meter, Point

SHOWN_LATER = 0.1
"""A figure that was read again and is the same is sent anew after such a share of the age from which it is old."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One live figure: number and unit, or a word with a tone; when it was measured; from which age on it is old."""

    id: str
    amount: Amount
    at_ms: int | None = None
    stale_after_s: float = 25.0
    tone: str = ""  # ok | watch | act | unknown: drawn as an icon beside the words
    shows_age: bool = False  # else only once it is old

    def is_stale(self, now_ms: int) -> bool:
        """Whether the figure is too old to be called live."""
        return self.at_ms is None or now_ms - self.at_ms > self.stale_after_s * 1000

    def is_as_shown(self, shown: Tile) -> bool:
        """Whether a page that shows ``shown`` is right: pages count ages themselves, and a tenth more does no harm."""
        if (self.amount, self.tone, self.stale_after_s) != (shown.amount, shown.tone, shown.stale_after_s):
            return False
        if self.at_ms is None or shown.at_ms is None:
            return self.at_ms == shown.at_ms
        return 0 <= self.at_ms - shown.at_ms < self.stale_after_s * SHOWN_LATER * 1000


def slug(*parts: str) -> str:
    """An id that is safe in HTML and in selectors."""
    return "-".join(parts).replace("/", "-")


def flow_amount(visit: Visit, utility: Utility, x: float) -> Amount:
    """What flows now, in the unit of the utility's gauge."""
    return visit.formats.reading(LIVE_QUANTITY[utility], x)


def flow_tile(
    visit: Visit, tile_id: str, meters: Iterable[Meter], utility: Utility, *, shows_age: bool = False
) -> Tile:
    """The sum of what flows through some meters now."""
    now = live_sum(visit.catalogue, meters, utility, visit.picture)
    if now is None:
        return Tile(tile_id, NOTHING, shows_age=shows_age)
    return Tile(tile_id, flow_amount(visit, utility, now.x), now.t_ms, stale_after_s(now.poll_s), shows_age=shows_age)


def point_tile(visit: Visit, point: Point, prefix: str = "point") -> Tile:
    """The newest reading of a point: a number, or a state in a word."""
    tile_id = slug(prefix, point.id)
    latest = visit.picture.values.get(point.id)
    if latest is None:
        return Tile(tile_id, NOTHING, tone="unknown" if point.quantity.kind is Kind.STATE else "", shows_age=True)
    limit_s = point_stale_after_s(visit, point)
    if point.quantity.kind is not Kind.STATE:
        return Tile(tile_id, visit.formats.reading(point.quantity, latest.x), latest.t_ms, limit_s, shows_age=True)
    word = state_word(visit.texts, point.quantity, latest.x)
    fresh_tone = "ok" if latest.x < ON else "act" if point.quantity in ALARM_STATES else "watch"
    tile = Tile(tile_id, Amount(word, ""), latest.t_ms, limit_s, fresh_tone, shows_age=True)
    return replace(tile, tone="unknown") if tile.is_stale(visit.now_ms) else tile


def point_stale_after_s(visit: Visit, point: Point) -> float:
    """Age from which a point's value is old."""
    limit_s = meter_stale_after_s(visit.catalogue.meter[point.meter])
    return max(limit_s, STATE_STALE_S) if point.quantity.kind is Kind.STATE else limit_s


def seen_tile(visit: Visit, building: Building, heard: HeardLately) -> Tile:
    """When a building was last heard of; only its age is shown."""
    limits_s = [meter_stale_after_s(meter) for meter in visit.catalogue.meters_of(building.id)]
    limit_s = min(limits_s, default=stale_after_s(10.0))
    return Tile(slug("seen", building.id), Amount("", ""), heard.newest_ms, limit_s, shows_age=True)


def power_tile(visit: Visit, building: Building) -> Tile:
    """Electric power of a building now."""
    heads = visit.catalogue.head_meters(building.id, Utility.ELECTRICITY)
    return flow_tile(visit, slug("power", building.id), heads, Utility.ELECTRICITY)


def estate_power_tile(visit: Visit) -> Tile:
    """Electric power of the whole estate now."""
    heads = [m for b in visit.catalogue.buildings for m in visit.catalogue.head_meters(b.id, Utility.ELECTRICITY)]
    return flow_tile(visit, "power-estate", heads, Utility.ELECTRICITY)


def reporting_tile(visit: Visit, heard: Iterable[HeardLately]) -> Tile:
    """``41 of 43`` meters and sensors are heard of."""
    every = list(heard)
    lately, present = sum(one.lately for one in every), sum(one.present for one in every)
    tone = "ok" if lately == present else "watch" if lately >= 0.9 * present else "act"
    return Tile("reporting", Amount(visit.texts("now.reporting_of", heard=lately, present=present), ""), tone=tone)
