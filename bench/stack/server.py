"""The server that ``bench.stack`` watches: its processes started by hand, or as a site starts them, by ``up``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stack.history import now_ms
from facility.documents.site_export import dump_part
from meterhouse.demo.run import free_port
from meterhouse.up.folder import Phase, holder
from meterhouse.up.prepare import ServerFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.stack.processes import Stack
    from facility.catalogue import Catalogue
    from meterhouse.servers.broker import Broker

START_TIMEOUT_S = 240.0


@dataclass
class ByHand:
    """Ingest, console, analytics and agents over one private broker, without TLS."""

    folder: Path
    broker: Broker
    store: str
    analytics: str

    def __post_init__(self) -> None:
        self.port = free_port()

    def make(self, stack: Stack) -> dict[str, float]:
        """What must be there before the estate is applied; what that took."""
        self.stack = stack
        stack.foreign["broker"] = self.broker.process.pid
        return {}

    @property
    def data(self) -> Path:
        """The data folder of the server."""
        return self.folder

    @property
    def stores(self) -> dict[str, str]:
        """Where readings and records are."""
        return {
            "METERHOUSE_STORE": self.store or f"sqlite://{self.data}/readings.db",
            "METERHOUSE_RECORDS": f"sqlite:///{self.data}/records.db",
        }

    @property
    def ca(self) -> Path | None:
        """Whom a browser trusts; None: the console speaks without TLS."""
        return None

    def start(self) -> dict[str, float]:
        """Everything but analytics; what that took."""
        shared = {**self.stores, "METERHOUSE_DATA": str(self.data)}
        self.stack.start("ingest", "ingest", {**shared, "METERHOUSE_BROKER": self.broker.url_for("ingest")})
        console = {"METERHOUSE_LISTEN": f"127.0.0.1:{self.port}", "METERHOUSE_IDLE_MINUTES": "1440"}
        self.stack.start("console", "console", {**shared, **console})
        return {}

    def start_analytics(self) -> tuple[int, int]:
        """Start it, or start it anew; its pid, and when that was (ms)."""
        begun = now_ms()
        if "analytics" in self.stack.pids:
            self.stack.end("analytics")
            begun = now_ms()
        shared = {**self.stores, "METERHOUSE_DATA": str(self.data)}
        own = {"METERHOUSE_BROKER": self.broker.url_for("analytics")}
        return self.stack.start("analytics", self.analytics, {**shared, **own}), begun

    def start_agent(self, agent: str, estate: Catalogue, env: Mapping[str, str]) -> int:
        """Start an agent in a folder of its own; its pid."""
        folder = self.folder / agent
        folder.mkdir()
        site = folder / "site.yaml"
        site.write_text(dump_part(estate, agent), encoding="utf-8")
        return self.stack.start(agent, "edge_agent", {
            "METERHOUSE_DATA": str(folder), "METERHOUSE_SITE": str(site), "METERHOUSE_AGENT": agent,
            "METERHOUSE_BROKER": self.broker.url_for(agent), **env,
        })  # fmt: skip


class ThroughUp(ByHand):
    """``init``, ``up``, ``agent add`` and ``edge --join``; the private broker is that of the radio sensors alone."""

    @property
    def data(self) -> Path:
        """The data folder of the server."""
        return self.folder / "server"

    @property
    def ca(self) -> Path | None:
        """The site's own authority."""
        return ServerFolder(self.data).certificates.ca

    def make(self, stack: Stack) -> dict[str, float]:
        """The server's files, as ``init`` writes them."""
        self.stack, self.broker_port = stack, free_port()
        stack.foreign["radio-broker"] = self.broker.process.pid
        stack.beside.add("radio-broker")
        if (self.data / "settings.env").exists():  # an earlier run has made them
            return {}
        begun = time.monotonic()
        self._run("init", "--yes", "--listen", f"127.0.0.1:{self.port}")
        return {"init_s": round(time.monotonic() - begun, 1)}

    def start(self) -> dict[str, float]:
        """All of it; returns once ``up`` says that the page is there."""
        begun = time.monotonic()
        self._begun_ms = now_ms()
        self.stack.start("up", "meterhouse", self._env, "up", "--headless")
        self.stack.await_("the page", self._is_running, START_TIMEOUT_S)
        took = round(time.monotonic() - begun, 1)
        self._note_pids()
        return {"up_to_page_s": took}

    def start_analytics(self) -> tuple[int, int]:
        """It runs since ``up``; the second time it is ended, and its supervisor starts it anew."""
        if hasattr(self, "_seen"):
            os.kill(self._seen, signal.SIGTERM)
            self._begun_ms = now_ms()
            self.stack.await_("analytics anew", lambda: self._children().get("analytics", self._seen) != self._seen, 60)
            self._note_pids()
        self._seen = self.stack.pids["analytics"]
        return self._seen, self._begun_ms

    def start_agent(self, agent: str, estate: Catalogue, env: Mapping[str, str]) -> int:  # noqa: ARG002 - the file has it
        """As a fitter does it: an account, a file, and that file on the device."""
        file = self.folder / f"{agent}.join"
        self._run("agent", "add", agent, "--again", "--out", str(file))
        device = {"METERHOUSE_DATA": str(self.folder / agent), **env}
        return self.stack.start(agent, "meterhouse", device, "edge", "--join", str(file))

    @property
    def _env(self) -> dict[str, str]:
        said = {
            "METERHOUSE_DATA": str(self.data),
            "METERHOUSE_LISTEN": f"127.0.0.1:{self.port}",
            "METERHOUSE_BROKER_LISTEN": f"127.0.0.1:{self.broker_port}",
            "METERHOUSE_IDLE_MINUTES": "1440",
        }
        return said | ({"METERHOUSE_STORE": self.store} if self.store else {})

    def _run(self, *words: str) -> None:
        command = [sys.executable, "-m", "meterhouse", *words]
        subprocess.run(command, env=os.environ | self._env, check=True, stdout=subprocess.DEVNULL)

    def _is_running(self) -> bool:
        found = holder(self.data)
        return found is not None and found.phase is Phase.RUNNING

    def _note_pids(self) -> None:
        started = self._children()
        self.stack.foreign |= started
        self.stack.beside |= started.keys()  # they count with "up" already

    def _children(self) -> dict[str, int]:
        """Processes that ``up`` has started, by name."""
        found = holder(self.data)
        listed = Path(f"/proc/{found.pid}/task/{found.pid}/children").read_text().split() if found else []
        return {name: int(pid) for pid in listed if (name := _name(pid))}


def _name(pid: str) -> str:
    """What a process runs; nothing of one that has ended."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    if len(words) < 2:  # noqa: PLR2004 - a word, and what ends it
        return ""
    return "broker" if b"mosquitto" in words[0] else words[-2].decode()


WAYS: dict[str, Any] = {"hand": ByHand, "up": ThroughUp}
