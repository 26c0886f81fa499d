"""The points of an outbox: their numbers in its file, and the newest time of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

MOST_BACK_MS = 3 * 3_600_000
EARLIEST_MS = 1_735_689_600_000  # 2025-01-01T00:00Z
"""A clock that goes back further than this, to a time that can be, was wrong before and is right now."""


class Points:
    """Numbers and times of points, in memory as on disk. Changed only inside a transaction of the outbox."""

    def __init__(self, db: sqlite3.Connection, kept: Iterable[str]) -> None:
        self._db, self._kept = db, frozenset(kept)
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._newest_ms: dict[int, int] = {}
        self.load()

    def load(self) -> None:
        """Take what is on disk: at the beginning, and after a transaction that failed."""
        rows = self._db.execute("SELECT id, name, newest_ms FROM point").fetchall()
        self._numbers = {name: number for number, name, _ in rows}
        self._names = {number: name for number, name, _ in rows}
        self._newest_ms = {number: newest_ms for number, _, newest_ms in rows}

    def name(self, number: int) -> str:
        """The id of a point by its number."""
        return self._names[number]

    def number(self, name: str) -> int:
        """The number of a point; one that has no reading yet gets one."""
        if name not in self._numbers:
            number = len(self._numbers) + 1
            self._db.execute("INSERT INTO point VALUES (?, ?, ?, 0)", (number, name, name in self._kept))
            self._numbers[name], self._names[number], self._newest_ms[number] = number, name, 0
        return self._numbers[name]

    def rising(self, number: int, t_ms: int) -> int:
        """The time for a live reading: later than all before it, unless the clock was set back by hours."""
        newest_ms = self._newest_ms[number]
        is_set_back = EARLIEST_MS <= t_ms < newest_ms - MOST_BACK_MS
        self._newest_ms[number] = t_ms if is_set_back else max(t_ms, newest_ms + 1)
        return self._newest_ms[number]

    def keep_times(self, numbers: Iterable[int]) -> None:
        """Write the newest times of these points down."""
        moved = [(self._newest_ms[number], number) for number in numbers]
        self._db.executemany("UPDATE point SET newest_ms = ? WHERE id = ?", moved)
