"""A hall with electricity meters, readings of them, and all that rollups make of these."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from accounting.local_time import HOUR_MS
from analytics.rollups.writer import RollupWriter
from facility.catalogue import Catalogue
from facility.model import (
    Building,
    DayHours,
    Meter,
    MeterRole,
    Name,
    Point,
    Price,
    ReadingBatch,
    Site,
    Space,
    SpaceKind,
)
from facility.quantities import Quantity, Utility
from stores.readings.memory import MemoryStore
from stores.readings.rollups import ROLLUPS

ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 4, 20, 9, tzinfo=UTC)
HALL = {"building": "hall", "utility": "electricity"}


def meter(name, utility=Utility.ELECTRICITY, role=MeterRole.HEAD, **more):
    return Meter(name, Name(name), "hall", "p", "edge-1", "bus", "1", utility=utility, role=role, **more)


def estate(heads=1, digits=None):
    meters = [meter(f"m{i}", digits=digits) for i in range(heads)]
    points = [Point(m.id, Quantity.ENERGY_IMPORT) for m in meters]
    sky = meter("sky", None, MeterRole.SUB, space="roof")
    return Catalogue(
        site=Site(
            "town",
            Name("town"),
            "Europe/London",
            "GBP",
            "GB",
            "ENG",
            prices=(Price(Utility.ELECTRICITY, 0.3, date(2020, 1, 1)),),
        ),
        departments=(),
        buildings=(Building("hall", Name("hall"), hours={d: DayHours(time(8), time(18)) for d in range(5)}),),
        spaces=(Space("roof", "hall", Name("roof"), SpaceKind.OUTDOORS),),
        agents=(),
        meters=(*meters, sky),
        points=(*points, Point("sky", Quantity.TEMPERATURE)),
    )


def ms(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


def batch(point, t_ms, x, q=()):
    t_ms = np.asarray(t_ms)
    return ReadingBatch([point], [0] * len(t_ms), t_ms.tolist(), np.asarray(x, float).tolist(), list(q))


def fed(catalogue, *batches, store=None):
    store = store or MemoryStore()
    writer, cursor = RollupWriter(store, catalogue), store.changes(0).cursor
    for one in batches:
        store.write(one)
        changes = store.changes(cursor)
        cursor = changes.cursor
        writer.update(changes.ranges)
    return store


def rows(store, name, tags=HALL):
    found = store.read_rollup(name, tags, 0, 2**52)
    assert len(found) == 1, name
    return found[0]


def everything(store):
    return {
        (name, tuple(sorted(one.tags.items()))): (
            one.t_ms.tolist(),
            {f: c.round(6).tolist() for f, c in one.fields.items()},
        )
        for name in ROLLUPS
        for one in store.read_rollup(name, {}, 0, 2**52)
    }


def steady(start, end, step_ms=HOUR_MS, per_hour=2.0):
    t_ms = np.arange(ms(start), ms(end) + 1, step_ms)
    return t_ms, 500 + (t_ms - t_ms[0]) / HOUR_MS * per_hour


def assert_same(left, right):
    assert left.keys() == right.keys()
    for key, (t_ms, columns) in left.items():
        assert t_ms == right[key][0], key
        for field, column in columns.items():
            np.testing.assert_allclose(column, right[key][1][field], atol=1e-5, err_msg=f"{key} {field}")
