"""Unpacks a backup into a folder of its own, and holds every file to what the backup says of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from facility.errors import ConfigError, Unavailable, quoted
from ingest.watermarks import SCHEMA_VERSION
from meterhouse.backup.manifest import FOLDER, FORM, HEAD, MANIFEST, MOST_BYTES, Head, KeptFile, Manifest, read
from meterhouse.backup.sealing import CHUNK_BYTES, Opened
from meterhouse.up.folder import VERSION
from stores.records.database import NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from tarfile import TarInfo

    from pyrage import x25519


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup that was read to its end and found whole."""

    head: Head
    manifest: Manifest


def unpack(
    file: Path, identities: Sequence[x25519.Identity], into: Path | None, check: Callable[[Head], None]
) -> Unpacked:
    """Read a backup to its end; ``into`` is an empty folder for its files, or None to look at them only.

    ``check`` hears whose it is before anything is written. Raises ``ConfigError`` for what is no backup, cut short,
    changed, of a newer Meterhouse, or of another key, ``Unavailable`` for a full disk.
    """
    head, manifest, found = None, None, list[KeptFile]()
    with Opened(file, identities) as opened:
        for member, content in opened.members():
            if head is None:
                head = _head(file, member, content)
                check(head)
            elif member.name == MANIFEST:
                manifest = read(content.read(MOST_BYTES), Manifest)
            else:
                found.append(_unpack_file(file, member, content, into))
    if head is None or manifest is None:
        raise ConfigError(f"the backup {file} is cut short: its end is missing")
    said = [(part.name, part.size, part.sha256) for part in manifest.parts]
    if said != [(part.name, part.size, part.sha256) for part in found]:
        raise ConfigError(f"the backup {file} does not hold the files that it names")
    return Unpacked(head, manifest)


def _head(file: Path, member: TarInfo, content: IO[bytes]) -> Head:
    """Raise ``ConfigError`` for what this Meterhouse cannot read."""
    if member.name != HEAD:
        raise ConfigError(f"{file} is no backup of Meterhouse")
    text = content.read(MOST_BYTES)
    _check_form(file, text)
    head = read(text, Head)
    newer = head.folder_version > VERSION or head.records_schema > NEWEST or head.watermarks_schema > SCHEMA_VERSION
    if newer:
        raise ConfigError(
            f"the backup {file} was written by a newer Meterhouse ({head.meterhouse}, records of schema"
            f" {head.records_schema}; this one reads {NEWEST}): restore it with that one"
        )
    return head


def _check_form(file: Path, text: bytes) -> None:
    form = read(text, dict[str, object]).get("form")
    if not isinstance(form, int) or form > FORM:
        raise ConfigError(f"the backup {file} was written by a newer Meterhouse (form {form}, this one reads {FORM})")


def _unpack_file(file: Path, member: TarInfo, content: IO[bytes], into: Path | None) -> KeptFile:
    name = PurePosixPath(member.name.removeprefix(FOLDER))
    if not member.name.startswith(FOLDER) or name.is_absolute() or ".." in name.parts or not name.parts:
        raise ConfigError(f"the backup {file} names a file outside of the data folder: {quoted(member.name)}")
    digest = hashlib.sha256()
    try:
        target = None if into is None else _made(into / name, member.mode)
        while piece := content.read(CHUNK_BYTES):
            digest.update(piece)
            if target:
                target.write(piece)
        if target:
            target.close()
    except OSError as error:
        raise Unavailable(f"{into} cannot be written: {error.strerror}") from None
    return KeptFile(name=str(name), size=member.size, sha256=digest.hexdigest())


def _made(path: Path, mode: int) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened = path.open("xb", CHUNK_BYTES)
    path.chmod(mode & 0o700)
    return opened
