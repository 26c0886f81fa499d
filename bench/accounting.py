"""How long exact accounting takes: an estate's year in memory and on disk, live and late readings, doing it again."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.demand import peak_rate, quarter_edges
from accounting.dirty import Dirty
from accounting.intervals import use_between, use_of
from accounting.ledger import Stretch, stitched
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.tariffs import Pricing, Tariffs
from analytics.rollups.days import daily
from analytics.rollups.hours import by_hour, by_hour_and_period
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from analytics.scene import instant
from facility.catalogue import Catalogue
from facility.model import Building, Meter, MeterRole, Name, Point, ReadingBatch, Site
from facility.quantities import Quantity, Utility
from facility.tariff import PERIODS, Period, Tariff, TariffRule
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounting.recomputations import Recomputations
from stores.records.database import open_records

RESULT = Path(__file__).parent / "results" / "accounting.json"
START_MS = 1_756_684_800_000  # 2025-09-01T00:00Z
METERS = 20
HISTORY_HOURS = 455 * 24
LIVE_UPDATES = 100
YEAR_COUNTERS = 2_000
YEAR_DAYS = 365
FIVE_TIERS = Tariff(
    "five",
    Utility.ELECTRICITY,
    date(2020, 1, 1),
    "bench",
    tuple(zip(PERIODS, (1.6, 1.2, 0.8, 0.4, 0.2), strict=True)),
    (
        TariffRule(Period.PEAK, ((480, 690), (1020, 1260)), (), frozenset({"workday"})),
        TariffRule(Period.VALLEY, ((1320, 360),)),
        TariffRule(Period.SHARP, ((600, 630),), (((7, 15), (8, 31)), ((12, 15), (1, 31)))),
        TariffRule(Period.DEEP, ((690, 780),), (), frozenset({"long_holiday"})),
    ),
    Period.FLAT,
)


def estate(counters: int = METERS) -> Catalogue:
    """Head meters, twenty in each building; the first building is ``hall``."""
    halls = [f"hall{k}" if k else "hall" for k in range(-(-counters // METERS))]
    head = Meter("m", Name("m"), "hall", "p", "a", "b", "1", utility=Utility.ELECTRICITY, role=MeterRole.HEAD)
    meters = tuple(replace(head, id=f"m{i}", name=Name(f"m{i}"), building=halls[i // METERS]) for i in range(counters))
    points = tuple(Point(meter.id, Quantity.ENERGY_IMPORT) for meter in meters)
    site = Site("town", Name("town"), "Asia/Shanghai", "CNY", "CN", tariffs=(FIVE_TIERS,))
    return Catalogue(site, (), tuple(Building(hall, Name(hall)) for hall in halls), (), (), meters, points)


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


def milliseconds_late(folder: str, catalogue: Catalogue, months: int) -> float:
    """One reading of ten days ago, in a history of so many months of quarter-hourly readings with an outage in it."""
    store, point = SqliteStore(Path(folder) / f"late{months}.db"), catalogue.points[0].id
    single = Catalogue(catalogue.site, (), catalogue.buildings, (), (), catalogue.meters[:1], catalogue.points[:1])
    t_ms = START_MS + np.arange(0, months * 30 * DAY_MS, HOUR_MS // 4)
    x = np.cumsum(np.random.default_rng(2).random(len(t_ms)))
    silent = (t_ms > t_ms[-1] - 6 * DAY_MS) & (t_ms < t_ms[-1] - 5 * DAY_MS)
    late = np.flatnonzero(t_ms > t_ms[-1] - 10 * DAY_MS)[: LIVE_UPDATES // 2]
    kept = ~silent
    kept[late] = False
    store.write(column(point, t_ms[kept], x[kept]))
    writer = RollupWriter(store, single)
    writer.update(store.changes(0).ranges)
    spent = []
    for i in late.tolist():
        store.write(column(point, t_ms[i : i + 1], x[i : i + 1]))
        begun = perf_counter()
        writer.update({point: (int(t_ms[i]), int(t_ms[i]))})
        spent.append(perf_counter() - begun)
    return float(np.median(spent)) * 1000


def milliseconds_again(folder: str, catalogue: Catalogue, days: int) -> float:
    """So many days of one counter computed again in a history of a year."""
    path = Path(folder) / "again.db"
    new, store, point = not path.exists(), SqliteStore(path), catalogue.points[0].id
    single = Catalogue(catalogue.site, (), catalogue.buildings, (), (), catalogue.meters[:1], catalogue.points[:1])
    t_ms = START_MS + np.arange(0, YEAR_DAYS * DAY_MS, HOUR_MS // 4)
    writer = RollupWriter(store, single)
    if new:
        store.write(column(point, t_ms, np.cumsum(np.random.default_rng(4).random(len(t_ms)))))
        writer.update(store.changes(0).ranges)
    first = int(t_ms[200 * 96])
    begun = perf_counter()
    writer.update({point: (first, first + days * DAY_MS)})
    return (perf_counter() - begun) * 1000


def milliseconds_of_recompute(folder: str, catalogue: Catalogue, months: int) -> float:
    """A day of one counter asked for and computed again by the list of recomputations, in so many months of history."""
    store, point = SqliteStore(Path(folder) / f"asked{months}.db"), catalogue.points[0].id
    single = Catalogue(catalogue.site, (), catalogue.buildings, (), (), catalogue.meters[:1], catalogue.points[:1])
    t_ms = START_MS + np.arange(0, months * 30 * DAY_MS, HOUR_MS // 4)
    store.write(column(point, t_ms, np.cumsum(np.random.default_rng(6).random(len(t_ms)))))
    writer = RollupWriter(store, single)
    writer.update(store.changes(0).ranges)
    todo = Recomputations(open_records(f"sqlite:///{folder}/asked{months}.records"))
    again, spent, now_ms = Recompute(store, writer, single, todo), [], int(t_ms[-1])
    first = instant(now_ms - 10 * DAY_MS)
    for _ in range(LIVE_UPDATES // 5):
        todo.ask(
            [Dirty((point,), first, first + timedelta(days=1), "bench")], by="bench", at=instant(now_ms), reason=""
        )
        begun = perf_counter()
        while again.step(now_ms):
            pass
        spent.append(perf_counter() - begun)
    return float(np.median(spent)) * 1000


def seconds_of_a_stored_year(folder: str, counters: int) -> tuple[float, float]:
    """A year of quarter-hourly readings of so many counters, from and into one SQLite file as analytics does it.

    Every counter's readings are there before the first is computed, a building at a time. Seconds of the clock, and of
    the processor.
    """
    catalogue, store = estate(counters), SqliteStore(Path(folder) / "stored.db")
    t_ms = START_MS + np.arange(0, YEAR_DAYS * DAY_MS, HOUR_MS // 4)
    rng = np.random.default_rng(5)
    for point in catalogue.points:
        store.write(column(point.id, t_ms, np.cumsum(rng.random(len(t_ms)) * 9)))
    writer, span = RollupWriter(store, catalogue), (int(t_ms[0]), int(t_ms[-1]))
    begun, worked = perf_counter(), process_time()
    for first in range(0, counters, METERS):
        writer.update({point.id: span for point in catalogue.points[first : first + METERS]})
    return perf_counter() - begun, process_time() - worked


def seconds_of_an_estates_year(catalogue: Catalogue) -> tuple[float, float]:
    """Hourly and daily use and cost of 2,000 counters' year of quarter-hourly readings: arithmetic alone, no store.

    Also the peak in MiB.
    """
    calendar = SiteCalendar(catalogue.site)
    edges = calendar.day_edges(START_MS, START_MS + YEAR_DAYS * DAY_MS)
    hours = calendar.hour_edges(int(edges[0]), int(edges[-1]))
    rng, spent = np.random.default_rng(3), 0.0
    t_ms = np.arange(edges[0], edges[-1] + 1, HOUR_MS // 4)
    begun = perf_counter()
    pricing = Tariffs(catalogue.site, calendar).price(Utility.ELECTRICITY, "hall", quarter_edges(hours))
    occ = calendar.local_hours(hours[:-1], catalogue.buildings[0]).occ
    spent += perf_counter() - begun
    for number in range(YEAR_COUNTERS):
        x = (9e5 + number + np.cumsum(rng.random(len(t_ms)) * 9)) % 1e6
        heard = np.ones(len(t_ms), np.bool_)
        heard[number : number + 48] = False
        begun = perf_counter()
        _account(t_ms[heard], x[heard], hours, edges, pricing, occ)
        spent += perf_counter() - begun
    return spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def _account(
    t_ms: np.ndarray, x: np.ndarray, hours: np.ndarray, days: np.ndarray, pricing: Pricing, occ: np.ndarray
) -> None:
    """One counter's year, as the rollups compute it, without reading or writing it."""
    use = use_of(stitched(t_ms, x, [Stretch(span=1e6)], max_rate=5_000.0), quarter_edges(hours))
    quantities, costs = (by_hour_and_period(table) for table in pricing.by_period(use.qty))
    fields = {
        "qty": by_hour(use.qty),
        "est_qty": by_hour(use.est_qty),
        "completeness": use.completeness.reshape(-1, 4).mean(axis=1),
        "estimated": use.estimated.reshape(-1, 4).mean(axis=1),
        "cost": costs.sum(axis=1),
        "peak_kw": peak_rate(use.qty, hours)[0],
        **{f"qty_{period}": quantities[:, k] for k, period in enumerate(PERIODS)},
        **{f"cost_{period}": costs[:, k] for k, period in enumerate(PERIODS)},
    }
    daily(fields, occ, hours, days)


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
    year_s, peak_mib = seconds_of_an_estates_year(catalogue)
    with tempfile.TemporaryDirectory() as folder:
        stored_s, stored_processor_s = seconds_of_a_stored_year(folder, YEAR_COUNTERS)
        figures = {
            "arithmetic_in_memory_year_of_2000_quarter_hourly_counters_s": year_s,
            "arithmetic_in_memory_year_of_2000_quarter_hourly_counters_peak_mib": peak_mib,
            "rollups_on_sqlite_year_of_2000_quarter_hourly_counters_s": stored_s,
            "rollups_on_sqlite_year_of_2000_quarter_hourly_counters_processor_s": stored_processor_s,
            "rollups_on_sqlite_year_per_quarter_hourly_counter_s": stored_s / YEAR_COUNTERS,
            "one_late_reading_in_1_month_ms": milliseconds_late(folder, catalogue, 1),
            "one_late_reading_in_12_months_ms": milliseconds_late(folder, catalogue, 12),
            "recompute_1_day_in_1_month_ms": milliseconds_of_recompute(folder, catalogue, 1),
            "recompute_1_day_in_12_months_ms": milliseconds_of_recompute(folder, catalogue, 12),
            "again_1_day_in_a_year_ms": milliseconds_again(folder, catalogue, 1),
            "again_10_days_in_a_year_ms": milliseconds_again(folder, catalogue, 10),
            "again_100_days_in_a_year_ms": milliseconds_again(folder, catalogue, 100),
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
