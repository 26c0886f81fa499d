"""How far each agent's stream is done, kept on disk after the store has committed and before anybody is told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

from facility.errors import ConfigError, StoreUnavailable
from ingest.intervals import Intervals

if TYPE_CHECKING:
    from pathlib import Path

    from facility.wire import Range, Tombstones

SCHEMA_VERSION = 1
CACHED_STREAMS = 1_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS store (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS watermark (
  agent TEXT, epoch TEXT, ranges TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (agent, epoch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone (
  agent TEXT, epoch TEXT, first INTEGER, last INTEGER, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (agent, epoch, first, last)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total (name TEXT PRIMARY KEY, readings INTEGER NOT NULL) WITHOUT ROWID;
"""

Stream = tuple[str, str]
"""Agent and its stream epoch."""


class Watermarks:
    """Interval sets per stream. ``claim`` marks in memory, ``commit`` makes it durable, ``unclaim`` takes it back.

    ``store_id`` names this file: agents rewind when it changes, as after a restore from a backup.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises ``ConfigError`` where it cannot be used."""
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self.store_id = self._prepare(path)
        except sqlite3.Error as error:
            raise ConfigError(f"the watermarks in {path} cannot be used: {error}") from None
        self._streams: dict[Stream, Intervals] = {}
        self._claimed: set[Stream] = set()
        self._tombstones: list[tuple[str, str, int, int, str]] = []

    def claim(self, stream: Stream, first: int, last: int) -> list[Range]:
        """Mark numbers as done, in memory, and return those that were not done before."""
        intervals = self.of(stream)
        fresh = intervals.missing(first, last)
        if fresh:
            intervals.add(first, last)
            self._claimed.add(stream)
        return fresh

    def bury(self, message: Tombstones) -> None:
        """Claim what an agent dropped on purpose, and remember why: a hole that is explained is no loss."""
        stream = (message.dev, message.ep)
        for stone in message.tomb:
            self.claim(stream, stone.start, stone.end)
            self._tombstones.append((*stream, stone.start, stone.end, stone.reason))

    def commit(self, at_ms: int, *, stored: int = 0, quarantined: int = 0) -> None:
        """Make all claims durable, with the readings they stand for. Raises ``StoreUnavailable``."""
        streams = [(*key, json.dumps(self._streams[key].ranges), at_ms) for key in self._claimed]
        stones = [(*stone, at_ms) for stone in self._tombstones]
        add = "INSERT INTO total VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET readings = readings + excluded.readings"
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?)", streams)
                self._connection.executemany("INSERT OR IGNORE INTO tombstone VALUES (?, ?, ?, ?, ?, ?)", stones)
                self._connection.executemany(add, [("stored", stored), ("quarantined", quarantined)])
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the watermarks cannot be kept: {error}") from error
        self._settle()
        if len(self._streams) > CACHED_STREAMS:
            self._streams.clear()

    def unclaim(self) -> None:
        """Forget what was claimed since the last commit: its readings were not stored."""
        for stream in self._claimed:
            self._streams.pop(stream, None)
        self._settle()

    def of(self, stream: Stream) -> Intervals:
        """What is done of a stream."""
        if stream not in self._streams:
            query = "SELECT ranges FROM watermark WHERE agent = ? AND epoch = ?"
            row = self._connection.execute(query, stream).fetchone()
            self._streams[stream] = Intervals(json.loads(row[0]) if row else ())
        return self._streams[stream]

    def totals(self) -> dict[str, int]:
        """Readings ever ``stored`` and ``quarantined``, each sequence number once."""
        return {"stored": 0, "quarantined": 0, **dict(self._connection.execute("SELECT name, readings FROM total"))}

    def tombstones(self) -> list[tuple[str, str, int, int, str]]:
        """Agent, epoch, first and last number and reason of everything that was dropped on purpose."""
        query = "SELECT agent, epoch, first, last, reason FROM tombstone ORDER BY agent, epoch, first"
        return list(self._connection.execute(query))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _settle(self) -> None:
        self._claimed.clear()
        self._tombstones.clear()

    def _prepare(self, path: Path) -> str:
        """Durable before it is told: the agent frees its rows on our word (synchronous FULL)."""
        for setting in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
            self._connection.execute(f"PRAGMA {setting}").close()
        with closing(self._connection.execute("PRAGMA user_version")) as cursor:
            (version,) = cursor.fetchone()
        if version > SCHEMA_VERSION:
            raise ConfigError(f"the watermarks in {path} were written by a newer Meterhouse")
        if version == 0:
            self._connection.executescript(_SCHEMA)
            self._connection.execute(
                "INSERT INTO store SELECT ? WHERE NOT EXISTS (SELECT 1 FROM store)", (str(uuid4()),)
            )
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        (store_id,) = self._connection.execute("SELECT id FROM store").fetchone()
        return str(store_id)
