"""A serial line for pymodbus's synchronous client, carried by serialx."""

from __future__ import annotations

import time

import serialx
from pymodbus.client.base import ModbusBaseSyncClient
from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerType
from pymodbus.transport import CommParams, CommType

BITS_PER_BYTE = 11
"""Start, eight data, parity or second stop, stop (Modbus over serial line V1.02, 2.5.1)."""

SILENT_BYTES = 3.5
"""Silence that ends a frame (Modbus over serial line V1.02, 2.5.1.1); above 19200 baud it is 1.75 ms."""

FAST_SILENCE_S = 0.00175


class SerialLineClient(ModbusBaseSyncClient):
    """Modbus RTU on a serial device. Bytes left over from a late answer are thrown away before each request."""

    def __init__(self, path: str, *, baudrate: int, parity: str, stopbits: int, timeout: float) -> None:
        params = CommParams(
            comm_type=CommType.SERIAL, host=path, comm_name="line", baudrate=baudrate, parity=parity,
            stopbits=stopbits, timeout_connect=timeout,
        )  # fmt: skip
        super().__init__(FramerType.RTU, 0, params, None, None, None)
        self._path, self._baudrate, self._parity, self._stopbits = path, baudrate, parity, stopbits
        self._timeout_s = timeout
        self._silence_s = max(SILENT_BYTES * BITS_PER_BYTE / baudrate, FAST_SILENCE_S)
        self._line: serialx.BaseSerial | None = None

    def connect(self) -> bool:
        """Open the device. False if it is not there or somebody else has it."""
        if self._line is None:
            try:
                self._line = serialx.serial_for_url(
                    self._path,
                    baudrate=self._baudrate,
                    parity=serialx.Parity(self._parity),
                    stopbits=serialx.StopBits(self._stopbits),
                    read_timeout=self._timeout_s,
                    write_timeout=self._timeout_s,
                    exclusive=True,
                    low_latency=False,
                )
                self._line.open()
            except OSError:
                self.close()
        return self._line is not None

    def close(self) -> None:
        """Let the device go."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def send(self, request: bytes, addr: tuple[str, int] | None = None) -> int:
        """Keep the silence between frames, drop stale bytes, write."""
        del addr
        if self._line is None:
            raise ConnectionException(self._path)
        try:
            time.sleep(self._silence_s)
            self._line.reset_input_buffer()
            return self._line.write(request) or 0
        except OSError as error:
            self.close()
            raise ConnectionException(f"{self._path}: {error}") from None

    def recv(self, size: int | None) -> bytes:
        """Some bytes of the answer: the first within the timeout, and what has come with it; empty is silence."""
        del size
        if self._line is None:
            raise ConnectionException(self._path)
        try:
            first = self._line.read(1)
            return first + self._line.read(self._line.in_waiting) if first else b""
        except TimeoutError:
            return b""
        except OSError as error:
            self.close()
            raise ConnectionException(f"{self._path}: {error}") from None
