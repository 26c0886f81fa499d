"""The points of an outbox: their numbers in its file, and the newest time of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.outbox.file import words_crc

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

MOST_BACK_MS = 60_000
"""A time that lies further back was set back on purpose: creeping on behind the old one would be wrong for hours."""


class Points:
    """Numbers and times of points, in memory as on disk. Changed only inside a transaction of the outbox.

    The times of a point rise strictly, unless the clock is set back by more than ``MOST_BACK_MS``: they then go on from
    where it stands, and a time is passed over only if a reading still held has it. A reading whose row has left the
    replay window (``keep_days``, ``keep_rows``, or earlier on a scarce disk) protects its time no more: where the clock
    is set back beyond the window, a new reading of the very same millisecond takes its place in the store.
    """

    def __init__(self, db: sqlite3.Connection, kept: Iterable[str]) -> None:
        self._db, self._kept = db, frozenset(kept)
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._newest_ms: dict[int, int] = {}
        self._highest_ms: dict[int, int] = {}
        self.load()

    def load(self) -> None:
        """Take what is on disk: at the beginning, and after a transaction that failed."""
        rows = self._db.execute("SELECT id, name, newest_ms FROM point").fetchall()
        self._numbers = {name: number for number, name, _ in rows}
        self._names = {number: name for number, name, _ in rows}
        self._newest_ms = {number: newest_ms for number, _, newest_ms in rows}
        held = "SELECT MAX(t_ms) FROM reading WHERE lane = 0 AND point = ?"
        self._highest_ms = {
            number: max(newest_ms, self._db.execute(held, (number,)).fetchone()[0] or 0)
            for number, newest_ms in self._newest_ms.items()
        }

    def name(self, number: int) -> str:
        """The id of a point by its number."""
        return self._names[number]

    def is_kept(self, name: str) -> bool:
        """Whether readings of a point are dropped last."""
        return name in self._kept

    def number(self, name: str) -> int:
        """The number of a point; one that has no reading yet gets one."""
        if name not in self._numbers:
            number, kept = len(self._numbers) + 1, int(name in self._kept)
            crc = words_crc(number, name, kept)
            self._db.execute("INSERT INTO point VALUES (?, ?, ?, ?, 0)", (number, name, kept, crc))
            self._numbers[name], self._names[number] = number, name
            self._newest_ms[number] = self._highest_ms[number] = 0
        return self._numbers[name]

    def newest_ms(self) -> int:
        """The newest time of all points, 0 without any."""
        return max(self._newest_ms.values(), default=0)

    def rising(self, number: int, t_ms: int) -> int:
        """The time for a reading: later than the one before, or, where the clock was set back, one not yet taken."""
        newest_ms = self._newest_ms[number]
        if newest_ms - MOST_BACK_MS <= t_ms <= newest_ms:
            t_ms = newest_ms + 1
        while t_ms <= self._highest_ms[number] and self._is_taken(number, t_ms):
            t_ms += 1
        self._newest_ms[number] = t_ms
        self._highest_ms[number] = max(self._highest_ms[number], t_ms)
        return t_ms

    def keep_times(self, numbers: Iterable[int]) -> None:
        """Write the newest times of these points down."""
        moved = [(self._newest_ms[number], number) for number in numbers]
        self._db.executemany("UPDATE point SET newest_ms = ? WHERE id = ?", moved)

    def _is_taken(self, number: int, t_ms: int) -> bool:
        """Whether a reading of the point that is still held has this time: it would be overwritten."""
        taken = "SELECT 1 FROM reading WHERE lane = 0 AND point = ? AND t_ms = ?"
        return self._db.execute(taken, (number, t_ms)).fetchone() is not None
