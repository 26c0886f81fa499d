"""What the first page says of the estate: a card for every building, and the whole in one line."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS, HOUR_MS
from console.figures.sparkline import Sparkline, sparkline
from console.figures.tiles import Tile, power_tile, seen_tile
from console.figures.use import NO_HOURS, ComparedUse, building_hours
from facility.model import Provenance
from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from console.figures.heard import HeardLately
    from console.visit import Visit
    from facility.model import Building, Meter
    from facility.work import Severity
    from stores.access import Unsettled


@dataclass(frozen=True, slots=True)
class Card:
    """A building at a glance. Where it ``is_unheard``, that it has no alerts says nothing.

    Where it ``is_checked``, something was put right lately, and may come back.
    """

    building: Building
    power: Tile
    seen: Tile
    today: ComparedUse
    spark: Sparkline | None
    alerts: int
    worst: Severity | None
    is_unheard: bool
    is_checked: bool
    provenance: Provenance | None


def cards(visit: Visit, heard: Mapping[str, HeardLately], unsettled: Mapping[str, Unsettled]) -> list[Card]:
    """Every building with meters (those of ``heard``): first the worst alerts, then by how far above expected."""
    start_ms = min(visit.midnight_ms(), visit.now_ms - DAY_MS - HOUR_MS)
    hours = building_hours(visit.view, Utility.ELECTRICITY, start_ms, visit.now_ms + HOUR_MS)
    checked = visit.view.cases.being_checked()
    found = []
    for building in visit.catalogue.buildings:
        if building.id not in heard:
            continue
        here = unsettled.get(building.id)
        known = hours.get(building.id, NO_HOURS)
        found.append(
            Card(
                building=building,
                power=power_tile(visit, building),
                seen=seen_tile(visit, building, heard[building.id]),
                today=known.so_far(visit.midnight_ms(), visit.now_ms),
                spark=sparkline(known, visit.now_ms - DAY_MS, visit.now_ms),
                alerts=here.number if here else 0,
                worst=here.worst if here else None,
                is_checked=building.id in checked,
                is_unheard=heard[building.id].is_unheard,
                provenance=provenance(visit.catalogue.head_meters(building.id, Utility.ELECTRICITY)),
            )
        )
    return sorted(found, key=_urgency)


def _urgency(card: Card) -> tuple[int, float]:
    over = card.today.over
    return -(card.worst or 0), -(over if math.isfinite(over) else -1.0)


def provenance(meters: Iterable[Meter]) -> Provenance | None:
    """Where the readings of some meters come from, when it is not an installed device; None otherwise."""
    kinds = Counter(meter.provenance for meter in meters if meter.provenance is not Provenance.METERED)
    return kinds.most_common(1)[0][0] if kinds else None


def number_unsettled(visit: Visit) -> int:
    """Cases that wait for a person or are in somebody's hands."""
    return total_unsettled(visit.view.cases.unsettled())


def total_unsettled(unsettled: Mapping[str, Unsettled]) -> int:
    """The same, where it is known of each building."""
    return sum(one.number for one in unsettled.values())


def whole(cards: Iterable[Card]) -> ComparedUse:
    """The estate's use today: the sum over buildings whose use and expectation are both known."""
    cards = list(cards)
    uses = [card.today for card in cards if math.isfinite(card.today.qty)]
    if not uses:
        return ComparedUse()
    both = [use for use in uses if math.isfinite(use.expected)]
    comparable = len(both) == len(uses)
    return ComparedUse(
        qty=sum(use.qty for use in uses),
        expected=sum(use.expected for use in both) if comparable else math.nan,
        cost=sum(use.cost for use in uses if math.isfinite(use.cost)),
    )
