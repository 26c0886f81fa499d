"""Makes a new file of what can still be read in a damaged one, and puts it in its place.

The damaged one is kept beside it for a person. What is missing then is a matter of the journal and the agents.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from accounting.local_time import MINUTE_MS
from facility.errors import ConfigError, StoreUnavailable
from stores.readings.rollups import ROLLUPS
from stores.readings.sqlite.file import MAGIC, UNREADABLE, SqliteFile, connect, nobody_swapping
from stores.readings.sqlite.rows import SEALED, judged
from stores.readings.sqlite.schema import is_by_time
from stores.readings.sqlite.seal import name_seal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

FIRST_MS, LAST_MS = 946_684_800_000, 4_102_444_800_000
"""2000 to 2100: no reading is of another time."""

MOST_ROWS = 50_000
MOST_FAILURES = 500
"""Of one series: where all of it is unreadable, there is nothing to look for between."""

EVERY_SERIES = -1
LOG = ("-wal", "-shm")


@dataclass(slots=True)
class Salvaged:
    """How many readings and rows of rollups could be read, and under which name the damaged file is kept."""

    readings: int = 0
    rows: int = 0
    kept_as: str = ""


def mend(path: Path, now_ms: int, moved: Callable[[], None]) -> Salvaged:
    """Salvage what has a seal that fits, swap the files, and say what was found. Nobody else may mend it meanwhile.

    Raises ``StoreUnavailable`` where there is no room for another file: then all is as it was.
    """
    try:
        return _mended(path, now_ms, moved)
    except (OSError, ConfigError) as error:
        raise StoreUnavailable(f"{path} cannot be mended now: {error}") from error


def _mended(path: Path, now_ms: int, moved: Callable[[], None]) -> Salvaged:
    fresh, done = path.with_name(f"{path.name}.new"), Salvaged()
    for suffix in ("", *LOG):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    with path.open("r+b") as file:
        file.write(MAGIC)  # these bytes are the same in every file; without them none can be read
    new = SqliteFile(fresh, 10.0)
    with suppress(*UNREADABLE), closing(connect(path, mode="ro")) as old:
        _copy_readings(old, new, done, moved)
        _copy_rollups(old, new, done, moved)
    with new.reading() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    new.close()
    done.kept_as = _swap(path, fresh, now_ms)
    return done


def _swap(path: Path, fresh: Path, now_ms: int) -> str:
    """The new file takes the place of the old one, whose log goes with it: it is of no use to another file."""
    aside = path.with_name(f"{path.name}.corrupt-{now_ms}")
    with nobody_swapping(path, we_swap=True):
        os.link(path, aside)
        for suffix in LOG:
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
        fresh.replace(path)
    for suffix in LOG:
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    return str(aside)


def _copy_readings(old: sqlite3.Connection, new: SqliteFile, done: Salvaged, moved: Callable[[], None]) -> None:
    query = f"{SEALED} WHERE series = ? AND t_ms >= ? AND t_ms < ? LIMIT {MOST_ROWS}"
    for number, point, seal in _rows_of(old, "SELECT id, point, seal FROM series"):
        if seal != name_seal(number, str(point)):
            continue
        _name(new, "INSERT OR IGNORE INTO series VALUES (?, ?, ?)", (number, point, seal))
        for rows in _stretches(old, query, number):
            found = judged(point, partial(iter, rows))
            columns = (found.series.t_ms, found.series.x, found.series.q, found.seals)
            some = [(number, *row) for row in zip(*(one[found.sound].tolist() for one in columns), strict=True)]
            done.readings += _insert(new, "reading (series, t_ms, x, q, seal)", some)
            moved()
        log = "INSERT INTO write_log (series, first_ms, last_ms) SELECT series, min(t_ms), max(t_ms) FROM reading"
        _name(new, f"{log} WHERE series = ? GROUP BY series", (number,))


def _copy_rollups(old: sqlite3.Connection, new: SqliteFile, done: Salvaged, moved: Callable[[], None]) -> None:
    for number, name, tags, seal in _rows_of(old, "SELECT id, rollup, tags, seal FROM rollup_series"):
        if name not in ROLLUPS or seal != name_seal(number, name, str(tags)):
            continue
        _name(new, "INSERT OR IGNORE INTO rollup_series VALUES (?, ?, ?, ?)", (number, name, tags, seal))
        if not is_by_time(ROLLUPS[name]):
            _copy_rollup(old, new, name, number, done, moved)
    for name in (name for name, rollup in ROLLUPS.items() if is_by_time(rollup)):
        _copy_rollup(old, new, name, EVERY_SERIES, done, moved)


def _copy_rollup(
    old: sqlite3.Connection, new: SqliteFile, name: str, number: int, done: Salvaged, moved: Callable[[], None]
) -> None:
    columns = ", ".join(("series", "t_ms", *ROLLUPS[name].types))
    of_series = "?1 < 0" if number == EVERY_SERIES else "series = ?1"
    query = (
        f"SELECT {columns}, seal FROM {name} WHERE {of_series} AND t_ms >= ?2 AND t_ms < ?3"  # noqa: S608 - our names
        f" AND seal = {name}_seal({columns}) LIMIT {MOST_ROWS}"
    )
    for rows in _stretches(old, query, number):
        done.rows += _insert(new, f"{name} ({columns}, seal)", rows)
        moved()


def _stretches(old: sqlite3.Connection, query: str, number: int) -> Iterator[list[tuple[object, ...]]]:
    """Rows of a series by time; around what cannot be read, ever shorter stretches, down to a minute."""
    waiting, failures = [(FIRST_MS, LAST_MS)], 0
    while waiting and failures < MOST_FAILURES:
        start, end = waiting.pop()
        try:
            rows = old.execute(query, (number, start, end)).fetchall()
        except UNREADABLE:
            rows, failures = None, failures + 1
        if rows is not None and len(rows) < MOST_ROWS:
            if rows:
                yield rows
        elif end - start > MINUTE_MS:
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]


def _rows_of(old: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    """Names as far as they can be read."""
    found = []
    with suppress(*UNREADABLE):
        for row in old.execute(query):
            found.append(row)  # noqa: PERF402 - what was read before it broke off counts
    return found


def _name(new: SqliteFile, statement: str, values: tuple[object, ...]) -> None:
    with new.writing() as connection:
        connection.execute(statement, values)


def _insert(new: SqliteFile, into: str, rows: list[tuple[object, ...]]) -> int:
    if not rows:
        return 0
    marks = ", ".join("?" * len(rows[0]))
    with new.writing() as connection:
        connection.executemany(f"INSERT OR IGNORE INTO {into} VALUES ({marks})", rows)  # noqa: S608 - our own names
    return len(rows)
