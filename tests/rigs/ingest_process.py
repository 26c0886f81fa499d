"""What the fault tests of ingest share: ingest as a supervised process, brokers, an agent that plays recordings."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.status import ProcessStatus, ServerProcess
from meterhouse.supervisor import Supervisor
from rigs.ingest_rig import CATALOGUE
from rigs.patience import PATIENCE_S, until
from rigs.servers import DEBIAN, Mosquitto
from stores.readings.sqlite.store import SqliteStore
from stores.records.database import open_records
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

HERE = Path(__file__).parent
T0_MS = 1_700_000_000_000
WATER = [f"m{i}/water_volume/total" for i in range(4)]
SITE = """\
version: 1
site: {id: town, name: Town, timezone: UTC, currency: EUR}
buildings: [{id: hall, name: Hall}]
agents: [{id: edge-1, buses: [{id: gateway, url: "modbus+tcp://127.0.0.1:1"}]}]
meters:
""" + "".join(
    f"  - {{id: m{i}, name: m{i}, building: hall, profile: generic/pulse-water, agent: edge-1, bus: gateway,"
    f" unit: {i + 1}, utility: water}}\n"
    for i in range(len(WATER))
)


class Debian(Mosquitto):
    """The broker as Debian sets it up: 20 in flight, 1,000 queued, snapshots every half hour, no accounts."""

    words = defaultdict(lambda: "any")

    def __init__(self):
        super().__init__(settings=DEBIAN)

    def url_for(self, identity):
        return f"mqtt://{identity}:any@127.0.0.1:{self.port}"


class Served:
    """Ingest as a process under our supervisor, which acts while somebody waits with ``until``.

    ``script`` names a file beside this one that starts ingest with a fault in it. ``stalled_s`` is how long it may
    stand still before it is killed: on a busy machine a sound one stands still for seconds, too.
    """

    def __init__(self, folder, broker, catalogue=CATALOGUE, *, script=None, stalled_s=PATIENCE_S, **env):
        self.folder, self.broker, self.stalled_s = folder / "ingest", broker, stalled_s
        self.folder.mkdir()
        self.env = {
            "METERHOUSE_DATA": str(self.folder),
            "METERHOUSE_BROKER": broker.url_for("ingest"),
            "METERHOUSE_STORE": f"sqlite://{self.folder / 'readings.db'}",
            "METERHOUSE_RECORDS": f"sqlite:///{self.folder / 'records.db'}",
            "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)]),
        } | env
        self._apply(catalogue)
        self.command = [sys.executable, str(HERE / script)] if script else [sys.executable, "-m", "ingest"]
        self.supervisor = Supervisor(folder / "logs")

    @property
    def records(self):
        """Where its records are, which may lie elsewhere."""
        return self.env["METERHOUSE_RECORDS"]

    def _apply(self, catalogue):
        engine = open_records(self.records)
        Registry(engine).apply(catalogue, by="a test", at=datetime.now(UTC))
        engine.dispose()

    def start(self):
        self.supervisor.start("ingest", self.command, self.env, self.folder / "ingest.pulse", self.stalled_s)
        self.until(self.is_listening)
        return self

    @property
    def child(self):
        return self.supervisor.children["ingest"]

    @property
    def pid(self):
        return self.child.process.pid

    @property
    def log(self):
        return self.child.log_path.read_text(encoding="utf-8", errors="replace")

    def is_listening(self):
        return "event=broker state=up" in self.log[self.child.log_start :]

    def until(self, truth, pause_s=0.02):
        """Tend the process until it is true."""

        def so():
            self.supervisor.tend()
            return truth()

        until(so, says=lambda: self.log[-3000:], pause_s=pause_s)

    def kill(self):
        """``kill -9``, and a restart that is not delayed: it is not the process that failed."""
        self.child.process.kill()
        self.child.process.wait()
        self.child.delay_s = 0.05

    def stop(self):
        """End it in good order, and do not start it again."""
        self.supervisor.stop()
        self.supervisor.children.clear()

    def status(self):
        """What it tells in the records of itself; nothing told before the first time."""
        return told_by_ingest(self.records)

    def totals(self):
        """Readings counted once each, as ingest notes them on disk."""
        with sqlite3.connect(self.folder / "ingest.db") as db:
            return dict(db.execute("SELECT name, readings FROM total"))

    @contextmanager
    def store(self):
        store = SqliteStore(self.folder / "readings.db")
        try:
            yield store
        finally:
            store.close()

    def stored(self):
        """Point → [(time, value), …] of everything in the store."""
        with self.store() as store:
            points = list(store.totals())
            found = store.read(points, 0, 2**62)
        return {p: list(zip(s.t_ms.tolist(), s.x.tolist(), strict=True)) for p, s in found.items() if len(s)}

    def count(self):
        with self.store() as store:
            return sum(total.count for total in store.totals().values())

    def quarantined(self):
        engine = open_records(self.records)
        try:
            return Quarantine(engine).items(limit=10**6)
        finally:
            engine.dispose()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.supervisor.children and self.child.process.poll() is None:
            self.child.process.send_signal(signal.SIGCONT)
        self.supervisor.stop()


def told_by_ingest(records):
    """The status that the one ingest tells in these records, and an empty one before it has told."""
    engine = open_records(records)
    try:
        seen = StatusBoard(engine).overview().of(ServerProcess.INGEST)
    finally:
        engine.dispose()
    return seen[0].status if seen else ProcessStatus("not told")


def water_estate():
    """The estate that an agent process and ingest share."""
    return load_site(SITE, "site.yaml", load_profiles())


@contextmanager
def agent_playing(folder, broker, rows, *, batch_rows=25):
    """``python -m edge_agent`` with a recording of so many readings; each can be told from all others."""
    home = folder / "edge"
    home.mkdir()
    (home / "site.yaml").write_text(SITE, encoding="utf-8")
    record(home / "recordings", rows)
    env = {
        "METERHOUSE_DATA": str(home),
        "METERHOUSE_BROKER": broker.url_for("edge-1"),
        "METERHOUSE_SITE": str(home / "site.yaml"),
        "METERHOUSE_AGENT": "edge-1",
        "METERHOUSE_REPLAY": str(home / "recordings"),
        "METERHOUSE_BATCH_ROWS": str(batch_rows),
        "METERHOUSE_SILENCE_S": "1",
        "METERHOUSE_BACKLOG_RATE": "0",
        "METERHOUSE_BACKLOG_DELAY_S": "0",
    }
    with (home / "log").open("ab") as log:
        child = subprocess.Popen([sys.executable, "-m", "edge_agent"], env=os.environ | env, stdout=log, stderr=log)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def record(folder, rows, per_line=1000):
    folder.mkdir()
    with (folder / "a.new").open("w", encoding="utf-8") as file:
        file.write(json.dumps({"points": WATER, "rows": rows}) + "\n")
        for start in range(0, rows, per_line):
            ks = range(start, min(start + per_line, rows))
            block = {"p": [k % len(WATER) for k in ks], "t": [T0_MS + 1000 * k for k in ks], "x": [k / 2 for k in ks]}
            file.write(json.dumps(block) + "\n")
    (folder / "a.new").rename(folder / "a.readings")


def recorded(rows):
    """What a store must hold of a recording: point → [(time, value), …]."""
    return {point: [(T0_MS + 1000 * k, k / 2) for k in range(i, rows, len(WATER))] for i, point in enumerate(WATER)}
