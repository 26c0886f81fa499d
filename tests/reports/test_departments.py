"""Bills by department: the parts add up to the building's bill to the last cent, however it is shared."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from rigs.billed_hall import EN, LATER, estate, made, ms, steady, stored

from accounting.allocation import Bearers, borne
from accounting.spells import NoSpells
from facility.errors import ConfigError
from facility.model import Department, Meter, MeterRole, Name, Point, Price
from facility.quantities import Quantity, Utility
from facility.stated import AllocationRule, Figure, FigureKind, Member, Membership, RestBy, Stated
from reports.bill import BILL
from reports.bill_files import bill_csv, bill_xlsx
from reports.billing import BillsOfMonth, make_bill
from reports.closing import close_month, close_months
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
    days = borne(
        bearers, np.array([10.0, 10.0, 0.0]), {"a": np.array([15.0, 4.0, 3.0]), "b": np.array([5.0, 0.0, 0.0])}
    )
    assert {cell: qty.tolist() for cell, qty in days.items()} == {
        ("x", "meters"): [7.5, 4.0, 0.0],
        ("y", "meters"): [2.5, 0.0, 0.0],
        ("z", "remainder"): [0.0, 6.0, 0.0],
    }


def test_a_meter_of_another_utility_takes_nothing_from_this_one(books):
    """A rule of all utilities names the archive's water meter: its m³ are no kWh."""
    catalogue = shared(RestBy.FIXED, ("office", "post"), shares=[0.5, 0.5], meters=("floor",))
    water = replace(catalogue.meter["floor"], utility=Utility.WATER)
    catalogue = replace(
        catalogue,
        meters=(catalogue.meter["main"], water),
        points=(catalogue.points[0], Point("floor", Quantity.WATER_VOLUME)),
    )
    store = stored(
        catalogue, steady(), steady(per_hour=3.0), points=("main/energy_import/total", "floor/water_volume/total")
    )
    assert uses(made(store, catalogue, books)) == {
        ("office", "fixed"): Decimal("4464.000"),
        ("post", "fixed"): Decimal("4464.000"),
    }


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


def test_bills_made_together_are_those_made_one_by_one(books):
    """With a closed month before, an entry that adjusts it, and a building that has neither."""
    rest, more = CASES["meters and area"]
    catalogue = shared(rest, ("archive", "office", "post"), **more)
    shed = replace(catalogue.building["hall"], id="shed")
    catalogue = replace(catalogue, buildings=(*catalogue.buildings, shed))
    columns = steady(end="2026-12-01T00:00"), steady(end="2026-12-01T00:00", per_hour=3.0)
    store = stored(catalogue, *columns, points=("main/energy_import/total", SUB))
    close_month(made(store, catalogue, books), books, based_on=0, by="li", at=datetime(2026, 11, 2, tzinfo=UTC))
    entry = {"2026-10-05": {"qty": 100.0, "cost": 73.31}}
    at = datetime(2026, 11, 9, tzinfo=UTC)
    books.adjust([Adjustment("hall", "electricity", "main", "energy_import", "2026-10", at, "late", entry)], based_on=0)
    for month in ("2026-10", "2026-11"):
        together = BillsOfMonth(store, catalogue, books, NoSpells(), catalogue.building, month, now=LATER)
        for name in catalogue.building:
            alone = make_bill(store, catalogue, books, NoSpells(), name, month, now=LATER)
            assert BILL.dump_json(together.bill(name)) == BILL.dump_json(alone)
    assert together.bill("hall").adjustments


def test_months_are_closed_together_or_none_is(books):
    catalogue = shared(*CASES["fixed"][:1], ("archive", "office", "post"), **CASES["fixed"][1])
    store = stored(catalogue, steady(), points=("main/energy_import/total",))
    october, november = (made(store, catalogue, books, month) for month in ("2026-10", "2026-11"))
    at = datetime(2026, 12, 2, tzinfo=UTC)
    with pytest.raises(ConfigError, match=r"hall 2026-11 cannot be closed: .*missing") as refused:
        close_months([october, november], books, based_on=0, by="li", at=at)
    assert "--accept-missing" in str(refused.value)
    assert books.closed() == frozenset()
    closed = close_months([october, november], books, based_on=0, by="li", at=at, accept_missing="pulled down")
    assert [one.bill["accepted_missing"] for one in closed] == ["", "pulled down"]
    assert books.closed() == {("hall", "2026-10"), ("hall", "2026-11")}
    with pytest.raises(ConfigError, match=r"hall 2026-10 is closed already .*\n?.*hall 2026-11 is closed already"):
        close_months([october, november], books, based_on=0, by="li", at=at, accept_missing="again")


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
