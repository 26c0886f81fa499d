"""Photos and files as they are kept: known by what is in them, and without where and by whom they were made.

Of a photo the picture stays and what is needed to draw it: colours, and which way is up. What a camera writes beside it
goes (EXIF, XMP, IPTC, comments, thumbnails, films behind the picture). In a PDF such
blocks are blanked where they stand.
"""

from __future__ import annotations

import re
import struct
import zlib
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 12 * 2**20
"""A photo of a telephone has three to eight megabytes."""


@unique
class FileKind(StrEnum):
    """What is taken, by its media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"
    TEXT = "text/plain"


ENDINGS = {
    FileKind.JPEG: "jpg",
    FileKind.PNG: "png",
    FileKind.WEBP: "webp",
    FileKind.PDF: "pdf",
    FileKind.TEXT: "txt",
}

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM", b"iCCP", b"sBIT", b"bKGD", b"pHYs"),
    *(b"acTL", b"fcTL", b"fdAT"),
}
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_NO_EXIF_NO_XMP = 0xFF ^ 0x0C
_APP0, _APP1, _APP2, _APP14, _COMMENT, _SCAN, _END = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD8)}
_ORIENTATION = 0x0112


def clean_file(content: bytes) -> tuple[FileKind, bytes]:
    """What a file is and what is kept of it. Raises ``Rejected`` for one too large, damaged or of another kind."""
    if len(content) > MOST_BYTES:
        raise Rejected("file_large", f"{len(content) / 2**20:.0f} MB (allowed: {MOST_BYTES // 2**20} MB)")
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return FileKind.JPEG, b"".join(_jpeg(content))
        if content.startswith(_PNG):
            return FileKind.PNG, _PNG + b"".join(_png(content))
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return FileKind.WEBP, _webp(content)
    except (IndexError, struct.error):
        raise Rejected("file_damaged", "the picture ends in its middle") from None
    if content.startswith(b"%PDF-"):
        return FileKind.PDF, _pdf(content)
    return FileKind.TEXT, _text(content)


def _jpeg(content: bytes) -> Iterator[bytes]:
    """Segment after segment up to the end of the picture; whatever lies behind it goes."""
    yield b"\xff\xd8"
    if up := _which_way_is_up(content):
        yield up
    at = 2
    while True:
        marker, at = _marker(content, at)
        if marker == _END:
            yield b"\xff\xd9"
            return
        if marker in _ALONE:
            yield bytes((0xFF, marker))
            continue
        end = at + struct.unpack_from(">H", content, at)[0]
        if end > len(content):
            raise IndexError
        if _is_kept(marker, content[at + 2 : at + 14]):
            yield bytes((0xFF, marker)) + content[at:end]
        at = end
        if marker == _SCAN:
            end = _end_of_scan(content, at)
            yield content[at:end]
            at = end


def _is_kept(marker: int, begins: bytes) -> bool:
    """Everything to draw by; of the application's own blocks the size, the colours and how colours were mixed."""
    if marker == _APP2:
        return begins.startswith(b"ICC_PROFILE")
    is_application = _APP0 <= marker <= _APP0 + 15
    return marker in {_APP0, _APP14} or not (is_application or marker == _COMMENT)


def _marker(content: bytes, at: int) -> tuple[int, int]:
    if content[at] != 0xFF:  # noqa: PLR2004 - begins each marker
        raise IndexError
    while content[at] == 0xFF:  # noqa: PLR2004
        at += 1
    return content[at], at + 1


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands that does not belong to the scan."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise IndexError
        following = content[at + 1]
        if following and following not in _ALONE and following != 0xFF:  # noqa: PLR2004
            return at
        at += 1 if following == 0xFF else 2  # noqa: PLR2004


def _which_way_is_up(content: bytes) -> bytes:
    """A block that says nothing but the orientation that the camera wrote; empty where it wrote none."""
    at = 2
    while True:
        marker, at = _marker(content, at)
        if marker in {_SCAN, _END}:
            return b""
        if marker in _ALONE:
            continue
        size = struct.unpack_from(">H", content, at)[0]
        block = content[at + 2 : at + size]
        if marker == _APP1 and block.startswith(b"Exif\0\0"):
            way = _orientation(block[6:])
            return _only_orientation(way) if way > 1 else b""
        at += size


def _orientation(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 0
    try:
        first = struct.unpack_from(f"{order}I", tiff, 4)[0]
        for n in range(min(struct.unpack_from(f"{order}H", tiff, first)[0], 100)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * n)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 0  # noqa: PLR2004 - the eight there are
    except struct.error:
        return 0
    return 0


def _only_orientation(way: int) -> bytes:
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, _ORIENTATION, 3, 1, way, 0, 0)
    block = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


def _png(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while True:
        size, kind = struct.unpack_from(">I4s", content, at)
        chunk = content[at : at + 12 + size]
        if struct.unpack_from(">I", chunk, 8 + size)[0] != zlib.crc32(chunk[4 : 8 + size]):
            raise Rejected("file_damaged", "a part of the picture is damaged")
        if kind in _PNG_KEPT:
            yield chunk
        if kind == b"IEND":
            return
        at += 12 + size


def _webp(content: bytes) -> bytes:
    kept, at, end = [], 12, 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        raise IndexError
    while at < end:
        kind, size = struct.unpack_from("<4sI", content, at)
        if at + 8 + size > len(content):
            raise IndexError
        body = content[at + 8 : at + 8 + size]
        if kind == b"VP8X":
            body = bytes((body[0] & _NO_EXIF_NO_XMP,)) + body[1:]
        if kind in _WEBP_KEPT:
            kept.append(struct.pack("<4sI", kind, size) + body + b"\0" * (size % 2))
        at += 8 + size + size % 2
    chunks = b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _pdf(content: bytes) -> bytes:
    """Blocks of cameras within it are blanked, each as long as it was, so that everything stays where it stands."""
    found = bytearray(content)
    for match in re.finditer(rb"\xff\xe1(..)Exif\0\0", content, re.DOTALL):
        size = struct.unpack(">H", match[1])[0] - 8
        found[match.end() : match.end() + size] = bytes(len(found[match.end() : match.end() + size]))
    for match in re.finditer(rb"<x:xmpmeta.*?</x:xmpmeta>|<rdf:RDF.*?</rdf:RDF>", content, re.DOTALL):
        found[match.start() : match.end()] = b" " * (match.end() - match.start())
    return bytes(found)


def _text(content: bytes) -> bytes:
    if not content or b"\0" in content:
        raise Rejected("file_unknown", f"no {', '.join(FileKind)}")
    try:
        return content.decode("utf-8-sig").encode()
    except UnicodeDecodeError:
        raise Rejected("file_unknown", f"no {', '.join(FileKind)}") from None
