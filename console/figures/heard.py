"""Who was heard of lately: one look at every point, for all figures of a page that ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.model import READ_EVERY_DAYS
from facility.quantities import Kind

if TYPE_CHECKING:
    from console.visit import Visit
    from facility.catalogue import Catalogue
    from facility.model import Meter
    from stores.access import Picture

STALE_POLLS = 2

GRACE_S = 5.0
"""A value is stale when two polls have passed, plus the way from the meter to the page."""

DAY_S = 86_400.0

STATE_STALE_S = 2 * 3600.0
"""A contact that only reports changes still says hourly that it is there."""


@dataclass(frozen=True, slots=True)
class HeardLately:
    """Of a building's meters and sensors that have points: how many there are, of how many one heard lately.

    ``newest_ms`` is when one last heard of any; None: never.
    """

    newest_ms: int | None = None
    lately: int = 0
    present: int = 0

    @property
    def is_unheard(self) -> bool:
        """Whether nothing was heard of lately: that a building has no alerts then says nothing."""
        return self.present > 0 and not self.lately


def stale_after_s(poll_s: float) -> float:
    """Age from which a value polled every ``poll_s`` is old."""
    return STALE_POLLS * poll_s + GRACE_S


def meter_stale_after_s(meter: Meter) -> float:
    """Age from which a meter's value is old; one that people read is due then."""
    return stale_after_s(meter.poll_s) if meter.agent else (meter.read_every_days or READ_EVERY_DAYS) * DAY_S


def heard_in(catalogue: Catalogue, building: str, picture: Picture, now_ms: int) -> HeardLately:
    """A building's meters and sensors as one hears of them now; those that people read are not waited for."""
    values = picture.values
    newest_ms, lately, present = -1, 0, 0
    for meter in catalogue.meters_of(building):
        since_ms = now_ms - meter_stale_after_s(meter) * 1000
        state_since_ms = min(since_ms, now_ms - STATE_STALE_S * 1000)
        is_heard = False
        points = catalogue.points_of(meter.id)
        for point in points:
            if (latest := values.get(point.id)) is None:
                continue
            t_ms = latest.t_ms
            newest_ms = max(newest_ms, t_ms)
            is_heard |= t_ms >= (state_since_ms if point.quantity.kind is Kind.STATE else since_ms)
        if meter.agent:
            present += bool(points)
            lately += is_heard
    return HeardLately(newest_ms if newest_ms >= 0 else None, lately, present)


def heard_everywhere(visit: Visit) -> dict[str, HeardLately]:
    """Every building that has meters, by its id."""
    catalogue, picture, now_ms = visit.catalogue, visit.picture, visit.now_ms
    present = (one.id for one in catalogue.buildings if catalogue.meters_of(one.id))
    return {building: heard_in(catalogue, building, picture, now_ms) for building in present}
