"""The restore drill: a year of 500 points is backed up, the folder is gone, the backup is put back. How long is that?

``python -m bench.backup`` writes a year of quarter-hourly readings (``STEP_MIN``) of 500 points into an embedded store,
has the commands that people use write a backup, check it and restore it, and compares every point's count and sum
before and after. The restore may take a quarter of an hour.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.proc import machine
from facility.model import ReadingBatch
from ingest.watermarks import Watermarks
from meterhouse.backup.keys import make_key
from stores.readings import open_readings
from stores.records.database import open_records

RESULT = Path(__file__).parent / "results" / "backup.json"
POINTS, DAYS, STEP_MIN = 500, 365, 15.0
BEGIN_MS, DAY_MS = 1_735_689_600_000, 86_400_000
ALLOWED_S = 900.0
MIB = 2**20


def main() -> int:
    """Write ``bench/results/backup.json``; the exit code is 1 where something is lost or the drill takes too long."""
    step_min = float(os.environ.get("STEP_MIN", STEP_MIN))
    with tempfile.TemporaryDirectory(prefix="backup-") as place:
        folder, key, to = Path(place) / "data", Path(place) / "key.txt", Path(place) / "backups"
        folder.mkdir(mode=0o700)
        filled_s = timed(lambda: fill(folder, round(step_min * 60_000)))[0]
        key.write_text(make_key(folder))
        before = totals(folder)
        backup_s, made = run(folder, "backup", "--to", to, "--json")
        check_s, _ = run(folder, "restore", made["file"], "--key", key, "--check", "--json")
        stored_mib = sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / MIB
        shutil.rmtree(folder)
        restore_s, restored = run(folder, "restore", made["file"], "--key", key, "--json")
        is_whole = totals(folder) == before
    figures = {
        "points": POINTS,
        "days": DAYS,
        "step_min": step_min,
        "readings": sum(count for count, _ in before.values()),
        "stored_mib": round(stored_mib),
        "backup_mib": round(made["size"] / MIB),
        "filled_s": round(filled_s, 1),
        "backup_s": round(backup_s, 1),
        "check_s": round(check_s, 1),
        "restore_s": round(restore_s, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        "counted": restored["readings"],
        "whole": is_whole,
        "allowed_s": ALLOWED_S,
    }
    if step_min <= STEP_MIN:  # a smaller one shows that the drill works, and is no figure
        RESULT.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
    is_right = is_whole and restored["readings"] == figures["readings"] and restore_s <= ALLOWED_S
    return 0 if is_right else 1


def fill(folder: Path, step_ms: int) -> None:
    """Stores of a server: counters that rise, a day of all points at once."""
    open_records(f"sqlite:///{folder / 'records.db'}").dispose()
    Watermarks(folder / "ingest.db").close()
    store = open_readings(f"sqlite://{folder / 'readings.db'}")
    points = [f"meter-{n}/energy_import/total" for n in range(POINTS)]
    for day in range(DAYS):
        times = range(BEGIN_MS + day * DAY_MS, BEGIN_MS + (day + 1) * DAY_MS, step_ms)
        p = [n for n in range(POINTS) for _ in times]
        t_ms = [t for _ in range(POINTS) for t in times]
        x = [float(n + (t - BEGIN_MS) // step_ms) for n in range(POINTS) for t in times]
        store.write(ReadingBatch(points, p, t_ms, x, [0] * len(p)))
    store.close()


def totals(folder: Path) -> dict[str, tuple[int, float]]:
    """Point → how many readings it has, and their sum."""
    store = open_readings(f"sqlite://{folder / 'readings.db'}")
    try:
        return {point: (one.count, one.total) for point, one in store.totals().items()}
    finally:
        store.close()


def run(folder: Path, *words: object) -> tuple[float, Any]:
    """Seconds of a command, and what it answered."""
    command = [sys.executable, "-m", "meterhouse", *map(str, words)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
    environment = kept | {"METERHOUSE_DATA": str(folder)}
    took_s, done = timed(lambda: subprocess.run(command, env=environment, capture_output=True, text=True, check=False))
    if done.returncode:
        raise SystemExit(f"{words[0]}: {done.stderr}")
    return took_s, json.loads(done.stdout)


def timed(work: Any) -> tuple[float, Any]:
    """Seconds that it took, and what it returned."""
    begun = time.monotonic()
    found = work()
    return time.monotonic() - begun, found


if __name__ == "__main__":
    sys.exit(main())
