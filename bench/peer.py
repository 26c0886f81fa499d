"""The same readings through our ingest and through Telegraf, into one InfluxDB by one Mosquitto, in one run.

What counts is readings stored per second of the consumer's own processor time, from the first message to the last
reading found in the database; of three turns, in each of which all consumers follow one another, the middle one. Ours
journals with fsync, checks and acknowledges after storing; Telegraf keeps no journal and checks nothing. Ours takes
a shorter message, since our agents send columns: what Telegraf parses are the forms that it knows.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.ingest import ROWS, estate, messages
from facility import wire
from facility.model import ReadingBatch
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import INGEST, TopicRights
from meterhouse.servers.influxd import USER, built_influxd, start_influxd
from meterhouse.store_setup import prepare_store
from meterhouse.supervisor import Supervisor
from stores.readings import influx_connection
from stores.readings.influx.line_protocol import ReadingLines
from stores.readings.influx.points import END_MS, FIRST_MS
from stores.readings.influx.setup import count_between
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meterhouse.servers.broker import Broker

RESULT = Path(__file__).parent / "results" / "ingest_peer.json"
BATCHES, REPEATS, WINDOW = 2_000, 3, 200
SETTLE_S, TIMEOUT_S, START_TIMEOUT_S = 4.0, 180.0, 60.0
OURS = "meterhouse"
LEAST_RATIO = {"json": 3.0, "line_protocol": 1.5}
TELEGRAF = """\
[agent]
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 2000000
  omit_hostname = true
  quiet = true
