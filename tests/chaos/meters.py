"""Twelve water meters behind one Modbus gateway: answer k of a meter is a value that names the meter and k."""

from __future__ import annotations

import socket
import struct
import threading

from chaos.readings import METERS, POINTS

LITRES = 1_000
HEADER = struct.Struct(">HHHB")
ILLEGAL_FUNCTION = 1


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
    """Answers on loopback while open; unit ``i + 1`` is meter ``i``. Closed, the bus is down and nothing is read."""

    def __init__(self) -> None:
        self.answers = [0] * METERS
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines: set[socket.socket] = set()
        self._is_open = True
        self._thread = threading.Thread(target=self._accept, name="gateway", daemon=True)
        self._thread.start()

    def open(self) -> None:
        """Answer (again)."""
        self._is_open = True

    def close(self) -> None:
        """Answer no more: new connections end at once."""
        self._is_open = False
        for line in list(self._lines):
            _end(line)

    def stop(self) -> None:
        """Give the port back."""
        self.close()
        _end(self._listener)
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
        with line:
            try:
                while self._is_open and (request := line.recv(260)):
                    line.sendall(self._answer(request))
            except OSError:
                pass
        self._lines.discard(line)

    def _answer(self, request: bytes) -> bytes:
        """The two registers of a counter, whatever block is asked for (Modbus application protocol V1.1b3, 6.3)."""
        transaction, protocol, _, unit = HEADER.unpack_from(request)
        function = request[7]
        meter = unit - 1
        if function != 3 or not 0 <= meter < METERS:
            return HEADER.pack(transaction, protocol, 3, unit) + bytes([function | 0x80, ILLEGAL_FUNCTION])
        self.answers[meter] += 1
        litres = self.answers[meter] * METERS + meter
        return HEADER.pack(transaction, protocol, 7, unit) + struct.pack(">BBI", function, 4, litres)


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
