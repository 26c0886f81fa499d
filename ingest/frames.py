"""How the journal's bytes are divided: frames with a mark, a length and a CRC-32, found again behind damage."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = b"MHJ\x01"
HEAD = struct.Struct("<4sIIB")
"""Mark, length of the body, CRC-32 (zlib) of kind and body, kind."""

MOST_BODY_BYTES = 16 * 2**20
"""A longer length is damage, not a frame."""


@unique
class FrameKind(IntEnum):
    """What a frame holds."""

    STATE = 1  # opens a segment: which numbers every stream had done before it
    ENTRY = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A sound frame; ``start`` and ``end`` are offsets in the journal."""

    start: int
    end: int
    kind: FrameKind
    body: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no frame, up to the next sound one (or the end of what was looked at)."""

    start: int
    end: int


def framed(kind: FrameKind, body: bytes) -> bytes:
    """The body as a frame. Raises ``ValueError`` for one that would be read as damage."""
    if len(body) > MOST_BODY_BYTES:
        raise ValueError(f"a frame holds at most {MOST_BODY_BYTES} bytes, not {len(body)}")
    return HEAD.pack(MARK, len(body), _crc(kind, body), kind) + body


def scan(data: bytes, start: int) -> Iterator[Frame | Damage]:
    """Frames from the beginning of ``data``, which lies at ``start``; what is cut off at its end is left out."""
    at = 0
    while at < len(data):
        frame = _frame_at(data, at, start)
        if frame is not None:
            yield frame
            at = frame.end - start
            continue
        if _is_cut_off(data, at):
            return
        following = _next_sound(data, at + 1, start)
        yield Damage(start + at, start + following)
        at = following


def _frame_at(data: bytes, at: int, start: int) -> Frame | None:
    if len(data) - at < HEAD.size:
        return None
    mark, length, crc, kind = HEAD.unpack_from(data, at)
    end = at + HEAD.size + length
    if mark != MARK or length > MOST_BODY_BYTES or end > len(data):
        return None
    body = data[at + HEAD.size : end]
    if crc != _crc(kind, body):
        return None
    return Frame(start + at, start + end, FrameKind(kind), body)


def _is_cut_off(data: bytes, at: int) -> bool:
    """Whether a frame begins here that may go on behind the end of ``data``, with nothing sound after it."""
    head = data[at : at + HEAD.size]
    if len(head) < HEAD.size:
        return MARK.startswith(head[:4]) or head.startswith(MARK)
    mark, length, _, _ = HEAD.unpack(head)
    is_open = mark == MARK and length <= MOST_BODY_BYTES and at + HEAD.size + length > len(data)
    return is_open and _next_sound(data, at + 1, 0) == len(data)


def _next_sound(data: bytes, at: int, start: int) -> int:
    """Where the next sound frame begins from ``at`` on; the end if there is none."""
    while (at := data.find(MARK, at)) >= 0:
        if _frame_at(data, at, start) is not None:
            return at
        at += 1
    return len(data)


def _crc(kind: int, body: bytes) -> int:
    return zlib.crc32(body, kind)
