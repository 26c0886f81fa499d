import stat
import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from rigs.patience import until
from rigs.servers import need_mosquitto

from facility.errors import ConfigError
from meterhouse.servers import broker as broker_module
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import demo_identities

IDENTITIES = demo_identities("edge-1", ["zigbee2mqtt/#"])

where_rights_are_held = pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
"""The bundled broker holds nobody to rights; it serves loopback only."""


class Talker:
    """A client that remembers what it was told."""

    def __init__(self, port, identity=None, word=None):
        self.heard, self.answers, self.connected = [], [], []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=identity or "nobody", protocol=mqtt.MQTTv5)
        if identity:
            self.client.username_pw_set(identity, word)
        self.client.on_connect = lambda *a: self.connected.append(a[3])
        self.client.on_publish = lambda *a: self.answers.append(a[3].value)
        self.client.on_message = lambda *a: self.heard.append((a[2].topic, a[2].payload))
        self.client.on_subscribe = lambda *a: self.answers.append(a[3][0].value)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def wait(self, things):
        return until(lambda: things)

    def say(self, topic, payload=b"x"):
        self.answers.clear()
        self.client.publish(topic, payload, qos=1)
        return self.wait(self.answers)[0]

    def hear(self, topic):
        self.answers.clear()
        self.client.subscribe(topic, 1)
        return self.wait(self.answers)[0]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module", params=["mosquitto", "iotcore"])
def broker(request, tmp_path_factory):
    if request.param == "mosquitto":
        need_mosquitto()
    with start_broker(tmp_path_factory.mktemp("broker"), IDENTITIES, kind=request.param) as started:
        yield started


@pytest.fixture
def talk(broker):
    opened = []

    def connect(identity=None, word=None):
        opened.append(Talker(broker.port, identity, word or (identity and broker.words[identity])))
        return opened[-1]

    yield connect
    for talker in opened:
        talker.close()


def test_an_agent_is_heard_by_ingest(talk):
    ingest = talk("ingest")
    assert ingest.hear("meterhouse/1/up/+/live") == 1
    assert talk("edge-1").say("meterhouse/1/up/edge-1/live", b"y" * 245_000) in {0, 0x10}
    assert ingest.wait(ingest.heard) == [("meterhouse/1/up/edge-1/live", b"y" * 245_000)]


FORBIDDEN = [
    ("edge-1", "meterhouse/1/up/edge-2/live"),
    ("edge-1", "meterhouse/1/ack/edge-1"),
    ("analytics", "meterhouse/1/accepted/town"),
    ("analytics", "meterhouse/1/cmd/edge-1"),
    ("devices", "meterhouse/1/up/edge-1/live"),
    ("edge-1-devices", "zigbee2mqtt/door"),
    ("operator", "meterhouse/1/ack/edge-1"),
]


@where_rights_are_held
def test_nobody_speaks_beyond_their_rights(talk):
    talkers = {identity: talk(identity) for identity, _ in FORBIDDEN}
    assert {(who, topic): talkers[who].say(topic) for who, topic in FORBIDDEN} == dict.fromkeys(FORBIDDEN, 0x87)


@where_rights_are_held
def test_nobody_hears_beyond_their_rights(talk):
    console = talk("analytics")
    console.hear("#")
    talk("edge-1").say("meterhouse/1/up/edge-1/live")
    ingest = talk("ingest")
    ingest.say("meterhouse/1/accepted/town", b"news")
    assert console.wait(console.heard) == [("meterhouse/1/accepted/town", b"news")]


def test_strangers_are_refused(talk):
    for stranger in (talk(), talk("edge-1", "wrong")):
        time.sleep(0.3)
        assert not stranger.client.is_connected()


@where_rights_are_held
def test_an_identity_cannot_take_over_a_session_by_its_client_id(broker, talk):
    ingest = talk("ingest")
    ingest.wait(ingest.connected)
    thief = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=mqtt.MQTTv5)
    thief.username_pw_set("edge-1", broker.words["edge-1"])
    thief.connect("127.0.0.1", broker.port)
    thief.loop_start()
    time.sleep(0.3)
    assert ingest.client.is_connected()
    thief.disconnect()
    thief.loop_stop()


def test_passwords_are_kept_and_only_their_owner_reads_them(tmp_path):
    need_mosquitto()
    with start_broker(tmp_path, IDENTITIES) as first:
        words = dict(first.words)
    assert not first.is_alive
    for name in ("passwords.json", "mosquitto.passwd", "mosquitto.acl"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert words["edge-1"] not in (tmp_path / "mosquitto.passwd").read_text()
    with start_broker(tmp_path, IDENTITIES) as second:
        assert second.words == words


def test_a_taken_port_is_one_clear_sentence(tmp_path, broker):
    with pytest.raises(ConfigError, match=f"does not start on 127.0.0.1:{broker.port}"):
        start_broker(tmp_path, IDENTITIES, port=broker.port)


def test_no_broker_at_all_is_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda: None)
    monkeypatch.setattr(broker_module.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="no MQTT broker: install mosquitto"):
        start_broker(tmp_path, IDENTITIES)
