"""The services of docker-compose.yml as native processes, by the words, scripts and settings that they have there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import urllib3
from ruamel.yaml import YAML

from meterhouse.up.settings_file import read_settings_file
from rigs.bare_install import ROOT
from rigs.command_line import meterhouse
from rigs.influx2_server import Influx2Server
from rigs.postgres_server import SETTINGS, PostgresServer
from rigs.servers import end, free_port

SCRIPTS = ROOT / "deploy" / "image"
COMPOSE = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
SERVER = ("ingest", "analytics", "console")


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


class ProfilePostgres(PostgresServer):
    """As the service "postgres" makes it: its owner and database, with a password alone, reached by TCP."""

    def __init__(self, password: str) -> None:
        super().__init__()
        self.port = free_port()
        said = COMPOSE["postgres"]["environment"]
        assert said["POSTGRES_USER"] == said["POSTGRES_DB"] == "meterhouse"
        file = self.folder / "password"
        file.write_text(password)
        file.chmod(0o644)  # it is read by the account that PostgreSQL runs as
        self.making = [*said["POSTGRES_INITDB_ARGS"].split(), f"--pwfile={file}"]
        self.settings = SETTINGS | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        self.login = {"password": password, "port": self.port}

    def __enter__(self):
        super().__enter__()
        self.execute("CREATE DATABASE meterhouse")
        return self


class NativeStack:
    """What a compose file starts, each with the words and the environment that it is given there."""

    def __init__(self, folder, influx, postgres):
        self.data, self.given, self.boards = folder / "data", folder / "grafana", folder / "dashboards"
        self.console, self.broker = free_port(), free_port()
        self.influx, self.postgres, self.folder, self.processes = influx, postgres, folder, {}
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}",
            "METERHOUSE_DATA": str(self.data),
            "METERHOUSE_LISTEN": f"127.0.0.1:{self.console}",
            "METERHOUSE_BROKER_LISTEN": f"127.0.0.1:{self.broker}",
            "METERHOUSE_BROKER_AT": f"localhost:{self.broker}",
            "METERHOUSE_INFLUX": influx.address,
            "METERHOUSE_POSTGRES": f"127.0.0.1:{postgres.port}",
            "METERHOUSE_POSTGRES_SECRETS": str(secret_folder(folder)),
            "METERHOUSE_GRAFANA_SECRETS": str(self.given),
            "METERHOUSE_DASHBOARDS": str(self.boards),
        }

    def prepare(self, **more):
        env = self.env | more
        return subprocess.run([SCRIPTS / "prepare.sh"], env=env, capture_output=True, text=True, check=False)

    def kept(self, name):
        """What the settings file says."""
        return read_settings_file(self.data / "settings.env")[name][1]

    def token(self):
        """Of the InfluxDB's owner."""
        return json.loads((self.data / "secrets" / "influx.json").read_text())["token"]

    def settings(self, kind):
        """The same as settings of a kind."""
        said = read_settings_file(self.data / "settings.env")
        return kind(**{name.removeprefix("METERHOUSE_").lower(): value for name, (_, value) in said.items()})

    def check(self):
        """Whoever has ended says why."""
        for name, process in self.processes.items():
            assert process.poll() is None, self.said(name)

    def start(self, name, *words, place=None, **more):
        """``words`` as the service has them; ``more`` are settings beside those that all have."""
        with (self.folder / f"{name}.log").open("ab") as log:
            env = {"PATH": self.env["PATH"], "METERHOUSE_DATA": str(self.data), "HOME": str(self.folder), **more}
            self.processes[name] = subprocess.Popen(words, env=env, cwd=place, stdout=log, stderr=log)

    def is_healthy(self, name):
        assert self.processes[name].poll() is None, self.said(name)
        return meterhouse("healthy", name, data=self.data).returncode == 0

    def said(self, name):
        return (self.folder / f"{name}.log").read_text()[-3000:]

    def end(self):
        for process in reversed(self.processes.values()):
            end(process, signal.SIGTERM)


def secret_folder(folder: Path) -> Path:
    """Where the service "postgres-password" makes one: its script does, as the other services' do."""
    made = folder / "postgres-secrets"
    made.mkdir(exist_ok=True)
    script = Path(COMPOSE["postgres-password"]["command"][0]).name
    subprocess.run([SCRIPTS / script, made], check=True)
    return made
