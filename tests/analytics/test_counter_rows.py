"""A meter whose role, end use or building changes in the registry: its rows stand under the new tags alone."""

import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from rigs.influx_server import InfluxServer, make_ready
from rigs.rollup_hall import NOW, assert_same, batch, estate, everything, fed, ms, steady
from rigs.whole_view import whole_view

from accounting.calendars import SiteCalendar
from accounting.dirty import dirty_between
from accounting.local_time import DAY_MS, HOUR_MS
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from console.figures.use import meter_use
from facility.errors import StoreUnavailable
from facility.model import Building, MeterRole, Name
from facility.quantities import Utility
from reports.stored_use import read_days, read_use
from stores.counter_rows import counter_tags, one_series
from stores.readings import open_readings
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.recomputations import Recomputations

POINT, OTHER = "m0/energy_import/total", "m1/energy_import/total"
BATCHES = [
    batch(POINT, *steady("2026-03-27T00:00", "2026-04-03T06:00", per_hour=40)),
    batch(OTHER, *steady("2026-03-27T00:00", "2026-04-03T06:00", per_hour=7)),
]


def town(heads=2, **changed):
    catalogue = estate(heads)
    buildings = (*catalogue.buildings, Building("annex", Name("annex")))
    return replace(
        catalogue, buildings=buildings, meters=(replace(catalogue.meters[0], **changed), *catalogue.meters[1:])
    )


class Estate:
    """A registry for a store that asks it for nothing but the site and tags."""

    def version(self):
        return 1

    def load(self):
        return town()


@pytest.fixture(scope="module")
def server():
    with InfluxServer() as running:
        yield running


@pytest.fixture(params=["sqlite", "influxdb 1.8"])
def store(request, tmp_path):
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "readings.db")
    else:
        url = request.getfixturevalue("server").url_of(f"t{time.time_ns()}")
        make_ready(url, "town")
        opened = open_readings(url, Estate())
    yield opened
    opened.close()


def ask(records, before, after):
    Recomputations(records).ask(dirty_between(before, after), by="li", at=NOW, reason="")


def do_all(store, catalogue, records, books=None):
    again = Recompute(store, RollupWriter(store, catalogue, books), catalogue, Recomputations(records))
    while again.step(round(NOW.timestamp() * 1000)):
        pass


CHANGES = [
    {"enduse": "lighting"},
    {"role": MeterRole.SUB},
    {"building": "annex"},
    {"building": "annex", "enduse": "lift", "role": MeterRole.SUB},
]


@pytest.mark.parametrize("changed", CHANGES, ids="+".join)
@pytest.mark.parametrize("heads", [1, 2])
def test_after_a_change_the_store_is_as_if_it_had_always_been_so(store, records, heads, changed):
    before, after, batches = town(heads), town(heads, **changed), BATCHES[:heads]
    fed(before, *batches, store=store)
    ask(records, before, after)
    do_all(store, after, records)
    assert_same(everything(store), everything(fed(after, *batches)))
    do_all(store, after, records)
    assert_same(everything(store), everything(fed(after, *batches)))


