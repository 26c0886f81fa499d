"""Raw ends of lines for devices that misbehave on purpose: a TCP server and a pseudo-terminal that say anything.

A device is a function of what was asked (``Asked``) and of a way to ``say`` bytes; it may say nothing, much, later or
never, and hang up by raising ``HangUp``. ``right`` is the true answer: register a of unit u holds ``word(u, a)``.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import tty
from contextlib import suppress
from dataclasses import dataclass

from rigs.edge_lines import rtu_frame
from rigs.patience import PATIENCE_S

REQUEST = {"modbus+tcp": 12, "modbus+rtu-over-tcp": 8, "modbus+rtu": 8}


class HangUp(Exception):  # noqa: N818 - not an error: what the device does
    """The device closes the connection."""


def word(unit, address):
    """What a register holds: no two that are asked hold the same."""
    return (unit * 1000 + address) % 65536


@dataclass(frozen=True)
class Asked:
    """A request as it came, with its frame; ``n`` counts the requests of all connections from 0."""

    scheme: str
    frame: bytes
    n: int

    @property
    def _fields(self):
        at = 6 if self.scheme == "modbus+tcp" else 0
        return struct.unpack(">BBHH", self.frame[at : at + 6])

    unit = property(lambda self: self._fields[0])
    function = property(lambda self: self._fields[1])
    address = property(lambda self: self._fields[2])
    count = property(lambda self: self._fields[3])

    def framed(self, body, unit=None, number=None):
        """A sound frame around a body."""
        unit = self.unit if unit is None else unit
        if self.scheme != "modbus+tcp":
            return rtu_frame(unit, body)
        number = struct.unpack(">H", self.frame[:2])[0] if number is None else number
        return struct.pack(">HHHB", number, 0, len(body) + 1, unit) + body

    def right(self, address=None, count=None, function=None):
        """The true answer, or one to another request."""
        address, count = self.address if address is None else address, count or self.count
        words = [word(self.unit, address + i) for i in range(count)]
        return self.framed(struct.pack(f">BB{count}H", function or self.function, 2 * count, *words))

    def refused(self, code):
        """An exception."""
        return self.framed(bytes((self.function | 0x80, code)))


class RawTcp:
    """A device or gateway at ``url``. Connections are served at the same time, requests of one in turn."""

    def __init__(self, scheme, device, idle_s=None):
        """It closes a connection that is idle for so long."""
        self.scheme, self.device, self.idle_s = scheme, device, idle_s
        self.asked, self.connections = [], 0
        self.lock, self.ends, self.threads = threading.Lock(), [], []

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"{self.scheme}://127.0.0.1:{self.listening.getsockname()[1]}"
        self._spawn(self._accept)
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        for end in self.ends:
            with suppress(OSError):  # it has hung up
                end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        self.listening.close()

    def _spawn(self, work, *args):
        thread = threading.Thread(target=work, args=args)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        with suppress(OSError):  # we are stopped
            while True:
                connection, _ = self.listening.accept()
                self.connections += 1
                self.ends.append(connection)
                self._spawn(self._serve, connection)

    def _serve(self, connection):
        size = REQUEST[self.scheme]
        with connection, suppress(OSError, HangUp):  # the other end, or the device, hangs up
            while True:
                if self.idle_s and not select.select([connection], [], [], self.idle_s)[0]:
                    return
                frame = connection.recv(size, socket.MSG_WAITALL)
                if len(frame) < size:
                    return
                with self.lock:
                    asked = Asked(self.scheme, frame, len(self.asked))
                    self.asked.append(asked)
                self.device(asked, connection.sendall)


class ShyTcp(RawTcp):
    """Has place for one connection, closes it after each answer, and takes none for ``away_s`` then."""

    def __init__(self, scheme, away_s):
        super().__init__(scheme, lambda asked, say: say(asked.right()))
        self.away_s, self.is_over = away_s, threading.Event()

    def __exit__(self, *_):
        self.is_over.set()
        self.threads[0].join(PATIENCE_S)
        self.listening.close()

    def _accept(self):
        address = self.listening.getsockname()
        while not self.is_over.is_set():
            if not select.select([self.listening], [], [], 0.02)[0]:
                continue
            connection, _ = self.listening.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                if frame := connection.recv(REQUEST[self.scheme], socket.MSG_WAITALL):
                    self.device(Asked(self.scheme, frame, 0), connection.sendall)
                self.listening.close()
            self.is_over.wait(self.away_s)
            self.listening = socket.create_server(address)


class RawPty:
    """The same on a serial line."""

    scheme = "modbus+rtu"

    def __init__(self, device):
        self.device, self.asked = device, []
        self.lock, self.is_open = threading.Lock(), True

    def __enter__(self):
        self.ours, self.theirs = os.openpty()
        tty.setraw(self.theirs)
        self.stop_r, self.stop_w = os.pipe()
        self.url = f"modbus+rtu://{os.ttyname(self.theirs)}?baud=115200"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.stop_w, b"x")
        self.thread.join(PATIENCE_S)
        with self.lock:
            self.is_open = False
            for fd in (self.ours, self.theirs, self.stop_r, self.stop_w):
                os.close(fd)

    def say(self, frame):
        """The number of a closed line may be another test's by now: what comes late is not said there."""
        with self.lock:
            if not self.is_open:
                raise OSError("the line is closed")
            os.write(self.ours, frame)

    def _serve(self):
        heard = b""
        while self.stop_r not in (readable := select.select([self.ours, self.stop_r], [], [])[0]):
            heard += os.read(self.ours, 256) if self.ours in readable else b""
            while len(heard) >= REQUEST[self.scheme]:
                asked = Asked(self.scheme, heard[: REQUEST[self.scheme]], len(self.asked))
                heard = heard[REQUEST[self.scheme] :]
                self.asked.append(asked)
                self.device(asked, self.say)


def raw_line(scheme, device):
    """A line of that scheme with the device on it."""
    return RawPty(device) if scheme == "modbus+rtu" else RawTcp(scheme, device)
