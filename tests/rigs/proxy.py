"""A TCP link between two parts that can be cut, slowed and made deaf. Complete in itself; loopback only."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Literal, Self

Mode = Literal["ok", "blackhole", "delay", "rst", "dropack"]
"""blackhole: nothing passes, nobody is told. dropack: what the server says is lost. rst: every connection is reset."""

CHUNK = 4096
DELAY_S = 0.05
LINGER_NOT = struct.pack("ii", 1, 0)
"""A socket closed with this option sends a reset instead of a farewell."""


class Proxy:
    """Listens on ``port`` and passes on to ``target``; use as a context manager, or call ``stop``.

    ``carried`` counts bytes on their way to the target, ``brought`` those that come back; ``accepted`` are the times of
    connections (monotonic).
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.carried = self.brought = 0
        self.accepted: list[float] = []
        self._mode: Mode = "ok"
        self._flows = threading.Event()
        self._flows.set()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._thread.start()

    def set_mode(self, mode: Mode) -> None:
        """Change the link. What a black hole held flows on afterwards; a link that lost bytes is reset."""
        before, self._mode = self._mode, mode
        if mode == "blackhole":
            self._flows.clear()
        else:
            self._flows.set()
        if mode == "rst" or before == "dropack":
            self._reset_all()

    def stop(self) -> None:
        """Cut everything and give the port back."""
        self._flows.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self._reset_all()

    def __enter__(self) -> Self:
        """It listens already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """Address of a broker behind it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted.append(time.monotonic())
            threading.Thread(target=self._link, args=(client,), name="proxy-link", daemon=True).start()

    def _link(self, client: socket.socket) -> None:
        self._flows.wait()
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._target), 5) as server:
            server.settimeout(None)
            ends = {client, server}
            self._open |= ends
            if self._mode == "rst":
                self._reset_all()
            back = threading.Thread(target=self._pump, args=(server, client, "from_target"), daemon=True)
            back.start()
            self._pump(client, server, "to_target")
            back.join()
            self._open -= ends

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        try:
            while chunk := source.recv(CHUNK):
                self._flows.wait()
                if self._mode == "rst":
                    break
                if self._mode == "delay":
                    time.sleep(DELAY_S)
                if self._mode == "dropack" and way == "from_target":
                    continue
                if way == "to_target":
                    self.carried += len(chunk)
                else:
                    self.brought += len(chunk)
                sink.sendall(chunk)
        except OSError:
            pass
        _wake(source)
        _wake(sink)

    def _reset_all(self) -> None:
        """Both sides of each connection see a reset. First all are marked: once woken, they are closed in any order."""
        ends = list(self._open)
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        for end in ends:
            _wake(end)


def _wake(end: socket.socket) -> None:
    """Whoever waits to receive here goes on, and then closes it. Not shut down for sending: that would say farewell."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RD)
