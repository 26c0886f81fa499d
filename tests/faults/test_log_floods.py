"""No sender, server, device or visitor can fill a disk with lines of a log: each kind is flooded, in real processes."""

import ast
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from rigs.fault_rig import agent_process
from rigs.ingest_process import Served
from rigs.ingest_rig import IDENTITIES, POWER, Client, batch, encode
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port

from facility import wire
from ingest.streams import MOST_EPOCHS
from meterhouse.servers.broker import start_broker
from process.throttle import EACH_S, MOST_LINES
from stores.records.database import open_records

ROOT = Path(__file__).parents[2]
TIMES = 400
EVENT = re.compile(r"^timestamp=\S+Z level=(\w+) event=(\S+|\"[^\"]*\")", re.MULTILINE)
SPOKEN = ("debug", "info", "warning", "error", "exception")
OF_CLOSED_LISTS = {"edge_agent/outbox/room.py": "why rows were dropped, of a list of its own"}
"""Events that are no literal, where only words of ours can come."""

SPEAKS = """
import sys, structlog
from process.logging import set_up_logging
set_up_logging("debug")
log = structlog.get_logger()
for event in sys.argv[1:]:
    for i in range(200):
        log.warning(event, sender=f"stranger-{i}", error="x" * 5_000, left=[i] * 5_000)
log.info("well")
"""


