"""Lines to a real mosquitto: with TLS, with a callback that fails, with a name that is used twice."""

import os
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event

import pytest
import urllib3
from rigs.certificates import Authority
from rigs.ingest_process import Served, agent_playing, water_estate
from rigs.ingest_rig import CATALOGUE
from rigs.patience import until
from rigs.servers import Mosquitto, TlsMosquitto, free_port

from edge_agent.link import Link
from facility import wire
from facility.broker_address import broker_address
from facility.errors import ConfigError
from process.line import NO_TLS, NO_WORD, OLD_TLS, BrokerLine
from process.mqtt import checksum, make_client, own_client_id
from stores.records.database import open_records
from stores.records.registry import Registry

FORCED = "use_username_as_clientid true"


class Shared(Mosquitto):
    """A broker without passwords, so that any account may be used by anybody."""

    def url_for(self, identity):
        return f"mqtt://{identity}:any@127.0.0.1:{self.port}"


@contextmanager
def opened(url, **hooks):
    address = broker_address(url)
    line = BrokerLine(address, own_client_id(address, "test"), **hooks)
    line.start(5)
    try:
        yield line
    finally:
        line.stop()


def refusals_in(logged):
    return [(line["state"], line.get("reason", "")) for line in logged if line["event"] == "broker"]


def test_a_message_goes_over_tls_with_its_checksum(tmp_path):
    heard = []
    with TlsMosquitto(tmp_path) as broker, opened(broker.url_for("a"), heard=heard.append) as line:
        until(lambda: line.state.is_up)
        line.client.subscribe("t", 1)
        line.client.publish("t", b"payload", 1, properties=checksum(b"payload"))
        until(lambda: heard)
        assert heard[0].payload == b"payload"
        assert heard[0].properties.UserProperty == [(wire.CRC_PROPERTY, wire.crc(b"payload"))]


def test_a_broker_that_wants_a_certificate_is_shown_ours(tmp_path, logged):
    with TlsMosquitto(tmp_path, wants="a certificate") as broker:
        files = broker.authority.sign("client", "DNS:client")
        with opened(broker.url_for("a", *files)) as line, opened(broker.url_for("b")) as without:
            until(lambda: line.state.is_up and len(refusals_in(logged)) == 2)
            time.sleep(2)  # time for another attempt
            assert not without.state.was_up
    by_user = {line["user"]: (line["state"], line.get("reason", "")) for line in logged if line["event"] == "broker"}
    assert by_user == {"a": ("up", ""), "b": ("unreachable", NO_WORD)}
    assert len(refusals_in(logged)) == 2  # not with every attempt


