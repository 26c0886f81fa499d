"""Indicators of departments: what they bear of buildings' use, day by day, over what is stated of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from rigs.billed_hall import estate, steady, stored

from accounting.local_time import HOUR_MS
from facility.errors import ConfigError
from facility.factors import Carrier, FactorSet
from facility.model import Department, Meter, MeterRole, Name, Point
from facility.quantities import Quantity, Utility
from facility.remark import RemarkKind
from facility.stated import (
    AllocationRule,
    Figure,
    FigureKind,
    Indicator,
    Member,
    Membership,
    Quota,
    RestBy,
    Stated,
    VehicleFuel,
)
from reports.indicators import make_indicators

SINCE = date(2020, 1, 1)
MAIN, SUB = "main/energy_import/total", "floor/energy_import/total"
COAL = FactorSet("coal", SINCE, "GB/T 2589", ((Carrier.ELECTRICITY, 0.1), (Carrier.DIESEL, 1.5)))
AREAS = [
    Figure(FigureKind.FLOOR_AREA, value, SINCE, "plan", "hall", name)
    for name, value in (("archive", 100.0), ("office", 300.0))
]
PERSONS = [
    Figure(FigureKind.PERSONS, value, SINCE, "list", "hall", name)
    for name, value in (("archive", 4.0), ("office", 16.0))
]
RULE = AllocationRule("hall", SINCE, "deal", RestBy.AREA, (("archive", None), ("office", None)), ("floor",))
OWN_METER = Membership(Member.METER, "floor", SINCE, "archive")


def hall(
    *,
    memberships=(OWN_METER,),
    allocations=(RULE,),
    figures=(*AREAS, *PERSONS),
    fuel=(),
    quotas=(),
    sets=(COAL,),
    owner="",
):
    """A hall that archive and office share; the archive's floor has a meter. The office's desk stands below it."""
    plain = estate()
    floor = Meter("floor", Name("Floor"), "hall", "p", "a", "bus", "2", utility=Utility.ELECTRICITY, role=MeterRole.SUB)
    return replace(
        plain,
        site=replace(plain.site, factor_sets=sets),
        departments=tuple(Department(name, Name(name.title())) for name in ("archive", "office", "desk")),
        buildings=(replace(plain.buildings[0], department=owner),),
        meters=(*plain.meters, floor),
        points=(*plain.points, Point("floor", Quantity.ENERGY_IMPORT)),
        stated=Stated(tuple(figures), tuple(fuel), tuple(quotas), tuple(memberships), tuple(allocations)),
    )


def october(catalogue, floor=None):
    return stored(catalogue, steady(), floor or steady(per_hour=4.0), points=(MAIN, SUB))


def report(catalogue, store=None, **more):
    return make_indicators(store or october(catalogue), catalogue, "2026-10", 1, **more)


def quantity(found):
    (line,) = [one for one in found.lines if not one.for_vehicles]
    return line.quantity


def value(found, indicator):
    return {one.indicator: one.value for one in found.indicators}[indicator]


def test_departments_have_what_they_bear_and_together_what_the_building_has():
    catalogue = hall()
    store = october(catalogue)
    archive, office, both = (
        report(catalogue, store, building="hall", department=name) for name in ("archive", "office", "")
    )
    assert quantity(archive) == Decimal("2976.000") + Decimal("1488.000"), "its floor, and a quarter of the rest"
    assert quantity(office) == Decimal("4464.000")
    assert quantity(archive) + quantity(office) == quantity(both)
    assert value(archive, Indicator.ENERGY_PER_M2) == Decimal("4.464")
    assert value(archive, Indicator.ENERGY_PER_PERSON) == Decimal("111.600")
    assert value(office, Indicator.ELECTRICITY_PER_PERSON) == Decimal("279.000")
    assert report(catalogue, store, department="office") == replace(office, building="")
    assert (archive.department, both.department) == ("archive", "")


def test_a_department_has_what_those_below_it_bear_and_fuel_of_its_own_vehicles():
    below = Membership(Member.DEPARTMENT, "archive", SINCE, "office")
    fuel = [VehicleFuel(Carrier.DIESEL, 10.0, "2026-10", "card", "", name) for name in ("archive", "office", "desk")]
    catalogue = hall(memberships=(OWN_METER, below), fuel=fuel)
    found = report(catalogue, department="office")
    assert quantity(found) == Decimal("8928.000")
    assert found.vehicles_kgce == Decimal(20) * Decimal("1.5")
    assert value(found, Indicator.ELECTRICITY_PER_M2) == Decimal("22.320"), "both their areas"


def test_a_building_that_one_department_has_counts_whole_from_the_day_it_came_to_it():
    moved = Membership(Member.BUILDING, "hall", date(2026, 10, 11), "office")
    figures = [Figure(FigureKind.PERSONS, 31.0, SINCE, "list", "hall")]
    catalogue = hall(memberships=(moved,), allocations=(), figures=figures, owner="archive")
    store = october(catalogue)
    archive, office, desk = (report(catalogue, store, department=name) for name in ("archive", "office", "desk"))
    assert (quantity(archive), quantity(office)) == (Decimal("2880.000"), Decimal("6048.000"))
    persons = {name: one.figures[1].value for name, one in (("archive", archive), ("office", office))}
    assert persons == {"archive": Decimal(10), "office": Decimal(21)}
    assert desk.lines == []


def test_days_on_which_nobody_is_named_leave_what_a_department_bears_unknown():
    late = replace(RULE, valid_from=date(2026, 10, 5))
    found = report(hall(allocations=(late,)), department="office")
    assert quantity(found) is None
    (why,) = [one for one in found.lacking if one.kind is RemarkKind.SHARES_NOT_KNOWN]
    assert why.params["what"] == "nobody is named in hall on 2026-10-01"


def test_a_meter_that_was_silent_leaves_what_it_shares_unknown_and_a_figure_that_is_missing_is_named():
    catalogue = hall()
    silent = report(catalogue, october(catalogue, steady(end="2026-10-20T00:00")), department="office")
    assert quantity(silent) is None
    assert RemarkKind.USE_NOT_KNOWN in {one.kind for one in silent.lacking}
    bare = hall(figures=PERSONS)
    lacks = report(bare, department="office")
    assert quantity(lacks) is None
    (why,) = [one for one in lacks.lacking if one.kind is RemarkKind.SHARES_NOT_KNOWN]
    assert "department 'archive', department 'office' has no floor_area_m2 in hall on 2026-10-01" in why.params["what"]


def test_those_who_use_energy_use_water_too_where_nobody_says_otherwise():
    plain = hall(allocations=(), owner="office")
    water = replace(plain.meter["floor"], utility=Utility.WATER, role=MeterRole.HEAD)
    points = (plain.points[0], Point("floor", Quantity.WATER_VOLUME))
    catalogue = replace(plain, meters=(plain.meter["main"], water), points=points)
    store = stored(catalogue, steady(), steady(per_hour=4.0), points=(MAIN, "floor/water_volume/total"))
    found = report(catalogue, store, building="hall")
    assert value(found, Indicator.WATER_PER_PERSON) == Decimal("148.800"), "2,976 m³ for 20 persons"
    assert [one.kind for one in found.figures].count(FigureKind.PERSONS) == 1
    own = Figure(FigureKind.WATER_PERSONS, 31.0, SINCE, "list", "hall")
    stated = replace(catalogue, stated=replace(catalogue.stated, figures=(*catalogue.stated.figures, own)))
    assert value(report(stated, store, building="hall"), Indicator.WATER_PER_PERSON) == Decimal("96.000")


def test_an_unknown_department_is_refused():
    with pytest.raises(ConfigError, match=r"unknown department 'shed' .*archive, office, desk"):
        report(hall(), department="shed")


def test_a_quota_is_not_compared_with_figures_by_another_factor_set():
    """0.1229 against 0.298: a figure that meets the one may be 2.4 times the other."""
    other = FactorSet("equal", date(2021, 1, 1), "2021", ((Carrier.ELECTRICITY, 0.3),))
    quota = Quota(Indicator.ENERGY_PER_M2, 100.0, SINCE, "rule", factor_set="coal")
    for sets, compared in (((COAL,), True), ((COAL, other), False)):
        catalogue = hall(quotas=(quota,), sets=sets)
        year = stored(
            catalogue,
            *(steady("2025-11-01T00:00", "2026-11-01T00:00", step=HOUR_MS, per_hour=x) for x in (12.0, 4.0)),
            points=(MAIN, SUB),
        )
        found = make_indicators(year, catalogue, "2025-11", 12, building="hall")
        line = next(one for one in found.indicators if one.indicator is Indicator.ENERGY_PER_M2)
        assert (line.rung is not None, line.constraint is not None) == (compared, compared)
        assert (RemarkKind.QUOTA_OF_ANOTHER_SET in {one.kind for one in found.lacking}) is not compared
