"""A serial line, carried by serialx."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import serialx

from edge_agent.drivers.lines.line import LineClosedError

if TYPE_CHECKING:
    from facility.protocols.lines import SerialLine

BITS_PER_BYTE = 11
"""Start, eight data, parity or second stop, stop (Modbus over serial line V1.02, 2.5.1)."""

SILENT_BYTES = 3.5
"""Silence that ends a frame (Modbus over serial line V1.02, 2.5.1.1); above 19200 baud it is 1.75 ms."""

FAST_SILENCE_S = 0.00175
MOST_BYTES = 4096


class WireLine:
    """A serial device that nobody else has open."""

    def __init__(self, place: SerialLine, timeout_s: float) -> None:
        """Nothing is opened yet."""
        self._place, self._timeout_s = place, timeout_s
        self.byte_s = BITS_PER_BYTE / place.baud
        self._silence_s = max(SILENT_BYTES * self.byte_s, FAST_SILENCE_S)
        self._line: serialx.BaseSerial | None = None

    @property
    def is_open(self) -> bool:
        """As far as we know."""
        return self._line is not None

    def open(self) -> None:
        """Raises ``OSError`` if it is not there or somebody else has it."""
        if self._line is not None:
            return
        line = serialx.serial_for_url(
            self._place.path,
            baudrate=self._place.baud,
            parity=serialx.Parity(self._place.parity),
            stopbits=serialx.StopBits(self._place.stop_bits),
            byte_size=self._place.data_bits,
            write_timeout=self._timeout_s,
            exclusive=True,
            low_latency=False,
        )
        line.open()
        self._line = line

    def close(self) -> None:
        """Let the device go."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def write(self, frame: bytes) -> None:
        """Keep the silence between frames, and write. Raises ``LineClosedError``."""
        line = self._opened()
        time.sleep(self._silence_s)
        try:
            line.write(frame)
        except OSError as error:
            raise LineClosedError(str(error)) from None

    def read(self, seconds: float) -> bytes:
        """Some bytes as soon as there are any, none after so many seconds. Raises ``LineClosedError``."""
        line, room = self._opened(), bytearray(MOST_BYTES)
        try:
            return bytes(room[: line.readinto(room, timeout=max(seconds, 0))])
        except TimeoutError:
            return b""
        except OSError as error:
            raise LineClosedError(str(error)) from None

    def _opened(self) -> serialx.BaseSerial:
        if self._line is None:
            raise LineClosedError("the line is closed")
        return self._line
