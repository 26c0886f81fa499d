"""Standard coal, CO2, figures per area and person, and the ladder of quotas."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from rigs.billed_hall import estate

from accounting.dirty import dirty_between
from accounting.standard_coal import CarrierUse, Rung, energy_of, factor_on, per, rung_of
from accounting.stated_figures import mean_figure
from facility.factors import Carrier, FactorSet, kgce_factors
from facility.stated import Figure, FigureKind, Indicator, Quota, Stated

DAY = date(2026, 1, 1)
OLD = FactorSet("coal", date(2020, 1, 1), "older", ((Carrier.ELECTRICITY, 0.1229), (Carrier.GAS, 1.33)))
NEW = FactorSet("equal", date(2026, 7, 1), "newer", ((Carrier.ELECTRICITY, 0.298),))
LADDER = Quota(Indicator.ENERGY_PER_M2, 22.6, DAY, "DB37", 15.3, 9.4, "coal")


def stated(*figures):
    whole = estate()
    return replace(whole, stated=Stated(figures=figures))


def persons(value, since, department="", building="hall"):
    return Figure(FigureKind.PERSONS, value, date.fromisoformat(since), f"list of {since}", building, department)


@pytest.mark.parametrize(
    ("value", "rung"),
    [("22.7", Rung.ABOVE_CONSTRAINT), ("22.6", Rung.CONSTRAINT), ("20", Rung.CONSTRAINT), ("15.3", Rung.BENCHMARK),
     ("9.5", Rung.BENCHMARK), ("9.4", Rung.GUIDE)],
)  # fmt: skip
def test_a_figure_stands_on_the_best_rung_that_it_meets(value, rung):
    assert rung_of(Decimal(value), LADDER) is rung


def test_a_ladder_without_a_middle_rung_has_two():
    two = replace(LADDER, benchmark=None)
    assert rung_of(Decimal(16), two) is Rung.CONSTRAINT
    assert rung_of(Decimal(9), two) is Rung.GUIDE


def test_what_a_newer_set_does_not_state_the_older_one_tells():
    factors = kgce_factors((NEW, OLD))
    assert factor_on(factors, Carrier.ELECTRICITY, date(2026, 6, 30)).per_unit == 0.1229
    assert factor_on(factors, Carrier.ELECTRICITY, date(2026, 7, 1)).set_id == "equal"
    assert factor_on(factors, Carrier.GAS, date(2026, 7, 1)).set_id == "coal"
    assert factor_on(factors, Carrier.GAS, date(2019, 12, 31)) is None


def test_a_carrier_without_a_factor_leaves_the_total_unknown_and_water_does_not():
    coal = factor_on(kgce_factors((OLD,)), Carrier.ELECTRICITY, DAY)
    known = CarrierUse(Carrier.ELECTRICITY, Decimal(1000), coal, None)
    water = CarrierUse(Carrier.WATER, Decimal(7), None, None)
    assert energy_of([known, water]).total_kgce == Decimal("122.9000")
    assert energy_of([known, water]).water_m3 == 7
    assert energy_of([known, CarrierUse(Carrier.HEAT, Decimal(1), None, None)]).total_kgce is None
    assert per(Decimal(5), Decimal(0)) is None


def test_a_headcount_is_the_mean_of_its_days():
    found = mean_figure(
        stated(persons(100, "2026-01-01"), persons(130, "2026-01-21")),
        FigureKind.PERSONS,
        DAY,
        date(2026, 1, 31),
        "hall",
    )
    assert found.value == 110  # 20 days of 100, 10 of 130
    assert found.bases == ("list of 2026-01-01", "list of 2026-01-21")


def test_parts_add_up_unless_the_whole_is_stated():
    parts = persons(60, "2026-01-01", "a"), persons(40, "2026-01-01", "b")
    span = FigureKind.PERSONS, DAY, date(2026, 2, 1)
    assert mean_figure(stated(*parts), *span, "hall").value == 100
    assert mean_figure(stated(*parts), *span, "", "b").value == 40
    assert mean_figure(stated(*parts), *span).value == 100
    assert mean_figure(stated(*parts, persons(90, "2026-01-01")), *span, "hall").value == 90


def test_nobody_before_a_figure_begins_is_not_zero():
    found = mean_figure(
        stated(persons(60, "2026-01-01", "a"), persons(40, "2026-01-05", "b")),
        FigureKind.PERSONS,
        DAY,
        date(2026, 2, 1),
    )
    assert (found.value, found.lacks) == (None, (("b in hall", date(2026, 1, 5)),))


def test_water_is_per_person_of_all_where_no_others_are_stated():
    found = mean_figure(stated(persons(60, "2026-01-01")), FigureKind.WATER_PERSONS, DAY, date(2026, 2, 1), "hall")
    assert found.value == 60


def test_a_set_that_changes_what_use_emits_has_days_computed_again():
    before = estate()
    green = FactorSet("grid", date(2026, 5, 1), "47", (), ((Carrier.ELECTRICITY, 0.5),))
    after = replace(before, site=replace(before.site, factor_sets=(green,)))
    (dirty,) = dirty_between(before, after)
    assert (dirty.points, dirty.first.date()) == (("main/energy_import/total",), date(2026, 5, 1))
    assert not list(dirty_between(before, replace(before, site=replace(before.site, factor_sets=(OLD,)))))
