"""The outbox's file: its tables, how it is opened, and what happens when it is found broken."""

from __future__ import annotations

import secrets
import sqlite3
import struct
import zlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError
from process.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = structlog.get_logger()

SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS point (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kept INTEGER NOT NULL, crc INTEGER NOT NULL,
    newest_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reading (
    seq INTEGER PRIMARY KEY, lane INTEGER NOT NULL, point INTEGER NOT NULL,
    t_ms INTEGER NOT NULL, x REAL NOT NULL, q INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS reading_live ON reading (seq) WHERE lane = 0;
CREATE INDEX IF NOT EXISTS reading_time ON reading (point, t_ms) WHERE lane = 0;
CREATE TABLE IF NOT EXISTS held (
    id INTEGER PRIMARY KEY, boot TEXT NOT NULL, point INTEGER NOT NULL,
    uptime_ms INTEGER NOT NULL, x REAL NOT NULL, q INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS spoilt (seq INTEGER PRIMARY KEY, lane, point, t_ms, x, q, crc);
CREATE TABLE IF NOT EXISTS tombstone (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS age (seq INTEGER PRIMARY KEY, uptime_s REAL NOT NULL);
"""

ROW_FORMAT = struct.Struct("<qqqqdq")

CHECKPOINT_PAGES = 256
"""The log is written back at 1 MiB, not at SQLite's 4: it must fit beside the file on a small disk."""

SURROUNDINGS = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
"""Failures of the disk, the folder or another process: the file's contents are not to blame."""

Row = tuple[int, int, int, int, float, int]
"""``seq, lane, point, t_ms, x, q`` as stored."""


def row_crc(row: Row) -> int:
    """CRC-32 of everything that a row says; -1, which no row has, where the disk made a number something else."""
    try:
        return zlib.crc32(ROW_FORMAT.pack(*row))
    except struct.error:
        return -1


def words_crc(*words: object) -> int:
    """CRC-32 of a fact or of a point: bit rot in a name would give one meter's readings to another."""
    return zlib.crc32("\0".join(map(str, words)).encode())


def new_epoch() -> str:
    """The random id under which an outbox counts its readings."""
    return secrets.token_hex(8)


def lock_outbox(path: Path) -> FileLock:
    """Let one agent at a time have an outbox. Raises ``ConfigError`` if another has it."""
    return FileLock(path.with_suffix(".lock"), f"another agent already uses the outbox {path}")


def open_database(path: Path, now_ms: int) -> sqlite3.Connection:
    """The outbox as a connection for writing. A broken file is set aside under another name, for a person."""
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in SURROUNDINGS:
            raise ConfigError(f"the outbox {path} cannot be used: {error}") from None
        aside = path.with_name(f"{path.name}.corrupt-{now_ms}")
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        log.error("outbox_corrupt", kept_as=str(aside), error=str(error))  # noqa: TRY400 - a fact of the disk, not of ours
        return _open(path)


def set_aside(path: Path) -> int:
    """How many broken files lie beside the outbox, for ``.recover`` by a person."""
    return sum(1 for part in path.parent.glob(f"{path.name}.corrupt-*") if part.suffix[-4:] not in {"-wal", "-shm"})


@contextmanager
def noting_damage(path: Path) -> Iterator[None]:
    """A running agent that meets damage ends; its next start shall then look at everything, indexes too."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            path.with_suffix(".broken").touch()
        raise


def _open(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        _check(connection, path.with_suffix(".broken"))
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA journal_size_limit = 0")
        connection.executescript(SCHEMA)
        _check_words(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, broken: Path) -> None:
    """Raise ``sqlite3.DatabaseError`` for a damaged file, and for tables that are not ours."""
    if broken.exists():
        connection.execute("REINDEX")
        findings = connection.execute("PRAGMA integrity_check(1)").fetchone()
    else:
        findings = connection.execute("PRAGMA quick_check(1)").fetchone()
    if findings != ("ok",):
        raise sqlite3.DatabaseError(findings[0])
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(SCHEMA)
        ours = set(fresh.execute("SELECT name, sql FROM sqlite_master"))
    found = set(connection.execute("SELECT name, sql FROM sqlite_master"))
    if found and found != ours:
        raise sqlite3.DatabaseError("its tables are not as this version makes them")
    broken.unlink(missing_ok=True)


def _check_words(connection: sqlite3.Connection) -> None:
    """Begin a new file's epoch; raise ``sqlite3.DatabaseError`` if a fact or a point is not what was written."""
    facts = [("epoch", new_epoch()), ("newest", "0"), ("store_hw", "0")]
    connection.executemany("INSERT OR IGNORE INTO fact VALUES (?, ?, ?)", [(*f, words_crc(*f)) for f in facts])
    for table, columns in (("fact", "name, value"), ("point", "id, name, kept")):
        for *words, crc in connection.execute(f"SELECT {columns}, crc FROM {table}"):  # noqa: S608 - our own words
            if crc != words_crc(*words):
                raise sqlite3.DatabaseError(f"the table '{table}' was changed by the disk")
    newest = connection.execute("SELECT value FROM fact WHERE name = 'newest'").fetchone()[0]
    if int(newest) < connection.execute("SELECT COALESCE(MAX(seq), 0) FROM reading").fetchone()[0]:
        raise sqlite3.DatabaseError("it holds readings beyond its newest number")


def connect(path: Path, *, mode: str = "rwc") -> sqlite3.Connection:
    """A connection that commits by itself unless a transaction is begun."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    connection.text_factory = lambda text: text.decode(errors="replace")  # bit rot is found by checksums, not here
    return connection
