"""How fresh live readings stay while a million rows that waited drain: real agent, real broker, real ingest."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from device_profiles import load_profiles
from edge_agent.outbox.outbox import BACKLOG, Outbox
from facility import wire
from facility.documents.site import load_site
from meterhouse.overview import ask
from meterhouse.servers.broker import Broker, start_broker
from meterhouse.servers.broker_files import demo_identities
from process.health import noted_health
from stores.records.database import open_records
from stores.records.registry import Registry

RESULT = Path(__file__).parent / "results" / "backlog.json"
ROWS, METERS, AGENT = 1_000_000, 50, "edge-1"
LONGEST_S = 600.0
LIVE_P99_S = 5.0
SITE = """\
version: 1
site: {{id: town, name: Town, timezone: UTC, currency: EUR}}
buildings: [{{id: hall, name: Hall}}]
agents: [{{id: edge-1, buses: [{{id: radio, url: "{url}"}}]}}]
meters:
{meters}
"""
METER = (
    "  - {{id: m{i}, name: M{i}, building: hall, profile: shelly/pro-3em, level: internal, agent: edge-1,"
    " bus: radio, unit: m{i}, poll_s: 1}}"
)


class Watch:
    """What ingest says that it accepted live: how old each reading was when it had been taken in."""

    def __init__(self, broker: Broker) -> None:
        self.ages_ms: list[int] = []
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="analytics", protocol=MQTTv5)
        self.client.username_pw_set("analytics", broker.words["analytics"])
        self.client.on_connect = lambda client, *_: client.subscribe(wire.accepted_topic("+"))
        self.client.on_message = lambda _client, _data, message: self._take(message)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def _take(self, message: MQTTMessage) -> None:
        said, now_ms = wire.decode(wire.Accepted, message.payload), time.time_ns() // 10**6
        if said.lane == "live":
            self.ages_ms += [now_ms - t for t in said.t]


def devices(broker: Broker, stop: threading.Event) -> None:
    """Fifty meters, each a message a second: enough live readings while the backlog drains for a p99."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="devices", protocol=MQTTv5)
    client.username_pw_set("devices", broker.words["devices"])
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    n = 0
    while not stop.wait(1 / METERS):
        client.publish(f"m{n % METERS}/status/em:0", b'{"total_act_power": %d}' % (n % 1000))
        n += 1
    client.disconnect()
    client.loop_stop()


def prepare(folder: Path, broker: Broker) -> None:
    """The estate in the registry, and an outbox with a day of rows that nobody has."""
    meters = "\n".join(METER.format(i=i) for i in range(METERS))
    text = SITE.format(url=broker.url_for(f"{AGENT}-devices"), meters=meters)
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    engine = open_records(f"sqlite:///{folder}/records.db")
    Registry(engine).apply(load_site(text, "site.yaml", load_profiles()), by="bench", at=datetime.now(UTC))
    engine.dispose()
    outbox, start_ms = Outbox(folder / "outbox.db", 0), time.time_ns() // 10**6 - 90_000_000
    for begin in range(0, ROWS, 5000):
        rows = range(begin, begin + 5000)
        outbox.commit(
            [(f"m{k % METERS}/active_power/total", start_ms + 85 * k, float(k % 1000), 0) for k in rows], BACKLOG
        )
    outbox.close()


def process(stack: ExitStack, module: str, folder: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    log = stack.enter_context((folder / f"{module}.log").open("wb"))
    child = subprocess.Popen(
        [sys.executable, "-m", module], env=os.environ | {"METERHOUSE_DATA": str(folder)} | env, stdout=log, stderr=log
    )
    stack.callback(child.wait)
    stack.callback(child.terminate)
    return child


def drain(folder: Path, broker: Broker) -> dict[str, float]:
    """Start everything and watch until the backlog is stored."""
    with ExitStack() as stack:
        ingest = process(stack, "ingest", folder, {
            "METERHOUSE_BROKER": broker.url_for("ingest"),
            "METERHOUSE_STORE": f"sqlite:///{folder}/readings.db",
            "METERHOUSE_RECORDS": f"sqlite:///{folder}/records.db",
        })  # fmt: skip
        while b"event=broker state=up" not in (folder / "ingest.log").read_bytes():
            time.sleep(0.1)
        watch, stop = Watch(broker), threading.Event()
        meters = threading.Thread(target=devices, args=(broker, stop))
        stack.callback(watch.client.loop_stop)
        stack.callback(watch.client.disconnect)
        stack.callback(meters.join)
        stack.callback(stop.set)
        meters.start()
        begun = time.perf_counter()
        edge = process(stack, "edge_agent", folder, {
            "METERHOUSE_BROKER": broker.url_for(AGENT),
            "METERHOUSE_SITE": str(folder / "site.yaml"),
            "METERHOUSE_AGENT": AGENT,
            "METERHOUSE_BACKLOG_RATE": "0",
            "METERHOUSE_BACKLOG_DELAY_S": "0",
        })  # fmt: skip
        while (stored := store_hw(folder)) < ROWS:
            if time.perf_counter() - begun > LONGEST_S or edge.poll() is not None or ingest.poll() is not None:
                raise SystemExit(f"only {stored} of {ROWS} rows were stored")
            time.sleep(0.25)
        took_s, ages_s = time.perf_counter() - begun, np.array(watch.ages_ms) / 1000
    return {
        "seconds": round(took_s, 1),
        "backlog_rows_per_s": round(ROWS / took_s),
        "live_readings": len(ages_s),
        **{f"live_p{p}_s": round(float(np.percentile(ages_s, p)), 3) for p in (50, 99)},
        "live_max_s": round(float(ages_s.max()), 3),
    }


def store_hw(folder: Path) -> int:
    """How far ingest says that the agent's stream is stored: asked of itself, for the records are told every 5 s."""
    return next((agent.store_hw for agent in ask(noted_health(folder)).agents if agent.agent == AGENT), 0)


def main() -> int:
    """Write ``bench/results/backlog.json``; 1 where live readings were too old."""
    topics = [f"m{i}/#" for i in range(METERS)]
    with (
        tempfile.TemporaryDirectory() as name,
        start_broker(Path(name) / "broker", demo_identities(AGENT, topics)) as broker,
    ):
        prepare(Path(name), broker)
        figures = drain(Path(name), broker)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "broker": broker.kind, "rows": ROWS}
    RESULT.write_text(json.dumps(machine | figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    if figures["live_p99_s"] >= LIVE_P99_S:
        print(f"live readings: p99 is {figures['live_p99_s']} s, it must be below {LIVE_P99_S} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
