"""CO2 by the factor in force, a rating by what is typical, and how many head meters a total is of."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from rigs.rollup_hall import HALL, NOW, assert_same, batch, estate, everything, fed, ms, rows, steady

from accounting.dirty import dirty_between
from analytics.rollups.closing import OpenBooks
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from facility.building_use import BuildingUse
from facility.factors import Co2Factor, TypicalUse
from facility.quantities import Utility
from stores.records.accounting.recomputations import Recomputations

POINT = "m0/energy_import/total"
FIRST = Co2Factor(Utility.ELECTRICITY, 0.5, date(2026, 3, 29), "announcement 1")
SECOND = Co2Factor(Utility.ELECTRICITY, 0.25, date(2026, 4, 1), "announcement 2")
GAS = Co2Factor(Utility.GAS, 2.1622, date(2020, 1, 1), "GB/T 32151")
READ = batch(POINT, *steady("2026-03-28T00:00", "2026-04-03T00:00", 900_000))


def emitting(*factors, heads=1):
    catalogue = estate(heads)
    return replace(catalogue, site=replace(catalogue.site, co2=factors))


def co2(store, name, tags=HALL):
    series = rows(store, name, tags)
    return dict(zip(series.t_ms.tolist(), series.fields["co2"].tolist(), strict=True))


def test_a_day_emits_by_the_factor_of_its_date_and_nothing_is_told_before_the_first():
    store = fed(emitting(FIRST, SECOND, GAS), READ)
    for name, tags in (("building_1d", HALL), ("usage_1d", {"meter": "m0"})):
        days = co2(store, name, tags)
        assert np.isnan(days[ms("2026-03-28T00:00")])
        assert days[ms("2026-03-29T00:00")] == pytest.approx(23 * 2 * 0.5)  # the clocks go forward
        assert days[ms("2026-03-31T00:00")] == pytest.approx(24 * 2 * 0.5)  # the last day of the month
        assert days[ms("2026-04-01T00:00")] == pytest.approx(24 * 2 * 0.25)
    hours = co2(store, "building_1h")
    assert (hours[ms("2026-03-31T23:00")], hours[ms("2026-04-01T00:00")]) == pytest.approx((1.0, 0.5))


def test_without_a_factor_none_is_shown():
    store = fed(emitting(GAS), READ)
    for name in ("building_1h", "building_1d"):
        assert np.isnan(list(co2(store, name).values())).all()


@pytest.mark.parametrize("after", [(), (SECOND,), (FIRST, replace(SECOND, kg_per_unit=0.3))])
def test_another_factor_or_none_gives_what_it_would_have_given_from_the_start(records, after):
    before, changed = emitting(FIRST, SECOND), emitting(*after)
    store = fed(before, READ)
    Recomputations(records).ask(dirty_between(before, changed), by="li", at=NOW, reason="another factor")
    again = Recompute(store, RollupWriter(store, changed), changed, Recomputations(records))
    while again.step(round(NOW.timestamp() * 1000)):
        pass
    assert_same(everything(store), everything(fed(changed, READ)))


class MarchClosed(OpenBooks):
    def closed(self):
        return frozenset({("hall", "2026-03")})


def test_a_closed_month_keeps_the_factor_it_was_closed_with(records):
    before, changed = emitting(FIRST, SECOND), emitting()
    store = fed(before, READ)
    Recomputations(records).ask(dirty_between(before, changed), by="li", at=NOW, reason="no factor")
    writer = RollupWriter(store, changed, MarchClosed())
    again = Recompute(store, writer, changed, Recomputations(records))
    while again.step(round(NOW.timestamp() * 1000)):
        pass
    days = co2(store, "building_1d")
    assert days[ms("2026-03-31T00:00")] == pytest.approx(12.0 * 2)
    assert np.isnan(days[ms("2026-04-01T00:00")])


def test_a_rating_of_100_is_the_use_of_a_typical_building():
    catalogue = estate()
    typical = TypicalUse(BuildingUse.OFFICE, Utility.ELECTRICITY, 35.04, "a study")
    catalogue = replace(
        catalogue,
        site=replace(catalogue.site, typical_use=(typical,)),
        buildings=(replace(catalogue.buildings[0], floor_area_m2=1000.0),),
    )
    store = fed(catalogue, batch(POINT, *steady("2025-04-01T00:00", "2026-04-02T00:00", per_hour=2.0)))
    days = rows(store, "building_1d")
    rated = dict(zip(days.t_ms.tolist(), days.fields["rating"].tolist(), strict=True))
    assert np.isnan(rated[ms("2026-03-30T00:00")])
    assert rated[ms("2026-04-01T00:00")] == pytest.approx(100 * 365 * 48 / 1000 / 35.04)
    assert rated[ms("2026-04-01T00:00")] == pytest.approx(50.0)


def test_a_total_says_of_how_many_head_meters_it_is():
    span = ("2026-04-01T00:00", "2026-04-02T00:00", 900_000)
    one, other = (batch(f"m{k}/energy_import/total", *steady(*span)) for k in (0, 1))
    silent = batch("m1/energy_import/total", *steady("2026-04-01T00:00", "2026-04-01T12:00", 900_000))
    for read, known in ((other, 2.0), (silent, 1.0)):
        store = fed(emitting(heads=2), one, read)
        hours = rows(store, "building_1h")
        assert set(hours.fields["heads"].tolist()) == {2.0}
        assert hours.fields["heads_known"].tolist()[13] == known
        day = rows(store, "building_1d")
        assert (day.fields["heads"][0], day.fields["heads_known"][0]) == (2.0, known)
