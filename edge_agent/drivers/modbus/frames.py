"""Requests as bytes, and the answer to a request among whatever came: only what matches it is taken.

Two framings of the same two requests: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (numbers, no
checksum) and MODBUS over Serial Line V1.02, 2.5.1 (a checksum, no numbers). The body is that of MODBUS Application
Protocol V1.1b3, 6.1 to 6.4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from facility.protocols.modbus.bus import SERVER_ITSELF
from facility.protocols.modbus.profile import RegisterTable

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS = {RegisterTable.COIL: 1, RegisterTable.DISCRETE: 2, RegisterTable.HOLDING: 3, RegisterTable.INPUT: 4}
TABLES = {function: table for table, function in FUNCTIONS.items()}

EXCEPTION = 0x80
"""Is added to the function code of a request that is refused."""

HEADER = struct.Struct(">HHHB")
"""Transaction number, protocol (0 is Modbus), length of what follows, unit."""

NO_NUMBER = 0
"""Is the number of no request of ours."""

EXCEPTION_LENGTHS = (3, 2)
"""Unit, function and code; some servers forget to count one of them."""

CRC_POLYNOMIAL, CRC_START = 0xA001, 0xFFFF
SHORTEST_RTU = 5


@dataclass(frozen=True, slots=True)
class Request:
    """So many registers or bits from an address on, of a unit; ``function`` says from which table."""

    unit: int
    function: int
    address: int
    count: int

    @property
    def size(self) -> int:
        """How many bytes answer it: two for a register, one for eight bits or a part of them."""
        return -(-self.count // 8) if TABLES[self.function].holds_bits else 2 * self.count

    @property
    def shape(self) -> tuple[int, int, int]:
        """What an answer without a number shows of its request: those of two requests of one shape look alike."""
        return self.unit, self.function, self.size

    def words(self, image: bytes) -> tuple[int, ...]:
        """Registers, high byte first, or bits, the first in the lowest of the first byte."""
        if TABLES[self.function].holds_bits:
            return tuple(image[i // 8] >> i % 8 & 1 for i in range(self.count))
        words: tuple[int, ...] = struct.unpack(f">{self.count}H", image)
        return words

    def body(self) -> bytes:
        """The request without its frame."""
        return struct.pack(">BHH", self.function, self.address, self.count)


@dataclass(frozen=True, slots=True)
class Reply:
    """The words or bits that came, or else the code of an exception; ``image`` is its frame, which ends at ``end``."""

    words: tuple[int, ...]
    exception: int
    image: bytes
    end: int


class Framing(Protocol):
    """How requests and answers lie on a line. ``has_numbers``: an answer says which request it belongs to."""

    has_numbers: bool
    chars_per_byte: int

    def frame(self, request: Request, number: int) -> bytes:
        """The request as it is sent."""

    def replies(self, request: Request, number: int, heard: bytes) -> Iterator[Reply]:
        """Every whole answer to the request among what was heard, wherever it begins."""

    def finds_no_numbers(self, request: Request, heard: bytes) -> bool:
        """Whether it has just turned out that answers here do not say which request they belong to."""

    def stranger(self, request: Request, heard: bytes) -> str:
        """What came in the place of an answer, in words; empty where it is no frame at all."""


class TcpFraming:
    """Modbus TCP: each request has a number, which its answer repeats; some servers say ``NO_NUMBER`` in every one."""

    chars_per_byte = 1

    def __init__(self) -> None:
        self.has_numbers = True

    def frame(self, request: Request, number: int) -> bytes:
        """Header and body."""
        body = request.body()
        return HEADER.pack(number, 0, len(body) + 1, request.unit) + body

    def replies(self, request: Request, number: int, heard: bytes) -> Iterator[Reply]:
        """Answers with the request's number, unit, function and length."""
        yield from self._numbered(request, number, heard)
        if not self.has_numbers:
            yield from self._numbered(request, NO_NUMBER, heard)

    def finds_no_numbers(self, request: Request, heard: bytes) -> bool:
        """Whether all that is wrong with the answer is that it has no number."""
        self.has_numbers &= not any(self._numbered(request, NO_NUMBER, heard))
        return not self.has_numbers

    def stranger(self, request: Request, heard: bytes) -> str:
        """The first frame, if it is one."""
        if len(heard) < HEADER.size + 2:
            return ""
        _, protocol, length, unit = HEADER.unpack_from(heard)
        if protocol or length + 6 > len(heard):
            return ""
        return described(request, unit, heard[HEADER.size], heard[HEADER.size + 1 : length + 6])

    def _numbered(self, request: Request, number: int, heard: bytes) -> Iterator[Reply]:
        at = heard.find(number.to_bytes(2, "big") + b"\0\0")
        while at >= 0:
            if reply := self._reply(request, heard, at):
                yield reply
            at = heard.find(number.to_bytes(2, "big") + b"\0\0", at + 1)

    def _reply(self, request: Request, heard: bytes, at: int) -> Reply | None:
        if len(heard) < at + HEADER.size + 2:
            return None
        _, _, length, unit = HEADER.unpack_from(heard, at)
        function, size = heard[at + HEADER.size : at + HEADER.size + 2]
        # A server that is addressed by its IP address may answer with a unit of its own.
        if unit != request.unit and request.unit not in SERVER_ITSELF:
            return None
        begin = at + HEADER.size + 2
        if function == request.function | EXCEPTION and size and length in EXCEPTION_LENGTHS:
            return Reply((), size, heard[at:begin], begin)
        end = begin + request.size
        if function != request.function or size != request.size or length != size + 3 or len(heard) < end:
            return None
        return Reply(request.words(heard[begin:end]), 0, heard[at:end], end)


