"""How long a table of 100,000 readings takes: read, checked, put on record, and stored by ingest's own rules.

In one process on SQLite, as command and ingest do it one after the other; that ingest looks for errands every two
seconds is not counted.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from bench.accounting import estate
from bench.bounded import held_to_its_bound
from facility.levels import Level
from imports.readings import ImportPlan, plan_import
from imports.rows import Wishes
from ingest.gate import Gate
from ingest.imports import import_entries
from stores.readings.sqlite.store import SqliteStore
from stores.records.database import open_records
from stores.records.imports.book import Imports, ProposedImport

RESULT = Path(__file__).parent / "results" / "imports.json"
ROWS, METERS, MOST_S = 100_000, 20, 10.0
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def table(rows: int, meters: int) -> bytes:
    """Quarter-hourly reads of some meters, as a logger writes them."""
    begin, lines = datetime(2026, 1, 1), ["meter,time,reading,unit"]  # noqa: DTZ001 - on the site's clock
    for k in range(rows):
        at = begin + timedelta(minutes=15 * (k // meters))
        lines.append(f"m{k % meters},{at:%Y-%m-%d %H:%M},{1000 + k / 7:.3f},kWh")
    return "\n".join(lines).encode()


def graded(meters: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """The estate of the other benches, with a level for every point."""
    whole = estate(meters)
    return replace(whole, points=tuple(replace(point, level=Level.INTERNAL) for point in whole.points))


def measure(folder: Path) -> dict[str, float]:
    catalogue, content = graded(METERS), table(ROWS, METERS)
    store, book = SqliteStore(folder / "readings.db"), Imports(open_records(f"sqlite:///{folder}/records.db"))
    heard: list[int] = []
    begun = perf_counter()
    now_ms = round(NOW.timestamp() * 1000)
    zone = ZoneInfo(catalogue.site.timezone)
    plan: ImportPlan = plan_import(
        content, "reads.csv", catalogue, zone, store, Wishes(), now_ms, lambda done, _: heard.append(done)
    )
    assert not plan.faults, plan.faults[:3]
    read = perf_counter()
    number = book.propose(ProposedImport(plan.file, plan.digest, plan.tells, plan.readings), "bench", NOW)
    book.confirm(number, "bench", NOW)
    kept = perf_counter()
    entries = import_entries(number, book.readings(number), Gate(catalogue), now_ms)
    for entry in entries:
        assert entry.readings is not None
        store.write_many([entry.readings.batch()])
    book.done(number, "", NOW)
    stored = perf_counter()
    assert sum(total.count for total in store.totals().values()) == ROWS
    return {
        "rows": ROWS,
        "meters": METERS,
        "read_and_checked_s": read - begun,
        "put_on_record_s": kept - read,
        "stored_s": stored - kept,
        "whole_s": stored - begun,
        "progress_heard": len(heard),
        "most_s": MOST_S,
    }


if __name__ == "__main__":
    sys.exit(held_to_its_bound(measure, RESULT))
