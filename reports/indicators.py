"""Indicators of a building or the estate over months: standard coal, CO2, per area, per person, against quotas."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal  # noqa: TC003 - the shape of an answer is read by its types
from typing import TYPE_CHECKING, Annotated

from accounting.calendars import SiteCalendar
from accounting.quotas import quotas_on
from accounting.standard_coal import CarrierUse, Rung, energy_of, per, rung_of
from accounting.stated_figures import mean_figure
from facility.errors import ConfigError, Problem
from facility.factors import Carrier
from facility.remark import Remark, RemarkKind
from facility.stated import FigureKind, Indicator
from facility.trees import Trees
from reports.carrier_use import Whose, used_by_meters, used_by_vehicles
from reports.rounding import THOUSANDTH, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from accounting.standard_coal import Energy
    from accounting.stated_figures import MeanFigure
    from facility.catalogue import Catalogue
    from facility.stated import Quota
    from stores.readings.port import ReadingStore

YEAR = 12
"""Months that a quota speaks of."""

_MONTH = re.compile(r"(19|20|21)\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class EnergyLine:
    """Use of a carrier under one pair of factors, as standard coal and as CO2."""

    carrier: Carrier
    for_vehicles: bool
    quantity: Annotated[Decimal | None, "null where it is not known as a whole"]
    unit: str
    kgce_per_unit: float | None
    factor_set: Annotated[str, "by whose factor standard coal is counted"]
    kgce: Decimal | None
    co2_per_unit: float | None
    co2_basis: Annotated[str, "the document of the CO2 factor"]
    co2_kg: Decimal | None


@dataclass(frozen=True, slots=True)
class FigureLine:
    """The daily mean of what is stated, and the documents that it rests on."""

    kind: FigureKind
    value: Decimal | None
    bases: list[str]


@dataclass(frozen=True, slots=True)
class IndicatorLine:
    """One indicator; of a year's, where it stands on the ladder of the quota in force at its end."""

    indicator: Indicator
    value: Decimal | None
    unit: str
    rung: Annotated[Rung | None, "null without a quota, for another time than a year, or where the value is unknown"]
    constraint: float | None
    benchmark: float | None
    guide: float | None
    quota_basis: str


@dataclass(frozen=True, slots=True)
class IndicatorReport:
    """Indicators over some months."""

    site: str
    building: Annotated[str, "its id; empty for the estate"]
    department: Annotated[str, "its id, with those below it; empty for all"]
    first_month: str
    months: int
    lines: list[EnergyLine]
    energy_kgce: Annotated[Decimal | None, "with the fuel of vehicles"]
    vehicles_kgce: Decimal | None
    co2_kg: Decimal | None
    water_m3: Decimal | None
    figures: list[FigureLine]
    indicators: list[IndicatorLine]
    factor_sets: Annotated[list[str], "each with the document it rests on"]
    lacking: tuple[Remark, ...]
    """What is not known or not stated."""


def make_indicators(
    store: ReadingStore,
    estate: Catalogue,
    first_month: str,
    months: int,
    *,
    building: str = "",
    department: str = "",
    vehicles_per_person: bool = True,
) -> IndicatorReport:
    """The report from what is stored. Raises ``ConfigError`` for a building, department or month that does not exist.

    A department has what it bears of buildings' use, as its bills do, and what those below it bear at the end of the
    time. ``vehicles_per_person`` says whether the fuel of vehicles is in the energy per person: that differs by scheme.
    """
    _check(estate, building, department)
    calendar = SiteCalendar(estate.site)
    names = _months(first_month, months)
    span = calendar.month_edges(names[0])[0], calendar.month_edges(names[-1])[1]
    first, end = calendar.local_date(span[0]), calendar.local_date(span[1])
    lacking: list[Remark] = []
    below = Trees(estate, end - timedelta(days=1)).departments_below(department) if department else frozenset[str]()
    whose = Whose(building, below)
    uses = [
        *used_by_meters(store, estate, calendar, span, whose, lacking),
        *used_by_vehicles(estate, calendar, names, whose),
    ]
    others = sorted(below - {department})
    means = (mean_figure(estate, kind, first, end, building, department, others) for kind in FigureKind)
    figures = [*dict.fromkeys(means)]  # those who use energy stand for those who use water, and are said once
    quotas = quotas_on(estate.stated, building, end) if months == YEAR else {}
    made = report_of(
        estate.site.id, building, (first_month, months), uses, figures, quotas, lacking,
        vehicles_per_person=vehicles_per_person,
    )  # fmt: skip
    return replace(made, department=department)


def _check(estate: Catalogue, building: str, department: str) -> None:
    if building and building not in estate.building:
        raise ConfigError(Problem("building", f"unknown building '{building}'", ", ".join(estate.building)))
    known = [one.id for one in estate.departments]
    if department and department not in known:
        raise ConfigError(Problem("department", f"unknown department '{department}'", ", ".join(known) or "none"))


