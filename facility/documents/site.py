"""An estate's text, site.yaml, to the estate itself, checked against the device profiles."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from facility.catalogue import Catalogue
from facility.documents.factors import read_co2, read_typical_use
from facility.documents.ledger import read_installations
from facility.documents.part import parse
from facility.documents.site_buses import check_devices, read_agents
from facility.documents.site_figures import check_figures
from facility.documents.site_points import is_read_by_hand, read_points, read_totals
from facility.documents.site_schema import SiteDocument
from facility.documents.stated import read_factor_sets, read_stated
from facility.documents.tariff import read_tariffs
from facility.ledger.installation import present_facts
from facility.model import (
    READ_EVERY_DAYS,
    Building,
    Closure,
    DayHours,
    Department,
    Meter,
    MeterRole,
    Notice,
    Point,
    Price,
    Site,
    Space,
)
from facility.quantities import Utility
from facility.tariff import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from facility.documents.part import Document, Place
    from facility.documents.site_schema import BuildingPart, MeterPart, SitePart
    from facility.ledger.installation import Installation
    from facility.profile import DeviceProfile
    from facility.tariff import Tariff


_REACHED_BY = ("profile", "agent", "bus", "unit")
_HOW_READ = "profile, agent, bus and unit; or none of them, where people read the meter"

ALLOWED_HOURS = "two local times, such as 08:00-18:00; all day long is 00:00-23:59"


def load_site(
    text: str,
    name: str,
    profiles: Mapping[str, DeviceProfile],
    *,
    reader: Literal["anybody", "agent", "registry"] = "anybody",
) -> Catalogue:
    """Read an estate. Raises ``ConfigError`` with every problem: file, line, what, and what is allowed.

    An agent takes the names of devices as they are written, and leaves out those that can be in no topic: one wrong
    name, which a version before let pass, must not keep all others from being read. The registry takes no estate of
    which figures would be left out.
    """
    return read_estate(parse(text, name), profiles, reader=reader)


def read_estate(
    document: Document, profiles: Mapping[str, DeviceProfile], *, reader: Literal["anybody", "agent", "registry"]
) -> Catalogue:
    """The estate that a document stands for, wherever it was written: see ``load_site``."""
    body = document.validate(SiteDocument)
    _check_zone(document, body.site.timezone)
    _check_unique(document, "departments", (d.id for d in body.departments))
    _check_unique(document, "buildings", (b.id for b in body.buildings))
    _check_unique(document, "agents", (a.id for a in body.agents))
    _check_unique(document, "meters", (m.id for m in body.meters))
    spaces = _spaces(document, body)
    buildings = tuple(_building(document, i, part, body) for i, part in enumerate(body.buildings))
    for i, agent in enumerate(body.agents):
        _check_unique(document, "buses", (b.id for b in agent.buses), ("agents", i))
    agents = read_agents(document, body)
    check_devices(document, body, profiles, names="as_written" if reader == "agent" else "checked")
    tariffs = read_tariffs(document, body)
    co2, typical_use = read_co2(document, body.site), read_typical_use(document, body.site)
    factor_sets, stated = read_factor_sets(document, body.site), read_stated(document, body)
    _check_notices(document, body.site)
    meters: list[Meter] = []
    points: list[list[Point]] = []
    ledger: list[Installation] = []
    for i, part in enumerate(body.meters):
        _check_meter(document, i, part, body, spaces)
        if not is_read_by_hand(part):
            _check_reached(document, i, part, body, profiles)
        installations = read_installations(document, i, part, body.site.timezone)
        meters.append(_meter(part, installations))
        points.append(read_points(document, i, part, profiles.get(part.profile), body.site.custodian))
        _check_unique(document, "points", (p.id for p in points[-1]), ("meters", i))
        ledger.extend(installations)
    if reader == "registry":
        check_figures(document, body, points)
    document.check()
    return Catalogue(
        site=replace(_site(body.site, tariffs), co2=co2, typical_use=typical_use, factor_sets=factor_sets),
        departments=tuple(Department(d.id, d.name.name(), d.cost_centre) for d in body.departments),
        buildings=buildings,
        spaces=tuple(spaces.values()),
        agents=agents,
        meters=tuple(meters),
        points=tuple(point for own in points for point in own),
        installations=tuple(ledger),
        stated=stated,
    )


def _site(part: SitePart, tariffs: tuple[Tariff, ...]) -> Site:
    holidays = part.holidays
    return Site(
        id=part.id,
        name=part.name.name(),
        timezone=part.timezone,
        currency=part.currency,
        holiday_country=holidays.country,
        holiday_subdivision=holidays.subdivision,
        holiday_shift_days=holidays.shift_days,
        closures=tuple(Closure(c.first, c.last, c.name) for c in holidays.closures),
        prices=tuple(Price(p.utility, p.per_unit, p.valid_from, p.basis) for p in part.prices),
        banner=part.banner.name() if part.banner else None,
        custodian=part.custodian.strip(),
        tariffs=tariffs,
        notices=tuple(Notice(n.year, n.basis, tuple(n.workdays), tuple(n.days_off)) for n in holidays.notices),
    )


def _check_notices(document: Document, part: SitePart) -> None:
    """Report days of another year and years told twice."""
    years = [notice.year for notice in part.holidays.notices]
    for i, notice in enumerate(part.holidays.notices):
        place: Place = ("site", "holidays", "notices", i)
        if notice.year in years[:i]:
            document.report((*place, "year"), f"the year {notice.year} is told twice")
        for name, days in (("workdays", notice.workdays), ("days_off", notice.days_off)):
            for j, day in enumerate(days):
                if day.year != notice.year:
                    document.report((*place, name, j), f"{day} is not in {notice.year}")
        for day in sorted(set(notice.workdays) & set(notice.days_off)):
            document.report((*place, "workdays"), f"{day} is both worked and off")


def _check_zone(document: Document, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is no zone
        document.report(("site", "timezone"), f"unknown time zone '{zone}'", "an IANA name such as Asia/Shanghai")


def _check_unique(document: Document, part: str, ids: Iterable[str], root: Place = ()) -> None:
    seen: set[str] = set()
    for i, one in enumerate(ids):
        if one in seen:
            document.report((*root, part, i, "id"), f"duplicate id '{one}' in {part}")
        seen.add(one)


def _spaces(document: Document, body: SiteDocument) -> dict[str, Space]:
    spaces: dict[str, Space] = {}
    for i, building in enumerate(body.buildings):
        for j, part in enumerate(building.spaces):
            if part.id in spaces:
                document.report(("buildings", i, "spaces", j, "id"), f"duplicate id '{part.id}' in spaces")
            spaces[part.id] = Space(part.id, building.id, part.name.name(), part.kind)
    return spaces


def _building(document: Document, i: int, part: BuildingPart, body: SiteDocument) -> Building:
    departments = [d.id for d in body.departments]
    if part.department and part.department not in departments:
        document.report(("buildings", i, "department"), f"unknown department '{part.department}'", departments)
    opening, armed = _hours(document, i, "hours", part.hours), _hours(document, i, "armed", part.armed)
    totals = read_totals(document, i, part, body.site.custodian)
    return Building(part.id, part.name.name(), part.department, part.use, part.floor_area_m2, opening, armed, totals)


def _hours(document: Document, building: int, kind: str, hours: dict[str, str]) -> dict[int, DayHours]:
    """``{"mon-fri": "08:00-18:00"}`` → hours by weekday; armed hours run over midnight, ``fri-mon`` over Sunday."""
    opening: dict[int, DayHours] = {}
    for days, span in hours.items():
        place: Place = ("buildings", building, kind, days)
        first, _, last = days.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            document.report(place, f"unknown days '{days}'", f"{', '.join(WEEKDAYS)} or a range such as mon-fri")
            continue
        day_hours = _day_hours(span)
        if day_hours is None:
            document.report(place, f"'{span}' is not a span of hours", ALLOWED_HOURS)
            continue
        if day_hours.end <= day_hours.start and kind == "hours":
            document.report(place, f"'{span}' ends before it starts", ALLOWED_HOURS)
            continue
        begin = WEEKDAYS.index(first)
        for i in range((WEEKDAYS.index(last or first) - begin) % len(WEEKDAYS) + 1):
            opening[(begin + i) % len(WEEKDAYS)] = day_hours
    return opening


def _day_hours(span: str) -> DayHours | None:
    """Local hours from ``08:00-18:00``; None for what is none, hours of another zone among them."""
    begin, _, end = span.partition("-")
    try:
        start, end_time = dt.time.fromisoformat(begin), dt.time.fromisoformat(end)
    except ValueError:
        return None
    return DayHours(start, end_time) if start.tzinfo is None and end_time.tzinfo is None else None


def _check_meter(document: Document, i: int, part: MeterPart, body: SiteDocument, spaces: Mapping[str, Space]) -> None:
    """Report every name in a meter that stands for nothing."""
    place: Place = ("meters", i)
    buildings = [b.id for b in body.buildings]
    if part.building not in buildings:
        document.report((*place, "building"), f"unknown building '{part.building}'", buildings)
    if part.space and (part.space not in spaces or spaces[part.space].building != part.building):
        here = [s.id for s in spaces.values() if s.building == part.building]
        document.report((*place, "space"), f"unknown space '{part.space}' in {part.building}", here or "none")
    if part.role is not MeterRole.SUB and part.utility is None:
        document.report((*place, "role"), f"a {part.role} meter needs a utility", list(Utility))


def _check_reached(
    document: Document, i: int, part: MeterPart, body: SiteDocument, profiles: Mapping[str, DeviceProfile]
) -> None:
    """Report what an agent would need to read a meter."""
    place: Place = ("meters", i)
    for key in _REACHED_BY:
        is_unit_given = key == "unit" and key in part.model_fields_set  # whether it will do its protocol says, later
        if not (getattr(part, key) or is_unit_given):
            document.report(place, f"'{key}' is missing in meters.{i}", _HOW_READ)
    if part.profile and part.profile not in profiles:
        document.report((*place, "profile"), f"unknown profile '{part.profile}'", sorted(profiles))
    if part.read_every_days is not None:
        document.report((*place, "read_every_days"), "an agent reads this meter", "poll_s")
    agents = {a.id: a for a in body.agents}
    if part.agent and part.agent not in agents:
        document.report((*place, "agent"), f"unknown agent '{part.agent}'", agents or "none")
    elif part.agent and part.bus and part.bus not in (buses := [b.id for b in agents[part.agent].buses]):
        document.report((*place, "bus"), f"agent {part.agent} has no bus '{part.bus}'", buses)


def _meter(part: MeterPart, installations: tuple[Installation, ...]) -> Meter:
    meter = Meter(
        id=part.id,
        name=part.name.name(),
        building=part.building,
        profile=part.profile,
        agent=part.agent,
        connection=part.bus,
        unit=part.unit,
        space=part.space,
        utility=part.utility,
        role=part.role,
        enduse=part.enduse,
        serial=part.serial,
        ct_ratio=part.ct_ratio,
        pt_ratio=part.pt_ratio,
        digits=part.digits,
        poll_s=part.poll_s,
        provenance=part.provenance,
        rolls_over_at=part.rolls_over_at,
        most_per_hour=part.most_per_hour,
        shares_device=part.shares_device,
        read_every_days=None if part.agent else part.read_every_days or READ_EVERY_DAYS,
    )
    return present_facts(meter, installations) if installations else meter
