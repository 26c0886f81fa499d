"""An estate back to site.yaml text, such that loading it again gives the same estate."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from facility.documents.stated_export import factor_set_tree, stated_trees
from facility.errors import ConfigError, Problem
from facility.model import TOTAL, Meter, MeterRole, Provenance
from facility.tariff import WEEKDAYS

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.ledger.installation import Installation
    from facility.model import Building, DayHours, Name, Point, Site
    from facility.tariff import Tariff, TariffRule

Tree = dict[str, Any]


def dump_site(catalogue: Catalogue) -> str:
    """The estate as site.yaml text."""
    yaml, out = YAML(), io.StringIO()
    yaml.width = 120
    yaml.dump({key: value for key, value in site_tree(catalogue).items() if value or key == "buildings"}, out)
    return out.getvalue()


def site_tree(catalogue: Catalogue) -> Tree:
    """The estate as the keys and values of a site.yaml, lists and mappings anew each time."""
    return {
        "version": 1,
        "site": _site(catalogue.site),
        "departments": [
            _drop({"id": d.id, "name": _name(d.name), "cost_centre": d.cost_centre}) for d in catalogue.departments
        ],
        "buildings": [_building(catalogue, building) for building in catalogue.buildings],
        "agents": [
            {"id": a.id, "buses": [{"id": b.id, "url": b.url, "timeout_s": b.timeout_s} for b in a.buses]}
            for a in catalogue.agents
        ],
        "meters": [_meter(catalogue, meter) for meter in catalogue.meters],
        **stated_trees(catalogue.stated),
    }


def dump_part(catalogue: Catalogue, agent: str) -> str:
    """What one agent reads, as site.yaml text. Raises ``ConfigError`` for an unknown agent."""
    if agent not in catalogue.agent:
        raise ConfigError(Problem("agent", f"unknown agent '{agent}'", ", ".join(catalogue.agent) or "none"))
    part = catalogue.part_for(agent)
    ungraded = tuple(replace(one, totals={}) for one in part.buildings)
    return dump_site(replace(part, site=replace(part.site, custodian=""), buildings=ungraded))  # agents grade nothing


def _drop(tree: Tree) -> Tree:
    """Without what is empty: absent keys load as the same defaults."""
    return {key: value for key, value in tree.items() if value not in ("", None, [], {})}


def _name(name: Name) -> str | Tree:
    return {"en": name.en, "zh": name.zh} if name.zh or not name.en else name.en


def _site(site: Site) -> Tree:
    holidays = _drop(
        {
            "country": site.holiday_country,
            "subdivision": site.holiday_subdivision,
            "shift_days": site.holiday_shift_days or None,
            "closures": [_drop({"first": c.first, "last": c.last, "name": c.name}) for c in site.closures],
            "notices": [
                _drop({"year": n.year, "basis": n.basis, "workdays": list(n.workdays), "days_off": list(n.days_off)})
                for n in site.notices
            ],
        }
    )
    prices = [
        _drop({"utility": p.utility.value, "per_unit": p.per_unit, "valid_from": p.valid_from, "basis": p.basis})
        for p in site.prices
    ]
    return _drop(
        {
            "id": site.id,
            "name": _name(site.name),
            "timezone": site.timezone,
            "currency": site.currency,
            "banner": _name(site.banner) if site.banner else None,
            "custodian": site.custodian or None,
            "holidays": holidays,
            "prices": prices,
            "tariffs": [_tariff(tariff) for tariff in site.tariffs],
            "co2": [
                {**asdict(one), "utility": one.utility.value, "unit": f"kg/{one.utility.unit}"} for one in site.co2
            ],
            "typical_use": [
                {**asdict(one), "use": one.use.value, "utility": one.utility.value} for one in site.typical_use
            ],
            "factor_sets": [factor_set_tree(one) for one in site.factor_sets],
        }
    )


def _tariff(tariff: Tariff) -> Tree:
    tiers, capacity, demand = tariff.tiers, tariff.capacity, tariff.demand
    return _drop(
        {
            "id": tariff.id,
            "utility": tariff.utility.value,
            "valid_from": tariff.valid_from,
            "basis": tariff.basis,
            "buildings": list(tariff.buildings),
            "prices": {period.value: price for period, price in tariff.prices},
            "otherwise": tariff.otherwise.value if tariff.otherwise else None,
            "rules": [_rule(rule) for rule in tariff.rules],
            "tiers": {"cycle": tiers.cycle, "steps": [{"above": s.above, "plus": s.plus} for s in tiers.steps]}
            if tiers
            else None,
            "capacity": {"kva": capacity.kva, "per_kva_month": capacity.per_kva_month} if capacity else None,
            "demand": _drop(asdict(demand)) if demand else None,
            "fixed_per_month": tariff.fixed_per_month or None,
        }
    )


def _rule(rule: TariffRule) -> Tree:
    return _drop(
        {
            "period": rule.period.value,
            "slots": [f"{_clock(start)}-{_clock(end)}" for start, end in rule.slots],
            "dates": [f"{a:02}-{b:02}..{c:02}-{d:02}" for (a, b), (c, d) in rule.dates],
            "days": sorted(rule.days),
        }
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _installation(one: Installation) -> Tree:
    """One entry of a meter's ledger; times are written in UTC."""
    return _drop(
        {
            "since": one.since,
            "serial": one.serial,
            "digits": one.digits,
            "rolls_over_at": one.rolls_over_at,
            "ct_ratio": None if one.ct_ratio == 1 else one.ct_ratio,
            "pt_ratio": None if one.pt_ratio == 1 else one.pt_ratio,
            "told_ct_ratio": one.told_ct_ratio,
            "told_pt_ratio": one.told_pt_ratio,
            "opening": one.opening,
            "closing": one.closing,
            "continues": one.continues or None,
            "photo": one.photo,
            "reason": one.reason,
            "by": one.by,
        }
    )


