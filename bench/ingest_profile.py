"""Where our ingest spends its processor time in the run against Telegraf: own time by thread and function.

Called with a file it is ingest itself, each thread under ``cProfile`` with the thread's processor clock (waiting costs
nothing); called without, it runs that against Mosquitto and influxd and writes ``bench/results/ingest_profile.json``.
The profiler makes Python calls dearer than they are; what the process costs without it is in ``ingest_peer.json``.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import shutil
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.ingest import ROWS, estate, messages
from bench.peer import BATCHES, Place, measure, start_ours
from facility import wire
from ingest.__main__ import main as run_ingest
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import INGEST, TopicRights
from meterhouse.servers.influxd import start_influxd
from meterhouse.supervisor import Supervisor

ROOT = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "ingest_profile.json"
SHOWN = 15
PLACES = [f"{folder}/" for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), ROOT)]


def run_profiled(file: Path) -> int:
    """Ingest until it is stopped; then the profile of each of its threads goes to ``file``."""
    profiles: dict[str, cProfile.Profile] = {}
    run = threading.Thread.run

    def run_thread(thread: threading.Thread) -> None:
        profiles[thread.name] = profile = cProfile.Profile(time.thread_time)
        profile.runcall(run, thread)

    threading.Thread.run = run_thread  # type: ignore[method-assign]
    profiles["intake"] = profile = cProfile.Profile(time.thread_time)
    code = profile.runcall(run_ingest)
    file.write_text(json.dumps({name: dearest(one) for name, one in profiles.items()}), encoding="utf-8")
    return code


def dearest(profile: cProfile.Profile) -> dict[str, Any]:
    """Own time of the dearest functions."""
    stats = pstats.Stats(profile)
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])  # type: ignore[attr-defined]
    whole = sum(own for _, (_, _, own, *_) in rows)
    return {
        "cpu_s": round(whole, 3),
        "functions": [
            {"function": named(*where), "calls": calls, "own_s": round(own, 3), "share": round(own / whole, 3)}
            for where, (_, calls, own, *_) in rows[:SHOWN]
        ],
    }


def named(file: str, line: int, function: str) -> str:
    """A function with its file, from the folder that it was imported from."""
    for place in PLACES:
        file = file.removeprefix(place)
    return f"{file}:{line} {function}" if line else function


def main() -> None:
    """Write ``bench/results/ingest_profile.json``."""
    given = [one.payload for one in messages(estate(), BATCHES)]
    folder = Path(tempfile.mkdtemp(prefix="bench-profile-"))
    file = folder / "profile.json"
    identities = {"ingest": INGEST, "bench": TopicRights(writes=("meterhouse/#",))}
    with (
        Supervisor(folder / "logs") as supervisor,
        start_broker(folder / "broker", identities, kind="mosquitto") as broker,
    ):
        place = Place(folder, broker, start_influxd(folder / "influxd", supervisor))
        program = ["bench.ingest_profile", str(file)]
        figure = measure(
            place, "profiled", wire.up_topic("edge-1", "live"), given, lambda: start_ours(place, "profiled", program)
        )
        threads = json.loads(file.read_text(encoding="utf-8"))
    shutil.rmtree(folder)
    figures = {
        "readings": BATCHES * ROWS,
        "readings_per_message": ROWS,
        "stored_under_the_profiler": figure,
        "threads": dict(sorted(threads.items(), key=lambda one: -one[1]["cpu_s"])),
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, thread in figures["threads"].items():
        print(f"{name}: {thread['cpu_s']} s")
        for row in thread["functions"]:
            print(f"  {row['share']:6.1%} {row['own_s']:8.3f} s {row['calls']:>9,} {row['function']}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(run_profiled(Path(sys.argv[1])))
    main()
