"""Who is connected to the console, and for how long in vain: nobody holds descriptors or memory by doing nothing."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING, Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from uvicorn.server import ServerState

MOST = 500
"""Connections at once: all live streams, and more than twice as many that ask for pages."""

KEPT_BACK, FEWEST = 100, 16
"""Descriptors that databases and files need, and the connections that we have whatever is left."""

HEADERS_S, BODY_S, READ_S, END_S = 10.0, 20.0, 25.0, 10.0
"""How long a request's headers, then its body, then the reading of its answer may take, and the end of what is over."""

BACKLOG, ACCEPTED_AT_ONCE, ACCEPT_AGAIN_S = 512, 4, 0.2
"""Few at once: who has come is heard before others push it out."""

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

log = structlog.get_logger()


def most_connections() -> int:
    """How many connections the descriptors that this process may open are enough for."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if descriptors == resource.RLIM_INFINITY else max(FEWEST, min(MOST, descriptors - KEPT_BACK))


class Connection(H11Protocol):
    """uvicorn's, with an end to every wait for the other side; uvicorn ends only those that send nothing at all."""

    def __init__(self, *given: Any, **options: Any) -> None:
        """As uvicorn's own."""
        super().__init__(*given, **options)
        self.idle_since_s: float | None = None
        self._waits_for: object = None
        self._request_end: asyncio.TimerHandle | None = None
        self._reading_end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come, and has so long to say what for."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        for timer in (self._request_end, self._reading_end):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """What has come so far."""
        super().handle_events()
        self._look()

    def on_response_complete(self) -> None:
        """An answer is written; its reader may still be far behind."""
        super().on_response_complete()
        self._look()

    def give_way(self) -> None:
        """Somebody else needs the place."""
        self.idle_since_s = None
        self.transport.abort()

    def pause_writing(self) -> None:
        """Who asks and does not read what is answered is waited for so long."""
        super().pause_writing()
        self._reading_end = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read after all."""
        super().resume_writing()
        if self._reading_end is not None:
            self._reading_end.cancel()

    def _look(self) -> None:
        """What the other side is waited for now. The time for it begins when that changes, not with every byte."""
        waits_for = _ENDS if self.transport.is_closing() else self.conn.their_state
        if waits_for is self._waits_for:
            return
        self._waits_for = waits_for
        self.idle_since_s = self.loop.time() if waits_for is h11.IDLE else None
        if self._request_end is not None:
            self._request_end.cancel()
        limit_s = LIMITS_S.get(waits_for)
        self._request_end = None if limit_s is None else self.loop.call_later(limit_s, self.transport.abort)


_ENDS = object()
"""Nothing more than the end of the connection."""

LIMITS_S: dict[object, float] = {h11.IDLE: HEADERS_S, h11.SEND_BODY: BODY_S, _ENDS: END_S}


class Door:
    """Accepts connections at a socket. At the limit whoever has asked nothing for longest gives way to who comes.

    asyncio's own way of accepting tries on without a descriptor some thousand times a second, and tells each time.
    """

    def __init__(
        self,
        listening: socket.socket,
        made: Callable[[], Connection],
        state: ServerState,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """With ``tls`` nobody is let in who does not greet by it, within the time that headers may take."""
        self._listening, self._made, self._state = listening, made, state
        self._most = most_connections()
        self._greeting: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": HEADERS_S} if tls else {}
        self._welcomes: dict[asyncio.Task[Any], float] = {}
        """Who greets by TLS, since when."""

        self._again: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_told_shortly)
        listening.settimeout(0)
        listening.listen(BACKLOG)
        self._open()

    def close(self) -> None:
        """Let nobody in any more."""
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._listening)

    def _open(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                come, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptor is left, or no memory
                self._wait_a_little(error)
                return
            self._let_in(come)

    def _wait_a_little(self, error: OSError) -> None:
        log.warning("accept_failed", error=error.strerror, connections=len(self._state.connections))
        self._make_room()
        self._loop.remove_reader(self._listening)
        self._again = self._loop.call_later(ACCEPT_AGAIN_S, self._open)

    def _let_in(self, come: socket.socket) -> None:
        come.settimeout(0)
        if len(self._state.connections) + len(self._welcomes) >= self._most and not self._make_room():
            _send_away(come)
            return
        welcome = self._loop.create_task(self._loop.connect_accepted_socket(self._made, come, **self._greeting))
        self._welcomes[welcome] = self._loop.time()
        welcome.add_done_callback(self._welcomed)

    def _welcomed(self, welcome: asyncio.Task[Any]) -> None:
        self._welcomes.pop(welcome, None)
        if not welcome.cancelled() and (error := welcome.exception()) is not None:
            log.warning("connection_broke", error=f"{type(error).__name__}: {error}")

    def _make_room(self) -> bool:
        """End the connection that has asked nothing for longest; False where every one is at work."""
        ours = (one for one in self._state.connections if isinstance(one, Connection))
        idle = [(one.idle_since_s, id(one), one.give_way) for one in ours if one.idle_since_s is not None]
        greeting = [(since_s, id(one), one.cancel) for one, since_s in self._welcomes.items() if not one.cancelling()]
        waiting: list[tuple[float, int, Callable[[], object]]] = [*idle, *greeting]
        if not waiting:
            return False
        _, _, end = min(waiting)
        end()
        return True


def _send_away(come: socket.socket) -> None:
    log.warning("connection_refused", reason="every connection is at work")
    try:
        come.send(BUSY)
    except OSError:  # gone already
        pass
    finally:
        come.close()


def _told_shortly(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What broke in the loop itself, in one line of one kind: asyncio names addresses, so that no two are alike."""
    error = context.get("exception")
    log.error("connection_broke", what=str(context.get("message", "")).partition("\n")[0], error=repr(error))
