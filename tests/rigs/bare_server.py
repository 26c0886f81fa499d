"""Servers that answer each request by a function, over TCP, TLS and UDP: what a device says, or what none would."""

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
                with suppress(OSError):  # it would not speak TLS
                    connection = self.taken(connection)
                    self.open.append(connection)
                    self._serve(connection)

    def taken(self, connection):
        """The connection as it is spoken on."""
        return connection

    def _serve(self, connection):
        with suppress(OSError):  # it hung up
            while request := connection.recv(300):
                connection.sendall(self.answer(request))


class BareTlsServer(BareServer):
    """The same behind TLS."""

    def __init__(self, port, answer, context):
        self.context = context
        super().__init__(port, answer)

    def taken(self, connection):
        return self.context.wrap_socket(connection, server_side=True)


class BareDatagrams:
    """The same with one datagram for each request and each answer."""

    def __init__(self, port, answer):
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with suppress(OSError):  # it is not connected, and wakes up all the same
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def _serve(self):
        while True:
            request, whence = self.socket.recvfrom(300)
            if not request:
                return
            if said := self.answer(request):
                self.socket.sendto(said, whence)
