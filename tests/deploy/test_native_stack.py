"""The server of docker-compose.yml as native processes: its scripts and configuration, an InfluxDB 2, a real broker."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3
from rigs.bare_install import ROOT
from rigs.command_line import meterhouse
from rigs.influx2_server import Influx2Server, need_influxd2
from rigs.patience import until
from rigs.servers import end, free_port, need_mosquitto
from rigs.site_estate import two_agents

SCRIPTS = ROOT / "deploy" / "image"


class EmptyInflux2(Influx2Server):
    """Nobody has set it up yet."""

    def _is_set_up(self):
        assert self.process.poll() is None, self.log
        try:
            return self.http.request("GET", f"{self.address}/api/v2/setup").json()["allowed"]
        except urllib3.exceptions.HTTPError:
            return False

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"


class Stack:
    """What a compose file starts, each with the words and the environment that it is given there."""

    def __init__(self, folder, influx):
        self.data, self.given, self.boards = folder / "data", folder / "grafana", folder / "dashboards"
        self.console, self.broker = free_port(), free_port()
        self.influx, self.folder, self.processes = influx, folder, {}
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}",
            "METERHOUSE_DATA": str(self.data),
            "METERHOUSE_LISTEN": f"127.0.0.1:{self.console}",
            "METERHOUSE_BROKER_LISTEN": f"127.0.0.1:{self.broker}",
            "METERHOUSE_BROKER_AT": f"localhost:{self.broker}",
            "METERHOUSE_INFLUX": influx.address,
            "METERHOUSE_GRAFANA_SECRETS": str(self.given),
            "METERHOUSE_DASHBOARDS": str(self.boards),
        }

    def prepare(self):
        return subprocess.run([SCRIPTS / "prepare.sh"], env=self.env, capture_output=True, text=True, check=False)

    def start(self, name, *words, place=None):
        with (self.folder / f"{name}.log").open("ab") as log:
            env = {"PATH": self.env["PATH"], "METERHOUSE_DATA": str(self.data), "HOME": str(self.folder)}
            self.processes[name] = subprocess.Popen(words, env=env, cwd=place, stdout=log, stderr=log)

    def is_healthy(self, name):
        assert self.processes[name].poll() is None, self.said(name)
        return meterhouse("healthy", name, data=self.data).returncode == 0

    def said(self, name):
        return (self.folder / f"{name}.log").read_text()[-3000:]

    def end(self):
        for process in reversed(self.processes.values()):
            end(process, signal.SIGTERM)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    need_mosquitto()
    need_influxd2()
    with ExitStack() as opened:
        made = Stack(tmp_path_factory.mktemp("stack"), opened.enter_context(EmptyInflux2()))
        opened.callback(made.end)
        prepared = made.prepare()
        assert prepared.returncode == 0, prepared.stderr
        yield made


def test_prepare_makes_every_secret_and_done_again_changes_none(stack):
    kept = {
        path: path.read_bytes() for folder in (stack.data, stack.given) for path in folder.rglob("*") if path.is_file()
    }
    assert {"influx_url", "influx_token", "influx_database", "admin_password"} == {
        path.name for path in stack.given.iterdir()
    }
    assert [path for path in kept if path.suffix != ".pem" and path.stat().st_mode & 0o077] == []
    again = stack.prepare()
    assert again.returncode == 0, again.stderr
    changed = [
        path
        for path, content in kept.items()
        if path.read_bytes() != content and path.suffix not in {".db", ".db-wal", ".db-shm"}
    ]
    assert changed == []


def test_grafanas_account_may_read_and_nothing_else(stack):
    token = (stack.given / "influx_token").read_text()
    http = urllib3.PoolManager(headers={"Authorization": f"Token {token}"}, retries=False)
    shown = http.request("GET", f"{stack.influx.address}/query?db=meterhouse&q=SHOW%20MEASUREMENTS")
    assert shown.status == 200, shown.data
    line = "reading,site=x value=1"
    written = http.request("POST", f"{stack.influx.address}/api/v2/write?org=meterhouse&bucket=meterhouse", body=line)
    assert written.status in {401, 403, 404}
    made = http.request("POST", f"{stack.influx.address}/api/v2/buckets", json={"name": "mine", "orgID": "x"})
    assert made.status in {401, 403, 404, 400}


def test_an_agents_readings_line_comes_through_the_same_files_end_to_end(stack):
    """Broker by its entry script, the three processes by their commands, one agent by its join file."""
    stack.start("mosquitto", SCRIPTS / "mosquitto.sh", place=stack.data / "broker")
    (stack.data / "site.yaml").write_text(two_agents())
    applied = meterhouse("site", "apply", str(stack.data / "site.yaml"), "--accept", data=stack.data, **_store(stack))
    assert applied.returncode == 0, applied.stderr
    for name in ("ingest", "analytics", "console"):
        stack.start(name, sys.executable, "-m", "meterhouse", name)
    added = meterhouse(
        "agent", "add", "edge-a", "--out", str(stack.folder / "a.join"), data=stack.data, **_places(stack)
    )
    assert added.returncode == 0, added.stderr
    for name in ("ingest", "analytics", "console"):
        until(lambda one=name: stack.is_healthy(one), says=lambda one=name: stack.said(one), pause_s=1)
    edge = [sys.executable, "-m", "meterhouse", "edge", "--join", str(stack.folder / "a.join")]
    with (stack.folder / "edge.log").open("wb") as log:
        env = stack.env | {"METERHOUSE_DATA": str(stack.folder / "device")}
        stack.processes["edge"] = subprocess.Popen(edge, env=env, stdout=log, stderr=log)
    until(lambda: "edge-a" in _online(stack), says=lambda: stack.said("edge") + stack.said("ingest"), pause_s=1)
    os.kill(stack.processes["console"].pid, signal.SIGSTOP)
    pulse = stack.data / "console.pulse"
    os.utime(pulse, (pulse.stat().st_mtime - 3600,) * 2)
    stuck = meterhouse("healthy", "console", data=stack.data)
    os.kill(stack.processes["console"].pid, signal.SIGCONT)
    assert (stuck.returncode, "has made no progress" in stuck.stderr) == (1, True)


def _store(stack):
    said = (stack.data / "processes" / "ingest.env").read_text().splitlines()
    kept = dict(line.split("=", 1) for line in said)
    return {name: kept[name] for name in ("METERHOUSE_STORE", "METERHOUSE_RECORDS")}


def _places(stack):
    return {name: stack.env[name] for name in ("METERHOUSE_LISTEN", "METERHOUSE_BROKER_LISTEN", "METERHOUSE_BROKER_AT")}


def _online(stack):
    agents = json.loads(meterhouse("status", "--json", data=stack.data).stdout).get("agents", [])
    return {one.get("agent", one.get("id")) for one in agents if one.get("state") == "online"}


def test_an_influxdb_that_somebody_else_has_set_up_is_left_alone(stack, tmp_path):
    refused = meterhouse("prepare", "--begin", "--influx", stack.influx.address, data=tmp_path / "other")
    assert refused.returncode == 2
    assert "was set up by somebody else" in refused.stderr
