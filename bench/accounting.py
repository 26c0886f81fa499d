"""How long exact accounting takes: whole histories, one live reading, and the arithmetic alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.intervals import use_between
from accounting.local_time import DAY_MS, HOUR_MS
from analytics.rollups import RollupWriter
from facility.catalogue import Catalogue
from facility.model import Building, Meter, MeterRole, Name, Point, ReadingBatch, Site
from facility.quantities import Quantity, Utility
from stores.readings.sqlite import SqliteStore

RESULT = Path(__file__).parent / "results" / "accounting.json"
START_MS = 1_756_684_800_000  # 2025-09-01T00:00Z
METERS = 20
HISTORY_HOURS = 455 * 24
LIVE_UPDATES = 100


def estate() -> Catalogue:
    """Twenty head meters of one building."""
    meters = tuple(
        Meter(f"m{i}", Name(f"m{i}"), "hall", "p", "a", "b", "1", utility=Utility.ELECTRICITY, role=MeterRole.HEAD)
        for i in range(METERS)
    )
    points = tuple(Point(meter.id, Quantity.ENERGY_IMPORT) for meter in meters)
    site = Site("town", Name("town"), "Europe/London", "GBP")
    return Catalogue(site, (), (Building("hall", Name("hall")),), (), (), meters, points)


def column(point: str, t_ms: np.ndarray, x: np.ndarray) -> ReadingBatch:
    return ReadingBatch([point], [0] * len(t_ms), t_ms.tolist(), x.astype(float).tolist())


def seconds_of_history(folder: str, catalogue: Catalogue) -> float:
    store = SqliteStore(Path(folder) / "history.db")
    t_ms = START_MS + np.arange(HISTORY_HOURS) * HOUR_MS
    for point in catalogue.points:
        store.write(column(point.id, t_ms, np.cumsum(np.ones(len(t_ms)))))
    begun = perf_counter()
    RollupWriter(store, catalogue).update(store.changes(0).ranges)
    return perf_counter() - begun


def milliseconds_live(folder: str, catalogue: Catalogue) -> float:
    store, point = SqliteStore(Path(folder) / "live.db"), catalogue.points[0].id
    t_ms = START_MS + np.arange(0, DAY_MS, 10_000)
    store.write(column(point, t_ms, np.arange(len(t_ms))))
    writer = RollupWriter(store, catalogue)
    writer.update({point: (int(t_ms[0]), int(t_ms[-1]))})
    begun = perf_counter()
    for t in t_ms[-LIVE_UPDATES:].tolist():
        writer.update({point: (t, t)})
    return (perf_counter() - begun) / LIVE_UPDATES * 1000


def seconds_of_a_dense_year() -> float:
    t_ms = np.arange(0, 365 * DAY_MS, 10_000)
    x = np.cumsum(np.random.default_rng(1).random(len(t_ms)))
    begun = perf_counter()
    use_between(t_ms, x, np.arange(365 * 24 + 1) * HOUR_MS)
    return perf_counter() - begun


def milliseconds_of_calendar(catalogue: Catalogue) -> float:
    calendar, hours = SiteCalendar(catalogue.site), START_MS + np.arange(100_000) * HOUR_MS
    calendar.local_hours(hours)
    begun = perf_counter()
    calendar.local_hours(hours)
    return (perf_counter() - begun) * 1000


def main() -> None:
    """Write ``bench/results/accounting.json``."""
    catalogue = estate()
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "rollups_15_months_20_hourly_counters_s": seconds_of_history(folder, catalogue),
            "rollups_one_live_reading_ms": milliseconds_live(folder, catalogue),
            "use_of_a_year_of_10_s_readings_s": seconds_of_a_dense_year(),
            "calendar_100_000_hours_ms": milliseconds_of_calendar(catalogue),
        }
    rounded = {name: round(value, 3) for name, value in figures.items()}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
