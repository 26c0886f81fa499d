"""Reads what a site.yaml states: factor sets, figures, fuel of vehicles, quotas."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from facility.documents.memberships import read_allocations, read_memberships
from facility.documents.stated_schema import FUEL_UNITS
from facility.factors import FUELS, Carrier, FactorSet
from facility.stated import Figure, FigureKind, Indicator, Quota, Stated, VehicleFuel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from facility.documents.part import Document, Place
    from facility.documents.site_schema import SiteDocument, SitePart
    from facility.documents.stated_schema import FactorSetPart, FigurePart, QuotaPart, VehicleFuelPart

OF_COAL = frozenset({Indicator.ENERGY_PER_M2, Indicator.ENERGY_PER_PERSON})
"""Indicators that are counted in standard coal, by some document's factors."""


def read_factor_sets(document: Document, part: SitePart) -> tuple[FactorSet, ...]:
    """The sets. Reported: no factor at all, water as coal, one below zero, two factors that begin together."""
    seen: set[tuple[object, ...]] = {("co2", one.utility.value, one.valid_from) for one in part.co2}
    for i, one in enumerate(part.factor_sets):
        place: Place = ("site", "factor_sets", i)
        if not one.kgce and not one.co2:
            document.report(place, f"factor set '{one.id}' states no factor", "kgce, co2")
        for key, factors in (("kgce", one.kgce), ("co2", one.co2)):
            for carrier, per_unit in factors.items():
                _check_factor(document, (*place, key, carrier.value), key, carrier, per_unit)
                known = key, carrier.value, one.valid_from
                if known in seen:
                    what = f"two {key} factors of {carrier} both begin on {one.valid_from}"
                    document.report((*place, key, carrier.value), what, "one factor for a carrier at a time")
                seen.add(known)
    return tuple(factor_set_of(one) for one in part.factor_sets)


def _check_factor(document: Document, place: Place, key: str, carrier: Carrier, per_unit: float) -> None:
    if key == "kgce" and carrier is Carrier.WATER:
        document.report(place, "water has a kgce factor", "water is told as a volume, never added to energy")
    if not (math.isfinite(per_unit) and per_unit >= 0):
        document.report(place, f"the factor {per_unit:g} of {carrier} is below zero", "0 or more")


def factor_set_of(part: FactorSetPart) -> FactorSet:
    """The set that a part of a document states."""
    return FactorSet(part.id, part.valid_from, part.basis, tuple(part.kgce.items()), tuple(part.co2.items()))


def read_stated(document: Document, body: SiteDocument) -> Stated:
    """All that is stated; what names nothing, or is said twice, is reported with its line."""
    return Stated(
        figures=_figures(document, body),
        vehicle_fuel=_vehicle_fuel(document, body),
        quotas=_quotas(document, body),
        memberships=read_memberships(document, body),
        allocations=read_allocations(document, body),
    )


def _figures(document: Document, body: SiteDocument) -> tuple[Figure, ...]:
    _check_owners(document, body, "figures", body.figures)
    _check_once(
        document,
        "figures",
        (
            (
                f"{one.kind} of {_whose(one)} from {one.valid_from}",
                one.kind,
                one.building,
                one.department,
                one.valid_from,
            )
            for one in body.figures
        ),
    )
    for i, one in enumerate(body.figures):
        if one.kind is FigureKind.FLOOR_AREA and one.value == 0:
            document.report(("figures", i, "value"), "an area of 0 m²", "more than 0")
    return tuple(
        Figure(one.kind, one.value, one.valid_from, one.basis, one.building, one.department) for one in body.figures
    )


def _vehicle_fuel(document: Document, body: SiteDocument) -> tuple[VehicleFuel, ...]:
    _check_owners(document, body, "vehicle_fuel", body.vehicle_fuel)
    _check_once(
        document,
        "vehicle_fuel",
        (
            (f"{one.fuel} of {_whose(one)} in {one.month}", one.fuel, one.building, one.department, one.month)
            for one in body.vehicle_fuel
        ),
    )
    return tuple(
        VehicleFuel(one.fuel, _kg(document, i, one), one.month, one.basis, one.building, one.department)
        for i, one in enumerate(body.vehicle_fuel)
    )


