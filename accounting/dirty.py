"""Which counters must be computed again, over which time, when the estate's dated facts change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from accounting.local_time import SECOND_MS, day_number, midnight_ms
from facility.errors import ConfigError, Problem
from facility.factors import co2_factors
from facility.ledger.installation import BEGINNING
from facility.wall_time import shown_instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.catalogue import Catalogue
    from facility.ledger.installation import Installation
    from facility.model import Meter, Price
    from facility.quantities import Utility
    from facility.tariff import Tariff


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
    found = (_by_ledger, _by_place, _by_notices, _by_tariffs, _by_factors)
    return [dirty for find in found for dirty in find(before, after)]


def dirty_meter(estate: Catalogue, meter: str, first: datetime, end: datetime | None) -> Dirty:
    """A stretch of a meter that a person wants computed again. Raises ``ConfigError`` that names the wrong field."""
    points = _counters(estate, meter)
    if not points:
        allowed = ", ".join(dict.fromkeys(point.meter for point in estate.counters))
        raise ConfigError(Problem("meter", f"'{meter}' has no counter", allowed))
    zone = ZoneInfo(estate.site.timezone)
    since = shown_instant(first, zone)
    if end is not None and end <= first:
        raise ConfigError(Problem("end", f"{shown_instant(end, zone)} does not come after {since}"))
    return Dirty(points, first, end, f"{meter} from {since}")


def _calendar(estate: Catalogue) -> tuple[object, ...]:
    site = estate.site
    return (site.timezone, site.holiday_country, site.holiday_subdivision, site.holiday_shift_days)


def _counters(estate: Catalogue, meter: str) -> tuple[str, ...]:
    return tuple(point.id for point in estate.points_of(meter) if point.quantity.is_counter)


def _by_ledger(before: Catalogue, after: Catalogue) -> Iterable[Dirty]:
    for meter in after.meters:
        was, points = before.meter.get(meter.id), _counters(after, meter.id)
        if was is None or not points:
            continue
        if was.most_per_hour != meter.most_per_hour:
            yield Dirty(points, BEGINNING, None, f"{meter.id}: what its feeder can deliver changed")
        old, new = _entries(was, before), _entries(meter, after)
        changed = sorted(one.since for one in old ^ new)
        if changed:
            later = [one.since for one in old & new if one.since > changed[-1]]
            yield Dirty(points, changed[0], min(later, default=None), f"{meter.id}: the ledger changed")


def _entries(meter: Meter, estate: Catalogue) -> set[Installation]:
    return set(map(_figures, estate.ledger_of(meter)))


def _figures(one: Installation) -> Installation:
    """An entry without what no figure follows from."""
    return replace(one, serial="", photo="", reason="", by="")


def _by_place(before: Catalogue, after: Catalogue) -> Iterable[Dirty]:
    """Meters that count for another building, as another part of it, or as another utility: those sums with them."""
    for meter in after.meters:
        was = before.meter.get(meter.id)
        if was is None:
            continue
        if _place(was) == _place(meter):
            if was.enduse != meter.enduse and (points := _counters(after, meter.id)):
                yield Dirty(points, BEGINNING, None, f"{meter.id}: end use changed")
            continue
        beside = [
            point
            for one in (was, meter)
            if one.utility is not None
            for head in after.head_meters(one.building, one.utility)
            for point in _counters(after, head.id)
        ]
        points = tuple(dict.fromkeys([*_counters(after, meter.id), *beside]))
        if points:
            yield Dirty(points, BEGINNING, None, f"{meter.id}: building, role or utility changed")


def _place(meter: Meter) -> tuple[object, ...]:
    return meter.building, meter.role, meter.utility


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


def _by_factors(before: Catalogue, after: Catalogue) -> Iterable[Dirty]:
    old, new = ({*co2_factors(estate.site.co2, estate.site.factor_sets)} for estate in (before, after))
    counted = (one for one in old ^ new if one.carrier.utility)
    for one in sorted(counted, key=lambda factor: factor.valid_from):
        points = tuple(p.id for p in after.counters if after.meter[p.meter].utility is one.carrier.utility)
        later = [o.valid_from for o in old & new if o.carrier is one.carrier and o.valid_from > one.valid_from]
        end = _midnight(min(later), after.site.timezone) if later else None
        if points:
            first = _midnight(one.valid_from, after.site.timezone)
            yield Dirty(points, first, end, f"the CO2 factor of {one.carrier} from {one.valid_from} changed")


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
    here = ZoneInfo(zone)
    return datetime.fromtimestamp(midnight_ms(day_number(day), here) / SECOND_MS, here)
