"""The mark that says whose database it is stands as long as somebody writes."""

import time

import numpy as np
import pytest
from rigs.influx_town import USAGE, Registry, one

from facility.errors import StoreUnavailable
from stores.readings.influx.address import influx_address
from stores.readings.influx.store import InfluxStore
from stores.readings.influx.wire import connect
from stores.readings.port import RollupSeries


def marks(url):
    wire = connect(influx_address(url))
    found = wire.ask_json("SELECT site FROM daily.meterhouse")
    wire.client.close()
    return [t_ns // 3_600_000_000_000 for series in found for t_ns, _ in series.values]


def test_whoever_writes_renews_the_mark_before_a_day_is_over_and_no_more_often(url, opened):
    start = time.time_ns() // 3_600_000_000_000
    hour = start
    opened += [InfluxStore(connect(influx_address(url)), Registry(), lambda: hour * 3_600_000_000_000) for _ in "abc"]
    for hour in range(start, start + 50):  # noqa: B007 - the clock reads it
        opened[0].write(one(10))
        opened[1].write_rollup("usage_1h", [RollupSeries(USAGE, np.array([0]), {"qty": np.array([1.0])})])
        opened[2].latest()
    prepared, *renewed = marks(url)
    assert renewed == [renewed[0] + 12 * i for i in range(4)]
    assert 12 <= renewed[0] - prepared <= 13


def test_a_store_that_is_only_read_is_not_marked(url, opened):
    opened.append(InfluxStore(connect(influx_address(url)), Registry(), lambda: time.time_ns() + 10**16))
    opened[0].latest()
    opened[0].read_rollup("usage_1h", {}, 0, 1)
    assert len(marks(url)) == 1


def test_a_process_at_work_does_not_mark_over_a_newer_meterhouse(make, url, opened):
    now_ns = time.time_ns()
    opened.append(InfluxStore(connect(influx_address(url)), Registry(), lambda: now_ns))
    opened[-1].write(one(10))
    wire = connect(influx_address(url))
    wire.write("daily", b'meterhouse schema=99i,site="town" %d' % (now_ns // 1_000_000 + 3_600_000))
    wire.client.close()
    now_ns += 24 * 3_600_000_000_000
    with pytest.raises(StoreUnavailable, match="newer Meterhouse"):
        opened[-1].write(one(20))
    assert len(marks(url)) == 2