def test_a_broker_that_wants_tls_is_no_silence(tmp_path, logged):
    with TlsMosquitto(tmp_path) as broker, opened(f"mqtt://a:any@127.0.0.1:{broker.port}"):
        until(lambda: refusals_in(logged))
    assert refusals_in(logged) == [("unreachable", NO_WORD)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves such a socket to Python
@pytest.mark.parametrize(("alternative", "whose"), [("IP:127.0.0.1", "another"), ("DNS:other.example", "authority")])
def test_nobody_is_trusted_whose_certificate_or_name_is_not_right(tmp_path, logged, alternative, whose):
    with TlsMosquitto(tmp_path, alternative) as broker:
        ca = Authority(tmp_path, "another").ca if whose == "another" else broker.authority.ca
        with opened(broker.url_for("a", ca=ca)) as line:
            until(lambda: refusals_in(logged))
            assert not line.state.was_up
    ((state, reason),) = refusals_in(logged)
    assert state == "unreachable"
    assert reason.startswith("the broker's certificate is not trusted: ")
    assert ("self-signed certificate" if whose == "another" else "not valid for '127.0.0.1'") in reason


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves such a socket to Python
def test_X1_a_certificate_that_has_expired_is_not_trusted(tmp_path, logged):
    authority = Authority(tmp_path)
    with TlsMosquitto(tmp_path, authority=authority, days=-1) as broker, opened(broker.url_for("a")):
        until(lambda: refusals_in(logged))
    assert refusals_in(logged) == [
        ("unreachable", "the broker's certificate is not trusted: certificate has expired"),
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves such a socket to Python
def test_a_broker_that_speaks_old_tls_alone_is_not_spoken_to(tmp_path, logged):
    authority, port = Authority(tmp_path), free_port()
    certificate, key = authority.sign("broker", "IP:127.0.0.1")
    words = ["-accept", str(port), "-cert", certificate, "-key", key, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet"]
    server = subprocess.Popen(["openssl", "s_server", *words], stderr=subprocess.DEVNULL)
    try:
        with opened(f"mqtts://a:any@127.0.0.1:{port}?ca={authority.ca}") as line:
            until(lambda: any(reason != "Connection refused" for _, reason in refusals_in(logged)))
            assert not line.state.was_up
    finally:
        server.terminate()
        server.wait()
    assert refusals_in(logged)[-1] == ("unreachable", OLD_TLS)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves such a socket to Python
def test_a_port_without_tls_is_told_for_what_it_is(tmp_path, logged):
    ca = Authority(tmp_path).ca
    with Mosquitto() as broker, opened(f"mqtts://a:any@127.0.0.1:{broker.port}?ca={ca}") as line:
        until(lambda: refusals_in(logged))
        assert not line.state.was_up
    ((state, reason),) = refusals_in(logged)
    assert (state, reason) in {("unreachable", NO_TLS), ("unreachable", "Connection reset by peer")}


def test_nothing_older_than_tls_1_2_is_ever_spoken(tmp_path):
    client = make_client(broker_address(f"mqtts://u:p@h?ca={Authority(tmp_path).ca}"), "x")
    assert client._ssl_context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert client._ssl_context.verify_mode == ssl.CERT_REQUIRED
    assert client._ssl_context.check_hostname


@pytest.mark.parametrize(
    "query", ["ca=/nowhere.pem", "ca={ca}&cert=/nowhere.pem", "ca={ca}&cert={ca}", "ca=/etc/hostname"]
)
def test_files_that_cannot_be_used_are_named_before_anything_connects(tmp_path, query):
    ca = Authority(tmp_path).ca
    address = broker_address(f"mqtts://u:p@localhost?{query.format(ca=ca)}")
    with pytest.raises(ConfigError, match=r"(CA file|certificate) /\S+ cannot be used: "):
        make_client(address, "x")


def test_readings_go_from_an_agent_into_the_store_over_tls(tmp_path):
    with (
        TlsMosquitto(tmp_path) as broker,
        Served(tmp_path, broker, water_estate()) as ingest,
        agent_playing(tmp_path, broker, 500),
    ):
        ingest.until(lambda: ingest.count() == 500)


def test_a_callback_that_fails_ends_neither_its_thread_nor_the_line(logged):
    heard, greetings = [], []

    def hear(message):
        heard.append(message.payload)
        raise ZeroDivisionError

    def greet():
        greetings.append(1)
        if len(greetings) == 1:
            raise ZeroDivisionError

    with Shared() as broker, opened(broker.url_for("a"), up=greet, heard=hear) as line:
        until(lambda: line.state.is_up)  # the second time: one that could not subscribe would be deaf
        assert len(greetings) == 2
        line.client.subscribe("t", 1)
        for payload in (b"1", b"2"):
            line.client.publish("t", payload, 1)
        until(lambda: heard == [b"1", b"2"])
        assert line.is_alive
        until(lambda: line.guard.failures == 3)
    assert len([line for line in logged if line["event"] == "callback_failed"]) == 3


def test_an_agent_whose_tls_files_are_being_renewed_waits_for_them(tmp_path, logged):
    with TlsMosquitto(tmp_path) as broker:
        link, ca = Link(broker.url_for("edge-1"), "edge-1", lambda: None, time.monotonic), broker.authority.ca
        words = ca.read_text()
        ca.write_text("half of it")
        link.mind(time.monotonic())
        ((state, reason),) = refusals_in(logged)
        assert state == "unreachable"
        assert f"the CA file {ca} cannot be used" in reason
        ca.write_text(words)
        try:
            until(lambda: link.mind(time.monotonic()) or not link.arrived.empty())
            assert link.arrived.get().word == "connected"
        finally:
            link.close(b"")


def test_each_process_has_an_id_of_its_own():
    address = broker_address("mqtts://shared:x@host")
    assert own_client_id(address, "analytics").startswith("shared:analytics:")
    assert len({own_client_id(address, "analytics") for _ in range(100)}) == 100


@contextmanager
def servers(folder, broker):
    """Ingest and analytics, both by the account ``shared``; their logs and where they tell their figures."""
    records = f"sqlite:///{folder / 'records.db'}"
    engine = open_records(records)
    Registry(engine).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    engine.dispose()
    running, logs, places = [], {}, {}
    for name in ("ingest", "analytics"):
        places[name] = f"127.0.0.1:{free_port()}"
        env = {
            "METERHOUSE_DATA": str(folder),
            "METERHOUSE_STORE": f"sqlite:///{folder / 'readings.db'}",
            "METERHOUSE_RECORDS": records,
            "METERHOUSE_BROKER": broker.url_for("shared"),
            "METERHOUSE_METRICS": places[name],
        }
        logs[name] = folder / f"{name}.log"
        with logs[name].open("wb") as log:
            running.append(subprocess.Popen([sys.executable, "-m", name], env=os.environ | env, stderr=log))
    try:
        until(lambda: all("state=up" in log.read_text() for log in logs.values()))
        yield logs, places
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_two_processes_on_one_account_both_stay_connected(tmp_path):
    with Shared() as broker, servers(tmp_path, broker) as (logs, _):
        with opened(broker.url_for("shared")) as third:
            until(lambda: third.state.is_up)
            Event().wait(5)
            assert third.state.is_up
        for log in logs.values():
            assert "state=lost" not in log.read_text()


def test_a_name_that_the_broker_forces_on_two_processes_is_told_in_logs_and_alarms(tmp_path):
    http = urllib3.PoolManager(retries=False)

    def alarmed(place, path, word):
        return word in http.request("GET", f"http://{place}{path}").data.decode()

    with Shared(FORCED) as broker, servers(tmp_path, broker) as (logs, places):
        for log in logs.values():
            until(lambda: "state=taken_over" in log.read_text())  # noqa: B023
            assert "another process" in log.read_text()
        until(lambda: alarmed(places["ingest"], "/metrics", 'meterhouse_alarm{alarm="taken_over"} 1.0'))
        until(lambda: alarmed(places["analytics"], "/health", '"taken_over"'))
        before = [len(log.read_text().splitlines()) for log in logs.values()]
        Event().wait(5)
        after = [len(log.read_text().splitlines()) for log in logs.values()]
        assert all(b - a <= 1 for a, b in zip(before, after, strict=True))  # said once, not with each kick
    http.clear()
