"""The outbox's file: its tables, how it is opened, and what happens when it is found broken."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import struct
import zlib
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS point (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kept INTEGER NOT NULL, newest_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reading (
    seq INTEGER PRIMARY KEY, lane INTEGER NOT NULL, point INTEGER NOT NULL,
    t_ms INTEGER NOT NULL, x REAL NOT NULL, q INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS reading_live ON reading (seq) WHERE lane = 0;
CREATE TABLE IF NOT EXISTS spoilt (seq INTEGER PRIMARY KEY, lane, point, t_ms, x, q, crc);
CREATE TABLE IF NOT EXISTS tombstone (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS age (seq INTEGER PRIMARY KEY, uptime_s REAL NOT NULL);
CREATE TABLE IF NOT EXISTS replay (file TEXT PRIMARY KEY, lines INTEGER NOT NULL, rows INTEGER NOT NULL) WITHOUT ROWID;
"""

ROW_FORMAT = struct.Struct("<qqqqdq")

Row = tuple[int, int, int, int, float, int]
"""``seq, lane, point, t_ms, x, q`` as stored."""


def row_crc(row: Row) -> int:
    """CRC-32 of everything that a row says."""
    return zlib.crc32(ROW_FORMAT.pack(*row))


class FileLock:
    """Lets one agent at a time have an outbox. The lock goes with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise ConfigError(f"another agent already uses the outbox {path.with_suffix('.db')}") from None

    def release(self) -> None:
        """Let another agent have it."""
        os.close(self._fd)


def open_database(path: Path, now_ms: int) -> sqlite3.Connection:
    """The outbox as a connection for writing. A broken file is set aside under another name, for a person."""
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # cannot open or write: not the file's contents
            raise ConfigError(f"the outbox {path} cannot be used: {error}") from None
        aside = path.with_name(f"{path.name}.corrupt-{now_ms}")
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        log.error("outbox_corrupt", kept_as=str(aside), error=str(error))  # noqa: TRY400 - a fact of the disk, not of ours
        return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        findings = connection.execute("PRAGMA quick_check(1)").fetchone()
        if findings != ("ok",):
            raise sqlite3.DatabaseError(findings[0])
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(SCHEMA)
        epoch = secrets.token_hex(8)
        connection.execute(
            "INSERT OR IGNORE INTO fact VALUES ('epoch', ?), ('newest', '0'), ('store_hw', '0')", (epoch,)
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def connect(path: Path, *, mode: str = "rwc") -> sqlite3.Connection:
    """A connection that commits by itself unless a transaction is begun."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
