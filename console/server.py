"""The server of the pages: live streams end as soon as the process is told to stop, and its pulse is the loop's."""

from __future__ import annotations

import contextlib
import logging
import socket
from typing import TYPE_CHECKING

import uvicorn

from console.connections import Connection, Door
from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from console.metrics import Timed
    from console.tls import ReloadingTls
    from process.pulse import Pulse
    from stores.access import LiveValues

GRACE_S = 2


class ConsoleServer(uvicorn.Server):
    """Serves until the event is set; what is answered then may end, for two seconds."""

    def __init__(
        self, timed: Timed, live: LiveValues, pulse: Pulse | None, stop: Event, tls: ReloadingTls | None = None
    ) -> None:
        """``pulse`` beats while requests can be answered."""
        super().__init__(
            uvicorn.Config(
                timed,
                http=Connection,
                ws="none",
                log_config=None,  # its warnings come in the form of all others
                log_level=logging.WARNING,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
                server_header=False,
            )
        )
        self._tls = tls
        self._timed, self._live, self._pulse, self._stop = timed, live, pulse, stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve at the one socket that is given; connections come through a door of our own."""
        await super().startup(sockets=[])
        (listening,) = sockets or []
        self._door = Door(listening, self._connection, self.server_state, self._tls.context if self._tls else None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in any more, and end what is open."""
        self._door.close()
        await super().shutdown(sockets)

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second by the loop that answers requests: while it stands still, the pulse does."""
        self._timed.move()
        if self._tls:
            self._tls.look()
        if self._pulse:
            self._pulse.beat()
        if self._stop.is_set():
            self._live.end()  # else the streams would be waited for
            return True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the process has its own way to be told, and ends well."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ``ConfigError`` where the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"cannot listen on {host}:{port} ({error.strerror}): set METERHOUSE_LISTEN to another port"
        ) from None
    return listening
