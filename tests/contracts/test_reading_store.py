"""What every reading store keeps to, whichever it is."""

import contextlib
import math
import os
import random
import time
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.influx2_fake import Fake2
from rigs.influx2_server import Influx2Server, built_influxd2
from rigs.influx_server import InfluxServer, make_ready, named_influx
from rigs.trial_rollup import TRIAL, add_trial, mixed, rows_of

from facility.catalogue import Agent, Catalogue
from facility.errors import Rejected
from facility.model import Building, Meter, Name, Point, Quality, ReadingBatch, Site
from facility.quantities import Quantity
from stores.readings import open_readings
from stores.readings.memory import MemoryStore
from stores.readings.port import Latest, PointTotal, RollupSeries
from stores.readings.rollup_columns import MOST_TEXT_BYTES, FieldType, column_of, values_of
from stores.readings.rollups import ROLLUPS
from stores.readings.sqlite.store import SqliteStore

POWER = "main/active_power/total"
WATER = "water/water_volume/total"
USAGE = {
    "site": "s", "building": "b1", "utility": "electricity", "meter": "main", "role": "head", "enduse": "total",
    "quantity": "energy_import",
}  # fmt: skip


CATALOGUE = Catalogue(
    Site("s", Name("s"), "UTC", "EUR"),
    (),
    tuple(Building(name, Name(name)) for name in ("b1", "annex")),
    (),
    (Agent("a", ()),),
    tuple(Meter(meter, Name(meter), "b1", "p", "a", "bus", "1") for meter in ("main", "water")),
    (Point("main", Quantity.ACTIVE_POWER), Point("water", Quantity.WATER_VOLUME)),
)


class Registry:
    """An estate whose meters can be moved to another building."""

    def __init__(self):
        self.at, self.catalogue = 1, CATALOGUE

    def version(self):
        return self.at

    def load(self):
        return self.catalogue

    def move(self, meter, building):
        meters = tuple(replace(one, building=building) if one.id == meter else one for one in CATALOGUE.meters)
        self.at, self.catalogue = self.at + 1, replace(CATALOGUE, meters=meters)


KINDS = [
    "memory",
    "sqlite",
    "influxdb 1.8",
    "fake of influxdb 2",
    *(["influxdb 2.7"] if built_influxd2() else []),
    *(["INFLUX_URL"] if "INFLUX_URL" in os.environ else []),
]


@pytest.fixture(scope="module")
def urls():
    """Makes the URL of an empty store of a kind; servers start when they are first asked for."""
    with contextlib.ExitStack() as stack:
        influxd, fake, influxd2 = None, None, None
        numbers = count(time.time_ns())

        def make(kind, folder):
            nonlocal influxd, fake, influxd2
            if kind == "INFLUX_URL":
                return named_influx(stack, f"meterhouse_test_{next(numbers)}")
            if kind == "influxdb 2.7":
                server = influxd2 = influxd2 or stack.enter_context(Influx2Server())
            else:
                server = influxd = influxd or stack.enter_context(InfluxServer())
            if kind == "fake of influxdb 2":
                server = fake = fake or stack.enter_context(Fake2(influxd))
            url = server.url_of(f"t{next(numbers)}")
            make_ready(url, "s")
            return url

        yield make


@pytest.fixture(params=KINDS)
def open_store(request, tmp_path, urls):
    """Make stores of one kind, each empty."""
    opened = []

    def make(registry=None):
        if request.param == "memory":
            store = MemoryStore()
        elif request.param == "sqlite":
            store = SqliteStore(tmp_path / f"{len(opened)}.db")
        else:
            store = open_readings(urls(request.param, tmp_path), registry or Registry())
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store):
    return open_store()


def batch(*rows):
    """Rows of (point, t_ms, x) or (point, t_ms, x, q) as a batch."""
    points = sorted({row[0] for row in rows})
    return ReadingBatch(
        points,
        [points.index(row[0]) for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] if len(row) > 3 else 0 for row in rows],
    )


def rows_in(store, point, start=0, end=10**15):
    series = store.read([point], start, end)[point]
    return list(zip(series.t_ms.tolist(), series.x.tolist(), series.q.tolist(), strict=True))


def test_what_was_written_is_read(store):
    store.write(batch((POWER, 10, 1.5), (WATER, 10, 7.0, 2), (POWER, 20, 2.5)))
    assert rows_in(store, POWER) == [(10, 1.5, 0), (20, 2.5, 0)]
    assert rows_in(store, WATER) == [(10, 7.0, 2)]


def test_columns_have_the_types_of_the_port(store):
    store.write(batch((POWER, 10, 1.5)))
    for point in (POWER, "never/active_power/total"):
        series = store.read([point], 0, 100)[point]
        assert (series.t_ms.dtype, series.x.dtype, series.q.dtype) == (np.int64, np.float64, np.uint8)


