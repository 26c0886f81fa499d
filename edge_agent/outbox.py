"""The outbox: keeps what the meters said, on disk and numbered, until the server has stored it.

Sequence numbers are given at commit, from 1, without a hole. A row is *acked* when its number is at or below
``store_hw``; acked rows stay for the replay window, since a store can lose what it acknowledged. Rows dropped on
purpose leave a tombstone, which travels like data.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from array import array
from contextlib import closing, contextmanager
from dataclasses import dataclass
from math import fsum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from edge_agent.outbox_file import FileLock, Row, connect, open_database, row_crc
from edge_agent.outbox_points import Points
from edge_agent.outbox_room import DEFAULT_ROOM, SCARCE_BYTES, Room, bury, make_room
from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

log = structlog.get_logger()

LIVE, BACKLOG = 0, 1
"""Lanes: what was just read, and what is played from recordings."""

Sample = tuple[str, int, float, int]
"""``point id, t_ms, value, quality``."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the replay of one file has come: lines played, rows among them."""

    file: str
    lines: int
    rows: int


class Outbox:
    """One writer; readers have a connection of their own. Safe to use from several threads."""

    def __init__(self, path: Path, now_ms: int, *, kept: Iterable[str] = (), room: Room = DEFAULT_ROOM) -> None:
        """Open or create; ``kept`` names the points whose readings are dropped last (security states).

        Raises ``ConfigError`` if the folder is read-only or another agent uses the file.
        """
        try:
            self._file_lock = FileLock(path.with_suffix(".lock"))
        except OSError as error:
            raise ConfigError(f"the data folder {path.parent} cannot be written: {error.strerror}") from None
        self._path, self._room = path, room
        self._writing, self._reading = threading.RLock(), threading.Lock()
        self._db = open_database(path, now_ms)
        self._reader = connect(path, mode="ro")
        facts = dict(self._db.execute("SELECT name, value FROM fact"))
        self.epoch: str = facts["epoch"]
        self._newest, self._store_hw = int(facts["newest"]), int(facts["store_hw"])
        self._saved_store_hw = self._store_hw
        self._is_scarce = False
        self._uptime_before_s = float(facts.get("uptime_s", 0))
        self._points = Points(self._db, kept)

    @property
    def newest(self) -> int:
        """The highest sequence number given so far; 0 in an empty outbox."""
        return self._newest

    @property
    def store_hw(self) -> int:
        """Everything up to here is stored by the server."""
        return self._store_hw

    @property
    def is_tidy(self) -> bool:
        """Whether the mark is on disk, and the disk has room."""
        return self._store_hw == self._saved_store_hw and not self._is_scarce

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._path

    def name(self, point: int) -> str:
        """The id of a point by its number in this file."""
        return self._points.name(point)

    def oldest(self) -> int:
        """The lowest sequence number still held, as a row or as a tombstone; ``newest + 1`` if none is."""
        lowest = self._one("SELECT MIN(n) FROM (SELECT MIN(seq) n FROM reading UNION SELECT MIN(first) FROM tombstone)")
        return int(lowest or self._newest + 1)

    def held(self) -> int:
        """How many rows are held, acked ones included."""
        return int(self._one("SELECT COUNT(*) FROM reading"))

    def commit(
        self,
        samples: Sequence[Sample],
        lane: int = LIVE,
        played: Progress | None = None,
        facts: Mapping[str, str] = MappingProxyType({}),
    ) -> int:
        """Put samples on disk in one transaction and return the highest sequence number.

        Live samples get strictly increasing times per point: two readings of one instant would overwrite each other.
        A clock set back by hours is believed again: times that only creep on would be wrong until it catches up.
        Raises ``sqlite3.Error`` with nothing changed if the disk is full or failing.
        """
        with self._writing:
            try:
                with self._transaction():
                    rows = self._rows(samples, lane)
                    self._db.executemany(
                        "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)", [(*row, row_crc(row)) for row in rows]
                    )
                    newest = self._newest + len(rows)
                    self._db.execute("UPDATE fact SET value = ? WHERE name = 'newest'", (str(newest),))
                    if lane == LIVE:
                        self._points.keep_times({row[2] for row in rows})
                    for name, value in facts.items():
                        self._remember(name, value)
                    if played is not None:
                        self._db.execute(
                            "INSERT OR REPLACE INTO replay VALUES (?, ?, ?)", (played.file, played.lines, played.rows)
                        )
            except sqlite3.Error:
                self._points.load()
                raise
            self._newest = newest
            return newest

    def rows(self, first: int, last: int, limit: int) -> list[Row]:
        """At most ``limit`` sound rows from ``first`` on without a hole; one that fails its CRC becomes a tombstone."""
        return self._sound(
            self._all(
                "SELECT seq, lane, point, t_ms, x, q, crc FROM reading WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
                (first, last, limit),
            )
        )

    def next_live(self, first: int) -> int | None:
        """The lowest sequence number of a live row from ``first`` on."""
        found: int | None = self._one("SELECT MIN(seq) FROM reading WHERE lane = 0 AND seq >= ?", (first,))
        return found

    def next_row(self, first: int) -> int | None:
        """The lowest sequence number of any row from ``first`` on."""
        found: int | None = self._one("SELECT MIN(seq) FROM reading WHERE seq >= ?", (first,))
        return found

    def tombstone_at(self, seq: int) -> tuple[int, int, str] | None:
        """The tombstone ``first, last, reason`` that stands for a sequence number."""
        found = self._all(
            "SELECT first, last, reason FROM tombstone WHERE first <= ? ORDER BY first DESC LIMIT 1", (seq,)
        )
        return found[0] if found and found[0][1] >= seq else None

    def tombstones(self) -> list[tuple[int, int, str]]:
        """All tombstones, oldest first."""
        return self._all("SELECT first, last, reason FROM tombstone ORDER BY first")

    def free(self, store_hw: int) -> None:
        """Mark everything up to ``store_hw`` acked; on disk with the next ``tidy``."""
        self._store_hw = max(self._store_hw, min(store_hw, self._newest))

    def rewind(self, store_id: str) -> None:
        """Take the mark back: another store has come, and it may have nothing. On disk together with its name."""
        with self._writing, self._transaction():
            self._remember("store_id", store_id)
            self._remember("store_hw", "0")
        self._store_hw = self._saved_store_hw = 0

    def tidy(self, uptime_s: float) -> None:
        """Write marks down, let acked rows go that left the replay window, and drop what exceeds the bound."""
        free_bytes = self._free_bytes()
        self._is_scarce = free_bytes < SCARCE_BYTES
        with self._writing, self._transaction():
            if self._store_hw != self._saved_store_hw:
                self._remember("store_hw", str(self._store_hw))
            total_s = self._uptime_before_s + uptime_s
            self._remember("uptime_s", str(total_s))
            make_room(self._db, self._room, self._newest, self._store_hw, total_s, free_bytes)
        self._saved_store_hw = self._store_hw

    def fact(self, name: str) -> str:
        """Something written down before, or an empty word."""
        found = self._all("SELECT value FROM fact WHERE name = ?", (name,))
        return found[0][0] if found else ""

    def remember(self, name: str, value: str) -> None:
        """Write something down."""
        with self._writing:
            self._remember(name, value)

    def progress(self) -> dict[str, Progress]:
        """How far each replay file has come."""
        return {row[0]: Progress(*row) for row in self._all("SELECT file, lines, rows FROM replay")}

    def unstored_backlog(self) -> int:
        """How many backlog rows the server has not stored yet: all numbers less the live and the dropped ones."""
        mark, newest = self._store_hw, self._newest  # counting the backlog itself would read millions of rows
        live = self._one("SELECT COUNT(*) FROM reading WHERE lane = 0 AND seq > ? AND seq <= ?", (mark, newest))
        dropped = self._one("SELECT TOTAL(last - MAX(first, ? + 1) + 1) FROM tombstone WHERE last > ?", (mark, mark))
        return newest - mark - int(live) - int(dropped)

    def close(self) -> None:
        """Close the file and let another agent have it."""
        with self._writing, self._reading:
            self._reader.close()
            self._db.close()
            self._file_lock.release()

    def _free_bytes(self) -> int:
        """What the file may still take in: the disk's free room, and its own pages that deleted rows left."""
        pages = self._one("PRAGMA freelist_count") * self._one("PRAGMA page_size")
        return shutil.disk_usage(self._path.parent).free + int(pages)

    def _rows(self, samples: Sequence[Sample], lane: int) -> list[Row]:
        rows: list[Row] = []
        for seq, (name, t_ms, x, q) in enumerate(samples, self._newest + 1):
            point = self._points.number(name)
            time_ms = self._points.rising(point, t_ms) if lane == LIVE else t_ms
            rows.append((seq, lane, point, time_ms, x, q))
        return rows

    def _sound(self, rows: list[tuple[int, int, int, int, float, int, int]]) -> list[Row]:
        """The rows up to the first hole or spoilt row."""
        sound: list[Row] = []
        for seq, lane, point, t_ms, x, q, crc in rows:
            row = (seq, lane, point, t_ms, x, q)
            if sound and row[0] != sound[-1][0] + 1:
                break
            if crc != row_crc(row):
                self._set_aside(row[0])
                break
            sound.append(row)
        return sound

    def _set_aside(self, seq: int) -> None:
        """A row that the disk has changed: keep it for a person, and tell the server that it is gone."""
        with self._writing, self._transaction():
            self._db.execute("INSERT OR REPLACE INTO spoilt SELECT * FROM reading WHERE seq = ?", (seq,))
            self._db.execute("DELETE FROM reading WHERE seq = ?", (seq,))
            bury(self._db, [(seq, seq)], "crc_mismatch")
        log.error("outbox_row_spoilt", seq=seq)

    def _remember(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _all(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._reading:
            return self._reader.execute(sql, values).fetchall()

    def _one(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        return self._all(sql, values)[0][0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def produced(path: Path) -> Mapping[str, tuple[int, float]]:
    """Count and exact sum of all rows in an outbox by point id, opened for reading only."""
    values: dict[int, array[float]] = {}
    with closing(connect(path, mode="ro")) as db:
        names = dict(db.execute("SELECT id, name FROM point"))
        for point, x in db.execute("SELECT point, x FROM reading"):
            values.setdefault(point, array("d")).append(x)
    return {names[point]: (len(xs), fsum(xs)) for point, xs in values.items()}
