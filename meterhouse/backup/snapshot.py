"""One state of a SQLite file in a copy of its own, while others go on writing it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from facility.errors import StoreUnavailable, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

BUSY_S = 30.0
LEAST_LEFT_BYTES = 64 * 2**20
"""So much stays free: the server goes on while a copy lies beside its files."""


def snapshot(file: Path, copy: Path, counted: tuple[str, ...] | None) -> dict[str, int]:
    """Copy the file as it is in one transaction; its rows by table, of all tables where ``counted`` is None.

    Who writes waits for nobody. Raises ``Unavailable`` where there is no room, ``StoreUnavailable`` where the file
    cannot be read.
    """
    check_room(copy.parent, size_of(file), f"a copy of {file.name}")
    try:
        with closing(_looking_at(file)) as source, closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA synchronous=OFF")  # it is read once, now
            source.backup(target)
            names = [name for (name,) in target.execute(_TABLES)] if counted is None else counted
            return {name: _count(target, name) for name in names}
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{file} cannot be copied: {error}") from None


def _looking_at(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)


def check_room(folder: Path, needed: int, what: str) -> None:
    """Raise ``Unavailable`` where a folder has not so many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed + LEAST_LEFT_BYTES:
        mib = (needed + LEAST_LEFT_BYTES - free) // 2**20 + 1
        raise Unavailable(f"the disk of {folder} has not enough room for {what}: {mib:,} MiB are lacking")


def size_of(file: Path) -> int:
    """Bytes of a database with its log."""
    beside = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (beside.stat().st_size if beside.exists() else 0)


def _count(connection: sqlite3.Connection, name: str) -> int:
    quoted = name.replace('"', '""')
    return int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608 - a name of its own


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
