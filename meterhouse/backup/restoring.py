"""Puts a backup in the place of a data folder: unpacked and held to its word beside it, then exchanged in one step."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError, StoreUnavailable, Unavailable
from ingest.watermarks import renew_store
from meterhouse.backup.contents import NOTES, READINGS, RECORDS
from meterhouse.backup.homecoming import note_restored
from meterhouse.backup.placing import place_records, place_stores
from meterhouse.backup.snapshot import check_room
from meterhouse.backup.sources import UNNAMED, site_of
from meterhouse.backup.unpacking import Unpacked, unpack
from meterhouse.demo.folder import MARK as DEMO
from meterhouse.up.folder import LOCK, known_id
from process.health import noted_health
from process.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pyrage import x25519

    from meterhouse.backup.manifest import Head

OURS = ("folder.json", "settings.env", NOTES, RECORDS, READINGS)
"""A folder with one of these is a server's."""

RESTORING, BEFORE = "restoring", "before-restore"
AT_FDCWD, EXCHANGE = -100, 2
"""renameat2(2): paths as they are, and both names exchanged in one step."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup in its place; ``before`` is the folder that stood there, if one did."""

    unpacked: Unpacked
    before: Path | None


def restore_backup(file: Path, identities: Sequence[x25519.Identity], folder: Path, now: datetime) -> Restored:
    """Restore a backup. Until its last step the folder stands as it was, and after it the old one stands beside.

    Raises ``ConfigError`` for what a person must change and ``Unavailable`` for a full disk, with nothing changed.
    """
    with ExitStack() as held:
        _hold(folder, held)
        for left in folder.parent.glob(f"{folder.name}.{RESTORING}-*"):
            shutil.rmtree(left)  # of one that was killed
        new = folder.with_name(f"{folder.name}.{RESTORING}-{secrets.token_hex(4)}")
        try:
            new.mkdir(parents=True, mode=0o700)
            unpacked = unpack(file, identities, new, lambda head: _check(file, head, folder))
            _make_its_own(new, folder, unpacked, now)
            _flush(new)
            before = _put(new, folder, now)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{folder} cannot be restored: {getattr(error, 'strerror', None) or error}") from None
        finally:
            shutil.rmtree(new, ignore_errors=True)  # where it was put in place it is there no more
    return Restored(unpacked, before)


def look(file: Path, identities: Sequence[x25519.Identity]) -> Unpacked:
    """Read a backup to its end and say what is in it; nothing is written."""
    return unpack(file, identities, None, lambda _: None)


def _hold(folder: Path, held: ExitStack) -> None:
    """Keep every process away. Raises ``ConfigError`` where one runs, or the folder is somebody else's."""
    if not folder.exists():
        return
    if not folder.is_dir() or folder.is_symlink() or os.path.ismount(folder):
        raise ConfigError(f"{folder} is no folder of its own that can be exchanged: name a place within it by --data")
    if (folder / DEMO).exists():
        raise ConfigError(f"{folder} holds a demo; choose another folder by --data")
    if any(folder.iterdir()) and not any((folder / name).exists() for name in OURS):
        raise ConfigError(f"{folder} holds other files and no server; choose another folder by --data")
    taken = f"a server runs in {folder}: end it before a restore ('meterhouse down')"
    for name in (LOCK, "ingest.lock", "backup.lock"):
        if (folder / name).exists():
            held.callback(FileLock(folder / name, taken).release)
    if _answers(folder):
        raise ConfigError(taken)


def _answers(folder: Path) -> bool:
    """Whether a process of the folder answers: analytics and console hold no lock."""
    from meterhouse.overview import ask  # noqa: PLC0415 - it reads what processes answer

    return bool(ask(noted_health(folder)).processes)


def _check(file: Path, head: Head, folder: Path) -> None:
    """Raise ``ConfigError`` for the backup of another server, ``Unavailable`` where it has no room."""
    check_room(folder.parent if folder.parent.exists() else folder.parent.parent, head.expected_bytes, "the backup")
    if not folder.exists() or not any(folder.iterdir()):
        return
    known = known_id(folder)
    site = _site(folder) if not known else head.site
    if (known and known != head.folder_id) or site not in {UNNAMED, head.site}:
        raise ConfigError(
            f"{file} is the backup of another server (site {head.site}), and {folder} has one of its own:"
            " name an empty folder by --data"
        )


def _site(folder: Path) -> str:
    """Of a folder that says no id; nothing where its records cannot be read: they may be why somebody restores."""
    try:
        return site_of(f"sqlite:///{(folder / RECORDS).absolute()}")
    except (StoreUnavailable, ConfigError, sa.exc.SQLAlchemyError):
        return UNNAMED


def _make_its_own(new: Path, folder: Path, unpacked: Unpacked, now: datetime) -> None:
    """What must differ from the server that was backed up: the name of its store, and where its files lie."""
    settings = place_stores(new, folder)
    if (new / NOTES).exists():
        renew_store(new / NOTES)
    note_restored(new, settings.store_url, unpacked.head.made_at, now)
    place_records(new, settings.records)


def _flush(new: Path) -> None:
    """To disk, before the old folder goes."""
    for path in [*new.rglob("*"), new]:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _put(new: Path, folder: Path, now: datetime) -> Path | None:
    """Exchange the two; the old one is named for now. Raises ``OSError``, with the old one in place.

    It is called so before the exchange: whatever bears that name is never cleared away, for an instant later it is
    the old folder.
    """
    if not folder.exists():
        new.rename(folder)
        return None
    before = folder.with_name(f"{folder.name}.{BEFORE}-{now:%Y%m%dT%H%M%SZ}")
    new.rename(before)
    try:
        _exchange(before, folder)
    except OSError:
        before.rename(new)
        raise
    return before


def _exchange(one: Path, other: Path) -> None:
    """Both names in one step; where the file system cannot, in three."""
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 and renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE) == 0:
        return
    if renameat2 and (error := ctypes.get_errno()) not in {errno.EINVAL, errno.ENOSYS}:
        raise OSError(error, os.strerror(error))
    aside = one.with_name(f"{one.name}.aside")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    aside.rename(one)
