"""A TCP server that answers each request by a function: what a device says, or what none would."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class BareServer:
    """Answers on a port, one connection after another."""

    def __init__(self, port, answer):
        self.answer, self.open = answer, [socket.create_server(("127.0.0.1", port))]
        self.thread = threading.Thread(target=self._accept, args=(self.open[0],))
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self.open:
            with suppress(OSError):  # the other end has gone
                end.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for end in self.open:
            end.close()

    def _accept(self, listening):
        with suppress(OSError):  # we are stopped
            while True:
                connection, _ = listening.accept()
                self.open.append(connection)
                self._serve(connection)

    def _serve(self, connection):
        with suppress(OSError):  # it hung up
            while request := connection.recv(300):
                connection.sendall(self.answer(request))
