"""A reading that is written again after its meter moved: the tag differs, the reading is one."""

import time
from dataclasses import replace
from typing import ClassVar

import pytest
from rigs.influx_town import CATALOGUE, POWER, Registry, one

from facility.errors import StoreUnavailable
from stores.readings.influx.address import influx_address
from stores.readings.influx.store import InfluxStore
from stores.readings.influx.wire import InfluxWire, connect

WEST = replace(CATALOGUE, meters=(replace(CATALOGUE.meters[0], building="a west wing, 'old'"),))


class CutShort(InfluxWire):
    """A process that dies before the first thing it would delete is gone."""

    def delete(self, *what):
        raise StoreUnavailable("cut short")


def test_a_write_that_dies_before_the_older_reading_is_gone_is_put_right_by_repeating_it(make, url, opened):
    make(Registry(WEST)).write_many([one(10), one(20)])
    wire = connect(influx_address(url))
    opened.append(InfluxStore(CutShort(wire.address, wire.client), Registry(), time.time_ns))
    cursor = opened[-1].changes(0).cursor
    with pytest.raises(StoreUnavailable, match="cut short"):
        opened[-1].write(one(20, 2.0))
    assert dict(opened[-1].changes(cursor).ranges) == {}  # not acknowledged, so not told
    store = make()
    store.write(one(20, 2.0))  # another process, which finds the move in the database
    assert store.read([POWER], 0, 100)[POWER].x.tolist() == [1.0, 2.0]
    assert store.hour_counts([POWER], 0, 100) == {0: 2}
    assert dict(store.changes(cursor).ranges) == {POWER: (20, 20)}


def test_writing_asks_no_more_once_it_is_known_what_stands_under_another_building(url, opened):
    class Counting(InfluxWire):
        queries: ClassVar = []

        def ask(self, query):
            self.queries.append(query)
            return super().ask(query)

        def ask_json(self, query):
            self.queries.append(query)
            return super().ask_json(query)

    wire, registry = connect(influx_address(url)), Registry(WEST)
    opened.append(InfluxStore(Counting(wire.address, wire.client), registry, time.time_ns))

    def asked(*rows):
        Counting.queries.clear()
        opened[0].write_many([one(t_ms) for t_ms in rows])
        return [query for query in Counting.queries if "reading" in query]

    assert sum("SHOW SERIES" in query for query in asked(10, 20)) == 1
    assert asked(30) == []
    registry.change(CATALOGUE)
    assert len(asked(40)) == 3  # the list of series, and where the older ones of this week begin and end
    assert asked(50) == []
    assert [query.split()[0] for query in asked(20, 60)] == ["SELECT", "DELETE"]
