"""The console as a process of its own on a free port, with few descriptors where that is said, and strangers to it."""

from __future__ import annotations

import os
import resource
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx

from console.guard import session_cookie
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port

if TYPE_CHECKING:
    import ssl

    from rigs.sample import Sample


class ConsoleProcess:
    """Context manager: serves a sample's estate. ``said`` is what it logged."""

    def __init__(self, sample: Sample, descriptors: int = 1024, tls: ssl.SSLContext | None = None, **more: str) -> None:
        """``tls``: whom its clients trust, where a certificate is given with ``more``."""
        self.port, self._sample, self._tls = free_port(), sample, tls
        self._log = sample.folder / f"console-{self.port}.log"
        self._environment = os.environ | {
            "METERHOUSE_STORE": f"sqlite:///{sample.folder}/readings.db",
            "METERHOUSE_RECORDS": f"sqlite:///{sample.folder}/records.db",
            "METERHOUSE_LISTEN": f"127.0.0.1:{self.port}",
            "DESCRIPTORS": str(descriptors),
            **more,
        }

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    @property
    def memory_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize() / 2**20

    def client(self, session: str = "", **more: object) -> httpx.Client:
        scheme, verify = ("https", self._tls) if self._tls else ("http", False)
        cookies = {session_cookie(scheme): session} if session else {}
        base = f"{scheme}://127.0.0.1:{self.port}"
        return httpx.Client(base_url=base, cookies=cookies, verify=verify, trust_env=False, timeout=PATIENCE_S, **more)

    def stranger(self, sent: bytes = b"", *, receives: int | None = None) -> socket.socket:
        """A connection on which something was said; ``receives``: bytes that the peer is willing to hold."""
        one = socket.socket()
        if receives is not None:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        one.settimeout(PATIENCE_S)
        one.connect(("127.0.0.1", self.port))
        if sent:
            one.sendall(sent)
        return one

    def answers(self) -> bool:
        assert self.process.poll() is None, self.said
        try:
            with self.client() as client:
                return client.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def head(self, path: str, *lines: str, method: str = "GET") -> bytes:
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *lines, "", ""]).encode()

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("hasty_console.py"))],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        until(self.answers)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)


def is_ended(one: socket.socket) -> bool:
    """Whether the other side has ended a connection; what it said before is read."""
    try:
        while select.select([one], [], [], 0)[0]:
            if not one.recv(65_536):
                return True
    except ConnectionError:
        return True
    return False


def trickle(one: socket.socket, words: bytes, *, whole: bool = False, pause_s: float = 0.05) -> int:
    """Send a little at a time until the other side ends it; how many times something was sent."""
    for n in range(10_000):
        if is_ended(one):
            return n
        try:
            one.send(words if whole else words[n % len(words) :][:1])
        except ConnectionError:
            return n
        time.sleep(pause_s)
    raise AssertionError("it was listened to for ever")
