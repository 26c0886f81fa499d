"""A building's month by department, and its year in indicators: on a page of its own and within the building's."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest
from rigs.billed_hall import estate, steady, stored
from rigs.serving import served
from rigs.visitor import choose

from accounting.local_time import HOUR_MS
from facility.factors import Carrier, FactorSet
from facility.levels import Level
from facility.model import Department, Name, Price
from facility.quantities import Utility
from facility.rights import Role
from facility.stated import AllocationRule, Figure, FigureKind, RestBy, Stated
from stores.access import RolePart
from stores.records.accounts.grants import Grant, Grants
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry

NOW = datetime(2026, 11, 20, tzinfo=UTC)
RULE = AllocationRule("hall", date(2025, 1, 1), "deal", RestBy.FIXED, (("archive", 1 / 3), ("office", 2 / 3)), ())


@pytest.fixture
def hall(tmp_path):
    """A hall whose bill two departments share, with persons and a factor of coal; and who looks at it."""
    plain = estate(prices=(Price(Utility.ELECTRICITY, 0.7331, date(2020, 1, 1), "price list"),))
    coal = FactorSet("coal", date(2020, 1, 1), "GB/T 2589", ((Carrier.ELECTRICITY, 0.1229),))
    shared = replace(
        plain,
        site=replace(plain.site, factor_sets=(coal,)),
        departments=(Department("archive", Name("Archive"), "7001"), Department("office", Name("Office"), "7002")),
        points=tuple(replace(point, level=Level.INTERNAL) for point in plain.points),
        stated=Stated(
            figures=(
                Figure(FigureKind.PERSONS, 24.0, date(2025, 1, 1), "list", "hall", ""),
                Figure(FigureKind.PERSONS, 8.0, date(2025, 1, 1), "list", "hall", "archive"),
                Figure(FigureKind.FLOOR_AREA, 100.0, date(2025, 1, 1), "plan", "hall", "archive"),
            ),
            allocations=(RULE,),
        ),
    )
    year = steady("2025-11-01T00:00", "2026-11-01T00:00", step=HOUR_MS)
    records = open_records(f"sqlite:///{tmp_path}/records.db")
    Registry(records).apply(shared, by="test", at=NOW)
    link = People(records).invite("Ada", NOW)
    Grants(records).give("Ada", Grant(Role.VIEWER), "test", NOW)
    with (
        served(stored(shared, year), records, lambda: NOW) as (address, _),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as client,
    ):
        client.cookies.set("meterhouse_session", People(records).redeem(link, NOW, 86_400))
        yield client
    records.dispose()


def test_the_departments_of_a_month_bear_the_buildings_bill_to_the_cent(hall):
    text = hall.get("/buildings/hall/account").text
    assert "Bill by department, 2026-10" in text, "the last whole month"
    amounts = re.findall(r'data-label="Amount">([^<]+)<', text)
    (whole,) = re.findall(r"colspan=\"3\">[^<]+</th><td class=\"right\">([^<]+)<", text)
    cents = [int(re.sub(r"[^0-9]", "", one)) for one in (*amounts, whole)]
    assert len(amounts) == 2
    assert sum(cents[:2]) == cents[2] > 0
    assert "Archive" in text
    assert "7002" in text
    assert "coal" in text
    assert "kgce/person" in text
    assert "month=2026-09" in text
    assert "month=2026-11" in text


def test_each_department_has_its_own_indicators_in_units_of_the_readers_language(hall):
    """A third of 105,120 kWh is the archive's: 35,040 kWh for 8 persons on 100 m²."""
    text = hall.get("/buildings/hall/account").text
    table = text[text.index('id="by-department"') :]
    archive = table[table.index("Archive") : table.index("Office")]
    assert re.findall(r'class="right" data-label="[^"]+">([^<]+)<', archive) == [
        "43.064 kgce/m²",
        "538.302 kgce/person",
        "–",
        "350.400 kWh/m²",
        "4,380.000 kWh/person",
    ]
    assert table.count("persons who use energy: none stated of office in hall") == 1
    choose(hall, "zh-Hans")
    chinese = hall.get("/buildings/hall/account").text
    assert "538.302 kgce/人" in chinese
    assert "43.064 kgce/m²" in chinese
    assert "/person" not in chinese
    choose(hall, "en")


def test_the_page_of_a_building_brings_it_in_and_leads_to_it(visitor):
    text = visitor.get("/buildings/office").text
    assert 'hx-get="/buildings/office/account"' in text
    assert 'href="/buildings/office/account"' in text


def test_it_speaks_chinese(visitor):
    choose(visitor, "zh-Hans")
    assert "各部门账单" in visitor.get("/buildings/office/account").text
    choose(visitor, "en")


def test_months_that_are_none_or_still_to_come_and_other_buildings_are_not_found(visitor):
    for path in (
        "office/account?month=2026-13",
        "office/account?month=x",
        "office/account?month=2099-01",
        "no/account",
    ):
        assert visitor.get(f"/buildings/{path}").status_code == 404, path


def test_who_sees_another_building_alone_finds_no_bill_of_this_one(visitor, sample):
    link = People(sample.records).invite("Far", sample.now)
    grant = Grant(Role.VIEWER, RolePart.BUILDING, "lib")
    Grants(sample.records).give("Far", grant, "test", datetime(2026, 1, 1, tzinfo=UTC))
    visitor.cookies.clear()
    visitor.cookies.set("meterhouse_session", People(sample.records).redeem(link, sample.now, 86_400))
    assert visitor.get("/buildings/lib/account").status_code == 200
    assert visitor.get("/buildings/office/account").status_code == 404
