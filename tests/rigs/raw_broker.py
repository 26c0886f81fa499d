"""A broker that says exactly what a test wants: raw MQTT 5 bytes, whatever a real one would never send."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

CONNACK = b"\x20\x03\x00\x00\x00"
PUBACK = 0x40


def length(n):
    """A variable byte integer."""
    encoded = b""
    while True:
        n, digit = divmod(n, 128)
        encoded += bytes([digit | (0x80 if n else 0)])
        if not n:
            return encoded


def packet(header, body):
    return bytes([header]) + length(len(body)) + body


def text(data):
    return len(data).to_bytes(2, "big") + data


def user_property(name, value):
    return b"\x26" + text(name) + text(value)


def publish(topic, payload, properties=b"", mid=1):
    """QoS 1."""
    return packet(0x32, text(topic) + mid.to_bytes(2, "big") + length(len(properties)) + properties + payload)


class RawBroker:
    """Lets everybody in, grants every subscription, then sends ``says``, to each connection anew.

    ``greetings`` are the flags of each CONNECT, ``acknowledged`` the packet ids of each PUBACK. A session that begins
    anew is sent nothing, as by a broker that has forgotten it, unless ``forgets`` is false.
    """

    def __init__(self, *says, forgets=True):
        self.says, self.forgets = says, forgets
        self.greetings, self.acknowledged = [], []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._open = None

    @property
    def url(self):
        return f"mqtt://ingest:x@127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with suppress(OSError, AttributeError):
            self._open.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _serve(self):
        with suppress(OSError):
            while True:
                self._open, _ = self._listening.accept()
                with self._open, suppress(OSError):
                    self._answer(self._open)

    def _answer(self, line):
        stream = line.makefile("rb")
        with stream:
            while head := stream.read(1):
                body = stream.read(self._length(stream))
                if head[0] >> 4 == 1:
                    self.greetings.append(body[7])
                    line.sendall(CONNACK)
                elif head[0] >> 4 == 8:
                    self._grant(line, body)
                elif head[0] == PUBACK:
                    self.acknowledged.append(int.from_bytes(body[:2], "big"))
                elif head[0] == 0xC0:
                    line.sendall(b"\xd0\x00")

    def _grant(self, line, body):
        """Reason code 1 for each topic; what is to be said follows the first subscription of a session."""
        topics, at = 0, 3 + body[2]
        while at < len(body):
            at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
            topics += 1
        line.sendall(packet(0x90, body[:2] + b"\x00" + b"\x01" * topics))
        if topics > 1 and not (self.forgets and self.greetings[-1] & 0x02):
            line.sendall(b"".join(self.says))

    def _length(self, stream):
        value, shift = 0, 0
        while True:
            digit = stream.read(1)[0]
            value |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return value
