"""A line between agent and broker that can be cut, held, made deaf in one direction, or reset."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from contextlib import suppress

from servers import free_port

CHUNK_BYTES = 65536


class FaultProxy:
    """Context manager. ``mode``: ``pass``; ``hold`` (a black hole: bytes and new connections wait); ``deaf`` (what the
    server says is lost). ``reset()`` cuts every connection with RST. ``accepted`` are the times of connections.
    """

    def __init__(self, target: int) -> None:
        self.target, self.port, self.mode = target, free_port(), "pass"
        self.accepted: list[float] = []
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock, self._ending = threading.Lock(), threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.05)
        self._go(self._accept)
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.reset()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def reset(self) -> None:
        with self._lock:
            for pair in self._pairs:
                for end in pair:
                    with suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        end.shutdown(socket.SHUT_RD)  # wakes the thread, which closes it: with linger 0 that is RST

    def connections(self) -> int:
        return len(self._pairs)

    def _go(self, run, *args) -> None:
        thread = threading.Thread(target=run, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ending.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                self.accepted.append(time.monotonic())
                self._go(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            self._wait()
            server = socket.create_connection(("127.0.0.1", self.target), timeout=2)
        except OSError:
            client.close()
            return
        pair = (client, server)
        with self._lock:
            self._pairs.append(pair)
        try:
            self._carry(client, server)
        except OSError:
            pass  # the peer went away: what the tests provoke
        finally:
            with self._lock:
                self._pairs.remove(pair)
            for end in pair:
                end.close()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        while not self._ending.is_set():
            for end in select.select([client, server], [], [], 0.05)[0]:
                chunk = end.recv(CHUNK_BYTES)
                self._wait()
                if not chunk:
                    return
                if end is client:
                    server.sendall(chunk)
                elif self.mode != "deaf":
                    client.sendall(chunk)

    def _wait(self) -> None:
        while self.mode == "hold" and not self._ending.is_set():
            time.sleep(0.02)
