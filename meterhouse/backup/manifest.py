"""What a backup says of itself: at its beginning whose it is, at its end what must have come before."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from facility.errors import ConfigError

FORM = 1
"""The form of a backup that this Meterhouse writes and reads."""

HEAD, MANIFEST = "backup.json", "manifest.json"
"""First and last in the archive."""

FOLDER = "folder/"
"""Before the name of every other part: its place in the data folder."""

MOST_BYTES = 64 * 2**20

Document = TypeVar("Document")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Whose backup it is, and who can read it."""

    form: int
    meterhouse: str
    """The version that wrote it."""

    site: str
    folder_id: str
    """Of the data folder, for ids of sites are no secret and may repeat."""

    made_at: datetime
    folder_version: int
    records_schema: str
    watermarks_schema: int
    expected_bytes: int
    """How much it needs unpacked, by what the files measured when it was begun."""


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file. ``rows`` are counts by table, of files that are databases."""

    name: str
    size: int
    sha256: str
    rows: dict[str, int] = {}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Every part, in order, and what is kept elsewhere and so is not in here."""

    parts: list[KeptFile]
    elsewhere: list[str] = []

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    def rows(self, file: str) -> dict[str, int]:
        """Rows by table of a database."""
        return next((part.rows for part in self.parts if part.name == file), {})


def written(document: msgspec.Struct) -> bytes:
    """A document as it stands in a backup."""
    return msgspec.json.format(msgspec.json.encode(document))


def read(content: bytes, kind: type[Document]) -> Document:
    """A document of a backup. Raises ``ConfigError`` for what is none of its kind."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"what the backup says of itself cannot be read: {error}") from None