def test_what_nobody_computes_again_is_taken_along(store, records):
    before, after = town(enduse="lifts"), town(enduse="lighting")
    fed(before, *BATCHES, store=store)
    older = counter_tags(before, before.point[POINT])
    now_ms = round(NOW.timestamp() * 1000)
    t_ms = np.array([ms("2026-03-28T05:00"), ms("2026-04-01T05:00"), now_ms // HOUR_MS * HOUR_MS + 2 * DAY_MS])
    columns = {"expected": np.array([1.0, 2.0, 3.0]), "lo": np.array([0.5, np.nan, 2.5])}
    store.write_rollup("baseline_1h", [RollupSeries(older, t_ms, columns)])
    late = RollupSeries(older, t_ms[2:] - 2 * DAY_MS, {"qty": np.array([5.0])})
    store.write_rollup("usage_1h", [late])  # by an analytics that had not heard of the change
    ask(records, before, after)
    do_all(store, after, records)
    (band,) = store.read_rollup("baseline_1h", {"meter": "m0"}, 0, 10**13)
    assert band.tags == counter_tags(after, after.point[POINT])
    assert band.t_ms.tolist() == t_ms.tolist()
    assert band.fields["expected"].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(band.fields["lo"]).tolist() == [False, True, False]
    (use,) = store.read_rollup("usage_1h", {"meter": "m0"}, 0, 10**13, ["qty"])
    assert (use.tags["enduse"], use.fields["qty"][-1]) == ("lighting", 5.0)


class DyingStore(MemoryStore):
    """Goes away at the n-th deletion."""

    left = 10**9

    def delete_rollup(self, name, tags, start_ms, end_ms):
        self.left -= 1
        if self.left == 0:
            raise StoreUnavailable("gone")
        super().delete_rollup(name, tags, start_ms, end_ms)


@pytest.mark.parametrize("at", range(1, 9))
def test_cut_short_anywhere_it_is_done_again_and_nothing_is_lost(records, at):
    before, after = town(1), town(1, building="annex")
    store = fed(before, *BATCHES[:1], store=DyingStore())
    ask(records, before, after)
    store.left = at
    with pytest.raises(StoreUnavailable):
        do_all(store, after, records)
    do_all(store, after, records)
    assert_same(everything(store), everything(fed(after, *BATCHES[:1])))


def test_rows_of_a_closed_month_stay_as_they_were_and_are_adjusted_for_nothing(records):
    before, after, books = town(), town(role=MeterRole.SUB, enduse="lighting"), ClosedMonths(records)
    store = fed(before, *BATCHES)
    books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
    first = ms("2026-04-01T00:00")
    march = store.read_rollup("usage_1h", {}, 0, first)
    ask(records, before, after)
    do_all(store, after, records, books)
    kept = store.read_rollup("usage_1h", {}, 0, first)
    assert [one.tags for one in kept] == [one.tags for one in march]
    assert [one.fields["qty"].tolist() for one in kept] == [one.fields["qty"].tolist() for one in march]
    (april,) = store.read_rollup("usage_1h", {"meter": "m0"}, first, 10**13)
    assert (april.tags["role"], april.tags["enduse"]) == ("sub", "lighting")
    assert books.adjustments("hall", NOW - timedelta(days=999), NOW + timedelta(days=1)) == []


def test_the_use_of_a_stretch_over_a_closed_month_and_an_open_one_is_all_of_it(records):
    before, after, books = town(), town(enduse="lighting"), ClosedMonths(records)
    store = fed(before, *BATCHES)
    whole = meter_use(whole_view(store, before), "usage_1d", "hall", 0, 10**13)
    books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
    ask(records, before, after)
    do_all(store, after, records, books)
    assert len(store.read_rollup("usage_1d", {"meter": "m0"}, 0, 10**13)) == 2
    assert meter_use(whole_view(store, after), "usage_1d", "hall", 0, 10**13) == whole


def test_a_meter_that_left_a_building_whose_month_is_closed_is_read_once_and_as_it_was_computed_last(records):
    before, after, books = town(1), town(1, building="annex"), ClosedMonths(records)
    store = fed(before, *BATCHES[:1])
    books.close("hall", "2026-03", {}, based_on=0, by="li", at=NOW)
    ask(records, before, after)
    do_all(store, after, records, books)
    first, end = ms("2026-03-01T00:00"), ms("2026-04-01T00:00")
    point, calendar = after.point[POINT], SiteCalendar(after.site)
    (kept,) = store.read_rollup("usage_1d", {"meter": "m0", "building": "hall"}, first, end, ["qty"])
    march = float(kept.fields["qty"].sum())
    (done,) = Recomputations(records).newest()
    assert done.months["2026-03"]["before"]["qty"] == done.months["2026-03"]["after"]["qty"] == march
    for name in ("usage_1h", "usage_1d"):
        (stale,) = store.read_rollup(name, {"meter": "m0", "building": "hall"}, first, end, ["qty"])
        store.write_rollup(name, [replace(stale, fields={"qty": stale.fields["qty"] + 1.0})])
    assert read_use(store, after, point, calendar.hour_edges(first, end)).total == pytest.approx(march)
    days = read_days(store, after, calendar, point, first, end)
    assert sum(day["qty"] for day in days.values()) == pytest.approx(march)


def test_an_end_use_alone_computes_its_own_counter_again():
    (dirty,) = dirty_between(town(), town(enduse="lighting"))
    assert (dirty.points, dirty.why) == ((POINT,), "m0: end use changed")
    assert dirty_between(town(utility=Utility.ELECTRICITY), town()) == []


def test_rows_under_two_sets_of_tags_are_one_series_in_which_the_present_ones_win():
    def rows(tag, t_ms, qty):
        return RollupSeries({"enduse": tag}, np.array(t_ms), {"qty": np.array(qty)})

    for found in ([rows("a", [1, 3], [1.0, 3.0]), rows("b", [2, 3], [2.0, 9.0])],) * 2:
        joined = one_series(found, {"enduse": "b"})
        assert (joined.t_ms.tolist(), joined.fields["qty"].tolist()) == ([1, 2, 3], [1.0, 2.0, 9.0])
        found.reverse()
        assert one_series(found, {"enduse": "b"}).fields["qty"].tolist() == [1.0, 2.0, 9.0]
