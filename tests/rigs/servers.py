"""A real mosquitto on a free loopback port for tests, proved to be the one that was started."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from rigs.certificates import Authority
from rigs.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 500
max_queued_messages 0
max_packet_size 262144
set_tcp_nodelay true
log_dest stdout
log_type error
log_type warning
log_type notice
log_type information
{extra}
"""
DEBIAN = """\
persistence true
persistence_location {folder}/
listener {port} 127.0.0.1
allow_anonymous true
{user}
{extra}
"""
"""What Debian ships (its log file apart), and the least without which nobody would be heard."""

PORTS = range(20_000, 32_768)
"""Linux gives connections ports from 32768 on (ip_local_port_range)."""
WORKERS = 8

PROGRAM = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def need_mosquitto() -> None:
    """A visible skip where Mosquitto is not installed; ``REQUIRE_SERVERS=1`` turns every skip into a failure."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")


def _ports() -> Iterator[int]:
    """Each port once, from a place of chance on; the workers of one run have different ones."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
    mine = list(PORTS)[worker::WORKERS]
    first = random.SystemRandom().randrange(len(mine))
    return itertools.cycle(mine[first:] + mine[:first])


_mine = _ports()


def free_port() -> int:
    """A loopback port that nobody listens on now, nor takes before it is listened on, as far as we can see to it."""
    for port in itertools.islice(_mine, len(PORTS)):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError(f"no free port in {PORTS}")


def end(process: subprocess.Popen[bytes] | None, number: int) -> None:
    """Send a signal to a server of ours, if it runs, and wait until it has ended."""
    if process is not None and process.poll() is None:
        process.send_signal(number)
        process.wait(PATIENCE_S)


class Mosquitto:
    """Context manager: a broker of our own. ``port``, ``url``; ``kill``, ``stop`` and ``start`` on the same port."""

    def __init__(self, extra: str = "", port: int | None = None, settings: str = CONFIG) -> None:
        self.extra, self.settings = extra, settings
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="mosquitto-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[:4000]

    def start(self) -> None:
        """Start and wait until it listens. Fails if it died, for example because another owns the port."""
        need_mosquitto()
        config = self.folder / "mosquitto.conf"
        user = "user root" if os.geteuid() == 0 else ""  # else it changes to an account that cannot write here
        words = {"port": self.port, "extra": self.extra, "folder": self.folder, "user": user}
        config.write_text(self.settings.format(**words), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", str(config)], stdout=log, stderr=log)
        until(self._listens, says=lambda: self.log)

    def _listens(self) -> bool:
        """The port is open, and it is our own process that runs it (it exits when the port is taken)."""
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"mosquitto exited with {self.process.returncode}: {self.log}")
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return self.process.poll() is None and "running" in self.log

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Take it away without a word, as a crash does."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        end(self.process, number)
        self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class TlsMosquitto(Mosquitto):
    """A broker that is reached by TLS alone, and wants a certificate where that is said; it may share an authority."""

    def __init__(self, folder, alternative="IP:127.0.0.1", *, wants="nothing", authority=None, port=None, days=2):
        self.authority = authority or Authority(folder)
        certificate, key = self.authority.sign("broker", alternative, days)
        lines = [f"cafile {self.authority.ca}", f"certfile {certificate}", f"keyfile {key}"]
        lines += ["require_certificate true"] if wants == "a certificate" else []
        lines += ["user root"] if os.geteuid() == 0 else []  # else it changes to an account that cannot read these
        super().__init__("\n".join(lines), port)

    def url_for(self, identity, *files, ca=None):
        more = "".join(f"&{name}={file}" for name, file in zip(("cert", "key"), files, strict=False))
        return f"mqtts://{identity}:any@127.0.0.1:{self.port}?ca={ca or self.authority.ca}{more}"
