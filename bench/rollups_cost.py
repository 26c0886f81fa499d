"""What the rollups of dashboards add: time of a recompute, processor time of a minute and of an hour, series, bytes.

No process but this one, on SQLite: an estate of ``bench.stack``. The recompute is made twice, with and without what is
made of stored hours; the minute is one of all gauges, the hour one of all counters, both with a day before them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from analytics.rollups.minutes import Minutes
from analytics.rollups.quality import HeardHours
from analytics.rollups.writer import RollupWriter
from bench.proc import written_bytes
from bench.stack.estate import DAY_MS, HOUR_MS, MINUTE_MS, POINTS_AT_ONCE, nowhere, plan, site_text
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.model import ReadingBatch
from facility.quantities import Kind
from stores.readings.port import RollupSeries
from stores.readings.series import rollup_series
from stores.readings.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Times

RESULT = Path(__file__).parent / "results" / "rollups_cost.json"
POINTS = (500, 2_000, 10_000)
BEGIN_MS = 1_790_812_800_000  # 2026-10-01T00:00Z
RECOMPUTE_POINTS, RECOMPUTE_DAYS = 500, 30
NEW = ("profile_day", "live", "events", "device_health", "platform_1m", "alert_1d")
MOST_SHARE = 0.25


def main() -> int:
    """Measure, write the results, and say whether the targets are held."""
    found = {"recompute": recompute(), "sizes": [size(points) for points in POINTS]}
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    return 0 if found["recompute"]["share_added"] <= MOST_SHARE else 1


def recompute() -> dict[str, float]:
    """Seconds of processor to compute a month of all counters again, without and with what is made of their hours."""
    catalogue = estate(RECOMPUTE_POINTS)
    catalogue = replace(catalogue, buildings=tuple(replace(one, floor_area_m2=5000.0) for one in catalogue.buildings))
    counters = [point for point in catalogue.points if point.quantity.is_counter]
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "readings.db")
        end_ms = BEGIN_MS + RECOMPUTE_DAYS * DAY_MS
        fill(store, counters, range(BEGIN_MS, end_ms, MINUTE_MS))
        write_year(store, catalogue)
        turns = (False, True, False, True)
        seconds = [_recomputed(store, catalogue, counters, end_ms, is_whole=whole) for whole in turns]
        store.close()
    before, after = min(seconds[::2]), min(seconds[1::2])
    return {
        "counters": len(counters),
        "days": RECOMPUTE_DAYS,
        "without_s": round(before, 2),
        "with_s": round(after, 2),
        "share_added": round(after / before - 1, 3),
    }


def size(points: int) -> dict[str, object]:
    """What an estate of so many points adds: series by rollup, and what a minute and an hour cost."""
    catalogue = estate(points)
    series = {name: number for name, number in rollup_series(catalogue).items() if name in NEW}
    gauges = [point for point in catalogue.points if point.quantity.kind is Kind.GAUGE]
    counters = [point for point in catalogue.points if point.quantity.is_counter]
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "readings.db")
        fill(store, [*gauges, *counters], range(BEGIN_MS, BEGIN_MS + 6 * HOUR_MS, MINUTE_MS))
        end_ms = BEGIN_MS + 6 * HOUR_MS
        minutes = Minutes(store, catalogue, 0)
        newest = {point.id: (end_ms - MINUTE_MS, end_ms - MINUTE_MS) for point in gauges}
        minutes.update({point.id: (BEGIN_MS, end_ms - 3 * MINUTE_MS) for point in gauges})
        minute = measured(lambda: minutes.update(newest))
        writer = RollupWriter(store, catalogue)
        writer.update({point.id: (BEGIN_MS, end_ms) for point in counters}, now_ms=end_ms)
        hour = measured(lambda: writer.derived.end_hours(end_ms - HOUR_MS, end_ms, {}))
        quality = HeardHours(store, catalogue, SiteCalendar(catalogue.site))
        heard = measured(lambda: quality.end_hours(end_ms - 2 * HOUR_MS, end_ms - HOUR_MS))
        store.close()
    return {
        "points": points,
        "gauges": len(gauges),
        "counters": len(counters),
        "series": series,
        "series_a_point_beside_live": round(series_beside_live(catalogue) / points, 3),
        "live_minute": minute,
        "days_an_hour": hour,
        "heard_an_hour": heard,
    }


def series_beside_live(catalogue: Catalogue) -> int:
    """Series of the rollups of dashboards, without that of each gauge."""
    return sum(number for name, number in rollup_series(catalogue).items() if name in NEW and name != "live")


def measured(do: Callable[[], None]) -> dict[str, float]:
    """Seconds of processor, and MB that went to the disk."""
    cpu, written = time.process_time(), written_bytes(os.getpid())
    do()
    return {
        "cpu_s": round(time.process_time() - cpu, 2),
        "written_mb": round((written_bytes(os.getpid()) - written) / 1e6, 1),
    }


def estate(points: int) -> Catalogue:
    """The estate of ``bench.stack``, whose buses nobody asks."""
    made = plan(points, 1)
    return load_site(site_text(made, nowhere(made)), "site.yaml", load_profiles())


def write_year(store: ReadingStore, catalogue: Catalogue) -> None:
    """Days of every building before the month that is computed again."""
    t_ms = np.arange(BEGIN_MS - 366 * DAY_MS, BEGIN_MS, DAY_MS, dtype=np.int64)
    ones = np.ones(len(t_ms))
    fields = {"qty": 72.0 * ones, "completeness": ones, "estimated": 0 * ones, "mnf_lph": 30.0 * ones}
    totals = {(meter.building, meter.utility) for meter in catalogue.meters if meter.utility is not None}
    for building, utility in totals:
        tags = {"site": catalogue.site.id, "building": building, "utility": utility.value}
        store.write_rollup("building_1d", [RollupSeries(tags, t_ms, fields)])


def fill(store: ReadingStore, points: Sequence[Point], times: range) -> None:
    """Readings of each point at these times."""
    t_ms = np.array(times, np.int64)
    for first in range(0, len(points), POINTS_AT_ONCE):
        some = list(enumerate(points))[first : first + POINTS_AT_ONCE]
        store.write_many([ReadingBatch([p.id], [0] * len(t_ms), t_ms.tolist(), _said(k, p, t_ms)) for k, p in some])


def _said(k: int, point: Point, t_ms: Times) -> list[float]:
    hours = (t_ms - BEGIN_MS) / HOUR_MS
    values: list[float] = (100.0 * k + (hours * 3.0 if point.quantity.is_counter else np.sin(hours))).tolist()
    return values


def _recomputed(
    store: ReadingStore, catalogue: Catalogue, counters: Sequence[Point], end_ms: int, *, is_whole: bool
) -> float:
    writer = RollupWriter(store, catalogue)
    if not is_whole:
        writer.derived.settle = lambda _: None  # type: ignore[method-assign]
    before = time.process_time()
    for k in range(0, len(counters), 50):
        some = counters[k : k + 50]
        writer.update({point.id: (BEGIN_MS, end_ms) for point in some}, now_ms=end_ms + DAY_MS)
    return time.process_time() - before


if __name__ == "__main__":
    sys.exit(main())
