"""People who look at the console in ``bench.stack``: pages that are asked for, and streams that are held open."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.proc import cpu_s
from console.guard import session_cookie
from facility.rights import Role
from stores.records.accounts.grants import Grant, Grants
from stores.records.people import People

if TYPE_CHECKING:
    import ssl

    from sqlalchemy import Engine

    from bench.stack.processes import Stack

STREAMS_A_PERSON = 10
PAGE_EVERY_S = 3.0


class Viewers:
    """Some streams of the first page, and one person who opens that page every few seconds."""

    def __init__(self, records: Engine, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._people, self._grants, self._port, self._tls = People(records), Grants(records), port, tls
        self._loop = asyncio.new_event_loop()
        self._streams: list[asyncio.Task[None]] = []
        self._stop = threading.Event()
        self.pages_s: list[float] = []
        self.page_bytes = self.messages = self.bytes = self.ended = 0
        self._threads = [threading.Thread(target=self._loop.run_forever, daemon=True)]
        self._threads.append(threading.Thread(target=self._open_pages, daemon=True))

    def start(self) -> None:
        """Begin to open pages."""
        for thread in self._threads:
            thread.start()

    def hold(self, streams: int) -> None:
        """Have so many streams open from now on."""
        cookies = [self._cookie(f"viewer-{n}") for n in range(-(-streams // STREAMS_A_PERSON))]
        asyncio.run_coroutine_threadsafe(self._hold(streams, cookies), self._loop).result(60)

    def stop(self) -> None:
        """Leave."""
        self._stop.set()
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

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=self._tls)

    def _open_pages(self) -> None:
        cookie = self._cookie("reader")
        while not self._stop.wait(PAGE_EVERY_S):
            connection = self._connection()
            begun = time.perf_counter()
            with suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/", headers={"cookie": cookie, "accept": "text/html"})
                answer = connection.getresponse()
                page = answer.read()
                if answer.status == http.HTTPStatus.OK:
                    self.pages_s.append(time.perf_counter() - begun)
                    self.page_bytes = max(self.page_bytes, len(page))
            connection.close()


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
