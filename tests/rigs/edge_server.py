"""The simplest server for tests of the edge: it takes readings in and acknowledges when the test says so."""

from __future__ import annotations

import threading

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from facility import wire
from facility.errors import Rejected
from rigs.patience import PATIENCE_S


class Server:
    """Subscribes like ingest. ``store_id`` may change; ``answers`` says whether it acknowledges by itself."""

    def __init__(self, port: int, agent: str = "edge-1", answers: str = "never") -> None:
        self.agent, self.answers, self.store_id = agent, answers, "store-1"
        self.batches: list[wire.Batch] = []
        self.tombs: list[wire.Tombstone] = []
        self.hellos: list[wire.Hello] = []
        self.statuses: list[wire.Status] = []
        self.rows: dict[int, tuple[str, int, float]] = {}
        self.dead: set[int] = set()
        self.epoch, self.hw, self.received, self.failures = "", 0, 0, []
        self.changed = threading.Condition()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="server", protocol=MQTTv5)
        self.client.on_message = self.take
        self.ready = threading.Event()
        self.client.on_connect = lambda c, *_: c.subscribe(f"{wire.PREFIX}/up/+/+", qos=1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.connect(port)
        self.client.loop_start()
        assert self.ready.wait(PATIENCE_S)

    def connect(self, port):
        self.client.connect("127.0.0.1", port)

    def take(self, _client, _data, message):
        try:
            self._take(message)
        except (Rejected, AssertionError) as error:
            self.failures.append(error)
        with self.changed:
            self.changed.notify_all()

    def _take(self, message):
        what = message.topic.rpartition("/")[2]
        stated = dict(message.properties.UserProperty)["crc"]
        if what == "status":
            self.statuses.append(wire.decode_checked(wire.Status, message.payload, stated))
        elif what == "hello":
            self.hellos.append(wire.decode_checked(wire.Hello, message.payload, stated))
            self.epoch = self.hellos[-1].ep
        elif b'"tomb"' in message.payload:
            tombs = wire.decode_checked(wire.Tombstones, message.payload, stated).tomb
            self.tombs += tombs
            for tomb in tombs:
                self.dead.update(range(tomb.start, tomb.end + 1))
        else:
            batch = wire.decode_checked(wire.Batch, message.payload, stated)
            assert batch.lane == what
            self.batches.append(batch)
            self.received += len(batch.x)
            for i, (p, t, x) in enumerate(zip(batch.p, batch.t, batch.x, strict=True)):
                self.rows[batch.first + i] = (batch.points[p], t, x)
        while self.hw + 1 in self.rows or self.hw + 1 in self.dead:
            self.hw += 1
        if self.answers == "always" and what in {"live", "backlog", "hello"}:
            self.acknowledge()

    def acknowledge(self, **changes):
        ack = {"journal_hw": self.hw, "store_hw": self.hw, "epoch": self.epoch, "store_id": self.store_id} | changes
        self.send(wire.ack_topic(self.agent), wire.Ack(v=1, **ack))

    def command(self, do, ranges=()):
        self.send(wire.command_topic(self.agent), wire.Command(v=1, do=do, ranges=list(ranges)))

    def send(self, topic, message):
        payload = wire.encode(message)
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = (wire.CRC_PROPERTY, wire.crc(payload))
        self.client.publish(topic, payload, 1, properties=properties)

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_S), f"not within {PATIENCE_S} s; failures: {self.failures}"
        assert not self.failures

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
