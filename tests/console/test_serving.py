"""The stream, the settings and the process itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest
from rigs.patience import PATIENCE_S, until, within
from rigs.sample import NOW
from rigs.servers import free_port
from rigs.visitor import next_event

from console.feeds import message
from console.settings import ConsoleSettings
from facility.errors import ConfigError


def test_a_fresh_value_is_live_however_late_an_older_one_arrives(visitor, sample):
    text = visitor.get("/buildings/lib").text
    assert 'id="point-lib-leak-leak-total" class="tile tone-ok"' in text
    sample.say("lib-air/co2/total", 700.0, NOW - timedelta(minutes=3))
    later = visitor.get("/live?of=lib").text
    assert 'id="point-lib-air-co2-total" class="tile"' in later


def test_the_stream_sends_the_whole_picture_and_then_what_changed(visitor, sample):
    with visitor.stream("GET", "/events?of=estate", headers={"Last-Event-ID": "17"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        first = next_event(lines)
        assert first[1] == "event: live"
        assert any('id="power-lib"' in line and 'hx-swap-oob="true"' in line for line in first)
        sample.say("hall-power/active_power/total", 77_000.0, NOW)
        changed = next_event(lines)
        assert any('id="power-hall"' in line for line in changed)
        assert not any('id="power-lab"' in line for line in changed)


def settings(**given):
    return ConsoleSettings(store="memory:", records="sqlite:////x", **given)


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.0.2.7:80", "console.example:80", "[::]:8080"])
def test_nothing_listens_beyond_loopback_unasked(listen):
    with pytest.raises(ConfigError, match="METERHOUSE_ALLOW_REMOTE=yes"):
        _ = settings(listen=listen).address
    assert settings(listen=listen, allow_remote="yes").address[1] in {80, 8080}


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:http", ":8080", "127.0.0.1:99999"])
def test_an_address_must_be_host_and_port(listen):
    with pytest.raises(ConfigError, match="host:port"):
        _ = settings(listen=listen).address


def test_loopback_has_its_names():
    assert settings(listen="127.0.0.1:8123").host_names == ("127.0.0.1:8123", "localhost:8123")


def _start(folder, listen, **more):
    environment = os.environ | {
        "METERHOUSE_STORE": f"sqlite:///{folder}/readings.db",
        "METERHOUSE_RECORDS": f"sqlite:///{folder}/records.db",
        "METERHOUSE_LISTEN": listen,
        **more,
    }
    return subprocess.Popen([sys.executable, "-m", "console"], env=environment, stderr=subprocess.PIPE, text=True)


def test_a_port_in_use_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = _start(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}")
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "METERHOUSE_LISTEN" in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1


def test_it_stops_cleanly_while_somebody_listens(sample):
    port = free_port()
    process = _start(sample.folder, f"127.0.0.1:{port}")
    try:
        until(lambda: _answers(process, f"http://127.0.0.1:{port}/health"))
        session = {"meterhouse_session": sample.session_now()}
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=session, trust_env=False) as client,
            client.stream("GET", "/events?of=estate"),
        ):
            process.send_signal(signal.SIGTERM)
            with within(3.5):
                assert process.wait(PATIENCE_S) == 0  # who listens still does
    finally:
        process.kill()
        process.communicate()


def test_prometheus_is_told_on_a_port_of_this_machine_and_never_on_the_pages_port(sample):
    pages, metrics = free_port(), free_port()
    process = _start(sample.folder, f"127.0.0.1:{pages}", METERHOUSE_METRICS=f"127.0.0.1:{metrics}")
    try:
        until(lambda: _answers(process, f"http://127.0.0.1:{pages}/health"))
        assert httpx.get(f"http://127.0.0.1:{pages}/metrics", trust_env=False).status_code == 401
        page = httpx.get(f"http://127.0.0.1:{metrics}/metrics", trust_env=False).text
        answers = dict(re.findall(r'console_answer_seconds_count{status="(\S+)"} (\S+)', page))
        assert float(answers["2xx"]) >= 1
        assert float(answers["4xx"]) == 1
        assert 0 <= float(re.search(r"\nmeterhouse_console_still_seconds (\S+)", page)[1]) < PATIENCE_S
        assert "process_cpu_seconds_total" in page
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()


def _answers(process, url):
    assert process.poll() is None, process.stderr.read()
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.ConnectError:
        return False


def test_an_event_is_framed_line_by_line():
    assert message("live", "<a>\n<b>", "7") == "id: 7\nevent: live\ndata: <a>\ndata: <b>\n\n"
