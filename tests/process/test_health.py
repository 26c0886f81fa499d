import json
import socket
import struct
import threading
import urllib.request
from contextlib import ExitStack
from urllib.error import HTTPError, URLError

import pytest
from prometheus_client import Gauge
from rigs.patience import PATIENCE_S, until

from facility.errors import ConfigError
from process import health as health_module
from process.health import HealthServer


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own address
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_metrics_and_health_are_answered_on_this_machine(host):
    figure = Gauge("meterhouse_example", "An example.", registry=None)
    figure.set(42)
    health = {"state": "ok", "queue": 7}
    with HealthServer(f"{host}:0", lambda: health, figure) as server:
        status, body = ask(f"http://{server.address}/metrics")
        assert status == 200
        assert "meterhouse_example 42.0" in body
        assert "process_resident_memory_bytes" in body
        status, body = ask(f"http://{server.address}/health")
        assert (status, json.loads(body)) == (200, health)
        health["state"] = "store_unavailable"
        status, body = ask(f"http://{server.address}/health")
        assert (status, json.loads(body)) == (503, health)
        assert ask(f"http://{server.address}/")[0] == 404
    with pytest.raises(URLError):
        ask(f"http://{server.address}/health")


def test_a_health_that_cannot_be_told_is_not_ok(logged):
    with HealthServer("127.0.0.1:0", lambda: {}["nothing"]) as server:
        assert ask(f"http://{server.address}/health") == (503, '{"state": "unknown"}')
    assert [line["event"] for line in logged] == ["health_cannot_be_told"]


def test_without_an_address_nothing_is_opened():
    with HealthServer("", dict) as server:
        assert server.address == ""


@pytest.mark.parametrize("address", ["0.0.0.0:9464", "db.example:9464", "127.0.0.1", "9464", "127.0.0.1:http"])
def test_other_machines_are_never_answered(address):
    with pytest.raises(ConfigError, match=f"METERHOUSE_METRICS: '{address}' is no port of this machine alone"):
        HealthServer(address, dict)


def test_a_taken_port_is_one_sentence():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match=r"METRICS: .* cannot be used"),
    ):
        HealthServer(f"127.0.0.1:{taken.getsockname()[1]}", dict)


def test_who_asks_nothing_takes_no_more_than_a_few_descriptors_and_not_for_long(monkeypatch):
    monkeypatch.setattr(health_module, "LONGEST_ASKING_S", 1.0)
    with HealthServer("127.0.0.1:0", lambda: {"state": "ok"}) as server, ExitStack() as lines:
        host, _, port = server.address.rpartition(":")
        idle = [lines.enter_context(socket.create_connection((host, int(port)))) for _ in range(200)]
        until(lambda: server.asking == 0)
        assert ask(f"http://{server.address}/health")[0] == 200
        until(lambda: threading.active_count() < len(idle) / 2)


def test_who_goes_away_in_the_midst_of_an_answer_is_one_line_of_our_form(logged, capfd):
    with HealthServer(
        "127.0.0.1:0", lambda: {"state": "ok"} | dict.fromkeys(map(str, range(100_000)), "x" * 20)
    ) as server:
        host, _, port = server.address.rpartition(":")
        for _ in range(5):
            with socket.create_connection((host, int(port))) as line:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.sendall(b"GET /health HTTP/1.0\r\n")
        until(lambda: len(logged) >= 5 and server.asking == 0)
    assert {line["event"] for line in logged} == {"health_asked_in_part"}
    assert capfd.readouterr().err == ""