def test_quality_may_be_left_out(store):
    store.write(ReadingBatch([POWER], [0, 0], [1, 2], [1.0, 2.0]))
    assert rows_in(store, POWER) == [(1, 1.0, 0), (2, 2.0, 0)]


def test_a_probe_of_a_store_that_is_well_says_nothing_and_changes_nothing(store):
    store.probe()
    assert (store.totals(), store.latest()) == ({}, {})
    store.write(batch((POWER, 10, 1.5)))
    cursor = store.changes(0).cursor
    store.probe()
    assert store.totals() == {POWER: PointTotal(1, 1.5)}
    assert store.changes(cursor).ranges == {}


def test_writing_again_changes_nothing(store):
    one = batch((POWER, 10, 1.0), (POWER, 20, 2.0))
    store.write(one)
    store.write(one)
    assert rows_in(store, POWER) == [(10, 1.0, 0), (20, 2.0, 0)]
    assert store.totals() == {POWER: PointTotal(2, 3.0)}


def test_the_same_point_and_time_overwrites(store):
    store.write(batch((POWER, 10, 1.0), (POWER, 20, 2.0)))
    store.write(batch((POWER, 20, 9.0, 4), (POWER, 30, 3.0)))
    assert rows_in(store, POWER) == [(10, 1.0, 0), (20, 9.0, 4), (30, 3.0, 0)]


def test_a_reading_that_is_good_after_all_loses_its_doubt(store):
    store.write(batch((POWER, 10, 1.0, 2), (POWER, 20, 2.0, 3), (WATER, 20, 5.0)))
    store.write(batch((POWER, 10, 1.0), (POWER, 20, 2.0, 1), (POWER, 30, 3.0)))
    assert rows_in(store, POWER) == [(10, 1.0, 0), (20, 2.0, 1), (30, 3.0, 0)]


def test_a_reading_is_one_wherever_its_meter_stood_when_it_was_written(open_store):
    registry = Registry()
    store, hour = open_store(registry), 3_600_000
    store.write(batch(*[(point, t, 1.0) for point in (POWER, WATER) for t in (10, 20, 30, 40, 9 * hour)]))
    registry.move("main", "annex")  # before "b1", whichever order a server sorts tags in
    store.write(batch((POWER, 20, 2.0, 4), (POWER, 30, 3.0), (POWER, 9 * hour, 9.0), (POWER, 9 * hour + 1, 9.5)))
    moved = [(10, 1.0, 0), (20, 2.0, 4), (30, 3.0, 0), (40, 1.0, 0), (9 * hour, 9.0, 0), (9 * hour + 1, 9.5, 0)]
    assert rows_in(store, POWER) == moved
    assert store.hour_counts([POWER], 0, 10 * hour) == {0: 4, 9 * hour: 2}
    assert store.latest([POWER]) == {POWER: Latest(9 * hour + 1, 9.5)}
    assert store.read_before([POWER], 20) == {POWER: Latest(20, 2.0, 4)}
    assert store.totals() == {POWER: PointTotal(6, 25.5), WATER: PointTotal(5, 5.0)}
    registry.move("main", "b1")
    store.write_many([batch((POWER, 20, 5.0)), batch((POWER, 20, 6.0), (WATER, 20, 7.0))])
    assert rows_in(store, POWER) == [moved[0], (20, 6.0, 0), *moved[2:]]
    assert store.hour_counts([POWER, WATER], 0, 10 * hour) == {0: 8, 9 * hour: 3}


def test_within_a_write_the_later_reading_wins(store):
    store.write_many([batch((POWER, 10, 1.0), (POWER, 10, 2.0)), batch((POWER, 20, 5.0)), batch((POWER, 20, 6.0))])
    assert rows_in(store, POWER) == [(10, 2.0, 0), (20, 6.0, 0)]


def test_readings_that_arrive_out_of_order_are_read_in_order(store):
    store.write(batch((POWER, 30, 3.0), (POWER, 10, 1.0)))
    store.write(batch((POWER, 20, 2.0)))
    assert [t for t, _, _ in rows_in(store, POWER)] == [10, 20, 30]


def test_a_range_holds_its_start_and_not_its_end(store):
    store.write(batch(*[(POWER, t, 0.0) for t in (10, 20, 30)]))
    assert [t for t, _, _ in rows_in(store, POWER, 10, 30)] == [10, 20]
    assert rows_in(store, POWER, 11, 20) == []
    assert rows_in(store, POWER, 30, 10) == []


def test_nothing_stored_is_empty_everywhere(store):
    assert len(store.read([POWER], 0, 100)[POWER]) == 0
    assert store.read([], 0, 100) == {}
    assert store.read_before([POWER], 100) == {}
    assert store.latest() == {}
    assert store.latest([POWER]) == {}
    assert store.totals() == {}
    assert (store.changes(0).cursor, dict(store.changes(0).ranges)) == (0, {})


