"""Photos as cameras write them: small, whole, and with a place, a maker and a film in them."""

from __future__ import annotations

import struct
import zlib

PLACE = b"N 51.5 W 0.12 SECRET-PLACE"


def exif(orientation=6):
    """A camera's block: which way is up, and a text where others have coordinates."""
    entry = struct.pack("<HHII", 0x0112, 3, 1, orientation) + struct.pack("<HHII", 0x8825, 2, len(PLACE), 38)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entry + struct.pack("<I", 0) + PLACE


def _segment(marker, body):
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(orientation=6):
    """A picture of eight by eight grey points, which every browser draws, with all that a telephone adds."""
    table = _segment(0xDB, b"\0" + bytes([16] * 64))
    frame = _segment(0xC0, struct.pack(">BHHBBBB", 8, 8, 8, 1, 1, 0x11, 0))
    codes = _segment(0xC4, b"\0" + bytes([0, 1] + [0] * 14) + b"\0") + _segment(
        0xC4, b"\x10" + bytes([0, 1] + [0] * 14) + b"\0"
    )
    scan = _segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\x0f"
    extra = _segment(0xE1, b"Exif\0\0" + exif(orientation)) + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE)
    extra += _segment(0xED, b"Photoshop 3.0\0" + PLACE) + _segment(0xFE, PLACE)
    size = _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    return b"\xff\xd8" + size + extra + table + frame + codes + scan + b"\xff\xd9" + b"ftypmp42" + PLACE


def png():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    said = chunk(b"tEXt", b"Comment\0" + PLACE) + chunk(b"eXIf", exif())
    return b"\x89PNG\r\n\x1a\n" + head + said + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"") + PLACE


def webp():
    def chunk(kind, body):
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    parts = chunk(b"VP8X", bytes([0x0C]) + bytes(9)) + chunk(b"VP8L", b"\x2f\0\0\0\0\x88\x88\x08")
    parts += chunk(b"EXIF", exif()) + chunk(b"XMP ", PLACE)
    return b"RIFF" + struct.pack("<I", len(parts) + 4) + b"WEBP" + parts


def pdf():
    return (
        b"%PDF-1.4\n1 0 obj <</Length 9>> stream\n"
        + jpeg()
        + b"\nendstream\n<x:xmpmeta>"
        + PLACE
        + b"</x:xmpmeta>\n%%EOF"
    )
