"""A sender whose messages a broker takes and a client library refuses to read, said in raw bytes."""

from __future__ import annotations

import socket

from facility import wire
from rigs.patience import PATIENCE_S, until
from rigs.raw_broker import packet, publish, text, user_property

NAME_AND_WORD = 0xC2
MARK = "\ufeff".encode()
"""Allowed by MQTT 5 (1.5.4), refused by paho 2.2.0 on decoding."""


def say_hostile(port: int, agent: str, word: str, times: int = 3) -> None:
    """Messages of QoS 1 with the mark in a property; returns when the broker has taken them."""
    name = text(agent.encode())
    greeting = text(b"MQTT") + bytes([5, NAME_AND_WORD]) + b"\x00\x3c\x00" + name + name + text(word.encode())
    with until(lambda: _line_to(port), says=lambda: f"nothing listens at {port}") as line:
        line.sendall(packet(0x10, greeting))
        assert line.recv(4)[0::3] == b"\x20\x00", "the broker lets the sender in"
        for mid in range(1, times + 1):
            mark = user_property(b"crc", b"0") + user_property(MARK + b"%d" % mid, MARK)
            line.sendall(publish(wire.up_topic(agent, "live").encode(), b"{}", mark, mid))
        line.settimeout(PATIENCE_S)
        taken = b""
        while taken.count(b"\x40") < times:
            more = line.recv(100)
            assert more, "the broker takes the message"
            taken += more


def _line_to(port: int) -> socket.socket | None:
    """None while the broker, which may just have been started again, does not listen yet."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    except ConnectionRefusedError:
        return None