class RtuFraming:
    """Modbus RTU: an answer shows unit, function and length of its request, and a checksum; no more."""

    has_numbers = False
    chars_per_byte = 1

    def frame(self, request: Request, number: int) -> bytes:
        """Unit, body and checksum."""
        del number
        frame = bytes((request.unit,)) + request.body()
        return frame + checksum(frame)

    def replies(self, request: Request, number: int, heard: bytes) -> Iterator[Reply]:
        """Answers with the request's unit, function and length; an echo of the request is passed over."""
        echo, at = self.frame(request, number), 0
        while at + SHORTEST_RTU <= len(heard):
            reply = None if heard.startswith(echo, at) else self._reply(request, heard, at)
            if reply:
                yield reply
            at = reply.end if reply else at + (len(echo) if heard.startswith(echo, at) else 1)

    def finds_no_numbers(self, request: Request, heard: bytes) -> bool:
        """They never do, and that is known."""
        del request, heard
        return False

    def stranger(self, request: Request, heard: bytes) -> str:
        """The first sound frame that is neither the request nor its answer."""
        for at in range(max(len(heard) - SHORTEST_RTU + 1, 0)):
            unit, function, size = heard[at : at + 3]
            end = at + (3 if function & EXCEPTION else 3 + size)
            if heard[end : end + 2] == checksum(heard[at:end]):
                return described(request, unit, function, heard[at + 2 : end])
        return ""

    def _reply(self, request: Request, heard: bytes, at: int) -> Reply | None:
        unit, function, size = heard[at : at + 3]
        if unit != request.unit:
            return None
        if function == request.function | EXCEPTION and size:
            end = at + 3
        elif function == request.function and size == request.size:
            end = at + 3 + size
        else:
            return None
        if heard[end : end + 2] != checksum(heard[at:end]):
            return None
        image = heard[at : end + 2]
        return (
            Reply((), size, image, end + 2)
            if function & EXCEPTION
            else Reply(request.words(heard[at + 3 : end]), 0, image, end + 2)
        )


def without(heard: bytes, *known: bytes) -> bytes:
    """What came beside known frames: a line may repeat what is said on it."""
    for one in known:
        heard = heard.replace(one, b"")
    return heard


def checksum(frame: bytes) -> bytes:
    """Its two bytes on the line, low byte first (MODBUS over Serial Line V1.02, 2.5.1.2 and appendix B)."""
    crc = CRC_START
    for byte in frame:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (CRC_POLYNOMIAL if byte & 1 else 0)
    return byte


_CRC_TABLE = tuple(map(_crc_of, range(256)))


def described(request: Request, unit: int, function: int, rest: bytes) -> str:
    """In what a frame differs from what was asked."""
    if unit != request.unit:
        return f"unit {unit} spoke"
    if function & ~EXCEPTION != request.function:
        return f"function {function} came for {TABLES[request.function]} registers"
    if function == request.function and rest and rest[0] != request.size:
        if TABLES[function].holds_bits:
            return f"bytes of bits that came: {rest[0]} of {request.size}"
        return f"registers that came: {rest[0] // 2} of {request.count}"
    return "an answer to another request came"
