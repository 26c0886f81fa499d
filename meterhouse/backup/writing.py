"""Writes a backup of a server, which goes on meanwhile: files in order, databases each as one state of its own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from facility.errors import ConfigError, MeterhouseError, Unavailable
from ingest.watermarks import SCHEMA_VERSION
from meterhouse.backup.contents import READINGS, RECORDS, Found, contents
from meterhouse.backup.influx import FOLDER as INFLUX
from meterhouse.backup.keys import read_recipients
from meterhouse.backup.manifest import FOLDER, FORM, HEAD, MANIFEST, Head, KeptFile, Manifest, written
from meterhouse.backup.owner import leave_to_owner
from meterhouse.backup.sealing import CHUNK_BYTES, END, header, padding, seal
from meterhouse.backup.snapshot import check_room, snapshot
from meterhouse.up.folder import VERSION, own_id, say_version
from process.lock import FileLock
from stores.records.database import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from meterhouse.backup.sources import Sources

LOCK = "backup.lock"
COPIES = ".backup"
"""The folder of copies of databases, one at a time; gone when a backup ends, and begun anew by the next."""

NEW = ".part"
"""A backup that is being written is called so until it is whole."""

SUFFIX = ".tar.age"
COUNTED = {RECORDS: None, READINGS: ("reading",)}
"""Whose rows are counted: of the readings' figures there are as many again, which would take minutes."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole."""

    file: Path
    size: int
    made_at: datetime
    manifest: Manifest
    lacks: str = ""
    """What should be in it and is not, and why."""


def write_backup(sources: Sources, to: Path, now: datetime) -> Made:
    """Write one into the folder ``to``: whole under its name, or not at all.

    Raises ``ConfigError`` for what a person must change, ``Unavailable`` for a full disk or another backup under way.
    """
    say_version(sources.folder)
    recipients = read_recipients(sources.folder)
    held = FileLock(sources.folder / LOCK, f"another backup of {sources.folder} is being written")
    try:
        _make(to, sources.folder)
        file = to / f"meterhouse-{sources.site}-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
        new = file.with_name(file.name + NEW)
        _clear(to, sources.site)
        check_room(to, sources.expected_bytes(to), "a backup")
        manifest = _write(sources, new, to, recipients, now)
        new.rename(file)
    except OSError as error:
        raise Unavailable(f"the backup in {to} cannot be written: {error.strerror or error}") from None
    finally:
        held.release()
    return Made(file, file.stat().st_size, now, manifest, "; ".join(sources.lacking))


def _make(to: Path, folder: Path) -> None:
    is_new = not to.exists()
    try:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        if is_new:
            leave_to_owner(to, folder)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(
            f"{to} is no folder, and so no place for backups: name one by --to or METERHOUSE_BACKUP"
        ) from None


def backups_in(folder: Path, site: str) -> list[Path]:
    """Backups of a site that are whole, oldest first."""
    return sorted(path for path in folder.iterdir() if re.fullmatch(_named(site) + re.escape(SUFFIX), path.name))


def _named(site: str) -> str:
    """What the names of a site's backups are like: one site's id may begin as that of another."""
    return rf"meterhouse-{re.escape(site)}-\d{{8}}T\d{{6}}Z"


def _clear(to: Path, site: str) -> None:
    """Away with what was written of one that was killed."""
    for left in to.iterdir():
        if re.fullmatch(_named(site) + re.escape(SUFFIX + NEW), left.name):
            left.unlink()


def _write(sources: Sources, new: Path, to: Path, recipients: list, now: datetime) -> Manifest:  # type: ignore[type-arg]
    with _copies(sources.folder) as copies:
        archive = _Archive(sources, copies, to, now)
        try:
            with new.open("xb", CHUNK_BYTES) as out:
                seal(archive.pieces(), out, recipients)
                out.flush()
                os.fsync(out.fileno())
        except (OSError, MeterhouseError, KeyboardInterrupt):
            new.unlink(missing_ok=True)
            raise
    return archive.manifest


@contextmanager
def _copies(folder: Path) -> Iterator[Path]:
    place = folder / COPIES
    shutil.rmtree(place, ignore_errors=True)  # of one that was killed
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@dataclass
class _Archive:
    """The pieces of one archive, and what was in it once they are drawn."""

    sources: Sources
    copies: Path
    to: Path
    now: datetime
    manifest: Manifest = field(default_factory=lambda: Manifest(parts=[]))

    def pieces(self) -> Iterator[bytes]:
        key = self.sources.audit_key()
        yield from self._document(HEAD, written(self._head()))
        for found in contents(self.sources.folder, self.sources.databases, self.to):
            yield from self._copied(found) if found.is_database else self._file(found.path, found.name, {})
        if records := self.sources.copy_records(self.copies / RECORDS):
            yield from self._file(self.copies / RECORDS, RECORDS, records)
        for file in self.sources.copy_influx(self.copies / INFLUX, self.now):
            yield from self._file(file, f"{INFLUX}/{file.name}", {})
            file.unlink()
        if self.sources.audit_key() != key:
            raise Unavailable("the audit trail was sealed anew while the backup was written: write it once more")
        self.manifest = Manifest(parts=self.manifest.parts, elsewhere=self.sources.elsewhere)
        yield from self._document(MANIFEST, written(self.manifest))
        yield END

    def _head(self) -> Head:
        return Head(
            form=FORM,
            meterhouse=version("meterhouse"),
            site=self.sources.site,
            folder_id=own_id(self.sources.folder),
            made_at=self.now,
            folder_version=VERSION,
            records_schema=NEWEST,
            watermarks_schema=SCHEMA_VERSION,
            expected_bytes=self.sources.expected_bytes(self.to),
        )

    def _document(self, name: str, content: bytes) -> Iterator[bytes]:
        yield header(name, len(content), 0o600, self.now.timestamp())
        yield content
        yield padding(len(content))

    def _copied(self, found: Found) -> Iterator[bytes]:
        copy = self.copies / found.path.name
        rows = snapshot(found.path, copy, COUNTED.get(found.name, ()))
        yield from self._file(copy, found.name, rows)
        copy.unlink()

    def _file(self, path: Path, name: str, rows: dict[str, int]) -> Iterator[bytes]:
        """As many bytes as it has now: what grows meanwhile is a journal, whose end may be torn anywhere."""
        try:
            opened = path.open("rb")
        except FileNotFoundError:  # it went meanwhile: a segment whose readings are stored
            return
        with opened as file:
            status = os.fstat(file.fileno())
            digest, left = hashlib.sha256(), status.st_size
            yield header(FOLDER + name, left, status.st_mode & 0o777, status.st_mtime)
            while left:
                piece = file.read(min(left, CHUNK_BYTES))
                if not piece:
                    raise Unavailable(f"{path} became shorter while it was read: write the backup once more")
                digest.update(piece)
                left -= len(piece)
                yield piece
            yield padding(status.st_size)
        self.manifest.parts.append(KeptFile(name=name, size=status.st_size, sha256=digest.hexdigest(), rows=rows))