def report_of(
    site: str,
    building: str,
    time: tuple[str, int],
    uses: Sequence[CarrierUse],
    figures: Sequence[MeanFigure],
    quotas: dict[Indicator, Quota],
    lacking: Sequence[Remark],
    *,
    vehicles_per_person: bool = True,
) -> IndicatorReport:
    """The report of uses and figures that are known already."""
    energy, others = energy_of(uses), [*_of_another_set(uses, quotas)]
    compared = {one: quota for one, quota in quotas.items() if one not in others}
    return IndicatorReport(
        site=site,
        building=building,
        department="",
        first_month=time[0],
        months=time[1],
        lines=[_line(one) for one in uses],
        energy_kgce=energy.total_kgce,
        vehicles_kgce=energy.vehicles_kgce,
        co2_kg=energy.co2_kg,
        water_m3=energy.water_m3,
        figures=[FigureLine(one.kind, one.value, [*one.bases]) for one in figures],
        indicators=[*_indicators(energy, figures, compared, vehicles_per_person=vehicles_per_person)],
        factor_sets=list(dict.fromkeys(_named_sets(uses))),
        lacking=(*lacking, *_lacks_of(uses, figures), *_not_compared(others, quotas)),
    )


_NEEDED = frozenset({FigureKind.FLOOR_AREA, FigureKind.PERSONS})


def _lacks_of(uses: Sequence[CarrierUse], figures: Sequence[MeanFigure]) -> Iterator[Remark]:
    unweighed = (one.carrier for one in uses if one.carrier is not Carrier.WATER and one.kgce_factor is None)
    for carrier in dict.fromkeys(unweighed):
        yield Remark(RemarkKind.FACTOR_NOT_STATED, {"carrier": carrier})
    lacks = [(one.kind, whose, day) for one in figures if one.kind in _NEEDED for whose, day in one.lacks]
    for figure, whose, day in dict.fromkeys(lacks):  # heads stand for those who use water, too
        kind = RemarkKind.FIGURE_STATED_LATE if day else RemarkKind.FIGURE_NOT_STATED
        yield Remark(kind, {"figure": figure, "whose": whose} | ({"day": day} if day else {}))


def _of_another_set(uses: Sequence[CarrierUse], quotas: dict[Indicator, Quota]) -> Iterator[Indicator]:
    """Indicators in standard coal whose quota counts by another factor than one of the uses: of 2.3 times, at times."""
    for indicator, quota in quotas.items():
        sets = {one.kgce_factor.set_id for one in uses if one.kgce_factor}
        if quota.factor_set and sets - {quota.factor_set}:
            yield indicator


def _not_compared(others: Sequence[Indicator], quotas: dict[Indicator, Quota]) -> Iterator[Remark]:
    for one in others:
        yield Remark(RemarkKind.QUOTA_OF_ANOTHER_SET, {"indicator": one, "set": quotas[one].factor_set})


def _named_sets(uses: Sequence[CarrierUse]) -> Iterator[str]:
    for one in uses:
        for factor in (one.kgce_factor, one.co2_factor):
            if factor:
                yield f"{factor.set_id} ({factor.basis})" if factor.set_id else factor.basis


def _line(one: CarrierUse) -> EnergyLine:
    kgce, co2 = one.kgce_factor, one.co2_factor
    return EnergyLine(
        one.carrier,
        one.for_vehicles,
        one.quantity,
        one.carrier.unit,
        kgce.per_unit if kgce else None,
        kgce.set_id if kgce else "",
        one.kgce,
        co2.per_unit if co2 else None,
        co2.basis if co2 else "",
        one.co2_kg,
    )


def _indicators(
    energy: Energy, figures: Sequence[MeanFigure], quotas: dict[Indicator, Quota], *, vehicles_per_person: bool
) -> Iterator[IndicatorLine]:
    stated = {one.kind: one.value for one in figures}
    area, persons = stated.get(FigureKind.FLOOR_AREA), stated.get(FigureKind.PERSONS)
    by_person = energy.total_kgce if vehicles_per_person else energy.without_vehicles_kgce
    found = {
        Indicator.ENERGY_PER_M2: (per(energy.without_vehicles_kgce, area), "kgce/m2"),
        Indicator.ENERGY_PER_PERSON: (per(by_person, persons), "kgce/person"),
        Indicator.WATER_PER_PERSON: (per(energy.water_m3, stated.get(FigureKind.WATER_PERSONS, persons)), "m3/person"),
        Indicator.ELECTRICITY_PER_M2: (per(energy.electricity_kwh, area), "kWh/m2"),
        Indicator.ELECTRICITY_PER_PERSON: (per(energy.electricity_kwh, persons), "kWh/person"),
    }
    for indicator, (value, unit) in found.items():
        quota = quotas.get(indicator)
        yield IndicatorLine(
            indicator,
            None if value is None else rounded(value, THOUSANDTH),
            unit,
            rung_of(value, quota) if quota and value is not None else None,
            quota.constraint if quota else None,
            quota.benchmark if quota else None,
            quota.guide if quota else None,
            quota.basis if quota else "",
        )


def _months(first: str, count: int) -> list[str]:
    """The names of so many months. Raises ``ConfigError`` for what is no month."""
    if not _MONTH.fullmatch(first):
        raise ConfigError(Problem("first_month", f"'{first}' is no month", "a local month, such as 2026-01"))
    begin = int(first[:4]) * YEAR + int(first[5:]) - 1
    return [f"{n // YEAR:04}-{n % YEAR + 1:02}" for n in range(begin, begin + count)]
