"""What is handed in is accounted like any other reading, and what is undone leaves no figure behind."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
from rigs.rollup_hall import ZONE, estate, everything, fed, ms, rows, steady
from rigs.rollup_hall import batch as read_by_agent

from analytics.rollups.writer import RollupWriter
from facility.levels import Level
from facility.model import Quality, ReadingBatch
from imports.readings import plan_import
from imports.rows import Wishes

POINT, NOW_MS = "m0/energy_import/total", ms("2026-04-20T10:00")
METER = {"meter": "m0", "quantity": "energy_import"}


def graded():
    whole = estate()
    return replace(whole, points=tuple(replace(point, level=Level.INTERNAL) for point in whole.points))


def handed_in(store, table):
    plan = plan_import(table.encode(), "t.csv", graded(), ZONE, store, Wishes(meter="m0"), NOW_MS)
    assert not plan.faults, plan.faults
    return plan.readings


def retracted(batch):
    return ReadingBatch(batch.points, batch.p, batch.t_ms, batch.x, [int(Quality.RETRACTED)] * len(batch))


def taken_in(store, batch):
    cursor = store.cursor()
    store.write(batch)
    RollupWriter(store, graded()).update(store.changes(cursor).ranges)


def of_days(store, name="usage_1d", tags=METER):
    return {
        datetime.fromtimestamp(t / 1000, ZONE).date(): q
        for t, q in zip(*_columns(store, name, tags), strict=True)
        if not np.isnan(q)
    }


def _columns(store, name, tags):
    found = store.read_rollup(name, tags, 0, 2**52)
    return (found[0].t_ms.tolist(), found[0].fields["qty"].tolist()) if found else ([], [])


def test_months_of_use_are_the_days_of_those_months_to_the_last_kilowatt_hour():
    store = fed(graded())
    taken_in(store, handed_in(store, "month,use\n2025-11,720\n2025-12,1488\n2026-01,744\n"))
    days = of_days(store)
    by_month = {m: sum(q for day, q in days.items() if day.month == m) for m in (11, 12, 1)}
    assert {m: round(q, 6) for m, q in by_month.items()} == {11: 720, 12: 1488, 1: 744}
    assert np.nansum(rows(store, "building_1d").fields["qty"]) == np.float64(2952)


def test_what_was_undone_leaves_the_figures_as_they_would_have_been_without_it():
    before = read_by_agent(POINT, *steady("2026-03-02T00:00", "2026-03-09T00:00"))
    store, other = fed(graded(), before), fed(graded(), before)
    batch = handed_in(store, "time,reading\n2026-01-01,10\n2026-02-01 00:00,100\n2026-03-01,480\n")
    taken_in(store, batch)
    assert everything(store) != everything(other)
    taken_in(store, retracted(batch))
    assert of_days(store) == of_days(other)
    assert of_days(store, "building_1d", {}) == of_days(other, "building_1d", {})


def test_all_of_a_history_can_be_undone_where_there_is_nothing_else():
    store = fed(graded())
    batch = handed_in(store, "time,use\n" + "".join(f"2025-11-03 {h:02}:00,1.5\n" for h in range(24)))
    taken_in(store, batch)
    assert of_days(store) == {date(2025, 11, 3): 36.0}
    taken_in(store, retracted(batch))
    assert of_days(store) == {}
    assert of_days(store, "building_1d", {}) == {}
