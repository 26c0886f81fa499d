"""Readings and rollups in one SQLite file: no server, several processes."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from facility.model import Quality
from stores.readings.columns import columns_of, empty_series, standing, switches_of
from stores.readings.port import Changes, Latest, PointTotal, RollupSeries, Series
from stores.readings.sqlite.check import RowCheck, whole_file
from stores.readings.sqlite.file import SqliteFile
from stores.readings.sqlite.mending import mend
from stores.readings.sqlite.rollups import SqliteRollups
from stores.readings.sqlite.rows import SEALED, every_series, judged, newest_of, sound_number, sound_series, total_of
from stores.readings.sqlite.seal import reading_seals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from facility.model import ReadingBatch
    from stores.readings.columns import Columns
    from stores.readings.port import Times
    from stores.readings.sqlite.check import SpoiltRows
    from stores.readings.sqlite.mending import Salvaged

FOLD_AFTER = 20_000
"""The write log keeps at least this many entries apart; older ones are folded to one per point."""

LAST_MS = 2**63 - 1
"""No reading is later: the greatest whole number that SQLite holds."""

_UPSERT_READING = (
    "INSERT INTO reading (series, t_ms, x, q, seal) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (series, t_ms) DO UPDATE SET x = excluded.x, q = excluded.q, seal = excluded.seal"
)
_RANGE = "WHERE series = ?1 AND t_ms >= ?2 AND t_ms < ?3"
_READINGS = f"{SEALED} {_RANGE} ORDER BY t_ms"
_LEAST_AND_MOST = f"SELECT min(x), max(x) FROM reading {_RANGE}"  # noqa: S608 - of constants
_ENDS = (
    f"SELECT * FROM ({SEALED} {_RANGE} ORDER BY t_ms LIMIT 1) UNION"  # noqa: S608 - of constants
    f" SELECT * FROM ({SEALED} {_RANGE} ORDER BY t_ms DESC LIMIT 1) ORDER BY t_ms"
)
_NEWEST_OF_STEPS = (
    f"WITH RECURSIVE newest (t_ms) AS (SELECT max(t_ms) FROM reading {_RANGE} AND q <> {Quality.RETRACTED:d}"  # noqa: S608 - of constants
    f" UNION ALL SELECT (SELECT max(t_ms) FROM reading WHERE series = ?1 AND q <> {Quality.RETRACTED:d} AND t_ms >= ?2"
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
        self._rollups, self._check = SqliteRollups(self._file), RowCheck(self._file)
        self._ids: dict[str, int] = {}
        self._ids_of = 0
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
        seals = [reading_seals(point, columns.t_ms[r], columns.x[r], columns.q[r]).tolist() for point, r in stretches]
        connection.executemany(_UPSERT_READING, zip(series, t_ms, x, q, chain.from_iterable(seals), strict=True))
        ends = [(rows.start, rows.stop - 1) for _, rows in stretches]
        connection.executemany(_LOG, [(series[i], t_ms[i], t_ms[j]) for i, j in ends])
        _fold_log(connection, len(ends))

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range."""
        return {point: standing(rows) for point, rows in self.read_rows(points, start_ms, end_ms).items()}

    def read_rows(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """The same and what was retracted."""
        with self._file.reading() as connection:
            numbers = self._known(connection, points)
            return {
                point: sound_series(
                    point, partial(connection.execute, _READINGS, (numbers.get(point), start_ms, end_ms))
                )
                for point in points
            }

    def read_switches(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Of each point the first reading, those that show another value than the one before, and the last."""
        found = dict.fromkeys(points, empty_series())
        with self._file.reading() as connection:
            for point, number in self._known(connection, points).items():
                span = (number, start_ms, end_ms)
                least, most = connection.execute(_LEAST_AND_MOST, span).fetchone()
                ends = judged(point, partial(connection.execute, _ENDS, span))
                stand = standing(ends.series)
                if least == most and ends.sound.all() and len(stand) == len(ends.series):
                    found[point] = switches_of([stand])
                else:
                    whole = sound_series(point, partial(connection.execute, _READINGS, span))
                    found[point] = switches_of([standing(whole)])
        return found

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading of each point at or before ``t_ms``."""
        with self._file.reading() as connection:
            return newest_of(connection, self._known(connection, points), t_ms)

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point."""
        with self._file.reading() as connection:
            numbers = every_series(connection) if points is None else self._known(connection, points)
            return newest_of(connection, numbers, LAST_MS)

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
            return {point: total_of(connection, point, number) for point, number in every_series(connection).items()}

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

    def check_rows(self, since_ms: int, moved: Callable[[], None]) -> SpoiltRows:
        """Judge every row from a time on, and take away what the disk has changed."""
        return RowCheck(self._file).check(since_ms, moved)

    def check_some(self, most_rows: int) -> SpoiltRows:
        """Go on with the same, a part of the whole file at a time, round after round."""
        return self._check.step(most_rows)

    def check_file(self, limit_s: float, is_ended: Callable[[], bool]) -> str:
        """What SQLite's own check finds first; nothing where all is well. In any thread."""
        return whole_file(self._file.path, limit_s, is_ended)

    def mend(self, now_ms: int, moved: Callable[[], None]) -> Salvaged:
        """Put what can still be read into a new file in place of the damaged one, which is kept."""
        return mend(self._file.path, now_ms, moved)

    def count_spoilt(self, moved: Callable[[], None]) -> SpoiltRows:
        """Judge every row and change nothing."""
        return RowCheck(self._file, takes_away=False).check(moved=moved)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _number(self, connection: sqlite3.Connection, points: Sequence[str]) -> dict[str, int]:
        """The number of every point; a new one gets one, remembered only once it is committed and read back."""
        numbers = self._known(connection, points)
        if new := [point for point in points if point not in numbers]:
            connection.executemany("INSERT INTO series (point) VALUES (?)", [(point,) for point in new])
            connection.execute("UPDATE series SET seal = name_seal(id, point) WHERE seal IS NULL")
            numbers |= _numbers(connection, new)
        return numbers

    def _known(self, connection: sqlite3.Connection, points: Sequence[str]) -> dict[str, int]:
        """The number of each point that has one. Numbers never change, so those once read are kept."""
        with self._ids_lock:
            if self._ids_of != self._file.generation:
                self._ids, self._ids_of = {}, self._file.generation
            unknown = [point for point in points if point not in self._ids]
            if unknown:
                self._ids |= _numbers(connection, unknown)
            return {point: self._ids[point] for point in points if point in self._ids}


def _numbers(connection: sqlite3.Connection, points: Sequence[str]) -> dict[str, int]:
    query = "SELECT id, seal FROM series WHERE point = ?"
    found = ((point, connection.execute(query, (point,)).fetchone()) for point in points)
    return {point: sound_number(point, *row) for point, row in found if row}


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
