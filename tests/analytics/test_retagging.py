"""Rows of a counter under older tags: use and how it was heard are written by two hands, and each is brought along."""

import numpy as np
import pytest
from rigs.rollup_hall import estate, ms

from accounting.calendars import SiteCalendar
from accounting.local_time import HOUR_MS
from analytics.rollups.retagging import Retagging
from stores.counter_rows import counter_tags
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries

NEW = counter_tags(estate(), estate().points[0])
OLD = {**NEW, "enduse": "before"}
BEGIN = ms("2026-04-01T00:00")
USE, HEARD = {"qty": 2.0, "completeness": 1.0}, {"heard": 0.5, "gaps": 1.0}


def row(tags, hour, **fields):
    columns = {name: np.array([value]) for name, value in fields.items()}
    return RollupSeries(tags, np.array([BEGIN + hour * HOUR_MS]), columns)


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ({**USE, **HEARD}, {}, {**USE, **HEARD}),
        ({**USE, **HEARD}, {"heard": 0.9, "gaps": 0.0}, {**USE, "heard": 0.9, "gaps": 0.0}),
        ({**USE, **HEARD}, {"qty": 3.0, "completeness": 0.8}, {"qty": 3.0, "completeness": 0.8, **HEARD}),
        (HEARD, {"qty": 3.0, "completeness": 0.8}, {"qty": 3.0, "completeness": 0.8, **HEARD}),
        (HEARD, {**USE, "heard": 1.0, "gaps": 0.0}, {**USE, "heard": 1.0, "gaps": 0.0}),
    ],
)
def test_what_was_computed_anew_stands_and_the_rest_is_taken_along(old, new, left):
    store, calendar = MemoryStore(), SiteCalendar(estate().site)
    store.write_rollup("usage_1h", [row(OLD, 0, **old), *([row(NEW, 0, **new)] if new else [])])
    for _ in range(2):
        Retagging(store, calendar, ()).bring(NEW, BEGIN, BEGIN + HOUR_MS, frozenset())
        [found] = store.read_rollup("usage_1h", {}, 0, 2**52)
        assert found.tags == NEW
        assert {name: column[0] for name, column in found.fields.items() if not np.isnan(column[0])} == left
