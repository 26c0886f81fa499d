"""How far the journal is stored, per stream and in all: noted after the store has flushed, and only then told."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from facility.errors import ConfigError, StoreUnavailable
from facility.ranges import RangeSet
from ingest.streams import heard_last

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ingest.entry import Entry, Stream

log = structlog.get_logger()

SCHEMA_VERSION = 5
"""3: hours by number. 4: what would cost readings if it were another number has a checksum.
5: so have hours, and they say what their readings come to."""

HOURS_BY_NUMBER = 3
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

PAGE_BYTES = 512
"""A few bytes change in each group, and whole pages are written. A file of before keeps its larger ones."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS store (id TEXT NOT NULL, crc INTEGER);
CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL, crc INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watermark (
  agent TEXT, epoch TEXT, ranges TEXT NOT NULL, at_ms INTEGER NOT NULL, crc INTEGER, PRIMARY KEY (agent, epoch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone (
  agent TEXT, epoch TEXT, first INTEGER, last INTEGER, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (agent, epoch, first, last)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total (name TEXT PRIMARY KEY, readings INTEGER NOT NULL, crc INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hour (
  segment INTEGER, agent TEXT, epoch TEXT, hour_ms INTEGER, points TEXT NOT NULL, ranges TEXT NOT NULL,
  seals TEXT NOT NULL DEFAULT '', crc INTEGER,
  PRIMARY KEY (segment, agent, epoch, hour_ms)
) WITHOUT ROWID;
"""

_FORGET_HOUR = "DELETE FROM hour WHERE segment BETWEEN 0 AND ? AND agent = ? AND epoch = ? AND hour_ms = ?"
_CHECKED = {
    "store": "id",
    "progress": "name, value",
    "watermark": "agent, epoch, ranges, at_ms",
    "total": "name, readings",
}
"""What is held to its checksum: table → columns."""


class Watermarks:
    """The store writer's own notes, one transaction a group. ``stored`` may be asked by any thread.

    ``store_id`` names this file: agents rewind when it is lost. ``meterhouse restore`` gives a file from a backup
    another name. One that was put back by hand brings its old one; then greetings show what is missing, and
    ``ingest.gaps`` asks for it.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises ``ConfigError`` where it cannot be used.

        One that the disk has changed is set aside for a person, and begun anew: the journal is stored once more, and
        agents go back to their oldest row.
        """
        self.kept_as = ""
        try:
            self.connection, self.store_id = self._opened(path)
            self.cursor, self.reached = self._progress("cursor"), self._progress("store_cursor")
            rows = self.connection.execute("SELECT agent, epoch, ranges FROM watermark ORDER BY at_ms").fetchall()
            self._totals = dict(self.connection.execute("SELECT name, readings FROM total"))
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}:
                raise StoreUnavailable(f"the watermarks in {path} cannot be opened now: {error}") from None
            raise ConfigError(f"the watermarks in {path} cannot be used: {error}") from None
        self.noted_ms = self._newest_note()
        self._stored = {(agent, epoch): RangeSet(json.loads(ranges)) for agent, epoch, ranges in rows}

    def advance(
        self, end: int, entries: Sequence[Entry], at_ms: int, *, refused_by_store: int = 0, reached: int = 0
    ) -> None:
        """The journal is stored up to ``end`` with ``entries``. Raises ``StoreUnavailable``, then nothing has moved.

        ``reached`` is how far the store's own log of changes has come: a store that has come less far is an older one.
        """
        changed, reopened = self._changed(entries)
        streams_left, forgotten = heard_last(self._stored, changed)
        stones = [(*e.stream, first, last, reason, at_ms) for e in entries for first, last, reason in e.tombs]
        streams = [_sealed(*stream, json.dumps(list(ranges)), at_ms) for stream, ranges in changed.items()]
        hours = [(before - 1, *e.stream, hour_ms) for e in entries for hour_ms, before in e.recounted]
        counts = _counted(entries, refused_by_store) | {"reopened": reopened}
        totals = {name: self._totals.get(name, 0) + counts.get(name, 0) for name in self._totals | counts}
        sums = [_sealed(*one) for one in totals.items()]
        try:
            with self.connection:
                self.connection.execute("BEGIN IMMEDIATE")
                self.connection.executemany("INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?, ?)", streams)
                self.connection.executemany("INSERT OR IGNORE INTO tombstone VALUES (?, ?, ?, ?, ?, ?)", stones)
                self.connection.executemany("INSERT OR REPLACE INTO total VALUES (?, ?, ?)", sums)
                self.connection.executemany(_FORGET_HOUR, hours)  # they come again and are counted then
                for table in ("watermark", "tombstone", "hour") if forgotten else ():
                    self.connection.executemany(f"DELETE FROM {table} WHERE agent = ? AND epoch = ?", forgotten)  # noqa: S608 - our own words
                marks = [_sealed("cursor", end), _sealed("store_cursor", max(self.reached, reached))]
                self.connection.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", marks)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the watermarks cannot be kept: {error}") from error
        self.cursor, self.noted_ms, self.reached = end, max(self.noted_ms, at_ms), max(self.reached, reached)
        self._stored = streams_left
        self._totals = totals

    def stored(self, stream: Stream) -> RangeSet:
        """Numbers of a stream that are stored, kept aside or explained. Never changed afterwards."""
        return self._stored.get(stream, _NOTHING)

    def streams(self) -> dict[Stream, RangeSet]:
        """Every stream: where a lost journal begins anew."""
        return dict(self._stored)

    def totals(self) -> dict[str, int]:
        """Readings ever ``stored`` and ``quarantined``; numbers ``reopened`` come and count again."""
        return {"stored": 0, "quarantined": 0, "reopened": 0, **self._totals}

    def tombstones(self) -> list[tuple[str, str, int, int, str]]:
        """Agent, epoch, first and last number and reason of everything that was dropped on purpose."""
        query = "SELECT agent, epoch, first, last, reason FROM tombstone ORDER BY agent, epoch, first"
        return list(self.connection.execute(query))

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _changed(self, entries: Iterable[Entry]) -> tuple[dict[Stream, RangeSet], int]:
        """The ranges as they will be, and how many numbers were stored before and are to come again."""
        changed: dict[Stream, RangeSet] = {}
        reopened = 0
        for entry in entries:
            if not (entry.claimed or entry.reopened):
                continue
            ranges = changed.setdefault(entry.stream, self.stored(entry.stream).copy())
            for first, last in entry.claimed:
                ranges.add(first, last)
            before = ranges.size()
            for first, last in entry.reopened:
                ranges.remove(first, last)
            reopened += before - ranges.size()
        return changed, reopened

    def _newest_note(self) -> int:
        """The latest time by our clock at which anything was stored."""
        return int(self.connection.execute("SELECT COALESCE(MAX(at_ms), 0) FROM watermark").fetchone()[0])

    def begin_store_anew(self, reached: int) -> None:
        """The store's log of changes has only come so far, and all has been compared. Raises ``sqlite3.Error``."""
        self.connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", _sealed("store_cursor", reached))
        self.reached = reached

    def _progress(self, name: str) -> int:
        found = self.connection.execute("SELECT value FROM progress WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    def _opened(self, path: Path) -> tuple[sqlite3.Connection, str]:
        try:
            return _open(path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in DAMAGE:
                raise
            aside = path.with_name(f"{path.name}.corrupt-{time.time_ns() // 1_000_000}")
            for suffix in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
            log.error("watermarks_damaged", kept_as=str(aside), error=str(error))  # noqa: TRY400 - of the disk
            self.kept_as = str(aside)
            return _open(path)


def renew_store(path: Path) -> str:
    """Give the file another name: agents then send again what they still hold. Returns it; raises ``sqlite3.Error``.

    Only where no ingest uses it, and after the file was put back from a backup.
    """
    fresh = _sealed(str(uuid4()))
    with closing(sqlite3.connect(path)) as connection, connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(store)")}
        connection.execute("UPDATE store SET id = ?", fresh[:1])
        if "crc" in columns:  # of before it has none, and stays as its Meterhouse can read it
            connection.execute("UPDATE store SET crc = ?", fresh[1:])
    return str(fresh[0])


def _open(path: Path) -> tuple[sqlite3.Connection, str]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda text: text.decode(errors="replace")  # what the disk changed is found by checksums
    try:
        return connection, _prepare(connection, path)
    except (sqlite3.Error, ConfigError):
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, path: Path) -> str:
    """Durable before it is told: the agent frees its rows on our word (synchronous FULL)."""
    for setting in (f"page_size={PAGE_BYTES}", "journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {setting}").close()
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        (version,) = cursor.fetchone()
    if version > SCHEMA_VERSION:
        raise ConfigError(f"the watermarks in {path} were written by a newer Meterhouse")
    if version < SCHEMA_VERSION:
        _bring_up(connection, version)
    _check(connection)
    (store_id,) = connection.execute("SELECT id FROM store").fetchone()
    return str(store_id)


def _bring_up(connection: sqlite3.Connection, version: int) -> None:
    if version < HOURS_BY_NUMBER:
        connection.execute("DROP TABLE IF EXISTS hour")  # it can be counted again from the journal
    connection.executescript(_SCHEMA)
    for table in (*_CHECKED, "hour"):
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if "crc" not in columns:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN crc INTEGER")
        if table == "hour" and "seals" not in columns:
            connection.execute("ALTER TABLE hour ADD COLUMN seals TEXT NOT NULL DEFAULT ''")
    if version < HOURS_BY_NUMBER:
        connection.execute("DELETE FROM progress WHERE name = 'counted'")
    if connection.execute("SELECT 1 FROM store").fetchone() is None:
        connection.execute("INSERT INTO store VALUES (?, ?)", _sealed(str(uuid4())))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check(connection: sqlite3.Connection) -> None:
    """Raise ``sqlite3.DatabaseError`` where the disk has changed the file; what is of before has no checksum."""
    (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if finding != "ok":
        raise sqlite3.DatabaseError(finding)
    for table, columns in _CHECKED.items():
        for *words, crc in connection.execute(f"SELECT {columns}, crc FROM {table}"):  # noqa: S608 - our own words
            if crc is not None and crc != _sealed(*words)[-1]:
                raise sqlite3.DatabaseError(f"the disk has changed the table {table}")


def _sealed(*words: object) -> tuple[object, ...]:
    """The words with their checksum."""
    return *words, zlib.crc32("\0".join(map(str, words)).encode("utf-8", "replace"))


_NOTHING = RangeSet()


def _counted(entries: Sequence[Entry], refused_by_store: int) -> dict[str, int]:
    """Readings stored and set aside. What was counted as set aside before, and is stored now, changes sides."""
    stored = sum(len(entry.readings) for entry in entries if entry.readings)
    counted_before = [entry for entry in entries if entry.replayed and not entry.claimed]
    quarantined = sum(item.count for entry in entries for item in entry.refused if entry.claimed or not entry.replayed)
    quarantined -= sum(len(entry.readings) for entry in counted_before if entry.readings)
    return {"stored": stored - refused_by_store, "quarantined": quarantined + refused_by_store}
