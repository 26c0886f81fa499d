"""The broker of a site's server, a real Mosquitto: who may come in, speak and hear; B6 and B7 of the fault table."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys

import pytest
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rigs.certificates import Authority
from rigs.command_line import meterhouse
from rigs.patience import until
from rigs.servers import Mosquitto, end
from rigs.site_estate import two_agents
from rigs.site_server import SiteServer

from facility.broker_address import BrokerAddress
from facility.tls_files import TlsFiles
from facility.wire import PREFIX
from meterhouse.up.join import read_join_file
from process.mqtt import make_client

NOT_AUTHORIZED, RETAIN_NOT_SUPPORTED = 0x87, 0x9A
UP_A, UP_B = f"{PREFIX}/up/edge-a/live", f"{PREFIX}/up/edge-b/live"


class Client:
    """Whoever talks to the broker by TLS, and remembers what was answered. The id is what it says, right or wrong."""

    def __init__(self, site, user, word, name=None, *, tls=True, clean_start=False):
        files = TlsFiles(ca=str(site.ca)) if tls else None
        self.site = site
        self.answers, self.heard, self.greetings = [], [], []
        self.client = make_client(BrokerAddress("127.0.0.1", site.broker, user, word, files), name or user)
        self.client.on_connect = lambda *a: self.greetings.append(a[3].value)
        self.client.on_publish = lambda *a: self.answers.append(a[3].value)
        self.client.on_subscribe = lambda *a: self.answers.extend(code.value for code in a[3])
        self.ends = []
        self.client.on_disconnect = lambda *a: self.ends.append(a[3].value)
        self.client.on_message = lambda *a: self.heard.append((a[2].topic, a[2].payload))
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 60
        self.client.connect("127.0.0.1", site.broker, clean_start=clean_start, properties=kept)

    def turn(self, done):
        until(lambda: self.client.loop(0.05) != MQTT_ERR_SUCCESS or done())
        return self

    def greet(self):
        return self.turn(lambda: self.greetings)

    def say(self, topic, payload=b"{}"):
        self.answers.clear()
        self.client.publish(topic, payload, 1)
        self.turn(lambda: self.answers)
        assert self.answers, (topic, self.ends)
        return self.answers[0]

    def hear(self, topic):
        self.answers.clear()
        self.client.subscribe(topic, 1)
        self.turn(lambda: self.answers)
        return self.answers[0]

    def close(self):
        self.client.disconnect()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with SiteServer(folder / "data") as server:
        server.make()
        (server.folder / "site.yaml").write_text(two_agents())
        server.start()
        server.words = {}
        for agent in ("edge-a", "edge-b"):
            added = server.run("agent", "add", agent, "--out", str(folder / f"{agent}.join"))
            assert added.returncode == 0, added.stderr
            server.words[agent] = read_join_file(folder / f"{agent}.join").password
        server.joins = folder
        until(lambda: _comes_in(server, "edge-b", server.words["edge-b"]), pause_s=0.5)
        yield server


def _comes_in(site, user, word, **more):
    try:
        client = Client(site, user, word, **more).greet()
    except OSError:
        return False
    client.close()
    return client.greetings == [0]


@pytest.fixture
def a(site):
    client = Client(site, "edge-a", site.words["edge-a"]).greet()
    yield client
    client.close()


def test_B6_an_agent_speaks_for_itself_alone_and_is_answered_so(site):
    assert _answered(site, UP_A) < NOT_AUTHORIZED
    refused = [UP_B, *(f"{PREFIX}/{place}" for place in ("ack/edge-a", "cmd/edge-b", "accepted/x", "up/edge-b/status"))]
    assert {topic: _answered(site, topic) for topic in refused} == dict.fromkeys(refused, NOT_AUTHORIZED)


def _answered(site, topic):
    """On a connection of its own: by TLS Mosquitto 2.0.11 ends that of who may not say it, once it has said so."""
    client = Client(site, "edge-a", site.words["edge-a"]).greet()
    code = client.say(topic)
    client.close()
    return code


def test_B6_an_agent_hears_what_is_meant_for_it_and_no_wildcard(site, a):
    assert a.hear(f"{PREFIX}/ack/edge-a") < NOT_AUTHORIZED
    for topic in ("#", "+/+/+/+", f"{PREFIX}/ack/+", f"{PREFIX}/ack/edge-b", f"{PREFIX}/up/#", "$SYS/#"):
        a.hear(topic)  # Mosquitto takes a wildcard, and delivers nothing of it that may not be read
    b = Client(site, "edge-b", site.words["edge-b"]).greet()
    b.say(UP_B, b"not for a")
    b.close()
    a.say(UP_A)
    a.turn(lambda: True)
    assert [topic for topic, _ in a.heard if "edge-b" in topic or topic.startswith(("$SYS", f"{PREFIX}/up"))] == []


def test_B7_an_agents_account_cannot_take_over_anothers_session(site):
    """While 100 messages wait for edge-b, edge-a's account comes under its name and ingest's, to begin them anew."""
    topic = f"{PREFIX}/cmd/edge-b"
    b = Client(site, "edge-b", site.words["edge-b"]).greet()
    assert b.hear(topic) < NOT_AUTHORIZED
    b.close()
    kept = json.loads((site.folder / "secrets/passwords.json").read_text())
    operator = Client(site, "operator", kept["operator"]).greet()
    assert [operator.say(topic, b"%d" % n) for n in range(100)] == [0] * 100
    operator.close()
    for name in ("edge-b", "ingest"):
        thief = Client(site, "edge-a", site.words["edge-a"], name, clean_start=True).greet()
        assert thief.greetings == [0]  # in, as itself: the broker goes by the account, not by what it says it is
        thief.hear(topic)
        assert thief.heard == []
        thief.close()
    b = Client(site, "edge-b", site.words["edge-b"]).greet()
    b.turn(lambda: len(b.heard) >= 100)
    assert [payload for _, payload in b.heard] == [b"%d" % n for n in range(100)]
    b.close()
    assert "taken_over" not in (site.folder / "logs/ingest.log").read_text()


def test_nobody_comes_in_without_an_account_a_right_password_or_tls(site, tmp_path):
    assert not _comes_in(site, "", "", name="nobody")
    assert not _comes_in(site, "edge-a", "wrong")
    assert not _comes_in(site, "edge-a", site.words["edge-b"])
    assert not _comes_in(site, "admin", "admin")
    assert not _comes_in(site, "edge-a", site.words["edge-a"], tls=False)
    strange = ssl.create_default_context(cafile=str(Authority(tmp_path).ca))
    with socket.create_connection(("127.0.0.1", site.broker)) as line, pytest.raises(ssl.SSLCertVerificationError):
        strange.wrap_socket(line, server_hostname="127.0.0.1")
    assert _comes_in(site, "edge-a", site.words["edge-a"])


def test_nothing_is_retained_and_nothing_longer_than_a_batch_is_taken(site, a):
    a.client.publish(UP_A, b"{}", 1, retain=True)
    a.turn(lambda: a.ends)
    assert a.ends == [RETAIN_NOT_SUPPORTED]
    long = Client(site, "edge-b", site.words["edge-b"]).greet()
    long.client.publish(UP_B, b"x" * 300_000, 1)
    long.turn(lambda: long.answers or not long.client.is_connected())
    assert [code for code in long.answers if code < 0x80] == []


def test_what_ingest_hears_goes_through_a_joined_agent_end_to_end(site, tmp_path):
    """A device is given one file and nothing else; the account it had is then ended, and it comes in no more."""
    folder = tmp_path / "device"
    command = [sys.executable, "-m", "meterhouse", "edge", "--join", str(site.joins / "edge-a.join")]
    with (tmp_path / "log").open("wb") as log:
        edge = subprocess.Popen(command, env=os.environ | {"METERHOUSE_DATA": str(folder)}, stdout=log, stderr=log)
    try:
        until(lambda: "edge-a" in _online(site), says=lambda: (tmp_path / "log").read_text()[-2000:], pause_s=0.5)
        files = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
        assert files == []
        listed = json.loads(site.run("agent", "list", "--json").stdout)["agents"]
        assert [(one["agent"], one["in_estate"], one["has_account"]) for one in listed] == [
            ("edge-a", True, True),
            ("edge-b", True, True),
        ]
        other = meterhouse("edge", "--join", str(site.joins / "edge-b.join"), data=folder)
        assert (other.returncode, "belongs to another agent than 'edge-b'" in other.stderr) == (2, True)
        assert site.run("agent", "remove", "edge-a").returncode == 0
        until(lambda: "state=refused" in (tmp_path / "log").read_text(), says=(tmp_path / "log").read_text, pause_s=0.5)
    finally:
        end(edge, signal.SIGTERM)
    assert "Traceback" not in (tmp_path / "log").read_text()
    again = site.run("agent", "add", "edge-a", "--out", str(site.joins / "edge-a.join"))
    assert again.returncode == 0
    site.words["edge-a"] = read_join_file(site.joins / "edge-a.join").password
    until(lambda: _comes_in(site, "edge-a", site.words["edge-a"]), pause_s=0.5)


def _online(site):
    agents = json.loads(site.run("status", "--json").stdout).get("agents", [])
    return {one.get("agent", one.get("id")) for one in agents if one.get("state") == "online"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "edge-z"), r"the estate has no agent 'edge-z' (allowed: edge-a, edge-b)"),
        (("add", "ingest"), "is the name of a process of the server"),
        (("add", "edge-b"), "has an account; --again"),
        (("remove", "edge-z"), "no agent 'edge-z' has an account"),
    ],
)
def test_an_agent_that_cannot_be_is_one_sentence(site, words, sentence):
    kept = (site.folder / "broker/accounts").read_bytes()
    done = site.run("agent", *words)
    assert done.returncode in {1, 2}
    assert sentence in done.stderr
    assert (site.folder / "broker/accounts").read_bytes() == kept


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 9}'])
def test_a_join_file_that_is_none_is_one_sentence(tmp_path, text):
    (tmp_path / "x.join").write_text(text)
    done = meterhouse("edge", "--join", str(tmp_path / "x.join"), data=tmp_path / "device")
    assert done.returncode == 2
    assert "is no whole file of 'meterhouse agent add'" in done.stderr or "newer Meterhouse" in done.stderr
    assert not (tmp_path / "device").exists()


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [("", "lets 'ingest' speak for agents"), ("acl_file {folder}/acl\n", "lets in who has no account")],
)
def test_ingest_believes_no_topic_of_a_broker_that_authenticates_nobody(site, tmp_path, extra, sentence):
    (tmp_path / "acl").write_text(f"user ingest\ntopic read {PREFIX}/up/#\n")
    extra += "user root\n" if os.geteuid() == 0 else ""  # else Mosquitto becomes one who cannot read that
    with Mosquitto(extra.format(folder=tmp_path)) as open_broker:
        done = meterhouse(
            "ingest",
            data=tmp_path,
            METERHOUSE_BROKER=f"mqtt://ingest:any@127.0.0.1:{open_broker.port}",
            METERHOUSE_BROKER_RIGHTS="checked",
        )
    assert done.returncode == 2
    assert sentence in done.stderr


def test_X2_a_device_that_was_revoked_is_cut_off_and_never_let_in_again(site):
    """Its password is its credential: Mosquitto reads its accounts anew and ends who has none any more."""
    b = Client(site, "edge-b", site.words["edge-b"]).greet()
    assert b.greetings == [0]
    removed = site.run("agent", "remove", "edge-b")
    assert removed.returncode == 0, removed.stderr
    b.turn(lambda: b.ends)
    assert b.ends
    b.close()
    assert not _comes_in(site, "edge-b", site.words["edge-b"])
    assert _comes_in(site, "edge-a", site.words["edge-a"]), "it alone"
