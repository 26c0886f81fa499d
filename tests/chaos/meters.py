"""Twelve water meters behind one Modbus gateway: answer k of a meter is a value that names the meter and k."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

from chaos.readings import METERS, POINTS

LITRES = 1_000
HEADER = struct.Struct(">HHHB")
ILLEGAL_FUNCTION, BUSY = 1, 6


def value(meter: int, k: int) -> float:
    """Cubic metres that meter ``meter`` tells in its answer ``k``; the profile divides litres by 1,000."""
    return (k * METERS + meter) / LITRES


def answer_number(point: str, x: float) -> int | None:
    """Which answer of the point's meter said ``x``; None if none can have."""
    if point not in POINTS:
        return None
    k, meter = divmod(round(x * LITRES), METERS)
    return k if meter == POINTS.index(point) and value(meter, k) == x else None


class Gateway:
    """Answers on loopback; unit ``i + 1`` is meter ``i``. While it is not ``open`` every meter says that it is busy."""

    def __init__(self) -> None:
        self.answers = [0] * METERS
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines: set[socket.socket] = set()
        self.is_open = True
        self._thread = threading.Thread(target=self._accept, name="gateway", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give the port back."""
        for end in (self._listener, *self._lines):
            _end(end)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.add(line)
            threading.Thread(target=self._serve, args=(line,), name="gateway-line", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            while request := line.recv(260):
                line.sendall(self._answer(request))
        self._lines.discard(line)

    def _answer(self, request: bytes) -> bytes:
        """The two registers of a counter, whatever block is asked for (Modbus application protocol V1.1b3, 6.3)."""
        transaction, protocol, _, unit = HEADER.unpack_from(request)
        function = request[7]
        meter = unit - 1
        if function != 3 or not 0 <= meter < METERS or not self.is_open:
            code = ILLEGAL_FUNCTION if self.is_open else BUSY
            return HEADER.pack(transaction, protocol, 3, unit) + bytes([function | 0x80, code])
        self.answers[meter] += 1
        litres = self.answers[meter] * METERS + meter
        return HEADER.pack(transaction, protocol, 7, unit) + struct.pack(">BBI", function, 4, litres)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
