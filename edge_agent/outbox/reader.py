"""Questions to an outbox, asked on a connection of their own, beside its one writer."""

from __future__ import annotations

import threading
from array import array
from contextlib import closing
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING, Any

from edge_agent.outbox.file import connect, noting_damage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_agent.outbox.file import Row

REPLAY = "replay:"
"""Prefix of the facts that say how far a recording has been played."""


@dataclass(frozen=True, slots=True)
class Played:
    """How far the replay of one file has come: lines played, rows among them."""

    file: str
    lines: int
    rows: int


class OutboxReader:
    """What is in the file as of its last commit. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = connect(path, mode="ro")
        self._reading = threading.Lock()

    def close(self) -> None:
        """Let the file go, after the question that is being answered."""
        with self._reading:
            self._db.close()

    def held(self) -> int:
        """How many rows are held, acked ones included."""
        return int(self._one("SELECT COUNT(*) FROM reading"))

    def undated(self) -> int:
        """How many readings wait for the clock."""
        return int(self._one("SELECT COALESCE(MAX(id) - MIN(id) + 1, 0) FROM held"))

    def oldest(self) -> int | None:
        """The lowest sequence number still held, as a row or as a tombstone; None if none is."""
        found: int | None = self._one(
            "SELECT MIN(n) FROM (SELECT MIN(seq) n FROM reading UNION SELECT MIN(first) FROM tombstone)"
        )
        return found

    def next_live(self, first: int) -> int | None:
        """The lowest sequence number of a live row from ``first`` on."""
        found: int | None = self._one("SELECT MIN(seq) FROM reading WHERE lane = 0 AND seq >= ?", (first,))
        return found

    def next_row(self, first: int) -> int | None:
        """The lowest sequence number of any row from ``first`` on."""
        found: int | None = self._one("SELECT MIN(seq) FROM reading WHERE seq >= ?", (first,))
        return found

    def rows(self, first: int, last: int, limit: int) -> list[tuple[Row, int]]:
        """At most ``limit`` rows from ``first`` to ``last``, each with the checksum that was written beside it."""
        found = self._all(
            "SELECT seq, lane, point, t_ms, x, q, crc FROM reading WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
            (first, last, limit),
        )
        return [((seq, lane, point, t_ms, x, q), crc) for seq, lane, point, t_ms, x, q, crc in found]

    def backlog_rows(self, after: int, last: int) -> int:
        """How many of the numbers ``after + 1`` to ``last`` are backlog rows, where ``last`` is the newest of all."""
        # counting the backlog itself would read millions of rows
        live = self._one("SELECT COUNT(*) FROM reading WHERE lane = 0 AND seq > ? AND seq <= ?", (after, last))
        dropped = self._one("SELECT TOTAL(last - MAX(first, ? + 1) + 1) FROM tombstone WHERE last > ?", (after, after))
        return last - after - int(live) - int(dropped)

    def newest_good(self) -> dict[str, tuple[int, float]]:
        """Time and value of the newest live reading of each point that is not suspect."""
        newest = "SELECT t_ms, x FROM reading WHERE lane = 0 AND point = ? AND q != 2 ORDER BY t_ms DESC LIMIT 1"
        found = {name: self._all(newest, (number,)) for number, name in self._all("SELECT id, name FROM point")}
        return {name: rows[0] for name, rows in found.items() if rows}

    def tombstone_at(self, seq: int) -> tuple[int, int, str] | None:
        """The tombstone ``first, last, reason`` that stands for a sequence number."""
        found = self._all(
            "SELECT first, last, reason FROM tombstone WHERE first <= ? ORDER BY first DESC LIMIT 1", (seq,)
        )
        return found[0] if found and found[0][1] >= seq else None

    def tombstones(self) -> list[tuple[int, int, str]]:
        """All tombstones, oldest first."""
        return self._all("SELECT first, last, reason FROM tombstone ORDER BY first")

    def fact(self, name: str) -> str:
        """Something written down before, or an empty word."""
        found = self._all("SELECT value FROM fact WHERE name = ?", (name,))
        return found[0][0] if found else ""

    def progress(self) -> dict[str, Played]:
        """How far each replay file has come."""
        rows = self._all("SELECT name, value FROM fact WHERE name LIKE ?", (f"{REPLAY}%",))
        said = {name.removeprefix(REPLAY): value.split() for name, value in rows}
        return {file: Played(file, int(lines), int(played)) for file, (lines, played) in said.items()}

    def bytes_used(self) -> tuple[int, int]:
        """Bytes of the file in use, and of its own pages that deleted rows left."""
        pages, free, size = (self._one(f"PRAGMA {word}") for word in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * size, free * size

    def _all(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._reading, noting_damage(self._path):
            return self._db.execute(sql, values).fetchall()

    def _one(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        return self._all(sql, values)[0][0]


def produced(path: Path) -> Mapping[str, tuple[int, float]]:
    """Count and exact sum of all rows in an outbox by point id, opened for reading only."""
    values: dict[int, array[float]] = {}
    with closing(connect(path, mode="ro")) as db:
        names = dict(db.execute("SELECT id, name FROM point"))
        for point, x in db.execute("SELECT point, x FROM reading"):
            values.setdefault(point, array("d")).append(x)
    return {names[point]: (len(xs), fsum(xs)) for point, xs in values.items()}