[[outputs.influxdb]]
  urls = ["http://127.0.0.1:{influx_port}"]
  database = "{database}"
  retention_policy = "raw"
  skip_database_creation = true
  username = "{user}"
  password = "{influx_password}"
  content_encoding = "identity"
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{mqtt_port}"]
  topics = ["peer/{kind}"]
  qos = 1
  persistent_session = true
  client_id = "telegraf-{kind}"
  username = "telegraf-{kind}"
  password = "{mqtt_password}"
  max_undelivered_messages = 1000
  topic_tag = ""
{parser}
"""
PARSERS = {
    "line_protocol": '  data_format = "influx"',
    "json": '  data_format = "json"\n  name_override = "reading"\n  json_time_key = "t"\n'
    '  json_time_format = "unix_ms"\n  tag_keys = ["site", "building", "meter", "quantity", "channel"]',
}


@dataclass(frozen=True, slots=True)
class Place:
    """What both consumers meet: a broker, a database server, a folder."""

    folder: Path
    broker: Broker
    store_url: str

    def url_of(self, database: str) -> str:
        """The store URL of another database on the same server."""
        return f"{self.store_url.rpartition('/')[0]}/{database}"


def payloads() -> dict[str, list[bytes]]:
    """The same readings in three forms, 500 a message."""
    catalogue = estate()
    lines, made = ReadingLines(catalogue), messages(catalogue, BATCHES)
    tags = {
        point.id: {
            "site": catalogue.site.id,
            "building": catalogue.meter[point.meter].building,
            "meter": point.meter,
            "quantity": point.quantity.word,
            "channel": point.channel,
        }
        for point in catalogue.points
    }
    forms: dict[str, list[bytes]] = {OURS: [one.payload for one in made], "json": [], "line_protocol": []}
    for one in made:
        batch = wire.decode(wire.Batch, one.payload)
        rows = zip(batch.p, batch.t, batch.x, strict=True)
        forms["json"].append(
            json.dumps(
                [{**tags[batch.points[p]], "t": t, "value": x} for p, t, x in rows], separators=(",", ":")
            ).encode()
        )
        ready = lines.encode(ReadingBatch(batch.points, batch.p, batch.t, batch.x))
        forms["line_protocol"].append(b"\n".join(line + b"000000" for line in ready.split(b"\n")))
    return forms


def publish(broker: Broker, topic: str, given: Sequence[bytes]) -> None:
    """Say everything at QoS 1, a few hundred under way at most."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench", protocol=mqtt.MQTTv5)
    client.username_pw_set("bench", broker.words["bench"])
    room = threading.Semaphore(WINDOW)
    client.on_publish = lambda *_: room.release()
    client.max_inflight_messages_set(WINDOW)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for payload in given:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("crc", wire.crc(payload))
        room.acquire()
        client.publish(topic, payload, 1, properties=properties)
    for _ in range(WINDOW):
        room.acquire()
    client.disconnect()
    client.loop_stop()


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and its threads, from ``/proc/PID/stat`` (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_ours(place: Place, database: str, program: Sequence[str] = ("ingest",)) -> subprocess.Popen[bytes]:
    folder = place.folder / database
    folder.mkdir()
    records_url = f"sqlite:///{folder / 'records.db'}"
    records = open_records(records_url)
    Registry(records).apply(estate(), by="bench", at=datetime.now(UTC), accept=True)
    records.dispose()
    env = {
        "METERHOUSE_DATA": str(folder),
        "METERHOUSE_BROKER": place.broker.url_for("ingest"),
        "METERHOUSE_STORE": place.url_of(database),
        "METERHOUSE_RECORDS": records_url,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen([sys.executable, "-m", *program], env=os.environ | env, stdout=log, stderr=log)
    until = time.monotonic() + START_TIMEOUT_S  # what is said before it has subscribed is said to nobody
    while b"event=broker state=up" not in (folder / "log").read_bytes():
        if time.monotonic() > until or started.poll() is not None:
            started.kill()
            raise SystemExit(f"ingest did not connect within {START_TIMEOUT_S:.0f} s; log in {folder}")
        time.sleep(0.1)
    return started


def start_telegraf(place: Place, database: str, kind: str) -> subprocess.Popen[bytes]:
    wire_ = influx_connection(place.store_url)
    config = place.folder / f"{database}.conf"
    config.write_text(
        TELEGRAF.format(
            influx_port=wire_.address.host.rpartition(":")[2],
            database=database,
            user=USER,
            influx_password=wire_.address.token.partition(":")[2],
            mqtt_port=place.broker.port,
            kind=kind,
            mqtt_password=place.broker.words[f"telegraf-{kind}"],
            parser=PARSERS[kind],
        ),
        encoding="utf-8",
    )
    program = shutil.which("telegraf") or str(built_influxd().with_name("telegraf"))
    with (place.folder / f"{database}.log").open("wb") as log:
        return subprocess.Popen([program, "--config", str(config)], stdout=log, stderr=log)


def measure(
    place: Place, database: str, topic: str, given: Sequence[bytes], start: Callable[[], subprocess.Popen[bytes]]
) -> dict[str, float]:
    """Readings stored per second of own processor time, and of wall time."""
    prepare_store(place.url_of(database), "town", time.time_ns() // 1_000_000)
    asked = influx_connection(place.url_of(database))
    consumer = start()
    try:
        time.sleep(SETTLE_S)
        before, begun = cpu_s(consumer.pid), time.perf_counter()
        saying = threading.Thread(target=publish, args=(place.broker, topic, given))
        saying.start()
        wanted = len(given) * ROWS
        while (found := count_between(asked, FIRST_MS, END_MS)) < wanted:
            if time.perf_counter() - begun > TIMEOUT_S or consumer.poll() is not None:
                raise SystemExit(f"{database}: only {found} of {wanted} readings were stored; logs in {place.folder}")
            time.sleep(0.2)
        wall = time.perf_counter() - begun
        saying.join()
        time.sleep(1)  # what is acknowledged after storing belongs to the work
        used = cpu_s(consumer.pid) - before
    finally:
        consumer.terminate()
        consumer.wait(20)
        asked.client.close()
    return {"per_cpu_s": round(wanted / used), "wall": round(wanted / wall)}


def main() -> int:
    """Write ``bench/results/ingest_peer.json``; 1 where a ratio misses."""
    forms = payloads()
    identities = {"ingest": INGEST, "bench": TopicRights(writes=("meterhouse/#", "peer/#"))}
    identities |= {f"telegraf-{kind}": TopicRights(reads=("peer/#",)) for kind in PARSERS}
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in forms}
    folder = Path(tempfile.mkdtemp(prefix="bench-peer-"))
    with (
        Supervisor(folder / "logs") as supervisor,
        start_broker(folder / "broker", identities, kind="mosquitto") as broker,
    ):
        place = Place(folder, broker, start_influxd(folder / "influxd", supervisor))
        for turn in range(REPEATS):
            for kind, given in forms.items():
                database = f"{kind}_{turn}"
                if kind == OURS:
                    topic, start = wire.up_topic("edge-1", "live"), lambda: start_ours(place, database)  # noqa: B023
                else:
                    topic, start = f"peer/{kind}", lambda: start_telegraf(place, database, kind)  # noqa: B023
                found[kind].append(measure(place, database, topic, given, start))
                print(database, found[kind][-1], flush=True)
    shutil.rmtree(folder)
    middle = {kind: median(run["per_cpu_s"] for run in runs) for kind, runs in found.items()}
    ratios = {
        kind: sorted(
            ours["per_cpu_s"] / theirs["per_cpu_s"] for ours, theirs in zip(found[OURS], found[kind], strict=True)
        )
        for kind in LEAST_RATIO
    }
    figures = {
        "cores": os.cpu_count(),
        "readings": BATCHES * ROWS,
        "readings_per_message": ROWS,
        "stored_per_s_of_own_cpu": middle,
        "runs": found,
        **{f"ratio_to_telegraf_{kind}": round(median(each), 2) for kind, each in ratios.items()},
        "ratio_of_each_turn": {kind: [round(ratio, 2) for ratio in each] for kind, each in ratios.items()},
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    missed = [kind for kind, least in LEAST_RATIO.items() if median(ratios[kind]) < least]
    for kind in missed:
        print(f"missed: {LEAST_RATIO[kind]} times Telegraf's figure for {kind} are wanted")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
