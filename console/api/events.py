"""The stream of live figures: at most one message a second, only what changed, a heartbeat when nothing does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, StreamingResponse

from console.fragments import fragments
from console.visit import Visit, parts_of, visit_of
from facility.errors import StoreUnavailable

router = APIRouter()

TICK_S = 1.0
HEARTBEAT_S = 15.0
LOOK_ANYWAY_S = 5.0
"""Figures also change by growing old, and alerts are raised by another process."""

HEADERS = {"x-accel-buffering": "no"}
FULL = {"retry-after": "30"}
"""The page asks ``/live`` now and then instead, as for a browser that cannot hold a stream."""


@router.get("/live")
def live(request: Request, visit: Annotated[Visit, Depends(visit_of)], of: str = "alerts") -> Response:
    """The same figures once, for a browser that cannot hold a stream."""
    return HTMLResponse("".join(_checked(request, visit, of).values()))


@router.get("/events")
def events(request: Request, visit: Annotated[Visit, Depends(visit_of)], of: str = "alerts") -> Response:
    """Server-sent events. Last-Event-ID is not needed: the first message of a stream is the whole picture."""
    _checked(request, visit, of)
    if not parts_of(request).seats.are_free(request.state.session):
        raise HTTPException(429, headers=FULL)
    return StreamingResponse(_stream(request, of), media_type="text/event-stream", headers=HEADERS)


def _checked(request: Request, visit: Visit, of: str) -> dict[str, str]:
    if of not in {"estate", "alerts"} and of not in visit.catalogue.building:
        raise HTTPException(404)
    return fragments(parts_of(request).templates, visit, of)


async def _stream(request: Request, of: str) -> AsyncIterator[str]:
    """Until the browser leaves, the session ends or the console stops."""
    with parts_of(request).seats.taken(request.state.session):
        yield "retry: 3000\n\n"
        async for piece in _pieces(request, of):
            yield piece


async def _pieces(request: Request, of: str) -> AsyncIterator[str]:
    parts = parts_of(request)
    sent: dict[str, str] = {}
    seen, quiet_s, since_look_s = -1, 0.0, LOOK_ANYWAY_S
    while not parts.is_ending() and not await request.is_disconnected():
        version = parts.access.live_version
        if version != seen or since_look_s >= LOOK_ANYWAY_S:
            since_look_s = 0.0
            fresh = await run_in_threadpool(_fresh, request, of)
            if fresh is None:
                return
            changed = {name: html for name, html in fresh.items() if sent.get(name) != html}
            seen, sent = version, fresh
            if changed:
                yield message("live", "".join(changed.values()), str(version))
                quiet_s = 0.0
        if quiet_s >= HEARTBEAT_S:
            yield ": here\n\n"
            quiet_s = 0.0
        await asyncio.sleep(TICK_S)
        quiet_s, since_look_s = quiet_s + TICK_S, since_look_s + TICK_S


def _fresh(request: Request, of: str) -> dict[str, str] | None:
    """All figures of what a page shows, as of now; None once the session has ended."""
    parts = parts_of(request)
    try:
        if parts.access.person(request.state.session, parts.clock()) is None:
            return None
        return fragments(parts.templates, visit_of(request), of)
    except StoreUnavailable:
        return {}


def message(event: str, data: str, message_id: str) -> str:
    """One server-sent event; every line of the data is marked as such."""
    lines = "\n".join(f"data: {line}" for line in data.splitlines())
    return f"id: {message_id}\nevent: {event}\n{lines}\n\n"
