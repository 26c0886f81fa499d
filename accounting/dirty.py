"""Which counters must be computed again, over which time, when the estate's dated facts change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from facility.ledger import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.catalogue import Catalogue
    from facility.model import Meter, Price
    from facility.quantities import Utility
    from facility.tariff import Tariff

DEVICE_FACTS = ("digits", "rolls_over_at", "ct_ratio", "pt_ratio", "most_per_hour")


@dataclass(frozen=True, slots=True)
class Dirty:
    """Counters (point ids) and the time to compute again, ``end`` excluded; None: up to now."""

    points: tuple[str, ...]
    first: datetime
    end: datetime | None
    why: str


def dirty_between(before: Catalogue, after: Catalogue) -> list[Dirty]:
    """What the step from one estate to the other touches; opening hours and areas hold from now on, so nothing."""
    if _calendar(before) != _calendar(after):
        everything = tuple(point.id for point in after.counters)
        return [Dirty(everything, BEGINNING, None, "time zone or holidays changed")]
    return [*_by_ledger(before, after), *_by_notices(before, after), *_by_tariffs(before, after)]


def _calendar(estate: Catalogue) -> tuple[object, ...]:
    site = estate.site
    return (site.timezone, site.holiday_country, site.holiday_subdivision, site.holiday_shift_days)


def _counters(estate: Catalogue, meter: str) -> tuple[str, ...]:
    return tuple(point.id for point in estate.counters if point.meter == meter)


def _by_ledger(before: Catalogue, after: Catalogue) -> Iterable[Dirty]:
    for meter in after.meters:
        if meter.id not in before.meter or not (points := _counters(after, meter.id)):
            continue
        old = [one for one in before.installations if one.meter == meter.id]
        new = [one for one in after.installations if one.meter == meter.id]
        if not old and not new and _device(before.meter[meter.id]) != _device(meter):
            yield Dirty(points, BEGINNING, None, f"{meter.id}: the device's facts changed")
        changed = sorted(one.since for one in {*old} ^ {*new} if one.since != BEGINNING or old)
        if changed:
            later = [one.since for one in new if one in old and one.since > changed[-1]]
            yield Dirty(points, changed[0], min(later, default=None), f"{meter.id}: the ledger changed")


def _device(meter: Meter) -> tuple[object, ...]:
    return tuple(getattr(meter, fact) for fact in DEVICE_FACTS)


def _by_notices(before: Catalogue, after: Catalogue) -> Iterable[Dirty]:
    years = {notice.year for notice in {*before.site.notices} ^ {*after.site.notices}}
    closures = {*before.site.closures} ^ {*after.site.closures}
    everything, zone = tuple(point.id for point in after.counters), after.site.timezone
    for year in sorted(years):
        end = _midnight(date(year + 1, 1, 1), zone)
        yield Dirty(everything, _midnight(date(year, 1, 1), zone), end, f"the notice of {year} changed")
    for closure in sorted(closures, key=lambda one: one.first):
        end = _midnight(closure.last + timedelta(days=1), zone)
        yield Dirty(everything, _midnight(closure.first, zone), end, f"the closure from {closure.first} changed")


def _by_tariffs(before: Catalogue, after: Catalogue) -> Iterable[Dirty]:
    old: set[Tariff | Price] = {*before.site.tariffs, *before.site.prices}
    new: set[Tariff | Price] = {*after.site.tariffs, *after.site.prices}
    for one in sorted(old ^ new, key=lambda price: price.valid_from):
        points = tuple(p.id for p in after.counters if _is_priced(after, p.meter, one))
        later = [
            other.valid_from
            for other in old & new
            if other.utility is one.utility and other.valid_from > one.valid_from and _covers(other, one)
        ]
        end = _midnight(min(later), after.site.timezone) if later else None
        if points:
            yield Dirty(points, _midnight(one.valid_from, after.site.timezone), end, f"{_name(one)} changed")


def _is_priced(estate: Catalogue, meter_id: str, price: Tariff | Price) -> bool:
    meter = estate.meter[meter_id]
    named = _buildings(price)
    utility: Utility | None = meter.utility
    return utility is price.utility and (not named or meter.building in named)


def _covers(other: Tariff | Price, one: Tariff | Price) -> bool:
    """Whether a later price replaces this one wherever it held: a building's own tariff outlives the estate's."""
    named = _buildings(one)
    return set(named) <= set(_buildings(other)) if named else not _buildings(other)


def _buildings(price: Tariff | Price) -> tuple[str, ...]:
    return getattr(price, "buildings", ())


def _name(price: Tariff | Price) -> str:
    return f"tariff {getattr(price, 'id', f'of {price.utility}')} from {price.valid_from}"


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