def _kg(document: Document, i: int, part: VehicleFuelPart) -> float:
    """The fuel's weight; what cannot be weighed is reported."""
    if part.fuel not in FUELS:
        document.report(("vehicle_fuel", i, "fuel"), f"{part.fuel} is no fuel", FUELS)
    if part.unit == "L" and part.density_kg_per_l is None:
        what = f"{part.quantity:g} L of {part.fuel} cannot be weighed: 'density_kg_per_l' is missing"
        document.report(("vehicle_fuel", i, "unit"), what, "kg per litre, or the fuel in kg or t")
    if part.unit not in FUEL_UNITS:
        document.report(("vehicle_fuel", i, "unit"), f"unit '{part.unit}' does not convert to kg", FUEL_UNITS)
    factor = {"kg": 1.0, "t": 1000.0, "L": part.density_kg_per_l or 0.0}.get(part.unit, 0.0)
    return part.quantity * factor


def _quotas(document: Document, body: SiteDocument) -> tuple[Quota, ...]:
    sets = [one.id for one in body.site.factor_sets]
    _check_once(
        document,
        "quotas",
        (
            (f"{one.indicator} of {_whose(one)} from {one.valid_from}", one.indicator, one.building, one.valid_from)
            for one in body.quotas
        ),
    )
    for i, one in enumerate(body.quotas):
        if one.building and one.building not in {b.id for b in body.buildings}:
            _report_unknown(
                document, ("quotas", i, "building"), "building", one.building, [b.id for b in body.buildings]
            )
        if one.indicator in OF_COAL and one.factor_set not in sets:
            what = (
                f"a quota of {one.indicator} names no known factor set"
                if one.factor_set
                else (f"a quota of {one.indicator} names no factor set: kgce mean nothing without one")
            )
            document.report(("quotas", i, "factor_set"), what, sets or "a set of site.factor_sets")
        _check_ladder(document, i, one)
    return tuple(
        Quota(
            one.indicator,
            one.constraint,
            one.valid_from,
            one.basis,
            one.benchmark,
            one.guide,
            one.factor_set,
            one.building,
        )
        for one in body.quotas
    )


def _check_ladder(document: Document, i: int, part: QuotaPart) -> None:
    steps = [step for step in (part.constraint, part.benchmark, part.guide) if step is not None]
    if any(lower >= higher for higher, lower in pairwise(steps)):
        what = f"the ladder {' / '.join(f'{step:g}' for step in steps)} does not fall"
        document.report(("quotas", i), what, "constraint above benchmark above guide")


def _whose(part: Any) -> str:
    """The building or department that a part is about."""
    names = [name for name in (part.building, getattr(part, "department", "")) if name]
    return " in ".join(reversed(names)) or "the estate"


def _check_owners(
    document: Document, body: SiteDocument, key: str, parts: Sequence[FigurePart | VehicleFuelPart]
) -> None:
    """Report buildings and departments that do not exist."""
    known = {"building": [b.id for b in body.buildings], "department": [d.id for d in body.departments]}
    for i, part in enumerate(parts):
        for field, ids in known.items():
            name = getattr(part, field)
            if name and name not in ids:
                _report_unknown(document, (key, i, field), field, name, ids)


def _check_once(document: Document, key: str, said: Iterable[tuple[Any, ...]]) -> None:
    """Report what is said twice: each is a name for people, and what must be unique."""
    seen: set[tuple[Any, ...]] = set()
    for i, (name, *unique) in enumerate(said):
        if tuple(unique) in seen:
            document.report((key, i), f"{name} is stated twice", "one value at a time")
        seen.add(tuple(unique))


def _report_unknown(document: Document, place: Place, what: str, name: str, known: Sequence[str]) -> None:
    document.report(place, f"unknown {what} '{name}'", known or "none is there")
