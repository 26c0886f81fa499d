"""The parts under fire: one broker, one ingest, one edge agent, as real processes in one temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from chaos.estate import AGENT, IDENTITIES, SITE, apply_estate, write_estate
from chaos.meters import Gateway
from chaos.parts import Part, RigError
from rigs.proxy import Proxy

from meterhouse.servers.broker import SYSTEM_FOLDERS
from meterhouse.servers.broker_files import LISTEN, passwords, write_mosquitto
from meterhouse.servers.influxd import Influxd, find_influxd, own_influxd
from meterhouse.store_setup import prepare_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chaos.schedule import Victim

HERE = Path(__file__).parent
BATCH_ROWS, WINDOW_BATCHES = 25, 20
"""Small batches, so that a kill finds many messages under way."""

AckMode = Literal["application", "puback"]
EDGES: dict[AckMode, list[str]] = {
    "application": [sys.executable, "-m", "edge_agent"],
    "puback": [sys.executable, str(HERE / "puback_edge.py")],
}

STORES = ("sqlite", "influx")
"""Where ingest stores: in a file of its own, or in an influxd that is killed like the others."""

DEBIAN = """\
pid_file {folder}/mosquitto.pid
persistence true
persistence_location {folder}/
log_dest file {folder}/mosquitto.log
# Debian's file ends here; without these Mosquitto would hear nobody
listener {port} {listen}
allow_anonymous true
{user}
"""


def find_mosquitto() -> str | None:
    """The broker's program; Debian puts it off an ordinary PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=SYSTEM_FOLDERS)


@dataclass
class Topology:
    """All parts, and what they meet: the meters' gateway, the recordings, the link, the clock and the disk."""

    folder: Path
    ack_mode: AckMode
    store: str
    parts: dict[Victim, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("edge", "ingest", "broker", "recordings", "logs"):
            (self.folder / name).mkdir(exist_ok=True)
        self.recordings, self.clock = self.folder / "recordings", self.folder / "clock"
        self.server_clock = self.folder / "server_clock"
        self.outbox, self.ingest = self.folder / "edge" / "outbox.db", self.folder / "ingest"
        self.influxd = own_influxd(self.folder / "influxd") if self.store == "influx" else None
        self.readings = self.ingest / "readings.db"
        self.store_url = self.influxd.url if self.influxd else f"sqlite://{self.readings}"
        self.records_url = f"sqlite:///{self.ingest / 'records.db'}"

    def start(self) -> None:
        """Write the estate, start everything and wait for the broker."""
        self.gateway = Gateway()
        site = self.folder / "site.yaml"
        write_estate(site, self.gateway.port)
        apply_estate(site, self.records_url)
        self.port = port = _free_port()
        self.link, self.ingest_link = Proxy(port), Proxy(port)
        self._words = passwords(self.folder / "broker", IDENTITIES)
        if self.influxd:
            self._start_store(self.influxd)
        self._add("broker", self._broker(port), {})
        self._add(
            "ingest",
            lambda _: [sys.executable, "-m", "ingest"],
            {
                "METERHOUSE_DATA": str(self.ingest),
                "METERHOUSE_BROKER": self._url("ingest", self.ingest_link.port),
                "METERHOUSE_STORE": self.store_url,
                "METERHOUSE_RECORDS": self.records_url,
                **_on_clock(self.server_clock),
            },
        )
        self._add("edge", lambda _: EDGES[self.ack_mode], self._edge_env(site))
        for part in self.parts.values():
            if not part.is_alive:
                part.start()

    def _start_store(self, influxd: Influxd) -> None:
        program = str(find_influxd())
        self._add("store", lambda _: [program, "run"], influxd.env())
        with self.store_at_hand(stay=True):
            prepare_store(self.store_url, SITE, time.time_ns() // 1_000_000)

    @contextmanager
    def store_at_hand(self, *, stay: bool = False) -> Iterator[None]:
        """A store that is a server runs inside the block, and after it if it is to stay."""
        if self.influxd is None:
            yield
            return
        part = self.parts["store"]
        part.start()
        self.influxd.await_ready(part.check)
        yield
        if not stay:
            part.stop()

    def stop(self) -> None:
        """End the parts, the broker last, and the rig's own listeners."""
        for name in ("edge", "ingest", "broker", "store"):
            if name in self.parts:
                self.parts[name].stop()
        for listener in ("link", "ingest_link", "gateway"):
            if hasattr(self, listener):
                getattr(self, listener).stop()

    def tell_where(self) -> None:
        """Let our processes write into their logs where each thread stands, and end: nothing moves any more."""
        for name in ("edge", "ingest"):
            self.parts[name].signal(signal.SIGCONT)
            self.parts[name].signal(signal.SIGABRT)

    def check(self) -> None:
        """Raise ``RigError`` if a part does not run."""
        for part in self.parts.values():
            part.check()

    def _add(self, name: Victim, command: Callable[[int], list[str]], env: Mapping[str, str]) -> None:
        self.parts[name] = Part(name, command, env | {"PYTHONFAULTHANDLER": "1"}, self.folder / "logs" / f"{name}.log")

    def _edge_env(self, site: Path) -> dict[str, str]:
        return {
            "METERHOUSE_DATA": str(self.folder / "edge"),
            "METERHOUSE_BROKER": self._url(AGENT, self.link.port),
            "METERHOUSE_SITE": str(site),
            "METERHOUSE_AGENT": AGENT,
            "METERHOUSE_REPLAY": str(self.recordings),
            "METERHOUSE_SILENCE_S": "1",
            "METERHOUSE_BACKLOG_RATE": "0",
            "METERHOUSE_BACKLOG_DELAY_S": "0",
            "METERHOUSE_COMMIT_S": "0.2",
            "METERHOUSE_BATCH_ROWS": str(BATCH_ROWS),
            "METERHOUSE_WINDOW_BATCHES": str(WINDOW_BATCHES),
            **_on_clock(self.clock),
        }

    def word_of(self, identity: str) -> str:
        """The password of one who speaks."""
        return self._words[identity]

    def _url(self, identity: str, port: int) -> str:
        return f"mqtt://{identity}:{quote(self._words[identity], safe='')}@{LISTEN}:{port}"

    def _broker(self, port: int) -> Callable[[int], list[str]]:
        """Debian's settings and ours in turn, on the same persistence folder."""
        folder, program = self.folder / "broker", find_mosquitto()
        if program is None:
            raise RigError("mosquitto is not installed (apt install mosquitto)")
        debian = folder / "debian.conf"
        user = "user root" if os.geteuid() == 0 else ""  # else Mosquitto changes to an account that cannot write here
        debian.write_text(DEBIAN.format(folder=folder, port=port, listen=LISTEN, user=user), encoding="utf-8")
        ours = write_mosquitto(folder, port, IDENTITIES, self._words)
        return lambda start: [program, "-c", str(ours if start % 2 else debian)]


def _on_clock(file: Path) -> dict[str, str]:
    """What has a process ask the time of this file."""
    path = os.pathsep.join([str(HERE / "clock"), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": path, "CHAOS_CLOCK": str(file)}


def _free_port() -> int:
    with socket.create_server((LISTEN, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
