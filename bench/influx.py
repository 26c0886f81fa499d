"""How fast a real InfluxDB is read: 100,000 readings of one point as columns, and a year of hours of one building."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.ingest import estate
from facility.model import ReadingBatch
from meterhouse.servers.influxd import start_influxd
from meterhouse.store_setup import prepare_store
from meterhouse.supervisor import Supervisor
from stores.readings import open_readings
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from facility.catalogue import Catalogue

RESULT = Path(__file__).parent / "results" / "influx.json"
ROWS, YEAR_HOURS, REPEATS = 100_000, 8_760, 7
MOST_S = {"read_readings": 0.25, "read_year_of_use": 0.15, "read_year_of_all_fields": 0.15}
"""What the middle run may take."""

HOUR_MS, STEP_MS = 3_600_000, 10_000


class Registry:
    """The bench's estate, which stands still."""

    def __init__(self) -> None:
        self.catalogue = estate()

    def version(self) -> int:
        """It never changes."""
        return 1

    def load(self) -> Catalogue:
        """The bench's estate."""
        return self.catalogue


def timed(read: Callable[[], int], expected: int) -> dict[str, float]:
    """Best and middle of a few runs, in seconds; each must have found everything."""
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        if read() != expected:
            raise SystemExit("not everything was read")
        found.append(time.perf_counter() - begun)
    return {"best_s": round(min(found), 4), "median_s": round(sorted(found)[REPEATS // 2], 4)}


def main() -> int:
    """Write ``bench/results/influx.json``; 1 where a figure misses."""
    folder, now_ms = Path(tempfile.mkdtemp(prefix="bench-influx-")), time.time_ns() // 1_000_000
    with Supervisor(folder / "logs") as supervisor:
        url = start_influxd(folder / "influxd", supervisor)
        prepare_store(url, "town", now_ms)
        store = open_readings(url, Registry())
        point = estate().points[0].id
        start_ms = now_ms - ROWS * STEP_MS
        for i in range(0, ROWS, 10_000):
            t_ms = [start_ms + (i + j) * STEP_MS for j in range(10_000)]
            store.write(ReadingBatch([point], [0] * 10_000, t_ms, [230.1 + t % 977 / 7 for t in t_ms]))
        tags = {"site": "town", "building": "hall", "utility": "electricity"}
        first_ms = (now_ms // HOUR_MS - YEAR_HOURS) * HOUR_MS
        hours = first_ms + np.arange(YEAR_HOURS) * HOUR_MS
        fields = {name: np.linspace(0, 900, YEAR_HOURS) for name in ROLLUPS["building_1h"].fields}
        store.write_rollup("building_1h", [RollupSeries(tags, hours, fields)])
        figures = {
            "cores": os.cpu_count(),
            "most_s": MOST_S,
            "readings": ROWS,
            "read_readings": timed(lambda: len(store.read([point], 0, now_ms + 1)[point]), ROWS),
            "hours": YEAR_HOURS,
            "read_year_of_use": timed(
                lambda: len(store.read_rollup("building_1h", tags, 0, now_ms + 1, ["qty"])[0]), YEAR_HOURS
            ),
            "read_year_of_all_fields": timed(
                lambda: len(store.read_rollup("building_1h", tags, 0, now_ms + 1)[0]), YEAR_HOURS
            ),
        }
        store.close()
    shutil.rmtree(folder)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    missed = [name for name, most in MOST_S.items() if figures[name]["median_s"] > most]
    for name in missed:
        print(f"missed: {name} took {figures[name]['median_s']} s, {MOST_S[name]} s are allowed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