def test_an_empty_batch_stores_nothing(store):
    store.write(ReadingBatch([], [], [], []))
    store.write(ReadingBatch([POWER], [], [], []))
    store.write_many([])
    assert store.totals() == {}
    assert store.changes(0).cursor == 0


def test_a_point_named_without_readings_is_not_known(store):
    store.write(ReadingBatch([WATER, POWER], [1], [10], [1.0]))
    assert list(store.totals()) == list(store.latest()) == [POWER]


def test_read_before_finds_the_newest_at_or_before(store):
    store.write(batch((POWER, 10, 1.0), (POWER, 20, 2.0, 3), (WATER, 50, 5.0)))
    assert store.read_before([POWER, WATER], 20) == {POWER: Latest(20, 2.0, 3)}
    assert store.read_before([POWER], 19) == {POWER: Latest(10, 1.0)}
    assert store.read_before([POWER], 9) == {}


@pytest.mark.parametrize("name", ["main", "main/active_power", "", "a\nb/active_power/total", "it's/\\/\"", "€/温度/ "])
def test_a_name_that_no_point_has_finds_nothing(store, name):
    store.write(batch((POWER, 10, 1.0)))
    assert rows_in(store, name) == []
    assert {**store.read_before([name], 20), **store.latest([name])} == {}
    assert store.hour_counts([name], 0, 100) == {}


def test_latest_is_the_newest_in_time_not_the_last_to_arrive(store):
    store.write(batch((POWER, 20, 2.0), (WATER, 5, 1.0)))
    store.write(batch((POWER, 10, 1.0)))
    assert store.latest() == {POWER: Latest(20, 2.0), WATER: Latest(5, 1.0)}
    store.write(batch((POWER, 20, 7.0, 1)))
    assert store.latest([POWER]) == {POWER: Latest(20, 7.0, 1)}


def test_totals_are_exact(store):
    values = [0.1] * 10 + [1e16, 1.0, -1e16]
    random.Random(1).shuffle(values)  # noqa: S311 - no secret
    store.write(batch(*[(POWER, t, x) for t, x in enumerate(values)]))
    assert store.totals() == {POWER: PointTotal(13, math.fsum(values))}


def test_a_bad_batch_stores_nothing_of_its_group(store):
    good = batch((POWER, 10, 1.0))
    for bad in (
        ReadingBatch([POWER], [0], [20], [math.nan]),
        ReadingBatch([POWER], [0], [20], [math.inf]),
        ReadingBatch([POWER], [0, 0], [20], [1.0]),
    ):
        with pytest.raises(Rejected):
            store.write_many([good, bad])
    assert store.totals() == {}


def test_changes_name_each_point_and_its_stretch(store):
    store.write(batch((POWER, 10, 1.0), (POWER, 30, 1.0), (WATER, 5, 1.0)))
    first = store.changes(0)
    assert dict(first.ranges) == {POWER: (10, 30), WATER: (5, 5)}
    assert dict(store.changes(first.cursor).ranges) == {}
    store.write(batch((POWER, 20, 1.0)))
    store.write(batch((POWER, 25, 1.0)))
    second = store.changes(first.cursor)
    assert dict(second.ranges) == {POWER: (20, 25)}
    assert second.cursor > first.cursor
    assert dict(store.changes(0).ranges) == {POWER: (10, 30), WATER: (5, 5)}


def test_a_cursor_alone_stands_after_everything_so_far(store):
    assert store.cursor() == 0
    store.write(batch((POWER, 10, 1.0), (POWER, 30, 1.0)))
    cursor = store.cursor()
    assert cursor == store.changes(0).cursor > 0
    assert dict(store.changes(cursor).ranges) == {}
    store.write(batch((WATER, 20, 1.0)))
    assert dict(store.changes(cursor).ranges) == {WATER: (20, 20)}


def test_a_cursor_of_another_store_starts_from_the_beginning(store):
    store.write(batch((POWER, 10, 1.0)))
    assert dict(store.changes(10**6).ranges) == {POWER: (10, 10)}


def test_a_cursor_of_another_store_is_set_back_by_an_empty_one(store):
    assert store.changes(10**6).cursor == 0


def test_what_is_read_does_not_change_with_later_writes(store):
    store.write(batch((POWER, 10, 1.0)))
    before = store.read([POWER], 0, 100)[POWER]
    store.write(batch((POWER, 10, 2.0)))
    assert before.x.tolist() == [1.0]


