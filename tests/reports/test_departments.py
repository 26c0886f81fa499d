"""Bills by department: the parts add up to the building's bill to the last cent, however it is shared."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from rigs.billed_hall import EN, estate, made, ms, steady, stored

from accounting.allocation import Bearers, borne
from facility.errors import ConfigError
from facility.model import Department, Meter, MeterRole, Name, Point, Price
from facility.quantities import Quantity, Utility
from facility.stated import AllocationRule, Figure, FigureKind, Member, Membership, RestBy, Stated
from reports.bill import BILL
from reports.bill_files import bill_csv, bill_xlsx
from reports.closing import close_month
from stores.records.accounting.closed_months import Adjustment

YEAR = date(2026, 1, 1)
SUB = "floor/energy_import/total"
PRICE = Price(Utility.ELECTRICITY, 0.7331, date(2020, 1, 1), "price list")


def shared(rest, names, *, shares=None, figures=(), meters=(), more=(), since=YEAR):
    """The hall with three departments and a sub-meter of the archive."""
    hall = estate(prices=(PRICE,))
    departments = tuple(
        Department(name, Name(name.title()), f"70{i}") for i, name in enumerate(("archive", "office", "post"))
    )
    floor = Meter("floor", Name("Floor"), "hall", "p", "a", "bus", "2", utility=Utility.ELECTRICITY, role=MeterRole.SUB)
    rule = AllocationRule(
        "hall",
        since,
        "deal",
        rest,
        tuple((n, s) for n, s in zip(names, shares or [None] * len(names), strict=True)),
        meters,
    )
    belongs = (Membership(Member.METER, "floor", YEAR, "archive"),)
    return replace(
        hall,
        departments=departments,
        meters=(*hall.meters, floor),
        points=(*hall.points, Point("floor", Quantity.ENERGY_IMPORT)),
        stated=Stated(figures=tuple(figures), memberships=belongs, allocations=(rule, *more)),
    )


def figures(kind, **values):
    return [Figure(kind, value, YEAR, "list", "hall", name) for name, value in values.items()]


def bill(catalogue, books, sub_per_hour=3.0):
    store = stored(catalogue, steady(), steady(per_hour=sub_per_hour), points=("main/energy_import/total", SUB))
    return made(store, catalogue, books)


def amounts(found):
    return {one.department: one.amount for one in found.departments}


def uses(found):
    return {(d.department, x.by): x.line.quantity for d in found.departments for x in d.lines}


CASES = {
    "area": (RestBy.AREA, {"figures": figures(FigureKind.FLOOR_AREA, archive=100.0, office=200.0, post=33.0)}),
    "headcount": (RestBy.HEADCOUNT, {"figures": figures(FigureKind.PERSONS, archive=7.0, office=11.0, post=13.0)}),
    "fixed": (RestBy.FIXED, {"shares": [1 / 3, 1 / 3, 1 / 3]}),
    "meters and area": (
        RestBy.AREA,
        {"meters": ("floor",), "figures": figures(FigureKind.FLOOR_AREA, archive=1.0, office=2.0, post=4.0)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_departments_bear_adds_up_to_the_bill(books, name):
    rest, more = CASES[name]
    found = bill(shared(rest, ("archive", "office", "post"), **more), books)
    assert sum(amounts(found).values()) == found.total == Decimal("6545.12")  # 8,928 kWh at 0.7331
    assert sum(uses(found).values()) == Decimal("8928.000")
    for one in found.departments:
        assert one.amount == sum(x.line.amount for x in one.lines)
        assert all(x.line.tariff or x.line.basis for x in one.lines)
        assert all(x.meters for x in one.lines)


def test_a_department_bears_what_its_meter_counts_and_one_bears_the_remainder(books):
    found = bill(shared(RestBy.REMAINDER, ("office",), meters=("floor",)), books)
    assert uses(found) == {("archive", "meters"): Decimal("2232.000"), ("office", "remainder"): Decimal("6696.000")}
    (own,) = found.departments[0].lines
    assert (own.meters, own.allocation) == (("floor",), "deal")
    assert found.departments[1].lines[0].meters == ("main",)


def test_meters_that_count_more_than_there_was_bear_all_of_it_and_no_more():
    bearers = Bearers({"a": "x", "b": "y"}, {"z": 1.0}, "remainder", "deal")
    assert borne(bearers, 10.0, {"a": 15.0, "b": 5.0}) == {
        ("x", "meters"): 7.5,
        ("y", "meters"): 2.5,
        ("z", "remainder"): 0.0,
    }
    assert borne(bearers, 10.0, {"a": 4.0}) == {("x", "meters"): 4.0, ("y", "meters"): 0.0, ("z", "remainder"): 6.0}


def test_a_rule_that_begins_within_the_month_shares_from_its_day_on(books):
    later = AllocationRule("hall", date(2026, 10, 11), "new deal", RestBy.REMAINDER, (("post", None),))
    found = bill(shared(RestBy.REMAINDER, ("office",), more=(later,)), books)
    assert uses(found) == {("office", "remainder"): Decimal("2880.000"), ("post", "remainder"): Decimal("6048.000")}


def test_an_area_that_changes_within_the_month_shares_from_its_day_on(books):
    areas = figures(FigureKind.FLOOR_AREA, archive=100.0, office=100.0, post=0.0)
    moved = Figure(FigureKind.FLOOR_AREA, 300.0, date(2026, 10, 17), "plan", "hall", "office")
    found = bill(shared(RestBy.AREA, ("archive", "office", "post"), figures=[*areas, moved]), books)
    assert uses(found)["archive", "area"] == Decimal("3384.000")  # half of 16 days, a quarter of 15


def test_a_building_of_one_department_is_borne_by_it_as_ever_and_one_of_none_by_nobody(books):
    alone = estate(prices=(PRICE,))
    owned = replace(
        alone,
        departments=(Department("office", Name("Office")),),
        buildings=(replace(alone.buildings[0], department="office"),),
    )
    store = stored(alone, steady())
    assert amounts(made(store, owned, books)) == {"office": Decimal("6545.12")}
    assert made(store, alone, books).departments == ()


def test_a_department_without_an_area_is_named(books):
    lacking = shared(
        RestBy.AREA, ("archive", "office", "post"), figures=figures(FigureKind.FLOOR_AREA, archive=1.0, post=1.0)
    )
    with pytest.raises(ConfigError, match="department 'office' has no floor_area_m2 in hall on 2026-10-01"):
        bill(lacking, books)


def test_it_is_the_same_to_the_last_byte_when_it_is_made_again(books):
    rest, more = CASES["meters and area"]
    catalogue = shared(rest, ("archive", "office", "post"), **more)
    first, again = bill(catalogue, books), bill(catalogue, books)
    assert BILL.dump_json(first) == BILL.dump_json(again)
    assert bill_xlsx(first, EN) == bill_xlsx(again, EN)
    text = bill_csv(first, EN)
    assert text == bill_csv(again, EN)
    assert "departments,archive,Archive,700,electricity,meters,floor," in text


def test_what_a_closed_month_is_adjusted_by_reaches_departments_as_it_was_shared_then(books):
    catalogue = shared(RestBy.FIXED, ("archive", "office"), shares=[0.25, 0.75])
    store = stored(
        catalogue,
        steady(end="2026-12-01T00:00"),
        steady(end="2026-12-01T00:00"),
        points=("main/energy_import/total", SUB),
    )
    october = made(store, catalogue, books)
    close_month(october, books, based_on=0, by="li", at=datetime(2026, 11, 2, tzinfo=UTC))
    kept = made(store, catalogue, books)
    assert amounts(kept) == amounts(october)
    late = {"2026-10-05": {"qty": 100.0, "cost": 73.31}}
    found_out = datetime(2026, 11, 9, tzinfo=UTC)
    books.adjust(
        [Adjustment("hall", "electricity", "main", "energy_import", "2026-10", found_out, "late", late)], based_on=0
    )
    other = replace(
        catalogue,
        stated=replace(
            catalogue.stated, allocations=(AllocationRule("hall", YEAR, "deal", RestBy.REMAINDER, (("post", None),)),)
        ),
    )
    november = made(store, other, books, "2026-11")
    more = {d.department: [(a.quantity, a.amount) for a in d.adjustments] for d in november.departments}
    assert more == {
        "archive": [(Decimal("25.000"), Decimal("18.33"))],
        "office": [(Decimal("75.000"), Decimal("54.98"))],
        "post": [],
    }
    assert sum(amounts(november).values()) == november.total
    assert ms("2026-11-01T00:00") > 0
