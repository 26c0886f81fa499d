"""Frames between 68 and 16, as DL/T 645 and CJ/T 188 build them: found in whatever came, by length and checksum.

Their layout is as the package dlt645 3.2.0 and public protocol notes (DL/T 645-2007), and two open-source drivers
(CJ/T 188-2004) have it; the standards themselves are not public.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

START, END = 0x68, 0x16
WAKE = b"\xfe" * 4
"""Is sent before a frame to wake the receiver; what comes in front of an answer is passed over."""

ADDED = 0x33
"""DL/T 645 adds it to every byte of data."""

DLT645_HEAD, CJT188_HEAD = 10, 11


@dataclass(frozen=True, slots=True)
class MeterFrame:
    """``who`` is the address (behind the type byte, where there is one), ``control`` what it is, ``data`` the rest."""

    who: bytes
    control: int
    data: bytes


def dlt645_frame(frame: MeterFrame) -> bytes:
    """68, address, 68, control, length, data, checksum, 16."""
    data = bytes((byte + ADDED) & 0xFF for byte in frame.data)
    return _closed(bytes((START, *frame.who, START, frame.control, len(data))) + data)


def cjt188_frame(frame: MeterFrame) -> bytes:
    """68, type, address, control, length, data, checksum, 16."""
    return _closed(bytes((START, *frame.who, frame.control, len(frame.data))) + frame.data)


def dlt645_frames(heard: bytes) -> Iterator[MeterFrame]:
    """Every sound frame among what came, our own requests too, where a line repeats them."""
    for at, body in _sound(heard, DLT645_HEAD):
        if heard[at + 7] == START:
            data = bytes((byte - ADDED) & 0xFF for byte in body)
            yield MeterFrame(heard[at + 1 : at + 7], heard[at + 8], data)


def cjt188_frames(heard: bytes) -> Iterator[MeterFrame]:
    """The same; ``who`` begins with the type byte."""
    for at, body in _sound(heard, CJT188_HEAD):
        yield MeterFrame(heard[at + 1 : at + 9], heard[at + 9], body)


def _sound(heard: bytes, head: int) -> Iterator[tuple[int, bytes]]:
    """Where a frame begins whose length, checksum and end are right, and its data."""
    at = heard.find(START)
    while at >= 0:
        end = at + head + heard[at + head - 1] if at + head <= len(heard) else len(heard)
        if end + 1 < len(heard) and heard[end + 1] == END and sum(heard[at:end]) & 0xFF == heard[end]:
            yield at, heard[at + head : end]
            at = heard.find(START, end + 2)
        else:
            at = heard.find(START, at + 1)


def _closed(frame: bytes) -> bytes:
    return frame + bytes((sum(frame) & 0xFF, END))
