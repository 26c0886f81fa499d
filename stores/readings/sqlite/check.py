"""Goes through the file, a part at a time, and takes away what the disk has changed: it can be brought back."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from facility.errors import StoreDamaged
from stores.readings.rollups import ROLLUPS
from stores.readings.sqlite.file import UNREADABLE, connect, is_damage
from stores.readings.sqlite.rows import SEALED, Judged, every_series, judged
from stores.readings.sqlite.schema import is_by_time
from stores.readings.sqlite.seal import name_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stores.readings.sqlite.file import SqliteFile

PART_ROWS = 20_000
EVER_MS = -(2**63) + 1
LAST_SERIES = 2**62

_DELETE = "DELETE FROM reading WHERE series = ? AND t_ms = ?"
_DELETE_UNREADABLE = (
    "DELETE FROM reading WHERE series = ? AND (typeof(t_ms) != 'integer' OR typeof(x) NOT IN ('real', 'integer')"
    " OR typeof(q) != 'integer' OR typeof(seal) NOT IN ('integer', 'null'))"
)
_SEAL = "UPDATE reading SET seal = ? WHERE series = ? AND t_ms = ?"
_LOG = "INSERT INTO write_log (series, first_ms, last_ms) VALUES (?, ?, ?)"


@dataclass(slots=True)
class SpoiltRows:
    """What was found: readings by point, and rows of rollups by name."""

    readings: Counter[str] = field(default_factory=Counter)
    rollups: Counter[str] = field(default_factory=Counter)

    def add(self, other: SpoiltRows) -> None:
        """Take up what another part has found."""
        self.readings += other.readings
        self.rollups += other.rollups

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self.readings or self.rollups)


class RowCheck:
    """Judges every row by its seal. Rows of before get one: what they say from now on is held to what they say now."""

    def __init__(self, file: SqliteFile, *, takes_away: bool = True) -> None:
        """Unless it ``takes_away``, it only counts."""
        self._file, self._takes_away = file, takes_away
        self._round: Iterator[tuple[int, SpoiltRows]] = iter(())

    def check(self, since_ms: int = EVER_MS, moved: Callable[[], None] = lambda: None) -> SpoiltRows:
        """Every row from ``since_ms`` on. Raises ``StoreDamaged`` where the file itself must be mended."""
        found = SpoiltRows()
        for _, part in self._parts(since_ms):
            found.add(part)
            moved()
        return found

    def step(self, most_rows: int) -> SpoiltRows:
        """Go on for about so many rows, from where the last step ended, round after round."""
        found, rows = SpoiltRows(), 0
        while rows < most_rows:
            part = next(self._round, None)
            if part is None:
                self._round = self._parts(EVER_MS)
                return found
            rows += part[0]
            found.add(part[1])
        return found

    def _parts(self, since_ms: int) -> Iterator[tuple[int, SpoiltRows]]:
        with self._file.reading() as connection:
            points = every_series(connection)
            rollups = connection.execute("SELECT id, rollup, tags, seal FROM rollup_series ORDER BY id").fetchall()
        for point, number in points.items():
            start: int | None = since_ms
            while start is not None:
                rows, start, found = self._readings(point, number, start)
                yield rows, found
        for number, name, tags, seal in rollups:
            if seal != name_seal(number, str(name), str(tags)):
                raise StoreDamaged(f"the disk has changed the tags of rollup series {number}")
            if name in ROLLUPS and not is_by_time(ROLLUPS[name]):
                yield from self._rollup(name, "series = ? AND t_ms > ?", (number, since_ms - 1))
        for name in (name for name, rollup in ROLLUPS.items() if is_by_time(rollup)):
            yield from self._rollup(name, "(t_ms, series) > (?, ?)", (since_ms - 1, LAST_SERIES))

    def _readings(self, point: str, number: int, start_ms: int) -> tuple[int, int | None, SpoiltRows]:
        """One part: how many rows, where the next begins (None: there is none), and what was found."""
        query = f"{SEALED} WHERE series = ? AND t_ms >= ? ORDER BY t_ms LIMIT ?"
        with self._file.reading() as connection:
            found = judged(point, partial(connection.execute, query, (number, start_ms, PART_ROWS)))
        times = found.series.t_ms
        bad = int((~found.sound).sum()) + found.unreadable
        if self._takes_away and (bad or found.unsealed.any()):
            self._mend(point, number, found)
        spoilt = SpoiltRows()
        if bad:
            spoilt.readings[point] = bad
        is_last = len(times) + found.unreadable < PART_ROWS or int(times.max()) < start_ms
        return len(times), None if is_last else int(times.max()) + 1, spoilt

    def _mend(self, point: str, number: int, found: Judged) -> None:
        """Take spoilt rows away and seal those of before; analytics hears of what went."""
        times = found.series.t_ms
        bad = times[~found.sound].tolist()
        fresh = zip(found.seals[found.unsealed].tolist(), times[found.unsealed].tolist(), strict=True)
        with self._file.writing() as connection:
            connection.executemany(_SEAL, [(seal, number, t_ms) for seal, t_ms in fresh])
            gone = connection.executemany(_DELETE, [(number, t_ms) for t_ms in bad]).rowcount if bad else 0
            if found.unreadable:
                connection.execute(_DELETE_UNREADABLE, (number,))
            if bad or found.unreadable:
                sound = times[found.sound].tolist() or [0]
                connection.execute(_LOG, (number, min(sound), max(sound)))
        if gone < len(bad):  # it lies where nobody would look for it
            raise StoreDamaged(f"rows of {point} lie out of their order")

    def _rollup(self, name: str, after: str, key: tuple[int, int]) -> Iterator[tuple[int, SpoiltRows]]:
        """Rows of one series, or of all where they stand by time, in the order of their ``key``."""
        given, order = ", ".join(("series", "t_ms", *ROLLUPS[name].types)), after.startswith("(")
        query = (
            f"SELECT series, t_ms, seal, {name}_seal({given}) FROM {name} WHERE {after}"  # noqa: S608 - names of ROLLUPS
            f" ORDER BY {'t_ms, series' if order else 't_ms'} LIMIT ?"
        )
        while True:
            with self._file.reading() as connection:
                rows = connection.execute(query, (*key, PART_ROWS)).fetchall()
            bad = [(series, t_ms) for series, t_ms, seal, right in rows if seal not in {None, right}]
            fresh = [(right, series, t_ms) for series, t_ms, seal, right in rows if seal is None]
            if self._takes_away and (bad or fresh):
                self._mend_rollup(name, bad, fresh)
            spoilt = SpoiltRows()
            if bad:
                spoilt.rollups[name] = len(bad)
            yield len(rows), spoilt
            last = rows[-1][:2] if rows else key
            following = (last[1], last[0]) if order else (key[0], last[1])
            if len(rows) < PART_ROWS or following <= key:
                return
            key = following

    def _mend_rollup(self, name: str, bad: list[tuple[int, int]], unsealed: list[tuple[int, int, int]]) -> None:
        """Take rows away. What they rest on is told to be written, so that analytics computes them again."""
        of_row = "WHERE series = ? AND t_ms = ?"
        with self._file.writing() as connection:
            connection.executemany(f"UPDATE {name} SET seal = ? {of_row}", unsealed)  # noqa: S608 - names of ROLLUPS
            if not bad:
                return
            gone = connection.executemany(f"DELETE FROM {name} {of_row}", bad).rowcount  # noqa: S608
            series = [row[0] for row in connection.execute("SELECT id FROM series")]
            times = [t_ms for _, t_ms in bad]
            stretch = min(times), max(times) + ROLLUPS[name].step_ms - 1
            connection.executemany(_LOG, [(one, *stretch) for one in series])
        if gone < len(bad):
            raise StoreDamaged(f"rows of {name} lie out of their order")


def whole_file(path: Path, limit_s: float, is_ended: Callable[[], bool]) -> str:
    """How the pages hang together: what SQLite's own check finds first; nothing where all is well, or it took too long.

    On a connection of its own, beside everything else that goes on.
    """
    end_s = time.monotonic() + limit_s
    try:
        with closing(connect(path, mode="ro")) as connection:
            connection.set_progress_handler(lambda: is_ended() or time.monotonic() > end_s, 100_000)
            (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.OperationalError:  # interrupted; or the file is away, which others tell
        return ""
    except UNREADABLE as error:
        return str(error) if is_damage(error) else ""
    return "" if finding == "ok" else str(finding)
