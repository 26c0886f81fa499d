"""People who look at the console in ``bench.stack``: pages that are asked for, and streams that are held open."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.proc import cpu_s
from console.guard import session_cookie
from facility.rights import Role
from stores.records.accounts.grants import Grant, Grants
from stores.records.people import People

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from bench.stack.processes import Stack

STREAMS_A_PERSON = 10


class Viewers:
    """Some streams of the first page, and one person who opens that page every few seconds."""

    def __init__(self, records: Engine, port: int, ca: Path | None = None) -> None:
        """``ca`` is whom a browser trusts; None: the console speaks without TLS."""
        self._people, self._grants, self._port, self._ca = People(records), Grants(records), port, ca
        self._tls = ssl.create_default_context(cafile=str(ca)) if ca else None
        self._loop = asyncio.new_event_loop()
        self._streams: list[asyncio.Task[None]] = []
        self.pages_s: list[float] = []
        self.page_bytes = self.messages = self.bytes = self.ended = 0
        self._threads = [threading.Thread(target=self._loop.run_forever, daemon=True)]
        self._threads.append(threading.Thread(target=self._take_pages, daemon=True))

    def start(self) -> None:
        """Begin to open pages."""
        words = [str(self._port), *([str(self._ca)] if self._ca else [])]
        self._reader = subprocess.Popen(
            [sys.executable, "-m", "bench.stack.reader", *words],
            env=os.environ | {"COOKIE": self._cookie("reader")},
            stdout=subprocess.PIPE,
            text=True,
        )
        for thread in self._threads:
            thread.start()

    def hold(self, streams: int) -> None:
        """Have so many streams open from now on."""
        cookies = [self._cookie(f"viewer-{n}") for n in range(-(-streams // STREAMS_A_PERSON))]
        asyncio.run_coroutine_threadsafe(self._hold(streams, cookies), self._loop).result(60)

    def stop(self) -> None:
        """Leave."""
        self._reader.terminate()
        self._reader.wait()
        asyncio.run_coroutine_threadsafe(self._hold(0, []), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join(30)

    def _cookie(self, person: str) -> str:
        now = datetime.now(UTC)
        name, link = session_cookie("https" if self._tls else "http"), self._people.invite(person, now)
        if not self._grants.of(person, now):
            self._grants.give(person, Grant(Role.VIEWER), "bench", now)
        return f"{name}={self._people.redeem(link, now, 86_400)}"

    async def _hold(self, streams: int, cookies: list[str]) -> None:
        while len(self._streams) > streams:
            self._streams.pop().cancel()
        while len(self._streams) < streams:
            cookie = cookies[len(self._streams) // STREAMS_A_PERSON]
            self._streams.append(asyncio.create_task(self._follow(cookie)))

    async def _follow(self, cookie: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls)
        try:
            writer.write(
                f"GET /events?of=estate HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncookie: {cookie}\r\n\r\n".encode()
            )
            while piece := await reader.read(65_536):
                self.bytes += len(piece)
                self.messages += piece.count(b"event: ")
            self.ended += 1
        finally:
            writer.close()

    def _take_pages(self) -> None:
        assert self._reader.stdout is not None
        for line in self._reader.stdout:
            seconds, size = line.split()
            self.pages_s.append(float(seconds))
            self.page_bytes = max(self.page_bytes, int(size))


@dataclass
class Looking:
    """What so many open streams cost the console from now on."""

    streams: int
    viewers: Viewers
    stack: Stack

    def __post_init__(self) -> None:
        self._begun, self._cpu = time.monotonic(), cpu_s(self.stack.pids["console"])
        self._messages, self._bytes = self.viewers.messages, self.viewers.bytes

    def figures(self) -> dict[str, float]:
        """Since its making."""
        minutes = (time.monotonic() - self._begun) / 60
        messages, sent = self.viewers.messages - self._messages, self.viewers.bytes - self._bytes
        return {
            f"streams_{self.streams}_cpu_s_a_minute": round(
                (cpu_s(self.stack.pids["console"]) - self._cpu) / minutes, 2
            ),
            f"streams_{self.streams}_bytes_a_message": round(sent / messages) if messages else 0,
            f"streams_{self.streams}_messages_a_minute": round(messages / minutes / self.streams, 1),
        }
