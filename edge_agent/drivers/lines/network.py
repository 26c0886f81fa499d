"""A TCP connection to a device, or to a gateway with devices behind it."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING

from edge_agent.drivers.lines.line import LineClosedError
from process.tls import tls_context

if TYPE_CHECKING:
    from facility.protocols.lines import NetworkLine

MOST_BYTES = 4096


class TcpLine:
    """One connection at a time."""

    byte_s = 0.0
    """How fast they pass on the wire behind a gateway is not known."""

    def __init__(self, place: NetworkLine, timeout_s: float) -> None:
        """Nothing is opened yet. Raises ``ConfigError`` for a file of TLS that cannot be used."""
        self._address, self._timeout_s = (place.host, place.port), timeout_s
        self._tls = tls_context(place.tls) if place.tls else None
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """As far as we know: that the other end has hung up is seen when it is read or written."""
        return self._socket is not None

    def open(self) -> None:
        """Raises ``OSError`` where nobody listens."""
        if self._socket is None:
            line = socket.create_connection(self._address, self._timeout_s)
            try:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket = self._tls.wrap_socket(line, server_hostname=self._address[0]) if self._tls else line
            except OSError:
                line.close()
                raise

    def close(self) -> None:
        """Hang up."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def write(self, frame: bytes) -> None:
        """Send all of it. Raises ``LineClosedError``."""
        try:
            connection = self._opened()
            connection.settimeout(self._timeout_s)
            connection.sendall(frame)
        except OSError as error:
            raise LineClosedError(error.strerror or str(error)) from None

    def read(self, seconds: float) -> bytes:
        """Some bytes as soon as there are any, none after so many seconds. Raises ``LineClosedError``."""
        connection = self._opened()
        try:
            if not (_has_decoded(connection) or select.select([connection], [], [], max(seconds, 0))[0]):
                return b""
            connection.settimeout(0)  # with TLS there may be something to read that is nothing for us
            heard = connection.recv(MOST_BYTES)
        except ssl.SSLWantReadError:
            return b""
        except OSError as error:
            raise LineClosedError(error.strerror or str(error)) from None
        if not heard:
            raise LineClosedError("the connection was closed")
        return heard

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise LineClosedError("the connection is closed")
        return self._socket


def _has_decoded(connection: socket.socket) -> bool:
    """TLS decodes whole records: what of one was not read yet is in no socket any more."""
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
