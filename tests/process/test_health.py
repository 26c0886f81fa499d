import json
import socket
import urllib.request
from urllib.error import HTTPError, URLError

import pytest
from prometheus_client import Gauge
from rigs.patience import PATIENCE_S

from facility.errors import ConfigError
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
