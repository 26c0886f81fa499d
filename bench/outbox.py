"""What the edge's outbox takes: rows a second on this disk, and the memory of an agent whose outbox is full."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from time import perf_counter

from edge_agent.outbox.outbox import BACKLOG, Outbox
from edge_agent.outbox.room import Room
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import demo_identities

RESULT = Path(__file__).parent / "results" / "outbox.json"
PRELOAD = Path(__file__).parent.parent / "tests" / "rigs" / "preload.c"
COMMITS = """
import sys
from pathlib import Path
from bench.outbox import rows_per_second
folder = Path(sys.argv[1])
folder.mkdir()
rows_per_second(folder, 50, 200)
"""
AGENT = "edge-1"
SITE = """\
version: 1
site: {id: s, name: S, timezone: UTC, currency: EUR}
buildings: [{id: b, name: B}]
agents: [{id: edge-1, buses: [{id: line, url: "modbus+tcp://127.0.0.1:1"}]}]
meters: [{id: m1, name: M, building: b, profile: eastron/sdm120, agent: edge-1, bus: line, unit: 1}]
"""
START_MS = 1_790_000_000_000
FSYNC_S = 2.0
FULL_ROWS = 1_000_000
SETTLE_S = 20.0
REFERENCE_FSYNCS = 350
LEAST_ROWS_PER_S, MOST_MIB = 1_000, 100


def fsyncs_per_second(folder: Path) -> float:
    """4 KiB written in place, as SQLite's log is, each forced to disk."""
    done, begun = 0, perf_counter()
    with (folder / "plain").open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, 2**20)
        while perf_counter() - begun < FSYNC_S:
            os.pwrite(file.fileno(), bytes(4096), done % 256 * 4096)
            os.fdatasync(file.fileno())
            done += 1
    return done / (perf_counter() - begun)


def fsyncs_per_commit(folder: Path) -> float:
    """Counted in a process of its own: 200 commits of 50 rows."""
    library, count = folder / "preload.so", folder / "fsyncs"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, PRELOAD, "-ldl"], check=True)
    env = os.environ | {"LD_PRELOAD": str(library), "FAULT_FSYNCS": str(count)}
    subprocess.run([sys.executable, "-c", COMMITS, folder / "counted"], env=env, check=True)
    return count.stat().st_size / 200


def rows_per_second(folder: Path, per_commit: int, commits: int) -> float:
    outbox = Outbox(folder / f"{per_commit}.db", 0, room=Room(ballast_bytes=0))
    begun = perf_counter()
    for k in range(commits):
        outbox.commit(
            [("m1/active_power/total", START_MS + 1000 * (per_commit * k + i), 1.0, 0) for i in range(per_commit)]
        )
    took = perf_counter() - begun
    outbox.close()
    return per_commit * commits / took


def fill(folder: Path) -> int:
    """A million rows that no server has; returns the bytes of the file."""
    outbox = Outbox(folder / "outbox.db", 0)
    points = ("m1/active_power/total", "m1/energy_import/total")
    for begin in range(0, FULL_ROWS, 5000):
        rows = [(points[k % 2], START_MS + 1000 * k, float(k), 0) for k in range(begin, begin + 5000)]
        outbox.commit(rows, BACKLOG)
    outbox.close()
    return (folder / "outbox.db").stat().st_size


def resident_mib(folder: Path) -> tuple[float, float]:
    """Seconds to be connected, and the greatest memory of an agent that sends its full outbox to nobody."""
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    with start_broker(folder / "broker", demo_identities(AGENT, [])) as broker, (folder / "log").open("wb") as log:
        env = {
            "METERHOUSE_DATA": str(folder),
            "METERHOUSE_SITE": str(folder / "site.yaml"),
            "METERHOUSE_AGENT": AGENT,
            "METERHOUSE_BROKER": broker.url_for(AGENT),
            "METERHOUSE_BACKLOG_DELAY_S": "0",
        }
        begun = perf_counter()
        child = subprocess.Popen([sys.executable, "-m", "edge_agent"], env=os.environ | env, stderr=log)
        try:
            while b"state=up" not in (folder / "log").read_bytes():
                time.sleep(0.05)
            connected_s = perf_counter() - begun
            time.sleep(SETTLE_S)
            status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
        finally:
            child.terminate()
            child.wait()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return connected_s, kib / 1024


def main() -> int:
    """Write ``bench/results/outbox.json``; 1 where a figure misses its bound."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fsyncs, per_commit = fsyncs_per_second(folder), fsyncs_per_commit(folder)
        one, fifty = rows_per_second(folder, 1, 1000), rows_per_second(folder, 50, 400)
        file_bytes = fill(folder)
        connected_s, peak_mib = resident_mib(folder)
    at_reference = round(50 * REFERENCE_FSYNCS / per_commit)
    figures = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "fsyncs_per_s_of_this_disk": round(fsyncs),
        "rows_per_s_1_per_commit": round(one),
        "rows_per_s_50_per_commit": round(fifty),
        "fsyncs_per_commit": round(per_commit, 2),
        f"rows_per_s_50_per_commit_at_{REFERENCE_FSYNCS}_fsyncs_per_s": at_reference,
        "full_outbox_rows": FULL_ROWS,
        "full_outbox_bytes_per_row": round(file_bytes / FULL_ROWS, 1),
        "full_outbox_start_to_connected_s": round(connected_s, 2),
        "full_outbox_agent_peak_mib": round(peak_mib, 1),
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    return judged(at_reference, peak_mib)


def judged(rows_per_s: float, peak_mib: float) -> int:
    """1, with a sentence for each figure that misses its bound; else 0."""
    missed = []
    if rows_per_s < LEAST_ROWS_PER_S:
        disk = f"a disk of {REFERENCE_FSYNCS} fsyncs a second"
        missed.append(f"at 50 a commit {disk} takes {rows_per_s:.0f} rows a second, fewer than {LEAST_ROWS_PER_S}")
    if peak_mib >= MOST_MIB:
        missed.append(f"an agent with a full outbox took {peak_mib:.1f} MiB, it must stay below {MOST_MIB} MiB")
    for sentence in missed:
        print(sentence, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
