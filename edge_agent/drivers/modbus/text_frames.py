"""Modbus ASCII: each byte as two hexadecimal digits, between a colon and a line's end (Serial Line V1.02, 2.5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.modbus.frames import EXCEPTION, Reply, described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.drivers.modbus.frames import Request

COLON, END = b":", b"\r\n"
HEAD = 3
"""Unit, function, and how many bytes follow, or the code of an exception: no answer is shorter."""

DIGITS = frozenset(b"0123456789ABCDEFabcdef")


class AsciiFraming:
    """As RTU: an answer shows unit, function and length of its request, and a checksum; no more."""

    has_numbers = False
    chars_per_byte = 2

    def frame(self, request: Request, number: int) -> bytes:
        """Unit, body and checksum as text."""
        del number
        return text_frame(bytes((request.unit,)) + request.body())

    def replies(self, request: Request, number: int, heard: bytes) -> Iterator[Reply]:
        """Answers with the request's unit, function and length; the request itself has another length."""
        del number
        for at, end, body in _sound(heard):
            if reply := _reply(request, body, heard[at:end], end):
                yield reply

    def finds_no_numbers(self, request: Request, heard: bytes) -> bool:
        """They never do, and that is known."""
        del request, heard
        return False

    def stranger(self, request: Request, heard: bytes) -> str:
        """The first sound frame that is neither the request nor its answer."""
        for at, end, body in _sound(heard):
            if body[1:] != request.body() and not _reply(request, body, heard[at:end], end):
                return described(request, body[0], body[1], body[2:])
        return ""


def text_frame(body: bytes) -> bytes:
    """A body with its checksum (LRC) as it stands on the line."""
    return COLON + (body + bytes((-sum(body) & 0xFF,))).hex().upper().encode() + END


def _sound(heard: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where each frame with a right checksum begins and ends, and its body."""
    at = heard.find(COLON)
    while at >= 0:
        end = heard.find(END, at)
        digits = heard[at + 1 : end] if end >= 0 else b""
        if len(digits) % 2 == 0 and DIGITS.issuperset(digits):
            frame = bytes.fromhex(digits.decode())
            if len(frame) > HEAD and not sum(frame) & 0xFF:
                yield at, end + len(END), frame[:-1]
        at = heard.find(COLON, at + 1)


def _reply(request: Request, body: bytes, image: bytes, end: int) -> Reply | None:
    unit, function, size = body[:HEAD]
    if unit != request.unit:
        return None
    if function == request.function | EXCEPTION and size and len(body) == HEAD:
        return Reply((), size, image, end)
    if function == request.function and size == request.size == len(body) - HEAD:
        return Reply(request.words(body[HEAD:]), 0, image, end)
    return None
