"""A UDP socket to a device: each request and each answer is one datagram, and nothing says that one was lost."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING

from edge_agent.drivers.lines.line import LineAbsentError, LineClosedError

if TYPE_CHECKING:
    from facility.protocols.lines import NetworkLine

MOST_BYTES = 4096


class UdpLine:
    """One socket at a time, which hears its own device alone."""

    byte_s = 0.0

    def __init__(self, place: NetworkLine) -> None:
        """Nothing is opened yet."""
        self._address = place.host, place.port
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a socket; whether anybody is at the other end shows when it is asked."""
        return self._socket is not None

    def open(self) -> None:
        """Raises ``OSError`` where the host has no address."""
        if self._socket is None:
            family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            line = socket.socket(family, kind, protocol)
            try:
                line.connect(address)
            except OSError:
                line.close()
                raise
            self._socket = line

    def close(self) -> None:
        """Give the socket back: what comes late finds nobody."""
        line, self._socket = self._socket, None
        if line is not None:
            line.close()

    def write(self, frame: bytes) -> None:
        """Send it as one datagram. Raises ``LineClosedError``."""
        try:
            self._opened().send(frame)
        except ConnectionRefusedError as error:  # told of what was sent before
            raise LineAbsentError(error.strerror) from None
        except OSError as error:
            raise LineClosedError(error.strerror or str(error)) from None

    def read(self, seconds: float) -> bytes:
        """One datagram as soon as there is one, none after so many seconds. Raises ``LineClosedError``."""
        line = self._opened()
        try:
            return line.recv(MOST_BYTES) if select.select([line], [], [], max(seconds, 0))[0] else b""
        except ConnectionRefusedError as error:
            raise LineAbsentError(error.strerror) from None
        except OSError as error:
            raise LineClosedError(error.strerror or str(error)) from None

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise LineClosedError("the socket is closed")
        return self._socket
