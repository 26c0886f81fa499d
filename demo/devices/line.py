"""A serial line with Modbus RTU units on it, as a pseudo-terminal: whoever opens its path may ask them."""

from __future__ import annotations

import asyncio
import os
import struct
import tty
from pathlib import Path
from typing import TYPE_CHECKING

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerRTU

from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from demo.devices.unit import Unit
    from facility.protocols.lines import SerialLine

REQUEST_BYTES = 8
READ_FUNCTIONS = (3, 4)
MOST_REGISTERS = 125
PAUSE_S = 0.1
"""A request that is not complete after this pause is forgotten."""


class TerminalLine:
    """Answers at the path of a ``modbus+rtu://`` bus, which becomes a link to the terminal."""

    def __init__(self, line: SerialLine, units: Sequence[Unit], clock: Callable[[], int]) -> None:
        """Nothing exists before ``open``."""
        self._path = Path(line.path)
        self._units = {unit.address: unit for unit in units}
        self._clock = clock
        self._heard = bytearray()
        self._heard_at = 0.0
        self._ends: tuple[int, int] | None = None

    async def open(self) -> None:
        """Make the terminal and its link. Raises ``ConfigError`` if the path cannot be used."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)  # kept open, so that the line outlives each master
        os.set_blocking(ours, False)
        self._ends = (ours, theirs)
        try:
            if self._path.is_symlink():
                self._path.unlink()
            self._path.symlink_to(os.ttyname(theirs))
        except OSError as error:
            raise ConfigError(f"the demo's serial line {self._path} cannot be made: {error.strerror}") from None
        asyncio.get_running_loop().add_reader(ours, self._hear, ours)

    async def close(self) -> None:
        """Take the line away."""
        if self._ends is None:
            return
        asyncio.get_running_loop().remove_reader(self._ends[0])
        self._path.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = None

    def _hear(self, ours: int) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._heard_at > PAUSE_S:
            self._heard.clear()
        self._heard_at = now_s
        self._heard += os.read(ours, 256)
        while len(self._heard) >= REQUEST_BYTES:
            request = bytes(self._heard[:REQUEST_BYTES])
            if _crc(request[:-2]) != request[-2:]:
                del self._heard[0]
                continue
            del self._heard[:REQUEST_BYTES]
            reply = self._answer(request)
            if reply:
                os.write(ours, reply + _crc(reply))

    def _answer(self, request: bytes) -> bytes:
        """The reply without its checksum; nothing for a unit that is not there or is silent."""
        address, function, start, count = struct.unpack(">BBHH", request[:-2])
        unit = self._units.get(address)
        now_ms = self._clock()
        if unit is None or not unit.answers(now_ms):
            return b""
        if function not in READ_FUNCTIONS:
            return bytes((address, function | 0x80, ExcCodes.ILLEGAL_FUNCTION))
        offset = start - unit.first
        if offset < 0 or not 1 <= count <= MOST_REGISTERS or offset + count > unit.count:
            return bytes((address, function | 0x80, ExcCodes.ILLEGAL_ADDRESS))
        registers = unit.registers(now_ms)[offset : offset + count]
        return struct.pack(f">BBB{count}H", address, function, 2 * count, *registers)


def _crc(frame: bytes) -> bytes:
    """The checksum as its two bytes on the line, low byte first (Modbus over serial line V1.02, 2.5.1.2)."""
    return FramerRTU.compute_CRC(frame).to_bytes(2, "big")
