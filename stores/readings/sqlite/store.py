"""Readings and rollups in one SQLite file: no server, several processes."""

from __future__ import annotations

import math
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from stores.readings.columns import columns_of, empty_series, switches_of
from stores.readings.port import Changes, Latest, PointTotal, RollupSeries, Series
from stores.readings.sqlite.file import SqliteFile
from stores.readings.sqlite.rollups import SqliteRollups

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from facility.model import ReadingBatch
    from stores.readings.columns import Columns
    from stores.readings.port import Times

FOLD_AFTER = 20_000
"""The write log keeps at least this many entries apart; older ones are folded to one per point."""

LAST_MS = 2**63 - 1
"""No reading is later: the greatest whole number that SQLite holds."""

_ROW = np.dtype([("t_ms", np.int64), ("x", np.float64), ("q", np.uint8)])

_UPSERT_READING = (
    "INSERT INTO reading (series, t_ms, x, q) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (series, t_ms) DO UPDATE SET x = excluded.x, q = excluded.q"
)
_RANGE = "FROM reading WHERE series = ?1 AND t_ms >= ?2 AND t_ms < ?3"
_READINGS = f"SELECT t_ms, x, q {_RANGE} ORDER BY t_ms"
_LEAST_AND_MOST = f"SELECT min(x), max(x) {_RANGE}"
_ENDS = (
    f"SELECT * FROM (SELECT t_ms, x, q {_RANGE} ORDER BY t_ms LIMIT 1) UNION"  # noqa: S608 - of constants
    f" SELECT * FROM (SELECT t_ms, x, q {_RANGE} ORDER BY t_ms DESC LIMIT 1) ORDER BY t_ms"
)
_NEWEST = "SELECT t_ms, x, q FROM reading WHERE series = ? AND t_ms <= ? ORDER BY t_ms DESC LIMIT 1"
_NEWEST_OF_STEPS = (
    "WITH RECURSIVE newest (t_ms) AS (SELECT max(t_ms) FROM reading WHERE series = ?1 AND t_ms >= ?2 AND t_ms < ?3"
    " UNION ALL SELECT (SELECT max(t_ms) FROM reading WHERE series = ?1 AND t_ms >= ?2"
    " AND t_ms < newest.t_ms - (newest.t_ms % ?4 + ?4) % ?4) FROM newest WHERE newest.t_ms IS NOT NULL)"
    " SELECT t_ms FROM newest WHERE t_ms IS NOT NULL"
)
_LOG = "INSERT INTO write_log (series, first_ms, last_ms) VALUES (?, ?, ?)"
_FOLD = (
    "INSERT OR REPLACE INTO write_log (id, series, first_ms, last_ms)"
    " SELECT max(id), series, min(first_ms), max(last_ms) FROM write_log WHERE id <= ? GROUP BY series"
)
_DROP_FOLDED = (
    "DELETE FROM write_log WHERE id <= ?1 AND id NOT IN (SELECT max(id) FROM write_log WHERE id <= ?1 GROUP BY series)"
)
_CHANGES = (
    "WITH newest (id) AS (SELECT coalesce(max(id), 0) FROM write_log)"
    " SELECT point, min(first_ms), max(last_ms), newest.id FROM newest, write_log"
    " JOIN series ON series.id = write_log.series"
    " WHERE write_log.id > CASE WHEN ?1 > newest.id THEN 0 ELSE ?1 END GROUP BY point"
)


