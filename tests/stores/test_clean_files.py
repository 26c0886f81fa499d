"""Photos and files are known by what is in them, and kept without where and by whom they were made."""

import struct

import pytest
from rigs.photos import PLACE, jpeg, pdf, png, webp

from facility.errors import Rejected
from stores.records.orders.clean_files import MOST_BYTES, FileKind, clean_file

SAMPLES = {FileKind.JPEG: jpeg(), FileKind.PNG: png(), FileKind.WEBP: webp()}


@pytest.mark.parametrize("kind", SAMPLES)
def test_of_a_photo_the_picture_stays_and_the_place_goes(kind):
    found, cleaned = clean_file(SAMPLES[kind])
    assert found is kind
    assert PLACE in SAMPLES[kind]
    assert b"SECRET" not in cleaned
    assert clean_file(cleaned) == (kind, cleaned)


def test_a_jpeg_keeps_which_way_is_up_and_what_draws_it():
    _, cleaned = clean_file(jpeg(orientation=6))
    assert cleaned.count(b"Exif\0\0") == 1
    assert struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) in cleaned
    assert b"JFIF" in cleaned
    assert cleaned.endswith(b"\x0f\xff\xd9")
    assert b"Exif" not in clean_file(jpeg(orientation=1))[1]


def test_a_webp_says_no_more_that_it_has_what_it_has_not():
    _, cleaned = clean_file(webp())
    assert cleaned[20] & 0x0C == 0
    assert struct.unpack_from("<I", cleaned, 4)[0] == len(cleaned) - 8


def test_a_pdf_is_blanked_in_place():
    kind, cleaned = clean_file(pdf())
    assert (kind, len(cleaned)) == (FileKind.PDF, len(pdf()))
    inside = cleaned[: cleaned.index(b"endstream")]
    assert b"xmpmeta" not in cleaned
    assert inside.count(PLACE) < pdf().count(PLACE)


def test_a_text_is_a_text():
    assert clean_file("Ventil geschlossen 关阀\n".encode()) == (FileKind.TEXT, "Ventil geschlossen 关阀\n".encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file_unknown"),
        (b"MZ\0\0program", "file_unknown"),
        (b"\xfe\xff\x80nothing", "file_unknown"),
        (jpeg() + bytes(MOST_BYTES), "file_large"),
        (jpeg()[:60], "file_damaged"),
        (jpeg()[:-60], "file_damaged"),
        (b"\xff\xd8\xff", "file_damaged"),
        (png()[:40], "file_damaged"),
        (png().replace(b"IDAT", b"IDAX"), "file_damaged"),
        (webp()[:30], "file_damaged"),
    ],
)
def test_what_is_no_file_of_ours_is_refused(content, reason):
    with pytest.raises(Rejected) as refused:
        clean_file(content)
    assert refused.value.reason == reason
