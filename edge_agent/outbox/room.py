"""How the outbox stays bounded: stored rows leave after the replay window, then the oldest telemetry is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from edge_agent.outbox.file import words_crc

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from facility.wire import Range

log = structlog.get_logger()

AGE_MARK_S = 600.0

SCARCE_BALLASTS = 4
BYTES_PER_FREED_ROW = 512
"""What deleting a row may write to the log: one step of freeing must fit into the ballast."""


@dataclass(frozen=True, slots=True)
class Room:
    """Bounds of the outbox, in running time (a wall clock may step), in rows and in bytes.

    One rule for the disk and for ``file_bytes``: with less than four ballasts to spare, stored rows leave early; with
    less than one, the oldest rows not stored go too. Both go step by step. The ballast itself is given up when the
    disk is full all the same: SQLite needs room even to delete (measured: reliability, 7.4).
    """

    window_s: float = 7 * 86400.0
    window_rows: int = 5_000_000
    unstored_rows: int = 10_000_000
    file_bytes: int = 2 * 2**30
    ballast_bytes: int = 16 * 2**20

    def is_scarce(self, spare_bytes: int) -> bool:
        """Whether stored rows leave early."""
        return spare_bytes < SCARCE_BALLASTS * self.ballast_bytes

    def is_exhausted(self, spare_bytes: int) -> bool:
        """Whether even rows that are not stored must go."""
        return spare_bytes < self.ballast_bytes

    @property
    def step_rows(self) -> int:
        """Rows that are freed at once while room is scarce."""
        return self.ballast_bytes // BYTES_PER_FREED_ROW


DEFAULT_ROOM = Room()


def make_room(db: sqlite3.Connection, room: Room, newest: int, store_hw: int, uptime_s: float, spare_bytes: int) -> int:
    """Inside a transaction: note the age of the newest row, let stored rows go, drop what exceeds the bound.

    Returns how many rows went that were not stored.
    """
    last = db.execute("SELECT MAX(uptime_s) FROM age").fetchone()[0]
    if newest and (last is None or uptime_s - last >= AGE_MARK_S):
        db.execute("INSERT OR REPLACE INTO age VALUES (?, ?)", (newest, uptime_s))
    old = db.execute("SELECT MAX(seq) FROM age WHERE uptime_s < ?", (uptime_s - room.window_s,)).fetchone()[0] or 0
    oldest = db.execute("SELECT MIN(seq) FROM reading").fetchone()[0] or newest + 1
    early = oldest + room.step_rows - 1 if room.is_scarce(spare_bytes) else max(old, newest - room.window_rows)
    gone = min(store_hw, early)
    if gone > 0:
        db.execute("DELETE FROM reading WHERE seq <= ?", (gone,))
        db.execute("DELETE FROM tombstone WHERE last <= ?", (gone,))
        db.execute("DELETE FROM age WHERE seq < ?", (old,))
    excess = _count(db, store_hw) - room.unstored_rows if newest - store_hw > room.unstored_rows else 0
    if room.is_exhausted(spare_bytes) and store_hw < oldest <= newest:
        return _drop(db, store_hw, room.step_rows, "no_room")
    if excess > 0:
        return _drop(db, store_hw, excess + room.unstored_rows // 100, "outbox_full")  # some more: rarely done
    return 0


def bury(db: sqlite3.Connection, ranges: Iterable[Range], reason: str) -> None:
    """Leave tombstones; one that touches its neighbour of the same reason joins it."""
    for first, last in ranges:
        before = db.execute("SELECT first FROM tombstone WHERE last = ? AND reason = ?", (first - 1, reason)).fetchone()
        after = db.execute("SELECT last FROM tombstone WHERE first = ? AND reason = ?", (last + 1, reason)).fetchone()
        start, end = before[0] if before else first, after[0] if after else last
        db.execute("DELETE FROM tombstone WHERE first BETWEEN ? AND ?", (start, end))
        db.execute("INSERT INTO tombstone VALUES (?, ?, ?)", (start, end, reason))


def bury_unnumbered(db: sqlite3.Connection, newest: int, rows: int, reason: str) -> int:
    """Inside a transaction: readings that are gone before they had numbers get the next ones, for their tombstone.

    Returns the highest number given.
    """
    if not rows:
        return newest
    bury(db, [(newest + 1, newest + rows)], reason)
    remember(db, "newest", str(newest + rows))
    return newest + rows


def remember(db: sqlite3.Connection, name: str, value: str) -> None:
    """Write a fact with its checksum."""
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (name, value, words_crc(name, value)))


def _count(db: sqlite3.Connection, store_hw: int) -> int:
    return int(db.execute("SELECT COUNT(*) FROM reading WHERE seq > ?", (store_hw,)).fetchone()[0])


def _drop(db: sqlite3.Connection, store_hw: int, excess: int, reason: str) -> int:
    """Drop the oldest rows not stored yet, telemetry first and security states last."""
    found = db.execute(
        "SELECT seq FROM reading JOIN point ON point.id = reading.point WHERE seq > ? ORDER BY kept, seq LIMIT ?",
        (store_hw, excess),
    ).fetchall()
    dropped = sorted(seq for (seq,) in found)
    db.executemany("DELETE FROM reading WHERE seq = ?", [(seq,) for seq in dropped])
    bury(db, _runs(dropped), reason)
    log.warning(reason, dropped=len(dropped), first=dropped[0], last=dropped[-1])
    return len(dropped)


def _runs(numbers: Sequence[int]) -> list[Range]:
    """Sorted numbers as closed ranges."""
    runs: list[Range] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
