"""The outbox: keeps what the meters said, on disk and numbered, until the server has stored it.

Sequence numbers are given at commit, from 1, without a hole. A row is *acked* when its number is at or below
``store_hw``; acked rows stay for the replay window, since a store can lose what it acknowledged. Rows dropped on
purpose leave a tombstone, which travels like data. Readings without a known time wait, without a number.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from edge_agent.outbox import held
from edge_agent.outbox.ballast import Ballast
from edge_agent.outbox.file import Row, lock_outbox, new_epoch, noting_damage, open_database, row_crc
from edge_agent.outbox.points import Points
from edge_agent.outbox.reader import REPLAY, OutboxReader, Played
from edge_agent.outbox.room import DEFAULT_ROOM, Room, bury, bury_unnumbered, make_room, remember

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

log = structlog.get_logger()

LIVE, BACKLOG = 0, 1
"""Lanes: what was just read, and what is played from recordings."""

UNCONFIRMED = "unconfirmed_from"
"""The fact by which a file that was opened knows itself until the server has said that it knows no more than it."""

LIVE_MS = 600_000
"""A reading that waited longer than this for the clock is history."""

Sample = tuple[str, int, float, int]
"""``point id, t_ms, value, quality``."""


class Outbox:
    """The one writer of its file; ``reader`` answers questions beside it. Safe to use from several threads."""

    def __init__(self, path: Path, now_ms: int, *, kept: Iterable[str] = (), room: Room = DEFAULT_ROOM) -> None:
        """Open or create; ``kept`` names the points whose readings are dropped last (security states).

        Raises ``ConfigError`` if the folder is read-only or another agent uses the file.
        """
        self.path = path
        self._file_lock = lock_outbox(path)
        self._room, self._writing = room, threading.RLock()
        self._ballast = Ballast(path.parent, room.ballast_bytes)
        self._ballast.drop()  # a full disk has no room even to open the file
        self._db = open_database(path, now_ms)
        self.reader = OutboxReader(path)
        self._ballast.keep()
        self.is_full = False
        facts = dict(self._db.execute("SELECT name, value FROM fact"))
        self.epoch: str = facts["epoch"]
        self._newest, self._store_hw = int(facts["newest"]), int(facts["store_hw"])
        self._saved_store_hw = self._store_hw
        self.unconfirmed_from = self._opened_at(facts.get(UNCONFIRMED, ""))
        self._is_scarce = False
        self.dropped = 0
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
        return self._store_hw == self._saved_store_hw and not (self._is_scarce or self.is_full)

    def name(self, point: int) -> str:
        """The id of a point by its number in this file."""
        return self._points.name(point)

    def is_kept(self, name: str) -> bool:
        """Whether readings of a point are dropped last."""
        return self._points.is_kept(name)

    def oldest(self) -> int:
        """The lowest sequence number still held, as a row or as a tombstone; ``newest + 1`` if none is."""
        return self.reader.oldest() or self._newest + 1

    def commit(self, samples: Sequence[Sample], lane: int = LIVE, played: Played | None = None) -> int:
        """Put samples on disk in one transaction and return the highest sequence number.

        Live samples get strictly increasing times per point: two readings of one instant would overwrite each other.
        Raises ``sqlite3.Error`` with nothing changed if the disk is full or failing.
        """
        with self._writing, self._changing_points():
            rows = [(self._points.number(name), t_ms, x, q) for name, t_ms, x, q in samples]
            newest = self._insert(rows, lane, is_live=lane == LIVE)
            if played is not None:
                remember(self._db, REPLAY + played.file, f"{played.lines} {played.rows}")
            return newest

    def hold(self, boot: str, samples: Sequence[Sample]) -> None:
        """Keep live samples whose time is a time since boot. Raises ``sqlite3.Error`` with nothing changed."""
        with self._writing, self._changing_points():
            held.hold(self._db, boot, [(self._points.number(name), t_ms, x, q) for name, t_ms, x, q in samples])

    def release(self, boot: str, offset_ms: int, now_ms: int) -> bool:
        """Date and number some of the readings that waited for the clock. False if none wait any more."""
        if not self.reader.undated():
            return False
        with self._writing, self._changing_points():
            dated, spoilt = held.take(self._db, boot, offset_ms, self._points.newest_ms())
            lane = LIVE if dated and dated[0][1] > now_ms - LIVE_MS else BACKLOG
            newest = self._insert(dated, lane, is_live=True)
            self._bury_held(newest, spoilt)
            log.info("clock_dated", rows=len(dated))
            return True

    def give_up(self, rows: int, reason: str) -> None:
        """Number readings that never came to disk, for their tombstone. Raises ``sqlite3.Error``, nothing changed."""
        with self._writing, self._changing_points():
            bury_unnumbered(self._db, self._newest, rows, reason)

    def rows(self, first: int, last: int, limit: int) -> list[Row]:
        """At most ``limit`` sound rows from ``first`` on without a hole; one that fails its CRC becomes a tombstone."""
        sound: list[Row] = []
        for row, crc in self.reader.rows(first, last, limit):
            if sound and row[0] != sound[-1][0] + 1:
                break
            if crc != row_crc(row):
                self._set_aside(row[0])
                break
            sound.append(row)
        return sound

    def free(self, store_hw: int) -> None:
        """Mark everything up to ``store_hw`` acked; on disk with the next ``tidy``."""
        self._store_hw = max(self._store_hw, min(store_hw, self._newest))

    def rewind(self, store_id: str) -> None:
        """Take the mark back: another store has come, and it may have nothing. On disk together with its name."""
        with self._writing, self._transaction():
            remember(self._db, "store_id", store_id)
            remember(self._db, "store_hw", "0")
        self._store_hw = self._saved_store_hw = 0

    def begin_epoch(self) -> None:
        """Go on under another epoch, in which the server has nothing yet."""
        epoch = new_epoch()
        with self._writing, self._transaction():
            remember(self._db, "epoch", epoch)
            remember(self._db, "store_hw", "0")
            remember(self._db, UNCONFIRMED, "")
        self.epoch, self._store_hw, self._saved_store_hw, self.unconfirmed_from = epoch, 0, 0, None

    def confirm(self) -> None:
        """The server knows no number that this file had not given when it was opened: it is no older copy."""
        self.remember(UNCONFIRMED, "")
        self.unconfirmed_from = None

    def _opened_at(self, before: str) -> int | None:
        """The newest number as of the first opening that is not confirmed; None in a new file, which nobody knows.

        Whoever puts an older copy back, and reads on, gives numbers again that the server has.
        """
        if not before and self._newest:
            before = str(self._newest)
            remember(self._db, UNCONFIRMED, before)
        return int(before) if before else None

    def tidy(self, uptime_s: float) -> None:
        """Write marks down, let acked rows go that left the replay window, and drop what exceeds the bounds."""
        spare_bytes, store_hw = self._spare_bytes(), self._store_hw
        self._is_scarce = self._room.is_scarce(spare_bytes)
        with self._writing:
            with self._transaction():
                remember(self._db, "store_hw", str(store_hw))
                total_s = self._uptime_before_s + uptime_s
                remember(self._db, "uptime_s", str(total_s))
                dropped = make_room(self._db, self._room, self._newest, store_hw, total_s, spare_bytes)
                numbers = self._drop_undated(spare_bytes, dropped)
            self._newest += numbers
            self.dropped += dropped + numbers
            self._saved_store_hw = store_hw
            self._take_ballast()

    def remember(self, name: str, value: str) -> None:
        """Write something down."""
        with self._writing:
            remember(self._db, name, value)

    def unstored_backlog(self) -> int:
        """How many backlog rows the server has not stored yet."""
        return self.reader.backlog_rows(self._store_hw, self._newest)

    def close(self) -> None:
        """Close the file and let another agent have it."""
        with self._writing:
            self.reader.close()
            self._db.close()
            self._file_lock.release()

    def _spare_bytes(self) -> int:
        """What may still come in: room on the disk and in pages that deleted rows left, within the file's bound."""
        used, freed = self.reader.bytes_used()
        disk = shutil.disk_usage(self.path.parent).free
        return min(disk + freed, self._room.file_bytes - used)

    def _take_ballast(self) -> None:
        """After the disk was full: give freed pages back to it, and take the ballast again as soon as it fits."""
        if self.is_full:
            self._db.execute(f"PRAGMA incremental_vacuum({self._room.step_rows // 8})").fetchall()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._ballast.keep()
        if self.is_full and (self._ballast.is_there() or not self._ballast.size):
            self.is_full = False
            log.info("disk_has_room")

    def _drop_undated(self, spare_bytes: int, dropped: int) -> int:
        """The oldest readings without a time, telemetry first, if they are too many: numbered for their tombstone."""
        waiting = self.reader.undated()
        excess = max(waiting - self._room.unstored_rows, 0)
        if self._room.is_exhausted(spare_bytes) and not dropped:
            excess = max(excess, min(waiting, self._room.step_rows))
        gone = held.drop(self._db, excess) if excess else 0
        return bury_unnumbered(self._db, self._newest, gone, "clock_unset") - self._newest

    def _insert(self, rows: Sequence[held.Held], lane: int, *, is_live: bool) -> int:
        """Number rows ``point, t_ms, x, q`` and write them, inside a transaction."""
        numbered: list[Row] = []
        for seq, (point, t_ms, x, q) in enumerate(rows, self._newest + 1):
            numbered.append((seq, lane, point, self._points.rising(point, t_ms) if is_live else t_ms, x, q))
        self._db.executemany(
            "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)", [(*row, row_crc(row)) for row in numbered]
        )
        newest = self._newest + len(rows)
        remember(self._db, "newest", str(newest))
        if is_live:
            self._points.keep_times({row[2] for row in numbered})
        return newest

    def _set_aside(self, seq: int) -> None:
        """A row that the disk has changed: keep it for a person, and tell the server that it is gone.

        Where a column of an index was changed the row cannot be deleted until the indexes follow.
        """
        with self._writing, self._transaction():
            self._db.execute("REINDEX reading_time")
            self._db.execute("REINDEX reading_live")
            self._db.execute("INSERT OR REPLACE INTO spoilt SELECT * FROM reading WHERE seq = ?", (seq,))
            self._db.execute("DELETE FROM reading WHERE seq = ?", (seq,))
            bury(self._db, [(seq, seq)], "crc_mismatch")
        log.error("outbox_row_spoilt", seq=seq)

    def _bury_held(self, newest: int, spoilt: Sequence[held.HeldRow]) -> None:
        """Inside a transaction: as ``_set_aside``, for rows that had no number yet."""
        for seq, (_, _, *columns) in enumerate(spoilt, newest + 1):
            self._db.execute("INSERT OR REPLACE INTO spoilt VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, LIVE, *columns))
            log.error("held_row_spoilt", seq=seq)
        bury_unnumbered(self._db, newest, len(spoilt), "crc_mismatch")

    @contextmanager
    def _changing_points(self) -> Iterator[None]:
        """A transaction that gives numbers and times; what it gave is forgotten if it fails."""
        try:
            with self._transaction():
                yield
        except sqlite3.Error:
            self._points.load()
            raise
        self._newest = int(self._db.execute("SELECT value FROM fact WHERE name = 'newest'").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with noting_damage(self.path):
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
                self._note_full(error)
            raise

    def _note_full(self, error: BaseException) -> None:
        self._ballast.drop()
        if not self.is_full:
            log.error("disk_full", error=str(error))
        self.is_full = True
