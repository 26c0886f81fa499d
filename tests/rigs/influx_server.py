"""A real influxd on a free loopback port for tests, and whoever INFLUX_URL names."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import pytest

from facility.errors import ConfigError
from meterhouse.servers.influxd import Influxd, find_influxd, own_influxd
from rigs.servers import end, free_port
from stores.readings.influx.address import influx_address
from stores.readings.influx.setup import Retention, prepare
from stores.readings.influx.wire import connect

if TYPE_CHECKING:
    import contextlib

QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own in it, in memory


def need_influxd() -> Path:
    """The program; without it a test fails where servers are required, and else is skipped."""
    try:
        return find_influxd()
    except ConfigError as missing:
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(f"REQUIRE_SERVERS=1, but {missing}")
        pytest.skip(str(missing))


def has_influxd() -> bool:
    try:
        find_influxd()
    except ConfigError:
        return False
    return True


class InfluxServer:
    """Context manager: a server of our own. ``kill``, ``stop`` and ``start`` keep its port and its folder."""

    def __init__(self, extra: dict[str, str] | None = None, folder: Path | None = None) -> None:
        self.extra = extra or {}
        self.folder = folder or Path(tempfile.mkdtemp(prefix="influxd-", dir=QUICK))
        self.server: Influxd = replace(own_influxd(self.folder), port=free_port())
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.server.url

    def url_of(self, database: str) -> str:
        return self.server.url.rpartition("/")[0] + f"/{database}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def start(self) -> Self:
        program = need_influxd()
        with (self.folder / "log").open("ab") as log:
            env = os.environ | self.server.env(self.extra)
            self.process = subprocess.Popen([program, "run"], env=env, stdout=log, stderr=log)
        self.server.await_ready(self._check)
        return self

    def _check(self) -> None:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"influxd exited with {self.process.returncode}: {self.log}")

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """Take it away without a word, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        end(self.process, number)
        self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def make_ready(url: str, site: str, retention: Retention | None = None) -> None:
    """What ``meterhouse store init --shorten`` does."""
    wire = connect(influx_address(url))
    prepare(wire, retention or Retention(), site, time.time_ns() // 1_000_000, may_shorten=True)
    wire.client.close()


def named_influx(stack: contextlib.ExitStack, database: str) -> str:
    """A fresh database on the server that INFLUX_URL names: a store URL without a secret; INFLUX_TOKEN is the secret.

    ``influx://host:8086`` with ``user:password``, or ``influx+token://host:8086/organisation`` with a token.
    """
    scheme, _, rest = os.environ["INFLUX_URL"].rstrip("/").partition("://")
    secret = ":".join(quote(part, safe="") for part in os.environ.get("INFLUX_TOKEN", "").split(":", 1))
    url = f"{scheme}://{secret}@{rest}/{database}" if secret else f"{scheme}://{rest}/{database}"
    make_ready(url, "s")
    stack.callback(_drop, url)
    return url


def _drop(url: str) -> None:
    wire = connect(influx_address(url))
    database = wire.address.database
    if wire.address.speaks_v2:
        buckets = wire.client.buckets_api()
        for bucket in buckets.find_buckets(limit=100).buckets:
            if bucket.name.startswith(f"{database}/"):
                buckets.delete_bucket(bucket)
    else:
        wire.ask_json(f'DROP DATABASE "{database}"')
    wire.client.close()
