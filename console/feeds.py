"""What live pages are sent: made once a second for all who see the same in the same language, and only what changed.

A scope is a border: those who share a feed have one and the same sight of the estate.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from starlette.concurrency import run_in_threadpool

from console.fragments import renew
from console.visit import Visit
from facility.errors import StoreUnavailable
from wording.formats import Formats
from wording.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jinja2 import Environment
    from starlette.requests import Request

    from console.fragments import Piece
    from stores.access import Access, View

TICK_S = 1.0
LOOK_ANYWAY_S = 5.0
"""Figures also change by growing old, and alerts are raised by another process."""

UNUSED_S = 60.0
"""A feed that nobody has followed for so long is forgotten."""


class Key(NamedTuple):
    """Who may share a feed: what they see, their language, and the part of the pages that they look at."""

    sight: int
    language: str
    of: str


@dataclass
class Feed:
    """The live pieces that all who share a key are shown, each with the round in which it changed last."""

    view: View
    language: str
    of: str
    pieces: dict[str, Piece] = field(default_factory=dict)
    round: int = 0
    version: int = -1
    looked_s: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _texts: dict[int, bytes] = field(default_factory=dict)

    def since(self, seen: int) -> bytes:
        """One message of all that has changed after the round ``seen`` (0: everything); empty where nothing has."""
        if seen not in self._texts:
            changed = "".join(piece.html for piece in self.pieces.values() if piece.round > seen)
            self._texts[seen] = message("live", changed, str(self.round)).encode() if changed else b""
        return self._texts[seen]

    def take(self, pieces: dict[str, Piece]) -> None:
        """The pieces as of the round that was just looked at."""
        self.pieces = pieces
        self.round += 1
        self._texts = {}


class Feeds:
    """Every feed that somebody follows. Used in the event loop alone; what is asked of stores runs beside it."""

    def __init__(self, templates: Environment, access: Access, clock: Callable[[], datetime]) -> None:
        self._templates, self._access, self._clock = templates, access, clock
        self._feeds: dict[Key, Feed] = {}
        self._seen: dict[tuple[str, str], tuple[float, asyncio.Task[View | None]]] = {}

    def turn(self, session: str) -> int:
        """Grows when it is time to ask again what a session may see: of each at a moment of its own.

        Two hundred streams that ask at one moment would keep a page waiting for half a second.
        """
        phase_s = zlib.crc32(session.encode()) % 1000 / 1000 * LOOK_ANYWAY_S
        return int((time.monotonic() + phase_s) // LOOK_ANYWAY_S)

    async def view(self, session: str, of: str, ask: Callable[[], View | None]) -> View | None:
        """What a session may see by now (None: it has ended), asked once for all its streams of that part."""
        now_s, key = time.monotonic(), (session, of)
        asked_s, answer = self._seen.get(key, (float("-inf"), None))
        if answer is None or now_s - asked_s > 2 * TICK_S:
            answer = asyncio.create_task(run_in_threadpool(ask))
            kept = {one: known for one, known in self._seen.items() if now_s - known[0] < LOOK_ANYWAY_S}
            self._seen = kept | {key: (now_s, answer)}
        return await asyncio.shield(answer)

    def feed(self, view: View, language: str, of: str) -> Feed:
        """The feed of all who see what this view shows."""
        key, now_s = Key(view.sight_id, language, of), time.monotonic()
        if key not in self._feeds:
            kept = {one: feed for one, feed in self._feeds.items() if now_s - feed.looked_s < UNUSED_S}
            self._feeds = kept | {key: Feed(view, language, of, looked_s=now_s - TICK_S)}
        return self._feeds[key]

    async def look(self, feed: Feed) -> None:
        """Bring a feed up to date, where the last look is a second old and something may have changed.

        While a store is away everything stays as it was.
        """
        async with feed.lock:
            age_s, version = time.monotonic() - feed.looked_s, self._access.live_version
            if age_s < TICK_S / 2 or (version == feed.version and age_s < LOOK_ANYWAY_S):
                return
            feed.looked_s, feed.version = time.monotonic(), version
            with suppress(StoreUnavailable):
                feed.take(await run_in_threadpool(self._renewed, feed))

    def _renewed(self, feed: Feed) -> dict[str, Piece]:
        view = self._access.looked_again(feed.view)
        site = view.catalogue.site
        formats = Formats(feed.language, site.timezone, site.currency)
        visit = Visit(view, load_texts(feed.language), formats, self._clock())
        return renew(self._templates, visit, feed.of, feed.pieces, feed.round + 1)


def feeds_of(request: Request) -> Feeds:
    """The feeds of the console that answers a request."""
    feeds: Feeds = request.app.state.feeds
    return feeds


def message(event: str, data: str, message_id: str) -> str:
    """One server-sent event; every line of the data is marked as such."""
    lines = "\n".join(f"data: {line}" for line in data.splitlines())
    return f"id: {message_id}\nevent: {event}\n{lines}\n\n"
