"""Packets as a broker delivers them, without the properties that paho cannot read.

paho drops the connection for one property that it does not like, such as a user property with U+FEFF, which is lawful
(MQTT 5.0, 1.5.4). A broker hands on the properties of whoever published, and delivers the message again after each
reconnect: one sender could end a client's service for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from facility.errors import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PROPERTIES = 32
MOST_PROPERTY_BYTES = 4096
"""Ours have one property of 16 bytes. paho's time for them grows with their square: 50,000 would take minutes."""

MOST_SHOWN = 200
"""Characters of a topic."""

_FIXED = {
    PacketTypes.CONNACK: 2, PacketTypes.PUBACK: 3, PacketTypes.PUBREC: 3, PacketTypes.PUBREL: 3, PacketTypes.PUBCOMP: 3,
    PacketTypes.SUBACK: 2, PacketTypes.UNSUBACK: 2, PacketTypes.DISCONNECT: 1, PacketTypes.AUTH: 1,
}  # fmt: skip
"""Bytes before the properties, by packet type (MQTT 5.0, 3.2 to 3.15)."""

_BYTES_OF = {"Byte": 1, "Two Byte Integer": 2, "Four Byte Integer": 4}


def begins_with(header: int, packet: bytes | bytearray) -> int:
    """Where the properties of an MQTT 5 packet begin, after its fixed header. Raises ``ValueError`` where none do."""
    kind = header >> 4
    if kind == PacketTypes.PUBLISH:
        has_id = bool(header & 0x06)
        at = 2 + int.from_bytes(packet[:2], "big") + 2 * has_id
    elif kind in _FIXED:
        at = _FIXED[kind]
    else:
        raise ValueError(f"packets of type {kind} have no properties")
    if at >= len(packet):
        raise ValueError("the packet ends before its properties")
    return at


def property_bytes(header: int, packet: bytes | bytearray) -> int:
    """How long the properties are; 0 where there are none, or where that cannot be told."""
    try:
        return _span(packet, begins_with(header, packet))[1]
    except ValueError:
        return 0


def sender_of(header: int, packet: bytes | bytearray) -> str:
    """Who published it, as far as its topic says; of other packets the broker is the sender."""
    if header >> 4 != PacketTypes.PUBLISH:
        return "the broker"
    topic = bytes(packet[2 : 2 + int.from_bytes(packet[:2], "big")]).decode("utf-8", "replace")
    return visible(topic, MOST_SHOWN)


def readable(header: int, packet: bytes | bytearray) -> bytes:
    """The packet with those of its properties that paho reads, at most ``MOST_PROPERTIES`` of them.

    Raises ``ValueError`` for one whose parts cannot be told apart.
    """
    at = begins_with(header, packet)
    begin, length = _span(packet, at)
    if begin + length > len(packet):
        raise ValueError("the packet ends within its properties")
    kept = b"".join(_readable(header >> 4, bytes(packet[begin : begin + length])))
    return bytes(packet[:at]) + _with_length(kept) + bytes(packet[begin + length :])


def _span(packet: bytes | bytearray, at: int) -> tuple[int, int]:
    """Where the properties themselves begin, and their length in bytes."""
    length, size = _integer(bytes(packet[at : at + 4]))
    return at + size, length


def _readable(kind: int, data: bytes) -> Iterator[bytes]:
    """Each property that paho takes, as it came; what follows one of an unknown kind cannot be told apart."""
    known, at, seen, once = Properties(kind), 0, 0, set[int]()  # type: ignore[no-untyped-call]
    while at < len(data) and seen < MOST_PROPERTIES:
        seen += 1
        name = data[at]  # every identifier of MQTT 5.0 (2.2.2.2) is one byte
        if name not in known.properties:
            return
        length = 1 + _length(known.types[known.properties[name][0]], data[at + 1 : at + 1 + 2 * 65_537])
        whole, at = data[at : at + length], at + length
        may_repeat = known.allowsMultiple(known.getNameFromIdent(name).replace(" ", ""))  # type: ignore[no-untyped-call]
        if (may_repeat or name not in once) and _is_read(kind, whole):
            once.add(name)
            yield whole


def _is_read(kind: int, whole: bytes) -> bool:
    try:
        Properties(kind).unpack(_with_length(whole))  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 - whatever paho says of it
        return False
    return True


def _with_length(properties: bytes) -> bytes:
    return bytes(VariableByteIntegers.encode(len(properties))) + properties  # type: ignore[no-untyped-call]


def _length(kind: str, data: bytes) -> int:
    """Bytes of a value at the beginning of ``data``, those which state its length among them."""
    if kind in _BYTES_OF:
        return _BYTES_OF[kind]
    if kind == "Variable Byte Integer":
        return _integer(data[:4])[1]
    first = 2 + int.from_bytes(data[:2], "big")
    return first if kind != "UTF-8 String Pair" else first + 2 + int.from_bytes(data[first : first + 2], "big")


def _integer(data: bytes) -> tuple[int, int]:
    """A variable byte integer and how many bytes it has (MQTT 5.0, 1.5.5)."""
    value = 0
    for i, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * i
        if not byte & 0x80:
            return value, i + 1
    raise ValueError("a variable byte integer without an end")
