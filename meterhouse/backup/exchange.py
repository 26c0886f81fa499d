"""One data folder in the place of another: nobody works there meanwhile, and the old one stays beside it."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sqlite3
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Unavailable
from meterhouse.backup.contents import NOTES, READINGS, RECORDS
from meterhouse.backup.filling import check_vacant, fill, is_volume
from meterhouse.backup.owner import leave_to_owner
from meterhouse.demo.folder import MARK as DEMO
from meterhouse.up.folder import LOCK
from process.health import noted_health
from process.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

OURS = ("folder.json", "settings.env", NOTES, RECORDS, READINGS)
"""A folder with one of these is a server's."""

LOCKS = (LOCK, "ingest.lock", "backup.lock")
AT_FDCWD, EXCHANGE = -100, 2
"""renameat2(2): paths as they are, and both names exchanged in one step."""


@contextmanager
def held(folder: Path, doing: str, *, may_be_volume: bool = False) -> Iterator[None]:
    """Keep every process away. Raises ``ConfigError`` where one runs, or the folder is somebody else's.

    A volume that ``may_be`` one is vacant.
    """
    with ExitStack() as locks:
        if folder.exists():
            _check_ours(folder, may_be_volume=may_be_volume)
            taken = f"a server runs in {folder}: end it before {doing} ('meterhouse down')"
            for name in LOCKS:
                if (folder / name).exists():
                    locks.callback(FileLock(folder / name, taken).release)
            if _answers(folder):
                raise ConfigError(taken)
        yield


@contextmanager
def beside(folder: Path, doing: str) -> Iterator[Path]:
    """A new, empty folder beside another (in one that is a volume); gone when left, unless it was put in its place.

    What one that was killed left is cleared away. Raises ``Unavailable`` where the disk or a database fails.
    """
    place, named = (folder, "") if is_volume(folder) else (folder.parent, folder.name)
    for left in place.glob(f"{named}.{doing}-*"):
        shutil.rmtree(left)
    new = place / f"{named}.{doing}-{secrets.token_hex(4)}"
    try:
        new.mkdir(parents=True, mode=0o700)
        yield new
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{folder} stays as it is, for a copy beside it fails: {_why(error)}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def put(new: Path, folder: Path, named: str, now: datetime) -> Path | None:
    """Exchange the two; the old one is ``named`` for now. Raises ``OSError``, with the old one in place.

    It is called so before the exchange: whatever bears that name is never cleared away, for an instant later it is
    the old folder.
    """
    leave_to_owner(new, folder)
    flush(new)
    if is_volume(folder):
        fill(new, folder)
        return None
    if not folder.exists():
        new.rename(folder)
        return None
    before = _free(folder.with_name(f"{folder.name}.{named}-{now:%Y%m%dT%H%M%SZ}"))
    new.rename(before)
    try:
        _exchange(before, folder)
    except OSError:
        before.rename(new)
        raise
    return before


def _free(wanted: Path) -> Path:
    """A name that nothing bears: one that was killed in this same second has left the other."""
    others = (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
    return next(name for name in chain([wanted], others) if not name.exists())


def flush(new: Path) -> None:
    """To disk, before the old folder goes."""
    for path in [*new.rglob("*"), new]:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _why(error: OSError | sqlite3.Error) -> str:
    """Of a whole tree that could not be copied, what the first of its files says."""
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        return str(error.args[0][0][-1])
    return str(getattr(error, "strerror", None) or error)


def _check_ours(folder: Path, *, may_be_volume: bool) -> None:
    if is_volume(folder) and may_be_volume:
        check_vacant(folder)
        return
    if not folder.is_dir() or folder.is_symlink() or is_volume(folder):
        raise ConfigError(f"{folder} is no folder of its own that can be exchanged: name a place within it by --data")
    if (folder / DEMO).exists():
        raise ConfigError(f"{folder} holds a demo; choose another folder by --data")
    if any(folder.iterdir()) and not any((folder / name).exists() for name in OURS):
        raise ConfigError(f"{folder} holds other files and no server; choose another folder by --data")


def _answers(folder: Path) -> bool:
    """Whether a process of the folder answers: analytics and console hold no lock."""
    from meterhouse.overview import ask  # noqa: PLC0415 - it reads what processes answer

    return bool(ask(noted_health(folder)).processes)


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
