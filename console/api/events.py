"""The stream of live figures: at most one message a second, only what changed, a heartbeat when nothing does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from console.feeds import TICK_S, Feed, feeds_of, message
from console.visit import Visit, parts_of, view_of, visit_of
from facility.errors import StoreUnavailable
from stores.access import View

router = APIRouter()

HEARTBEAT_S = 15.0
HEARTBEAT = message("live", "<!-- here -->", "0").encode()
"""A comment of the stream would reach no page: after half a minute without an event it says that it is cut off."""

HEADERS = {"x-accel-buffering": "no"}
FULL = {"retry-after": "30"}
"""The page asks ``/live`` now and then instead, as for a browser that cannot hold a stream."""


class SeatedStream(StreamingResponse):
    """A stream that has its seat before it begins, and leaves it also where it never begins."""

    def __init__(self, texts: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(texts, media_type="text/event-stream", headers=HEADERS)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until somebody ends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


@router.get("/live")
async def live(request: Request, visit: Annotated[Visit, Depends(visit_of)], of: str = "alerts") -> Response:
    """The same figures once, for a browser that cannot hold a stream."""
    feed = await _feed(request, visit, of)
    await feeds_of(request).look(feed)
    return HTMLResponse("".join(piece.html for piece in feed.pieces.values()))


@router.get("/events")
async def events(request: Request, visit: Annotated[Visit, Depends(visit_of)], of: str = "alerts") -> Response:
    """Server-sent events. Last-Event-ID is not needed: the first message of a stream is the whole picture."""
    feed = await _feed(request, visit, of)
    leave = parts_of(request).seats.take(request.state.session)
    if leave is None:
        raise HTTPException(429, headers=FULL)
    return SeatedStream(_stream(request, feed), leave)


async def _feed(request: Request, visit: Visit, of: str) -> Feed:
    if of not in {"estate", "alerts"} and of not in visit.catalogue.building:
        raise HTTPException(404)
    await run_in_threadpool(_follow, visit.view, of)
    return feeds_of(request).feed(visit.view, visit.texts.language, of)


async def _stream(request: Request, feed: Feed) -> AsyncIterator[bytes]:
    """Until the browser leaves, the session ends or the console stops."""
    yield b"retry: 3000\n\n"
    async for text in _texts(request, feed):
        yield text


async def _texts(request: Request, feed: Feed) -> AsyncIterator[bytes]:
    """What has changed since the last second, from the feed of all who see the same."""
    feeds, session = feeds_of(request), request.state.session
    seen, quiet_s, turn = 0, 0.0, feeds.turn(session)
    while not parts_of(request).is_ending():
        if turn != feeds.turn(session):
            turn, followed = feeds.turn(session), feed
            view = await feeds.view(session, feed.of, partial(_view, request, feed))
            if view is None:
                return
            feed = feeds.feed(view, feed.language, feed.of)
            seen = seen if feed is followed else 0
        await feeds.look(feed)
        if text := feed.since(seen):
            yield text
            quiet_s = 0.0
        elif quiet_s >= HEARTBEAT_S:
            yield HEARTBEAT
            quiet_s = 0.0
        seen = feed.round
        await asyncio.sleep(TICK_S)
        quiet_s += TICK_S


def _follow(view: View, of: str) -> None:
    """Nobody follows important values unnoticed; ``alerts`` shows a count alone."""
    if of != "alerts":
        view.follow(None if of == "estate" else of)


def _view(request: Request, feed: Feed) -> View | None:
    """What the person may see by now; None once the session has ended. While nobody can say, it stays as it was."""
    parts = parts_of(request)
    try:
        if parts.access.person(request.state.session, parts.clock()) is None:
            return None
        view = view_of(request)
        _follow(view, feed.of)
    except StoreUnavailable:
        return feed.view
    return view