@pytest.mark.parametrize("open_store", [kind for kind in KINDS if "influxdb 2" not in kind], indirect=True)
@given(order=st.permutations([*range(8), *range(8)]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_with_repeats_gives_the_same_store(open_store, order):
    batches = [batch(*[(p, t, t / 7) for p in (POWER, WATER) for t in range(i * 3, i * 3 + 5)]) for i in range(8)]
    store = open_store()
    store.write_many([batches[i] for i in order[:10]])
    for i in order[10:]:
        store.write(batches[i])
    expected = [(t, t / 7, 0) for t in range(26)]
    assert rows_in(store, POWER) == rows_in(store, WATER) == expected
    assert store.latest() == {p: Latest(25, 25 / 7) for p in (POWER, WATER)}
    assert store.totals() == {p: PointTotal(26, math.fsum(t / 7 for t in range(26))) for p in (POWER, WATER)}


def test_of_each_step_the_newest_time_is_told_and_nothing_of_steps_without_a_reading(store):
    hour = 3_600_000
    t_ms = [5, 10, hour - 1, hour, 3 * hour + 7, 3 * hour + 6, 4 * hour]
    store.write(ReadingBatch([POWER], [0] * len(t_ms), t_ms, [1.0] * len(t_ms)))
    found = store.newest_times([POWER, WATER], 6, 4 * hour, hour)
    assert {point: times.tolist() for point, times in found.items()} == {
        POWER: [hour - 1, hour, 3 * hour + 7],
        WATER: [],
    }
    assert store.newest_times([POWER], 0, 10, hour)[POWER].tolist() == [5]
    assert store.newest_times([POWER], 0, 5 * hour, 10 * hour)[POWER].tolist() == [4 * hour]
    assert store.newest_times([], 0, hour, hour) == {}


def test_switches_are_the_first_reading_those_that_differ_from_the_one_before_and_the_last(store):
    store.write(
        batch(
            *((POWER, t, x) for t, x in enumerate([0, 0, 0, 1, 1, 0, 0, 0, 2, 2])),
            *((WATER, t, 0) for t in range(3, 9)),
        )
    )
    found = store.read_switches([POWER, WATER, "never/seen/total"], 1, 10)
    assert {point: list(zip(one.t_ms.tolist(), one.x.tolist(), strict=True)) for point, one in found.items()} == {
        POWER: [(1, 0.0), (3, 1.0), (5, 0.0), (8, 2.0), (9, 2.0)],
        WATER: [(3, 0.0), (8, 0.0)],
        "never/seen/total": [],
    }
    assert store.read_switches([WATER], 3, 4)[WATER].t_ms.tolist() == [3]
    assert store.read_switches([WATER], 9, 20)[WATER].t_ms.tolist() == []
    assert store.read_switches([], 0, 10) == {}


def test_hours_are_counted_over_points_and_empty_ones_left_out(store):
    hour = 3_600_000
    store.write(
        batch((POWER, 0, 1), (POWER, hour - 1, 2), (POWER, hour, 3), (WATER, hour + 5, 4), (WATER, 5 * hour, 5))
    )
    assert store.hour_counts([POWER, WATER, "never/seen/total"], 0, 10 * hour) == {0: 2, hour: 2, 5 * hour: 1}
    assert store.hour_counts([WATER], hour, 5 * hour) == {hour: 1}
    assert store.hour_counts([], 0, hour) == {}


def test_a_retracted_reading_is_told_by_nothing_but_what_holds_rows_to_what_was_taken_in(store):
    hour, back = 3_600_000, int(Quality.RETRACTED)
    store.write(batch(*((POWER, t * hour // 2, t) for t in range(8)), (WATER, 5, 1.5, 3), (WATER, 6, 9.0, 3)))
    cursor = store.cursor()
    store.write(batch((POWER, 0, 0, back), (POWER, 5 * hour // 2, 5, back), (POWER, 7 * hour // 2, 7, back)))
    store.write(batch((WATER, 5, 1.5, back), (WATER, 6, 9.0, back)))
    assert [t for t, _, _ in rows_in(store, POWER)] == [t * hour // 2 for t in (1, 2, 3, 4, 6)]
    assert rows_in(store, WATER) == []
    assert store.latest() == {POWER: Latest(3 * hour, 6.0)} == store.latest([POWER, WATER])
    assert store.read_before([POWER, WATER], 5 * hour // 2) == {POWER: Latest(2 * hour, 4.0)}
    assert store.read_before([POWER], 0) == {}
    assert store.totals()[POWER] == PointTotal(5, 16.0)
    assert store.totals().get(WATER, PointTotal(0, 0.0)).count == 0
    found = store.newest_times([POWER, WATER], 0, 4 * hour, hour)
    assert {point: times.tolist() for point, times in found.items()} == {
        POWER: [hour // 2, 3 * hour // 2, 2 * hour, 3 * hour],
        WATER: [],
    }
    switches = store.read_switches([POWER, WATER], 0, 4 * hour)
    assert switches[POWER].x.tolist() == [1, 2, 3, 4, 6]
    assert len(switches[WATER]) == 0
    assert store.hour_counts([POWER, WATER], 0, 4 * hour) == {0: 4, hour: 2, 2 * hour: 2, 3 * hour: 2}
    kept = store.read_rows([POWER, WATER], 0, 4 * hour)
    assert [len(kept[point]) for point in (POWER, WATER)] == [8, 2]
    assert kept[WATER].q.tolist() == [back, back]
    assert store.changes(cursor).ranges == {POWER: (0, 7 * hour // 2), WATER: (5, 6)}


def test_of_one_value_all_the_time_the_first_that_stands_is_told(store):
    back = int(Quality.RETRACTED)
    store.write(batch(*((POWER, t, 4) for t in range(6))))
    store.write(batch((POWER, 0, 4, back), (POWER, 5, 4, back)))
    assert store.read_switches([POWER], 0, 10)[POWER].t_ms.tolist() == [1, 4]


def test_a_reading_that_comes_again_after_it_was_retracted_stands(store):
    store.write(batch((POWER, 10, 1, 3)))
    store.write(batch((POWER, 10, 1, int(Quality.RETRACTED))))
    assert rows_in(store, POWER) == []
    store.write(batch((POWER, 10, 2)))
    assert rows_in(store, POWER) == [(10, 2.0, 0)]
    assert store.latest() == {POWER: Latest(10, 2.0)}


def usage(t_ms, tags=USAGE, **fields):
    return RollupSeries(tags, np.array(t_ms, np.int64), {k: np.array(v, np.float64) for k, v in fields.items()})


def column(store, field, tags=None, start=0, end=10**15):
    (series,) = store.read_rollup("usage_1h", tags or {}, start, end, [field])
    return dict(zip(series.t_ms.tolist(), series.fields[field].tolist(), strict=True))


def test_a_rollup_is_read_as_written(store):
    store.write_rollup("usage_1h", [usage([0, 3600], qty=[1.0, 2.0], cost=[0.1, 0.2])])
    (series,) = store.read_rollup("usage_1h", {"meter": "main"}, 0, 7200)
    assert series.tags == USAGE
    assert series.t_ms.tolist() == [0, 3600]
    assert series.fields["qty"].tolist() == [1.0, 2.0]
    assert np.isnan(series.fields["occ"]).all()


def test_a_rollup_row_is_overwritten_field_by_field(store):
    store.write_rollup("usage_1h", [usage([0, 3600], qty=[1.0, 2.0], cost=[5.0, 5.0])])
    store.write_rollup("usage_1h", [usage([3600], qty=[9.0])])
    assert column(store, "qty") == {0: 1.0, 3600: 9.0}
    assert column(store, "cost") == {0: 5.0, 3600: 5.0}


def test_nan_erases_a_figure(store):
    store.write_rollup("usage_1h", [usage([0], qty=[1.0], cost=[2.0])])
    store.write_rollup("usage_1h", [usage([0], qty=[math.nan])])
    assert math.isnan(column(store, "qty")[0])
    assert column(store, "cost") == {0: 2.0}


def test_use_and_how_it_was_heard_stand_in_one_row_and_neither_disturbs_the_other(store):
    store.write_rollup("usage_1h", [usage([0], qty=[1.0], completeness=[1.0])])
    store.write_rollup("usage_1h", [usage([0, 3600], heard=[1.0, 0.0], gaps=[0.0, 1.0], flat=[0.0, math.nan])])
    store.write_rollup("usage_1h", [usage([0], qty=[2.0])])
    store.write_rollup("usage_1h", [usage([0], flat=[math.nan])])
    assert column(store, "heard") == {0: 1.0, 3600: 0.0}
    assert column(store, "gaps") == {0: 0.0, 3600: 1.0}
    assert {t: v for t, v in column(store, "qty").items() if not math.isnan(v)} == {0: 2.0}
    assert all(map(math.isnan, column(store, "flat").values()))
    assert len(store.read_rollup("usage_1h", {}, 0, 7200)) == 1, "one series"


def test_a_series_without_an_end_use_is_changed_alone(store):
    plain = USAGE | {"enduse": ""}
    store.write_rollup("usage_1h", [usage([0, 10], plain, qty=[1, 2], cost=[3, 4]), usage([0, 10], qty=[5, 6])])
    store.write_rollup("usage_1h", [usage([0, 10], plain, qty=[math.nan, math.nan])])
    assert all(math.isnan(x) for x in column(store, "qty", {"enduse": ""}).values())
    assert column(store, "cost", {"enduse": ""}) == {0: 3.0, 10: 4.0}
    assert column(store, "qty", {"enduse": "total"}) == {0: 5.0, 10: 6.0}
    store.delete_rollup("usage_1h", {"enduse": ""}, 0, 10)
    assert column(store, "cost", {"enduse": ""}) == {10: 4.0}
    assert column(store, "qty", {"enduse": "total"}) == {0: 5.0, 10: 6.0}


def test_tags_choose_series_and_the_range_cuts_them(store):
    other = USAGE | {"meter": "lift", "role": "sub"}
    store.write_rollup("usage_1h", [usage([0, 10, 20], qty=[1, 2, 3]), usage([10], other, qty=[4])])
    assert column(store, "qty", {"role": "sub"}) == {10: 4.0}
    assert column(store, "qty", {"meter": "main", "building": "b1"}, 10, 20) == {10: 2.0}
    assert len(store.read_rollup("usage_1h", {"building": "b1"}, 0, 100)) == 2
    assert store.read_rollup("usage_1h", {"building": "b2"}, 0, 100) == []
    assert store.read_rollup("usage_1h", {"meter": "lift"}, 0, 10) == []
    assert store.read_rollup("usage_1d", {}, 0, 100) == []


def test_many_series_are_read_at_once_each_once_and_with_their_own_columns(store):
    others = [USAGE | {"meter": f"m{k}", "building": f"b{k % 3}"} for k in range(120)]
    store.write_rollup(
        "usage_1h", [usage([0, 10], tags, qty=[k, math.nan], cost=[2, 3]) for k, tags in enumerate(others)]
    )
    some = [{"meter": f"m{k}", "quantity": "energy_import"} for k in range(110)] + [{"building": "b1"}, {"meter": "no"}]
    found = store.read_rollups("usage_1h", some, 0, 20, ["qty"])
    wanted = {f"m{k}" for k in range(120) if k < 110 or k % 3 == 1}
    assert sorted(one.tags["meter"] for one in found) == sorted(wanted)
    for one in found:
        assert list(one.fields) == ["qty"]
        assert one.t_ms.tolist() == [0, 10]
        np.testing.assert_array_equal(one.fields["qty"], [int(one.tags["meter"][1:]), math.nan])
    assert store.read_rollups("usage_1h", some, 20, 30) == store.read_rollups("usage_1h", [], 0, 20) == []
    assert len(store.read_rollups("usage_1h", [{"meter": "m1"}, {}], 0, 20, ["qty"])) == 120
    with pytest.raises(Rejected, match="no tag 'room'"):
        store.read_rollups("usage_1h", [{"meter": "m1"}, {"room": "1"}], 0, 1)


def test_of_many_series_those_alone_are_read_that_have_every_tag_that_was_asked_for(store):
    every = [
        USAGE | {"meter": f"m{k}", "role": role, "quantity": quantity, "building": f"b{k % 7}"}
        for k in range(60)
        for role in ("head", "sub")
        for quantity in ("energy_import", "energy_export")
    ]
    store.write_rollup("usage_1h", [usage([0], tags, qty=[1.0]) for tags in every])
    asked = [tags for n, tags in enumerate(every) if n * 7 % 4 == n // 4 % 4]
    for some in (asked, asked[:2], [{"role": one["role"], "meter": one["meter"]} for one in asked]):
        found = store.read_rollups("usage_1h", some, 0, 20, ["qty"])
        wanted = [tags for tags in every if any(one.items() <= tags.items() for one in some)]
        assert sorted(map(sorted, (one.tags.items() for one in found))) == sorted(sorted(t.items()) for t in wanted)


def test_several_rollups_are_written_in_one_step_and_what_is_wrong_writes_nothing(store):
    there = USAGE | {"meter": "lift"}
    store.write_rollup("usage_1h", [usage([0], tags, qty=[1.0], cost=[2.0]) for tags in (USAGE, there)])
    hours = [usage([0, 10], qty=[5.0, 6.0], cost=[math.nan, 1.0]), usage([0], there, cost=[math.nan])]
    store.write_rollups(
        [("usage_1h", hours), ("usage_1d", [usage([0], qty=[11.0])]), ("usage_1h", [usage([20], qty=[7.0])])]
    )
    (row,) = store.read_rollup("usage_1h", {"meter": "main"}, 0, 100)
    np.testing.assert_array_equal(row.fields["qty"], [5.0, 6.0, 7.0])
    np.testing.assert_array_equal(row.fields["cost"], [math.nan, 1.0, math.nan])
    (row,) = store.read_rollup("usage_1h", {"meter": "lift"}, 0, 100, ["qty", "cost"])
    np.testing.assert_array_equal([row.fields["qty"][0], row.fields["cost"][0]], [1.0, math.nan])
    assert len(store.read_rollup("usage_1d", {}, 0, 100)) == 1
    with pytest.raises(Rejected, match="no field 'litres'"):
        store.write_rollups([("usage_1d", [usage([50], qty=[1.0])]), ("usage_1h", [usage([0], litres=[1.0])])])
    assert store.read_rollup("usage_1d", {}, 50, 60) == []
    store.write_rollups([])


def test_deleting_a_range_of_a_rollup_leaves_the_rest(store):
    other = USAGE | {"meter": "lift"}
    store.write_rollup("usage_1h", [usage([0, 10, 20], qty=[1, 2, 3]), usage([10], other, qty=[4])])
    store.delete_rollup("usage_1h", {"meter": "main"}, 10, 20)
    assert column(store, "qty", {"meter": "main"}) == {0: 1.0, 20: 3.0}
    assert column(store, "qty", {"meter": "lift"}) == {10: 4.0}


def test_a_rollup_says_from_when_to_when_it_has_rows(store):
    other = USAGE | {"meter": "lift"}
    store.write_rollup("usage_1h", [usage([50, 10], qty=[1, 2]), usage([7, 20], other, qty=[math.nan, 4])])
    assert store.rollup_stretch("usage_1h") == (7, 50)
    assert store.rollup_stretch("usage_1d") is None


def test_every_rollup_keeps_all_its_fields_and_rows_a_millisecond_apart(store):
    """Whole numbers, texts in both languages and figures, with and without a tag that names nobody."""
    values = {FieldType.FLOAT: 2.5, FieldType.INTEGER: 1_790_000_000_001, FieldType.TEXT: "换表 “7”, a=b"}
    start = 1_790_000_000_000
    for name, rollup in ROLLUPS.items():
        for named in ("x", ""):
            tags = dict.fromkeys(rollup.tags, "x") | {rollup.tags[-1]: named}
            fields = {f: column_of(kind, [values[kind], None]) for f, kind in rollup.types.items()}
            rows = RollupSeries(tags, np.array([start, start + 1]), fields)
            store.write_rollup(name, [rows])
            store.write_rollup(name, [rows])
        found = {one.tags[rollup.tags[-1]]: one for one in store.read_rollup(name, {}, 0, 10**15)}
        assert found.keys() == {"x", ""}, name
        for one in found.values():
            assert one.t_ms.tolist() == [start, start + 1], name
            for field, kind in rollup.types.items():
                assert values_of(one.fields[field]) == [values[kind], None], f"{name}.{field}"
        store.delete_rollup(name, {"site": "x"}, start + 1, start + 2)
        assert store.rollup_stretch(name) == (start, start), name


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: s.write_rollup("usage_1w", [usage([0], qty=[1])]), "'usage_1w' is not one of usage_1h"),
        (lambda s: s.read_rollup("usage_1w", {}, 0, 1), "'usage_1w' is not one of"),
        (lambda s: s.delete_rollup("usage_1w", {}, 0, 1), "'usage_1w' is not one of"),
        (lambda s: s.rollup_stretch("usage_1w"), "'usage_1w' is not one of"),
        (lambda s: s.write_rollup("usage_1h", [usage([0], litres=[1])]), "no field 'litres'; its fields are qty"),
        (lambda s: s.read_rollup("usage_1h", {}, 0, 1, ["litres"]), "no field 'litres'"),
        (lambda s: s.read_rollup("usage_1h", {"room": "1"}, 0, 1), "no tag 'room'; its tags are site"),
        (lambda s: s.write_rollup("usage_1h", [usage([0], {"site": "s"}, qty=[1])]), "needs the tag 'building'"),
        (lambda s: s.write_rollup("usage_1h", [usage([0, 1], qty=[1])]), r"qty is \(1,\), t_ms \(2,\)"),
        (lambda s: s.write_rollup("usage_1h", [usage([0], qty=[[1]])]), r"qty is \(1, 1\), t_ms \(1,\)"),
    ],
)
def test_what_a_rollup_does_not_have_is_named(store, call, said):
    with pytest.raises(Rejected, match=said):
        call(store)
    assert store.read_rollup("usage_1h", {}, 0, 100) == []


@pytest.fixture
def trial(monkeypatch):
    """Stores that are opened from now on have a rollup with a field of each type."""
    return add_trial(monkeypatch)


TEXTS = [
    "",
    " ",
    "two words, and = a comma",
    'he said "no"',
    "'single'",
    "back\\slash \\\\ twice, and at the end \\",
    '\\"',
    "line\nbreak\r\nand\ttab\n",
    "\n",
    "总表 – Zähler – 🔌👩\u200d🔧",
    "null",
    "1.5",
    "true",
    "# no comment",
    'ends in a quote"',
]
WHOLE = [0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, 10**18 + 1, 2**63 - 1, -(2**63)]


def test_whole_numbers_and_texts_come_back_exactly_as_they_were(open_store, trial):
    store, n = open_store(), max(len(TEXTS), len(WHOLE))
    whole, texts = (WHOLE * 2)[:n], TEXTS[:n]
    store.write_rollup(trial, [mixed(range(0, 10 * n, 10), count=whole, note=texts, x=[0.1] * n)])
    expected = {10 * i: {"count": whole[i], "note": texts[i], "x": 0.1} for i in range(n)}
    assert rows_of(store, trial) == expected
    assert rows_of(store, trial, fields=["note"]) == {t_ms: {"note": row["note"]} for t_ms, row in expected.items()}
    (series,) = store.read_rollup(trial, {}, 0, 10, ["x", "count"])
    assert {name: column.dtype for name, column in series.fields.items()} == {"x": np.float64, "count": object}
    assert type(series.fields["count"][0]) is int


def test_what_a_row_does_not_have_stays_absent_whatever_its_type(open_store, trial):
    store = open_store()
    store.write_rollup(
        trial, [mixed([0, 10, 20], count=[None, 5, None], note=["", None, None], x=[math.nan, math.nan, 2.0])]
    )
    assert rows_of(store, trial) == {
        0: {"count": None, "note": "", "x": None},
        10: {"count": 5, "note": None, "x": None},
        20: {"count": None, "note": None, "x": 2.0},
    }
    store.write_rollup(trial, [mixed([30])])
    assert rows_of(store, trial)[30] == {"count": None, "note": None, "x": None}


def test_none_erases_a_whole_number_or_a_text_and_leaves_the_rest(open_store, trial):
    store, other = open_store(), TRIAL | {"meter": ""}
    both = {"count": [2**53 + 1, 2], "note": ['a "b"\nc', "d"], "x": [0.1, 0.2]}
    store.write_rollup(trial, [mixed([0, 10], **both), mixed([0, 10], other, **both)])
    store.write_rollup(trial, [mixed([0], note=[None]), mixed([10], count=[None], x=[math.nan])])
    assert rows_of(store, trial, TRIAL) == {
        0: {"count": 2**53 + 1, "note": None, "x": 0.1},
        10: {"count": None, "note": "d", "x": None},
    }
    store.delete_rollup(trial, other, 0, 10)
    assert rows_of(store, trial, other) == {10: {"count": 2, "note": "d", "x": 0.2}}
    assert list(rows_of(store, trial, TRIAL)) == [0, 10]


def test_an_array_of_whole_numbers_or_texts_may_be_written_as_it_is(open_store, trial):
    store = open_store()
    columns = {"count": np.array([2**53 + 1, -3], np.int64), "note": np.array(["a", ""]), "x": np.array([1, 2])}
    store.write_rollup(trial, [RollupSeries(TRIAL, np.array([0, 10]), columns)])
    assert [row["count"] for row in rows_of(store, trial).values()] == [2**53 + 1, -3]
    assert [row["note"] for row in rows_of(store, trial).values()] == ["a", ""]
    (series,) = store.read_rollup(trial, {}, 0, 100, ["x"])
    assert (series.fields["x"].dtype, series.fields["x"].tolist()) == (np.float64, [1.0, 2.0])


@pytest.mark.parametrize("open_store", [kind for kind in KINDS if "influxdb 2" not in kind], indirect=True)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
            st.floats(allow_infinity=False),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_whole_number_text_and_figure_is_kept_exactly(open_store, trial, rows):
    store, (count, note, x) = open_store(), zip(*rows, strict=True)
    store.write_rollup(trial, [mixed(range(len(rows)), count=count, note=note, x=x)])
    expected = [(c, n, None if math.isnan(f) else f) for c, n, f in rows]
    assert [tuple(row.values()) for row in rows_of(store, trial).values()] == expected


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("count", 1.0, "'1.0' .allowed: whole numbers of 64 bits"),
        ("count", True, "whole numbers"),
        ("count", 2**63, "whole numbers"),
        ("count", "1", "whole numbers"),
        ("count", math.nan, "whole numbers"),
        ("note", 1, "allowed: texts"),
        ("note", "zero \0 byte", "allowed: texts"),
        ("note", "half a pair \ud800", "allowed: texts"),
        ("note", "x" * (MOST_TEXT_BYTES + 1), "allowed: texts"),
        ("x", math.inf, "not finite"),
        ("x", -math.inf, "not finite"),
    ],
)
def test_what_is_not_of_a_fields_type_is_refused_and_nothing_stored(open_store, trial, field, value, said):
    store = open_store()
    with pytest.raises(Rejected, match=said):
        store.write_rollup(trial, [mixed([0], count=[1], note=["a"], x=[1.0]), mixed([10], **{field: [value]})])
    with pytest.raises(Rejected, match="column of object"):
        store.write_rollup(trial, [RollupSeries(TRIAL, np.array([0]), {"x": np.array(["1"], object)})])
    assert store.read_rollup(trial, {}, 0, 100) == []


def test_the_longest_text_is_kept(open_store, trial):
    store, longest = open_store(), "漢" * (MOST_TEXT_BYTES // 3)
    store.write_rollup(trial, [mixed([0], note=[longest])])
    assert rows_of(store, trial, fields=["note"]) == {0: {"note": longest}}
