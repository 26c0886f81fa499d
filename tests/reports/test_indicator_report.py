"""Indicators of what is stored, the worked example, and the codes of energy items."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from rigs.billed_hall import estate, steady, stored

from accounting.standard_coal import Rung
from facility.errors import ConfigError
from facility.factors import Carrier, FactorSet
from facility.remark import RemarkKind
from facility.stated import Figure, FigureKind, Indicator, Quota, Stated
from reports.indicators import make_indicators
from reports.item_codes import DEFAULT_DIALECT, code_table, dialects, in_dialect, item_of
from reports.worked_example import worked_example

COAL = FactorSet(
    "coal", date(2020, 1, 1), "GB/T 2589", ((Carrier.ELECTRICITY, 0.1229),), ((Carrier.ELECTRICITY, 0.5306),)
)
OTHER = FactorSet("equal", date(2026, 10, 11), "2026", ((Carrier.ELECTRICITY, 0.298),))
AREA = Figure(FigureKind.FLOOR_AREA, 1000.0, date(2020, 1, 1), "plan", "hall")
PERSONS = Figure(FigureKind.PERSONS, 50.0, date(2020, 1, 1), "list", "hall")


def stating(*sets, quotas=()):
    hall = estate()
    return replace(hall, site=replace(hall.site, factor_sets=sets), stated=Stated((AREA, PERSONS), quotas=quotas))


def values(report):
    return {one.indicator: one.value for one in report.indicators}


def test_the_worked_example_comes_out_exactly():
    report = worked_example()
    assert [one.kgce for one in report.lines] == [Decimal("147480.0"), None, Decimal("39900.0"), Decimal("2914.2")]
    assert report.energy_kgce == Decimal("190294.2")
    assert str(values(report)[Indicator.ENERGY_PER_M2]) == "9.369"
    assert str(values(report)[Indicator.ENERGY_PER_PERSON]) == "317.157"
    assert values(report)[Indicator.WATER_PER_PERSON] == Decimal("15.0")
    assert [one.co2_kg for one in report.lines][::2] == [Decimal("636720.0"), Decimal("64866.0")]
    assert not report.lacking


def test_a_month_is_told_by_the_factors_of_its_days():
    catalogue = stating(COAL, OTHER)
    report = make_indicators(stored(catalogue, steady()), catalogue, "2026-10", 1, building="hall")
    assert [(one.factor_set, one.quantity) for one in report.lines] == [
        ("coal", Decimal("2880.000")),
        ("equal", Decimal("6048.000")),
    ]
    assert report.energy_kgce == Decimal(2880) * Decimal("0.1229") + Decimal(6048) * Decimal("0.298")
    assert report.co2_kg == Decimal(8928) * Decimal("0.5306")
    assert values(report)[Indicator.ELECTRICITY_PER_M2] == Decimal("8.928")
    assert report.factor_sets == ["coal (GB/T 2589)", "equal (2026)"]


def test_a_day_that_is_not_known_leaves_figures_absent_and_is_named():
    catalogue = stating(COAL)
    report = make_indicators(stored(catalogue, steady(end="2026-10-30T00:00")), catalogue, "2026-10", 1)
    assert report.energy_kgce is None
    (lack,) = report.lacking
    assert (lack.kind, lack.params["days"], lack.params["whole"]) == (RemarkKind.USE_NOT_KNOWN, 2, 31)


def test_quotas_are_compared_with_a_year_alone():
    catalogue = stating(COAL, quotas=(Quota(Indicator.ELECTRICITY_PER_M2, 110.0, date(2026, 1, 1), "DB", 100.0, 50.0),))
    store = stored(catalogue, steady("2025-11-01T00:00", "2026-11-01T00:00", step=3_600_000))
    year = make_indicators(store, catalogue, "2025-11", 12, building="hall")
    rungs = {one.indicator: one.rung for one in year.indicators}
    assert values(year)[Indicator.ELECTRICITY_PER_M2] == Decimal("105.120")
    assert rungs[Indicator.ELECTRICITY_PER_M2] is Rung.CONSTRAINT
    month = make_indicators(store, catalogue, "2026-10", 1, building="hall")
    assert {one.rung for one in month.indicators} == {None}


@pytest.mark.parametrize(
    ("month", "building", "said"),
    [("2026-13", "hall", "'2026-13' is no month"), ("2026-10", "shed", "unknown building 'shed'")],
)
def test_a_wrong_month_or_building_is_refused(month, building, said):
    with pytest.raises(ConfigError, match=said):
        make_indicators(stored(stating(), steady()), stating(), month, 1, building=building)


def test_every_code_goes_to_each_dialect_and_back_or_is_refused_with_the_tables_name():
    there = 0
    for dialect in dialects():
        for to in dialects():
            for code, row in code_table(dialect).codes.items():
                if row.item not in {one.item for one in code_table(to).codes.values()}:
                    with pytest.raises(ConfigError, match=f"the table {to} .* has no code for '{row.item}'"):
                        in_dialect(code, dialect, to)
                    continue
                assert in_dialect(in_dialect(code, dialect, to), to, dialect) == code
                there += 1
    assert there > 300
    assert in_dialect("01D20", "laundry-second", "kitchen-second") == "01D30"


@pytest.mark.parametrize(
    ("code", "said"),
    [("01Z00", "'01Z00' is not in the table mohurd-2008"), ("1A00", "is no item code"), ("01a00", "is no item code")],
)
def test_an_unknown_code_is_refused(code, said):
    with pytest.raises(ConfigError, match=said):
        code_table(DEFAULT_DIALECT).check(code)


def test_every_meter_that_counts_has_a_valid_code():
    (main,) = estate().meters
    for meter in (main, replace(main, enduse="lighting"), replace(main, enduse="anything")):
        assert code_table(DEFAULT_DIALECT).check(code_table(DEFAULT_DIALECT).code_of(item_of(meter)))
    assert item_of(replace(main, utility=None)) is None
