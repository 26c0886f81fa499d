"""A small estate, an agent that speaks as the edge does, and ingest around real stores and a real broker."""

import threading
import time
from dataclasses import dataclass, field

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from facility import wire
from facility.broker_address import broker_address
from facility.catalogue import Agent, Catalogue
from facility.errors import StoreUnavailable
from facility.levels import Level
from facility.model import Building, Meter, Name, Point, Site
from facility.quantities import Quantity
from ingest import gaps
from ingest.gate import Gate
from ingest.journal import DEFAULT_ROOM
from ingest.parts import Around, Files, put_together
from ingest.status import IngestStatus
from ingest.subscriber import Subscriber
from meterhouse.servers.broker_files import INGEST, LISTENER, agent_rights
from process.pulse import Pulse
from rigs.patience import PATIENCE_S, until
from stores.readings.sqlite.store import SqliteStore
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.imports.book import Imports
from stores.records.quarantine.quarantine import Quarantine

NOW_MS = 1_795_000_000_000
POWER, ENERGY, LEVELLESS = "m1/active_power/total", "m1/energy_import/total", "m1/voltage/total"
FOREIGN = "m2/active_power/total"
IDENTITIES = {"edge-1": agent_rights("edge-1"), "edge-2": agent_rights("edge-2"), "ingest": INGEST, "console": LISTENER}


def meter(meter_id, agent):
    return Meter(meter_id, Name(meter_id), "hall", "test/meter", agent, "bus", "1")


CATALOGUE = Catalogue(
    site=Site("town", Name("Town"), "UTC", "EUR"),
    departments=(),
    buildings=(Building("hall", Name("Hall")),),
    spaces=(),
    agents=(Agent("edge-1", ()), Agent("edge-2", ())),
    meters=(meter("m1", "edge-1"), meter("m2", "edge-2")),
    points=(
        Point("m1", Quantity.ACTIVE_POWER, level=Level.INTERNAL, low=0, high=10_000),
        Point("m1", Quantity.ENERGY_IMPORT, level=Level.INTERNAL),
        Point("m1", Quantity.VOLTAGE),
        Point("m2", Quantity.ACTIVE_POWER, level=Level.INTERNAL),
    ),
)


def batch(first=1, n=5, *, points=(POWER,), p=None, t=None, x=None, q=(), lane="live", dev="edge-1", ep="e1"):
    return wire.Batch(
        v=1,
        dev=dev,
        ep=ep,
        first=first,
        lane=lane,
        clk=wire.Clock(),
        points=list(points),
        p=list(p or [0] * n),
        t=list(t or [NOW_MS - 60_000 + first + i for i in range(n)]),
        x=list(x or [float(first + i) for i in range(n)]),
        q=list(q),
    )


def encode(message):
    """As wire.encode, but NaN becomes null, as a careless sender would write it."""
    return msgspec.json.encode(message)


class Client:
    """A client with paho's thread, which remembers what it heard."""

    def __init__(self, broker, identity, *topics, client_id=None):
        self.heard, self._topics, self._subscribed = [], topics, threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id or identity, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(identity, broker.words[identity])
        self.client.on_message = lambda *a: self._hear(a[2])
        self.client.on_connect = lambda *_: self._subscribe()
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        if topics:
            assert self._subscribed.wait(PATIENCE_S)

    def _subscribe(self):
        """With each connection anew: the broker may have hung up, and forgotten who we are."""
        if self._topics:
            self.client.subscribe([(topic, 1) for topic in self._topics])

    def _hear(self, message):
        if dict(message.properties.UserProperty)["crc"] == wire.crc(message.payload):
            self.heard.append((message.topic, message.payload))

    def say(self, topic, payload, crc=None, *, retain=False, more=()):
        self._publish(topic, payload, crc, retain, more).wait_for_publish(PATIENCE_S)

    def send_all(self, messages):
        """Batches, one after the other without waiting for each."""
        for message in messages:
            payload = encode(message)
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = ("crc", wire.crc(payload))
            sent = self.client.publish(wire.up_topic(message.dev, message.lane), payload, 1, properties=properties)
        sent.wait_for_publish(PATIENCE_S)

    def send(self, message, what=None):
        self.say(wire.up_topic(message.dev, what or message.lane), encode(message))

    def pour(self, message):
        """Send without waiting for the broker."""
        return self._publish(wire.up_topic(message.dev, message.lane), encode(message))

    def _publish(self, topic, payload, crc=None, retain=False, more=()):
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = [*more, ("crc", crc or wire.crc(payload))]
        return self.client.publish(topic, payload, 1, retain, properties)

    def acks(self, n=1):
        until(lambda: len(self.heard) >= n)
        return [wire.decode(wire.Ack, payload) for _, payload in self.heard]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class UnsteadyStore:
    """A real store that can be reached only while ``is_up``."""

    def __init__(self, store):
        self.store, self.is_up, self.attempts = store, True, 0

    def write_many(self, batches):
        self.attempts += 1
        if not self.is_up:
            raise StoreUnavailable("down for the test")
        self.store.write_many(batches)

    def __getattr__(self, name):
        if not self.is_up:
            raise StoreUnavailable("down for the test")
        return getattr(self.store, name)


@dataclass
class Ingest:
    """Ingest as its process composes it, in threads of the test."""

    folder: object
    broker: object
    stop: threading.Event = field(default_factory=threading.Event)
    room: object = DEFAULT_ROOM
    patience_s: float = gaps.PATIENCE_S
    now_ms: int = NOW_MS
    is_synchronised: bool = True

    def __post_init__(self):
        self.readings = SqliteStore(self.folder / "readings.db")
        self.store = UnsteadyStore(self.readings)
        self.engine = open_records(f"sqlite:///{self.folder / 'records.db'}")
        self.quarantine, self.errands = Quarantine(self.engine), Errands(self.engine)
        self.imports = Imports(self.engine)
        self.subscriber = Subscriber(broker_address(self.broker.url_for("ingest")))
        self.status = IngestStatus(time.monotonic)
        around = Around(
            self.store,
            self.quarantine,
            self.errands,
            self.imports,
            self.subscriber,
            self.status,
            Pulse(self.folder, "ingest", time.monotonic),
            time.monotonic,
            lambda: self.now_ms,
            lambda: self.is_synchronised,
        )
        self.parts = put_together(Files(self.folder, self.room), Gate(CATALOGUE), around, patience_s=self.patience_s)
        self.watermarks, self.journal = self.parts.files.watermarks, self.parts.files.journal
        self.status.begin("/data/readings.db", 0, 0)
        self.intake = self.parts.intake
        self.threads = [
            threading.Thread(target=self._run),
            threading.Thread(target=self.parts.store_writer.run, args=(self.stop,)),
        ]

    def _run(self):
        while not self.stop.is_set():
            self.intake.take_in(0.05, self.stop)
            self.parts.errand_runner.turn(time.monotonic(), self.stop)

    def start(self):
        self.subscriber.start()
        until(lambda: self.subscriber.is_subscribed)
        for thread in self.threads:
            thread.start()
        return self

    def close(self):
        self.stop.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(PATIENCE_S)
        self.subscriber.stop()
        self.parts.files.close()
        self.readings.close()
        self.engine.dispose()

    def stored(self):
        return {point: total.count for point, total in self.readings.totals().items()}
