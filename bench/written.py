"""How many bytes ingest writes to the disk for a reading, on SQLite, with every point read once a minute.

Real broker and real ingest, with an agent that sends each half second what was due. Bytes are those of /proc/PID/io:
what the process has caused to be written, journal, store, watermarks and status together.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.proc import cpu_s, written_bytes
from bench.stack.estate import hash_ms, nowhere, plan, said, site_text
from device_profiles import load_profiles
from facility import wire
from facility.broker_address import broker_address
from facility.documents.site import load_site
from facility.model import ReadingBatch
from meterhouse.servers.broker import Broker, start_broker
from meterhouse.servers.broker_files import demo_identities
from process.mqtt import checksum, make_client
from stores.readings.sqlite.store import SqliteStore
from stores.records.database import open_records
from stores.records.registry import Registry

RESULT = Path(__file__).parent / "results" / "written.json"
POINTS = (500, 2_000, 10_000)
SECONDS, TICK_S = 90.0, 0.5
AGENT, HISTORY = "edge-0", 400
MOST_BYTES = 12_000


def measure(folder: Path, points: int) -> dict[str, float]:
    made = plan(points, points_an_agent=points)
    estate = load_site(site_text(made, nowhere(made)), "site.yaml", load_profiles())
    records = open_records(f"sqlite:///{folder}/records.db")
    Registry(records).apply(estate, by="bench", at=datetime.now(UTC))
    records.dispose()
    store = SqliteStore(folder / "readings.db")
    for point in estate.points:  # each has pages of its own, as after some hours
        t_ms = [time.time_ns() // 10**6 - 60_000 * n for n in range(HISTORY, 1, -1)]
        store.write(ReadingBatch([point.id], [0] * len(t_ms), t_ms, [0.5] * len(t_ms), []))
    store.close()
    due = sorted((hash_ms(point.meter), point.id) for point in estate.points)
    values = {
        p.id: float(said(made, p.meter, p.quantity, np.array([time.time_ns() // 10**6]))[0]) for p in estate.points
    }
    with ExitStack() as leave:
        broker = leave.enter_context(start_broker(folder / "broker", demo_identities(AGENT, [])))
        ingest = start(leave, folder, broker)
        send(broker, due, values, 15.0)  # until everything has its first pages
        before, begun_cpu = written_bytes(ingest.pid), cpu_s(ingest.pid)
        sent = send(broker, due, values, SECONDS)
        time.sleep(2)
        written, cpu = written_bytes(ingest.pid) - before, cpu_s(ingest.pid) - begun_cpu
    return {
        "readings": sent,
        "bytes_a_reading": round(written / sent),
        "ingest_cpu_s_a_minute": round(cpu / SECONDS * 60, 2),
    }


def start(leave: ExitStack, folder: Path, broker: Broker) -> subprocess.Popen[bytes]:
    env = {
        "METERHOUSE_DATA": str(folder),
        "METERHOUSE_BROKER": broker.url_for("ingest"),
        "METERHOUSE_STORE": f"sqlite://{folder}/readings.db",
        "METERHOUSE_RECORDS": f"sqlite:///{folder}/records.db",
    }
    log = leave.enter_context((folder / "ingest.log").open("wb"))
    child = subprocess.Popen([sys.executable, "-m", "ingest"], env=os.environ | env, stdout=log, stderr=log)
    leave.callback(child.wait)
    leave.callback(child.terminate)
    while b"state=up" not in (folder / "ingest.log").read_bytes():
        time.sleep(0.1)
    return child


SEQ = [0]


def send(broker: Broker, due: list[tuple[int, str]], values: dict[str, float], seconds: float) -> int:
    """Each half second one batch of what was due; returns how many readings went out."""
    client = make_client(broker_address(broker.url_for(AGENT)), AGENT)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    sent, ends, seen_ms = 0, time.monotonic() + seconds, time.time_ns() // 1_000_000
    while time.monotonic() < ends:
        time.sleep(TICK_S)
        now_ms = time.time_ns() // 1_000_000
        lo, hi = seen_ms % 60_000, now_ms % 60_000
        names = [p for at, p in due if (lo <= at < hi if lo <= hi else at >= lo or at < hi)]
        seen_ms = now_ms
        for begin in range(0, len(names), 500):
            some = names[begin : begin + 500]
            batch = wire.Batch(1, AGENT, "e", SEQ[0] + 1, "live", wire.Clock(), some, list(range(len(some))),
                               [now_ms] * len(some), [values[name] for name in some])  # fmt: skip
            payload = wire.encode(batch)
            client.publish(f"{wire.PREFIX}/up/{AGENT}/live", payload, 1, properties=checksum(payload))
            SEQ[0] += len(some)
            sent += len(some)
    client.disconnect()
    client.loop_stop()
    return sent


def main() -> int:
    """Write ``bench/results/written.json``; 1 where a reading costs more than it may."""
    found = {}
    for points in POINTS if len(sys.argv) == 1 else map(int, sys.argv[1:]):
        SEQ[0] = 0
        with tempfile.TemporaryDirectory(prefix="written-") as folder:
            found[f"{points} points"] = measure(Path(folder), points)
        print(points, found[f"{points} points"], flush=True)
    if len(sys.argv) == 1:
        RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(any(one["bytes_a_reading"] > MOST_BYTES for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