def _building(catalogue: Catalogue, building: Building) -> Tree:
    spaces = [{"id": s.id, "name": _name(s.name), "kind": s.kind.value} for s in catalogue.spaces_of(building.id)]
    return _drop(
        {
            "id": building.id,
            "name": _name(building.name),
            "department": building.department,
            "use": building.use,
            "floor_area_m2": building.floor_area_m2,
            "hours": _hours(building.hours),
            "armed": _hours(building.armed),
            "totals": {utility.value: level.word for utility, level in building.totals.items()},
            "spaces": spaces,
        }
    )


def _hours(hours: dict[int, DayHours]) -> dict[str, str]:
    """Neighbouring weekdays with the same hours become one range."""
    spans = {}
    for opening, days in groupby(sorted(hours), key=lambda weekday: (hours[weekday].start, hours[weekday].end)):
        run = list(days)
        for first, last in _unbroken(run):
            key = WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"
            spans[key] = "-".join(at.isoformat("minutes") for at in opening)
    return spans


def _unbroken(days: list[int]) -> list[tuple[int, int]]:
    """``[0, 1, 3]`` → ``[(0, 1), (3, 3)]``."""
    runs: list[tuple[int, int]] = []
    for day in days:
        if runs and runs[-1][1] == day - 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _meter(catalogue: Catalogue, meter: Meter) -> Tree:
    """A meter with all its points written out: an export does not depend on a profile's defaults."""
    ledger = [_installation(one) for one in catalogue.installations_of(meter.id)]
    device: Tree = {
        "serial": meter.serial,
        "ct_ratio": None if meter.ct_ratio == 1 else meter.ct_ratio,
        "pt_ratio": None if meter.pt_ratio == 1 else meter.pt_ratio,
        "digits": meter.digits,
        "rolls_over_at": meter.rolls_over_at,
    }
    tree: Tree = {
        "id": meter.id,
        "name": _name(meter.name),
        "building": meter.building,
        "space": meter.space,
        "profile": meter.profile,
        "agent": meter.agent,
        "bus": meter.connection,
        "unit": meter.unit,
        "utility": meter.utility.value if meter.utility else None,
        "role": None if meter.role is MeterRole.SUB else meter.role.value,
        "enduse": None if meter.enduse == TOTAL else meter.enduse,
        **({"installations": ledger} if ledger else device),
        "most_per_hour": meter.most_per_hour,
        "shares_device": meter.shares_device or None,
        "poll_s": meter.poll_s if meter.agent else None,
        "read_every_days": meter.read_every_days,
        "provenance": None if meter.provenance is Provenance.METERED else meter.provenance.value,
        "points": [_point(point) for point in catalogue.points_of(meter.id)],
    }
    return _drop(tree)


def _point(point: Point) -> Tree:
    return _drop(
        {
            "quantity": point.quantity.word,
            "channel": None if point.channel == TOTAL else point.channel,
            "level": point.level.word if point.level else None,
            "low": point.low,
            "high": point.high,
        }
    )
