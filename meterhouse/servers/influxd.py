"""Runs an InfluxDB of our own on this machine: loopback only, with a password, calling nobody."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog
import urllib3

from facility.errors import ConfigError, StoreUnavailable, Unavailable
from facility.status import ServerProcess
from facility.system_alarm import SystemAlarm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meterhouse.supervisor import Supervisor
    from stores.records.status.board import StatusBoard

OWN_INFLUX = "influx"
"""The store of a demo that brings its own influxd."""

LISTEN = "127.0.0.1"
USER, DATABASE = "meterhouse", "meterhouse"
START_TIMEOUT_S = 30.0
LOOK_EVERY_S, SETTLE_S = 2.0, 30.0
ENOUGH_BYTES = 8 * 2**20
"""With so much room a server is started anew; with less it would only fill up again."""

HOW_TO_GET = (
    "InfluxDB's influxd was not found: put it on the PATH, or name a running InfluxDB in --store"
    " (go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10 builds one; so does tools/build_servers.sh)"
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Influxd:
    """One server: its folder, its port, the password of its only account."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The store URL."""
        return f"influx://{USER}:{quote(self.password, safe='')}@{LISTEN}:{self.port}/{DATABASE}"

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Its settings: nothing is reported to anybody, and nobody from outside can reach it."""
        return {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_BIND_ADDRESS": f"{LISTEN}:0",
            "INFLUXDB_META_DIR": str(self.folder / "meta"),
            "INFLUXDB_DATA_DIR": str(self.folder / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(self.folder / "wal"),
            "INFLUXDB_DATA_QUERY_LOG_ENABLED": "false",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"{LISTEN}:{self.port}",
            "INFLUXDB_HTTP_AUTH_ENABLED": "true",
            "INFLUXDB_HTTP_PPROF_ENABLED": "false",
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_CONTINUOUS_QUERIES_ENABLED": "false",
            "INFLUXDB_SUBSCRIBER_ENABLED": "false",
            **(extra or {}),
        }

    def await_ready(self, tend: Callable[[], None]) -> None:
        """Wait until it answers, and make its account where it has none. Raises ``Unavailable``."""
        until = time.monotonic() + START_TIMEOUT_S
        http = urllib3.PoolManager(retries=False, timeout=5.0)
        while not self._answers(http):
            if time.monotonic() > until:
                raise Unavailable(
                    f"influxd did not answer within {START_TIMEOUT_S:.0f} s; see the logs beside {self.folder}"
                )
            tend()
            time.sleep(0.1)

    def _answers(self, http: urllib3.PoolManager) -> bool:
        # Before the first administrator this statement alone needs no sign-in; repeated, it changes nothing.
        statement = f"CREATE USER {USER} WITH PASSWORD '{self.password}' WITH ALL PRIVILEGES"
        sign_in = urllib3.make_headers(basic_auth=f"{USER}:{self.password}")
        try:
            answer = http.request(
                "POST",
                f"http://{LISTEN}:{self.port}/query",
                fields={"q": statement},
                headers=sign_in,
                encode_multipart=False,
            )
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200 and b"error" not in answer.data  # noqa: PLR2004 - HTTP's OK


@dataclass(slots=True)
class RoomKeeper:
    """Starts an influxd anew whose disk was full, once there is room: until then it refuses every write (measured).

    Whether it still refuses is told by ingest.
    """

    folder: Path
    board: StatusBoard
    supervisor: Supervisor
    _due_s: float = 0.0

    def look(self) -> None:
        """One round: look now and then, and leave a server that was started anew some time."""
        now_s = self.supervisor.clock()
        if now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_EVERY_S
        if self._is_refused() and shutil.disk_usage(self.folder).free >= ENOUGH_BYTES:
            log.warning("influxd_started_anew", reason="its disk was full and has room again")
            self._due_s = now_s + SETTLE_S
            self.supervisor.end("influxd")

    def _is_refused(self) -> bool:
        try:
            ingests = self.board.overview().of(ServerProcess.INGEST)
        except StoreUnavailable:  # then ingest cannot tell either
            return False
        alarms = [one.status.alarms.get(SystemAlarm.STORE_UNAVAILABLE, "") for one in ingests]
        return any("no space left" in words for words in alarms)


def own_influxd(folder: Path) -> Influxd:
    """The server that lives in ``folder``, with the password it was given when the folder was new."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "password"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(24), encoding="ascii")
    return Influxd(folder, _free_port(), kept.read_text(encoding="ascii"))


def start_influxd(folder: Path, supervisor: Supervisor, board: StatusBoard | None = None) -> str:
    """Run the server that lives in ``folder`` and return its URL once it answers. Raises ``ConfigError``.

    With a ``board``, on which ingest tells how it fares, it is started anew once its full disk has room again.
    """
    program, server = find_influxd(), own_influxd(folder)
    supervisor.start("influxd", [str(program), "run"], server.env())
    server.await_ready(supervisor.tend)
    if board is not None:
        supervisor.also.append(RoomKeeper(folder, board, supervisor).look)
    return server.url


def find_influxd() -> Path:
    """The program: on the PATH, or where a build for Meterhouse puts it. Raises ``ConfigError``."""
    if found := shutil.which("influxd"):
        return Path(found)
    built = built_influxd()
    if not os.access(built, os.X_OK):
        raise ConfigError(HOW_TO_GET)
    return built


def built_influxd() -> Path:
    """Where ``tools/build_servers.sh`` puts the program."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meterhouse" / "influxd"


def _free_port() -> int:
    with socket.create_server((LISTEN, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
