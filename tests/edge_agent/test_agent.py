"""The agent as its own process: MQTT devices, replay over restarts, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from rigs.edge_lines import TcpUnits
from rigs.edge_server import Server
from rigs.fault_rig import sdm120
from rigs.patience import PATIENCE_S, until, within
from rigs.servers import free_port

from edge_agent.__main__ import build
from edge_agent.drivers.replay import ReplayDriver
from edge_agent.history import History
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.reader import produced
from edge_agent.settings import EdgeSettings
from facility.errors import ConfigError
from process.settings import read_settings

SITE = """\
version: 1
site: {{id: s, name: S, timezone: UTC, currency: EUR}}
buildings: [{{id: b, name: B}}]
agents:
  - id: edge-1
    buses:
      - {{id: line, url: "modbus+tcp://127.0.0.1:{modbus}", timeout_s: 5}}
      - {{id: radio, url: "{broker}"}}
meters:
  - {{id: m1, name: M, building: b, profile: eastron/sdm120, agent: edge-1, bus: line, unit: 1, poll_s: 1}}
  - {{id: d1, name: D, building: b, profile: aqara/mccgq11lm, agent: edge-1, bus: radio, unit: front, poll_s: 1}}
"""


@contextmanager
def process(folder, broker_url, modbus=1, program=("-m", "edge_agent"), **env):
    (folder / "site.yaml").write_text(SITE.format(modbus=modbus, broker=broker_url), encoding="utf-8")
    settings = {
        "METERHOUSE_DATA": str(folder),
        "METERHOUSE_BROKER": broker_url,
        "METERHOUSE_SITE": str(folder / "site.yaml"),
        "METERHOUSE_AGENT": "edge-1",
        "METERHOUSE_BACKLOG_RATE": "0",
        "METERHOUSE_BACKLOG_DELAY_S": "0",
    } | env
    child = subprocess.Popen([sys.executable, *program], env=os.environ | settings, stderr=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        child.stderr.close()


def stop(child):
    child.send_signal(signal.SIGTERM)
    with within(3):
        return child.wait(PATIENCE_S)


def record(folder, name, points, rows, begin=0, per_line=1000):
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"points": points, "rows": rows})]
    for start in range(0, rows, per_line):
        ks = range(start, min(start + per_line, rows))
        block = {"p": [k % len(points) for k in ks], "t": [10**12 + 1000 * (begin + k) for k in ks]}
        lines.append(json.dumps(block | {"x": [0.1 * (begin + k) for k in ks]}))
    (folder / f"{name}.new").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / f"{name}.new").rename(folder / f"{name}.readings")


HANGS = """
import sys, threading
from edge_agent import __main__ as edge
from edge_agent import life
from edge_agent.{module} import {part}
life.LONGEST_STILL_S = 3.0
step, rounds = {part}.{step}, []
def hang(self, *given):
    rounds.append(given)
    if len(rounds) > 5:
        threading.Event().wait()
    return step(self, *given)
{part}.{step} = hang
sys.exit(edge.main())
"""


@pytest.mark.parametrize(
    ("module", "part", "step"),
    [("publisher", "Publisher", "_turn"), ("writer", "Writer", "_commit"), ("poller", "Poller", "poll")],
)
def test_the_pulse_stops_with_whichever_thread_hangs(tmp_path, module, part, step):
    pulse, program = tmp_path / "edge.pulse", ("-c", HANGS.format(module=module, part=part, step=step))
    with (
        TcpUnits({1: sdm120(1.0, 1.0)}) as units,
        process(tmp_path, "mqtt://127.0.0.1:9", units.port, program) as child,
    ):
        until(pulse.exists)
        until(lambda: time.time() - pulse.stat().st_mtime > 3)
        assert child.poll() is None


@pytest.mark.broker
def test_meters_and_doors_are_read_paused_and_stopped(tmp_path, broker):
    server = Server(broker.port, answers="always")
    with TcpUnits({1: sdm120(1650.25, 4912.5)}) as units, process(tmp_path, broker.url, units.port) as child:
        server.wait(lambda: any(row[0] == "m1/energy_import/total" for row in server.rows.values()))
        until(lambda: server.statuses[-1].buses == {"line": "ok", "radio": "ok"} or server.command("resume"))
        server.client.publish("zigbee2mqtt/front", b'{"contact":false,"battery":80}')
        server.client.publish("zigbee2mqtt/front", b'{"contact":true}')
        server.client.publish("zigbee2mqtt/front", b"{")
        server.wait(lambda: [r[2] for r in server.rows.values() if r[0] == "d1/door_open/door"] == [1.0, 0.0])
        server.command("pause")
        server.wait(lambda: server.statuses[-1].figures["paused"] == 1)
        assert server.statuses[-1].buses == {"line": "paused", "radio": "paused"}
        assert stop(child) == 0
    server.wait(lambda: server.statuses[-1].state == "offline")
    values = {row[0]: row[2] for row in server.rows.values()}
    assert (values["m1/active_power/total"], values["m1/energy_import/total"]) == (1650.25, 4912.5)
    assert not any(row[0].startswith("d1/battery") for row in server.rows.values())  # an optional point, not chosen
    server.stop()


@pytest.mark.broker
def test_points_that_a_device_does_not_have_are_told_and_the_others_are_read(tmp_path, broker):
    server, words = Server(broker.port, answers="always"), sdm120(1650.25, 4912.5)
    power = {address: word for address, word in words.items() if address < 0x48}
    with TcpUnits({1: power}) as units, process(tmp_path, broker.url, units.port) as child:
        server.wait(lambda: any(row[0] == "m1/active_power/total" for row in server.rows.values()))
        server.wait(lambda: server.statuses[-1].buses["line"] == "unread: m1/energy_import/total")
        figures = server.statuses[-1].figures
        assert (figures["unread"], figures["alarm_points_unread"]) == (1, 1)
        assert stop(child) == 0
    server.stop()


def history_told(server):
    """Rows promised, rows stored, and whether it is still open, as the agent said last; nothing before."""
    figures = server.statuses[-1].figures if server.statuses else {}
    return [figures.get(f"history_{name}") for name in ("rows", "stored", "open")]


@pytest.mark.broker
def test_replay_goes_on_after_a_kill_without_loss_or_repeat(tmp_path, broker):
    history = tmp_path / "recorded"
    points = ["m1/energy_import/total", "m1/active_power/total"]
    record(history, "2025-01", points, 40_000)
    server = Server(broker.port)
    env = {"METERHOUSE_REPLAY": str(history)}
    with process(tmp_path, broker.url, **env) as child:
        server.wait(lambda: server.received >= 4000)
        child.kill()
        child.wait()
    server.answers = "always"
    with process(tmp_path, broker.url, **env) as child:
        server.wait(lambda: history_told(server) == [40_000, 40_000, 0])
        record(history, "2025-02", points, 3000, 40_000)
        server.wait(lambda: history_told(server) == [43_000, 43_000, 0])
        assert stop(child) == 0
    assert sorted(row[2] for row in server.rows.values()) == [0.1 * k for k in range(43_000)]
    assert sum(count for count, _ in produced(tmp_path / "outbox.db").values()) == 43_000
    assert not server.failures
    server.stop()


def test_an_unreachable_broker_and_bus_are_waited_for(tmp_path):
    with process(tmp_path, f"mqtt://127.0.0.1:{free_port()}") as child:
        said = ""
        while said.count("state=unreachable") < 2 or "bus_down" not in said:
            line = child.stderr.readline()
            assert line, said
            said += line
        time.sleep(1.2)  # time for another attempt
        assert stop(child) == 0
        said += child.stderr.read()
    assert said.count("state=unreachable") == 2  # one line for each broker, not one for each attempt
    assert said.count("bus_down") == 1


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"METERHOUSE_AGENT": "edge-9"}, "no agent 'edge-9' (allowed: edge-1)"),
        ({"METERHOUSE_SITE": "/nowhere.yaml"}, "/nowhere.yaml: cannot be read"),
        ({"METERHOUSE_BROKER": "http://u:secret@x"}, "METERHOUSE_BROKER: is no broker URL (allowed: mqtt://"),
        ({"METERHOUSE_DATA": "/proc/meterhouse"}, "data folder /proc/meterhouse cannot be made"),
        ({"METERHOUSE_BROKER": "mqtts://u:secret@x?ca=/nowhere.pem"}, "the CA file /nowhere.pem cannot be used"),
        ({"METERHOUSE_COMMIT_S": "9"}, "METERHOUSE_COMMIT_S"),
        ({"METERHOUSE_OUTBOX_MIB": "inf"}, "METERHOUSE_OUTBOX_MIB"),
        ({"METERHOUSE_KEEP_DAYS": "0.9"}, "METERHOUSE_KEEP_DAYS"),
    ],
)
def test_what_a_person_must_change_is_said_in_one_sentence(tmp_path, monkeypatch, env, said):
    (tmp_path / "site.yaml").write_text(SITE.format(modbus=1, broker="mqtt://127.0.0.1:1"), encoding="utf-8")
    whole = {
        "METERHOUSE_DATA": str(tmp_path),
        "METERHOUSE_SITE": str(tmp_path / "site.yaml"),
        "METERHOUSE_AGENT": "edge-1",
    }
    for name, value in (whole | env).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        build(read_settings(EdgeSettings))
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("which", ["METERHOUSE_BROKER", "bus"])
def test_a_password_with_a_slash_is_refused_without_repeating_it(tmp_path, monkeypatch, which):
    """The address then ends within the password: ``urlsplit`` takes what stands before the slash for a port."""
    url = "mqtt://edge-1:secret/word@127.0.0.1:1"
    bus = url if which == "bus" else "mqtt://127.0.0.1:1"
    (tmp_path / "site.yaml").write_text(SITE.format(modbus=1, broker=bus), encoding="utf-8")
    monkeypatch.setenv("METERHOUSE_DATA", str(tmp_path))
    monkeypatch.setenv("METERHOUSE_SITE", str(tmp_path / "site.yaml"))
    monkeypatch.setenv("METERHOUSE_AGENT", "edge-1")
    monkeypatch.setenv("METERHOUSE_BROKER", url if which != "bus" else "mqtt://127.0.0.1:1")
    with pytest.raises(ConfigError) as raised:
        build(read_settings(EdgeSettings))
    assert "secret" not in str(raised.value)


def test_it_exits_with_two_when_a_person_must_change_something(tmp_path):
    with process(tmp_path, "mqtt://127.0.0.1:1", METERHOUSE_AGENT="edge-9") as child:
        assert child.wait(PATIENCE_S) == 2
        assert child.stderr.read() == f"{tmp_path}/site.yaml: no agent 'edge-9' (allowed: edge-1)\n"


def test_a_broken_recording_stops_the_replay_with_its_file_and_line(tmp_path):
    record(tmp_path, "a", ["p"], 3, per_line=1)
    lines = (tmp_path / "a.readings").read_text().split("\n")
    (tmp_path / "a.readings").write_text("\n".join([*lines[:2], '{"p":[7],"t":[1],"x":[1]}', ""]), encoding="utf-8")
    played = []
    driver = ReplayDriver(
        tmp_path,
        dict,
        lambda samples, _file, line: played.append((line, len(samples))),
        lambda: True,
        enough_rows=1,
    )
    driver.start()
    until(lambda: driver.failure)
    driver.stop()
    assert "a.readings:3: not a block of readings" in driver.failure
    assert not driver.is_finished()


def test_recordings_wait_in_their_files_while_the_outbox_is_full(tmp_path):
    record(tmp_path / "recorded", "a", ["p"], 30_000)
    outbox = Outbox(tmp_path / "outbox.db", 0)
    history = History(tmp_path / "recorded", outbox, lambda: None, most_unstored_rows=10_000)
    history.driver.start()
    until(lambda: outbox.newest == 10_000)
    time.sleep(0.2)
    assert outbox.newest == 10_000
    outbox.free(10_000)
    history.driver.pause(paused=False)  # wakes it
    until(lambda: outbox.newest == 20_000)
    history.driver.stop()
    assert history.figures() == {"history_rows": 30_000, "history_stored": 10_000, "history_open": 1.0}
    outbox.close()


def test_a_broken_recording_stays_open_and_stops_nobody(tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "a.readings").write_text("{}\n", encoding="utf-8")
    outbox = Outbox(tmp_path / "outbox.db", 0)
    history = History(folder, outbox, lambda: None, most_unstored_rows=1)
    history.driver.start()
    until(lambda: "not the first line of a recording" in history.driver.state())
    assert not history.has_just_arrived(1.0)
    assert history.figures()["history_open"] == 1.0
    history.driver.stop()
    outbox.close()