class SqliteStore:
    """A ``ReadingStore`` in a file. Threads and processes may share it; one writes at a time, the others wait."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 10.0) -> None:
        """Open or create the file. Raises ``ConfigError`` where it cannot be used."""
        self._file = SqliteFile(path, busy_timeout_s)
        self._rollups = SqliteRollups(self._file)
        self._ids: dict[str, int] = {}
        self._ids_lock = Lock()

    def write(self, batch: ReadingBatch) -> None:
        """Store readings durably."""
        self.write_many([batch])

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store several batches in one transaction."""
        columns = columns_of(batches)
        if not len(columns.p):
            return
        with self._file.writing() as connection:
            self._write(connection, columns)

    def _write(self, connection: sqlite3.Connection, columns: Columns) -> None:
        stretches = list(columns.stretches())
        numbers = self._number(connection, [point for point, _ in stretches])
        series = np.array([numbers.get(point, 0) for point in columns.points], np.int64)[columns.p].tolist()
        t_ms, x, q = columns.t_ms.tolist(), columns.x.tolist(), columns.q.tolist()
        connection.executemany(_UPSERT_READING, zip(series, t_ms, x, q, strict=True))
        ends = [(rows.start, rows.stop - 1) for _, rows in stretches]
        connection.executemany(_LOG, [(series[i], t_ms[i], t_ms[j]) for i, j in ends])
        _fold_log(connection, len(ends))

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range."""
        with self._file.reading() as connection:
            numbers = self._known(connection, points)
            return {
                point: _series(connection.execute(_READINGS, (numbers.get(point), start_ms, end_ms)))
                for point in points
            }

    def read_switches(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Of each point the first reading, those that show another value than the one before, and the last."""
        found = dict.fromkeys(points, empty_series())
        with self._file.reading() as connection:
            for point, number in self._known(connection, points).items():
                least, most = connection.execute(_LEAST_AND_MOST, (number, start_ms, end_ms)).fetchone()
                query = _ENDS if least == most else _READINGS
                found[point] = switches_of([_series(connection.execute(query, (number, start_ms, end_ms)))])
        return found

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading of each point at or before ``t_ms``."""
        with self._file.reading() as connection:
            return _newest(connection, self._known(connection, points), t_ms)

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point."""
        with self._file.reading() as connection:
            if points is None:
                numbers = dict(connection.execute("SELECT point, id FROM series ORDER BY id"))
            else:
                numbers = self._known(connection, points)
            return _newest(connection, numbers, LAST_MS)

    def changes(self, cursor: int) -> Changes:
        """What was written after ``cursor``, by any process."""
        with self._file.reading() as connection:
            rows = connection.execute(_CHANGES, (cursor,)).fetchall()
            newest = _newest_entry(connection)
        # Without rows the cursor stands at the end, or the store is new and empty: then it begins at 0 again.
        reached = rows[0][3] if rows else min(cursor, newest)
        return Changes(reached, {point: (first, last) for point, first, last, _ in rows})

    def cursor(self) -> int:
        """Where ``changes`` stands now."""
        with self._file.reading() as connection:
            return _newest_entry(connection)

    def totals(self) -> dict[str, PointTotal]:
        """Count and exact sum of every point."""
        with self._file.reading() as connection:
            numbers = connection.execute("SELECT point, id FROM series").fetchall()
            return {point: _total(connection, number) for point, number in numbers}

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many readings of these points each hour holds."""
        query = "SELECT t_ms / ?, count(*) FROM reading WHERE series = ? AND t_ms >= ? AND t_ms < ? GROUP BY 1"
        counts: Counter[int] = Counter()
        with self._file.reading() as connection:
            for number in self._known(connection, points).values():
                counts.update(dict(connection.execute(query, (HOUR_MS, number, start_ms, end_ms))))
        return {hour * HOUR_MS: count for hour, count in counts.items()}

    def newest_times(self, points: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> dict[str, Times]:
        """Of each point the time of its newest reading in each step: found by the key, back from one to the next."""
        with self._file.reading() as connection:
            numbers = self._known(connection, points)
            found = {
                p: connection.execute(_NEWEST_OF_STEPS, (n, start_ms, end_ms, step_ms)) for p, n in numbers.items()
            }
            times = {p: np.fromiter((t for (t,) in rows), np.int64)[::-1] for p, rows in found.items()}
        return {point: times.get(point, np.empty(0, np.int64)) for point in points}

    def write_rollup(self, name: str, series: Iterable[RollupSeries]) -> None:
        """Store rows of a rollup in one transaction."""
        self._rollups.write([(name, list(series))])

    def write_rollups(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """Store rows of several rollups in one transaction."""
        self._rollups.write(rollups)

    def read_rollup(
        self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int, fields: Sequence[str] | None = None
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include ``tags``, cut to the range."""
        return self._rollups.read(name, [tags], (start_ms, end_ms), fields)

    def read_rollups(
        self,
        name: str,
        some: Sequence[Mapping[str, str]],
        start_ms: int,
        end_ms: int,
        fields: Sequence[str] | None = None,
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include one of ``some``, cut to the range."""
        return self._rollups.read(name, some, (start_ms, end_ms), fields)

    def rollup_stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row of a rollup."""
        return self._rollups.stretch(name)

    def delete_rollup(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete rows of the matching series in the range."""
        self._rollups.delete(name, tags, (start_ms, end_ms))

    def probe(self) -> None:
        """Look whether the file can be read and is still of our schema."""
        self._file.probe()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _number(self, connection: sqlite3.Connection, points: Sequence[str]) -> dict[str, int]:
        """The number of every point; a new one gets one, remembered only once it is committed and read back."""
        numbers = self._known(connection, points)
        if new := [point for point in points if point not in numbers]:
            connection.executemany("INSERT INTO series (point) VALUES (?)", [(point,) for point in new])
            numbers |= _numbers(connection, new)
        return numbers

    def _known(self, connection: sqlite3.Connection, points: Sequence[str]) -> dict[str, int]:
        """The number of each point that has one. Numbers never change, so those once read are kept."""
        with self._ids_lock:
            unknown = [point for point in points if point not in self._ids]
            if unknown:
                self._ids |= _numbers(connection, unknown)
            return {point: self._ids[point] for point in points if point in self._ids}


def _numbers(connection: sqlite3.Connection, points: Sequence[str]) -> dict[str, int]:
    query = "SELECT id FROM series WHERE point = ?"
    found = ((point, connection.execute(query, (point,)).fetchone()) for point in points)
    return {point: row[0] for point, row in found if row}


def _newest(connection: sqlite3.Connection, numbers: Mapping[str, int], t_ms: int) -> dict[str, Latest]:
    found = ((point, connection.execute(_NEWEST, (number, t_ms)).fetchone()) for point, number in numbers.items())
    return {point: Latest(*row) for point, row in found if row}


def _series(rows: sqlite3.Cursor) -> Series:
    table = np.fromiter(rows, _ROW)
    return Series(*(np.ascontiguousarray(table[name]) for name in ("t_ms", "x", "q")))


def _total(connection: sqlite3.Connection, number: int) -> PointTotal:
    values = [x for (x,) in connection.execute("SELECT x FROM reading WHERE series = ?", (number,))]
    return PointTotal(len(values), math.fsum(values))


def _newest_entry(connection: sqlite3.Connection) -> int:
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM write_log").fetchone()
    return int(newest)


def _fold_log(connection: sqlite3.Connection, added: int) -> None:
    """Fold old entries each time the log has grown by ``FOLD_AFTER``: it never grows for ever.

    A folded entry keeps the newest id of those it stands for, so a reader whose cursor lies among them is told
    a wider range, never a narrower one.
    """
    (newest,) = connection.execute("SELECT max(id) FROM write_log").fetchone()
    if newest // FOLD_AFTER != (newest - added) // FOLD_AFTER:
        before = newest - FOLD_AFTER
        connection.execute(_FOLD, (before,))
        connection.execute(_DROP_FOLDED, (before,))