def events():
    """Every call of a log in what ships: where it stands, and its event."""
    for package in ("process", "stores", "edge_agent", "ingest", "analytics", "console", "meterhouse", "demo"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if is_call and node.func.attr in SPOKEN and getattr(node.func.value, "id", "") == "log":
                    yield str(path.relative_to(ROOT)), node.args[0]


def is_bounded(text, begun_s):
    """Whether no kind of line came more often than it may."""
    minutes = 2 + (time.monotonic() - begun_s) // EACH_S
    many = {kind: n for kind, n in Counter(EVENT.findall(text)).items() if n > MOST_LINES * minutes}
    return not many and len(text) < 400_000 * minutes


def test_no_event_is_made_of_what_somebody_says():
    """Each kind of line is counted by its event: of words of a stranger each would be a kind of its own."""
    found = list(events())
    assert len(found) > 60
    made = {place for place, event in found if not (isinstance(event, ast.Constant) and isinstance(event.value, str))}
    assert made == set(OF_CLOSED_LISTS)


def test_each_kind_of_line_is_written_thirty_times_a_minute_and_no_more():
    kinds = sorted({event.value for _, event in events() if isinstance(event, ast.Constant)})
    done = subprocess.run([sys.executable, "-c", SPEAKS, *kinds], capture_output=True, text=True, check=True)
    assert {event: n for (_, event), n in Counter(EVENT.findall(done.stderr)).items()} == {
        **dict.fromkeys(kinds, MOST_LINES),
        "well": 1,
    }
    assert max(map(len, done.stderr.splitlines())) < 5_000


def hello(ep, newest=9, pending=()):
    return wire.Hello(v=1, dev="edge-1", ep=ep, oldest=1, newest=newest, pending=list(pending))


STATUS = b'{"v":1,"state":"%b","at":{},"figures":{"x":1e999}}'
FLOODS = {
    "no JSON": lambda i: ("live", b"\x00\xff%d" % i, None),
    "a checksum that is wrong": lambda i: ("live", encode(batch(i)), f"{i:08x}"),
    "an unknown point": lambda i: ("live", encode(batch(9_000 + i, 1, points=(f"x{i}/leak/total",))), None),
    "beyond all bounds": lambda i: ("live", encode(batch(20_000 + i, 1, x=[1e12 + i])), None),
    "in future": lambda i: ("live", encode(batch(30_000 + i, 1, t=[4_000_000_000_000 + i])), None),
    "of another agent": lambda i: ("live", encode(batch(i + 1, 1, dev="edge-2")), None),
    "a lane that is none": lambda i: (f"lane{i}", encode(batch(i + 1, 1)), None),
    "an invented epoch": lambda i: ("backlog", encode(batch(5, 1, t=[1_790_000_000_000 + i], ep=f"ep{i}")), None),
    "a greeting with a hole": lambda i: ("hello", encode(hello(f"ep{i}", 10**9)), None),
    "a greeting that is none": lambda i: ("hello", b'{"v":%d}' % i, None),
    "a status that is none": lambda i: ("status", STATUS % str(i).encode(), None),
    "stones across everything": lambda i: (
        "backlog",
        encode(wire.Tombstones(1, "edge-1", f"st{i}", [wire.Tombstone(1, 10**12, f"why{i}")])),
        None,
    ),
}


@pytest.mark.broker
def test_ingest_that_is_flooded_writes_little_and_keeps_of_invented_epochs_a_few(tmp_path):
    with start_broker(tmp_path / "broker", IDENTITIES, kind="mosquitto") as broker, Served(tmp_path, broker) as ingest:
        begun_s, edge = time.monotonic(), Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        for what, flood in FLOODS.items():
            for i in range(TIMES):
                topic, payload, crc = flood(i)
                sent = edge._publish(wire.up_topic("edge-1", topic), payload, crc, more=[("what", what)])
            ingest.until(sent.is_published)
        for i in range(1, 6):
            edge.send(batch(i, 1, ep="true"))
        ingest.until(lambda: any(ack.epoch == "true" and ack.store_hw == 5 for ack in edge.acks()))
        assert ingest.child.restarts == 0
        assert is_bounded(ingest.log, begun_s)
        assert len(ingest.log) < 400_000
        with sqlite3.connect(ingest.folder / "ingest.db") as db:
            for table in ("watermark", "tombstone", "hour"):
                epochs = db.execute(f"SELECT count(DISTINCT epoch) FROM {table} WHERE agent = 'edge-1'").fetchone()[0]  # noqa: S608
                assert epochs <= (MOST_EPOCHS if table != "hour" else TIMES + MOST_EPOCHS)
        nacked = {ack.epoch for ack in edge.acks() if ack.nack}
        assert len(nacked) <= 2, "only the epoch that an agent has now is asked for what is missing"
        assert (len(ingest.stored()[POWER])) >= 5
        edge.close()


@pytest.mark.broker
def test_an_agent_that_is_flooded_by_server_and_devices_writes_little(tmp_path, broker, serve):
    server = serve(answers="always")
    url = f"mqtt://edge-1:x@127.0.0.1:{broker.port}"
    devices = Paho(CallbackAPIVersion.VERSION2, client_id="devices", protocol=MQTTv5)
    devices.connect("127.0.0.1", broker.port)
    devices.loop_start()
    begun_s, log = time.monotonic(), tmp_path / "log"
    with agent_process(tmp_path, url, radio=f"mqtt://radio:x@127.0.0.1:{broker.port}") as agent:
        server.wait(lambda: server.hellos)
        until(lambda: "user=radio bus=radio" in log.read_text(), says=log.read_text)
        for i in range(TIMES):
            server.acknowledge(epoch=f"invented-{i}", nack=[(1, 2**40)])
            server.acknowledge(store_id=f"store-{i}")
            server.command("replay", [(i, 2**40)])
            server.command(f"nonsense {i}")
            server.client.publish(wire.ack_topic("edge-1"), b"\xff%d" % i, 1)
            server.client.publish(wire.command_topic("edge-1"), b"{%d" % i, 1)
            words = b'{"contact": "%d", "act_power": {}, "total_act_power": 1e999' % i + b"}" * (i % 2)
            for topic in ("p1/status/em:0", f"p1/status/{i}", "zigbee2mqtt/front", f"zigbee2mqtt/{i}"):
                devices.publish(topic, words, 1)
        seen = len(server.statuses)
        until(lambda: server.command("resume") or len(server.statuses) > seen + 2, pause_s=0.2)
        assert agent.poll() is None
    devices.disconnect()
    devices.loop_stop()
    text = log.read_text(encoding="utf-8", errors="replace")
    assert is_bounded(text, begun_s)
    assert len(text) < 400_000
    flooded = {event for _, event in EVENT.findall(text)}
    assert flooded >= {
        "acknowledgement_ignored",
        "store_changed",
        "command",
        "message_refused",
        "device_cannot_be_read",
    }


@contextmanager
def console_process(folder):
    port = free_port()
    records = f"sqlite:///{folder / 'records.db'}"
    open_records(records).dispose()
    env = {"LISTEN": f"127.0.0.1:{port}", "STORE": f"sqlite://{folder / 'readings.db'}", "RECORDS": records}
    env = {f"METERHOUSE_{name}": value for name, value in (env | {"DATA": str(folder)}).items()}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "console"], env=os.environ | env, stderr=log)
    try:
        until(lambda: "event=listening" in (folder / "log").read_text(), says=(folder / "log").read_text)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


NONSENSE = (
    b"\x00\xff\x00\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -%d\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\nCookie: meterhouse_session=%d\r\n\r\n",
    b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
)


def test_a_console_that_is_flooded_writes_little(tmp_path):
    begun_s = time.monotonic()
    with console_process(tmp_path) as (process, port):
        for i in range(TIMES):
            for words in NONSENSE:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", i % 2, 0))
                    line.sendall(words.replace(b"%d", b"%d" % i))
        assert process.poll() is None
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port)
            assert line.recv(20).startswith(b"HTTP/1.1 ")
    text = (tmp_path / "log").read_text(encoding="utf-8", errors="replace")
    assert is_bounded(text, begun_s)
    assert len(text) < 200_000
