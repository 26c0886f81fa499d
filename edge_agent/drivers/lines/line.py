"""What a line is to whoever asks on it: bytes out, bytes in, and the word that the other end is gone."""

from __future__ import annotations

import time
from typing import Protocol

from facility.errors import DriverError


class LineClosedError(DriverError):
    """The line was open and is no more: the other end hung up, or the device was pulled out."""


class LineAbsentError(LineClosedError):
    """The host says that nobody listens there (UDP: a connection that is refused cannot be opened at all)."""


class Line(Protocol):
    """A way to devices. Constructing opens nothing. ``byte_s`` is how long a byte is on a wire, 0 on a network."""

    byte_s: float

    @property
    def is_open(self) -> bool:
        """As far as we know: that the other end has hung up is seen when it is read or written."""

    def open(self) -> None:
        """Open it unless it is open. Raises ``OSError``."""

    def close(self) -> None:
        """Let it go."""

    def write(self, frame: bytes) -> None:
        """Send all of it. Raises ``LineClosedError``."""

    def read(self, seconds: float) -> bytes:
        """Some bytes as soon as there are any, none after so many seconds. Raises ``LineClosedError``."""


def open_patiently(line: Line, openings: int, pause_s: float) -> None:
    """Open a line, and so often where it is refused. Raises ``OSError``."""
    for opening in range(1, openings + 1):
        try:
            line.open()
        except ConnectionRefusedError:
            if opening == openings:
                raise
            time.sleep(pause_s)
        else:
            return
