"""A TCP connection to a device, or to a gateway with devices behind it."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING

from edge_agent.drivers.lines.line import LineClosedError

if TYPE_CHECKING:
    from facility.protocols.lines import NetworkLine

MOST_BYTES = 4096


class TcpLine:
    """One connection at a time."""

    byte_s = 0.0
    """How fast they pass on the wire behind a gateway is not known."""

    def __init__(self, place: NetworkLine, timeout_s: float) -> None:
        """Nothing is opened yet."""
        self._address, self._timeout_s = (place.host, place.port), timeout_s
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """As far as we know: that the other end has hung up is seen when it is read or written."""
        return self._socket is not None

    def open(self) -> None:
        """Raises ``OSError`` where nobody listens."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Hang up."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def write(self, frame: bytes) -> None:
        """Send all of it. Raises ``LineClosedError``."""
        try:
            self._opened().sendall(frame)
        except OSError as error:
            raise LineClosedError(error.strerror or str(error)) from None

    def read(self, seconds: float) -> bytes:
        """Some bytes as soon as there are any, none after so many seconds. Raises ``LineClosedError``."""
        connection = self._opened()
        try:
            if not select.select([connection], [], [], max(seconds, 0))[0]:
                return b""
            heard = connection.recv(MOST_BYTES)
        except OSError as error:
            raise LineClosedError(error.strerror or str(error)) from None
        if not heard:
            raise LineClosedError("the connection was closed")
        return heard

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise LineClosedError("the connection is closed")
        return self._socket
