"""Rollups in the SQLite file: a table per measurement, a column per field, NULL where it is absent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import column_of, values_of
from stores.readings.rollups import check_fields, check_series, check_tags, rollup_called

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from stores.readings.sqlite.file import SqliteFile

# Table and column names come from ROLLUPS alone: every name is checked against it before it enters a statement.


def write(file: SqliteFile, name: str, series: Sequence[RollupSeries]) -> None:
    """Store rows; fields that are not given stay as they are."""
    for one in series:
        check_series(name, one)
    with file.writing() as connection:
        for one in series:
            number = _series_number(connection, name, one.tags)
            columns = [values_of(column) for column in one.fields.values()]
            rows = zip([number] * len(one), one.t_ms.tolist(), *columns, strict=True)
            connection.executemany(_upsert(name, tuple(one.fields)), rows)


def read(
    file: SqliteFile, name: str, tags: Mapping[str, str], period: tuple[int, int], fields: Sequence[str] | None
) -> list[RollupSeries]:
    """Series whose tags include ``tags``, cut to the period."""
    check_tags(name, tags, every=False)
    types = rollup_called(name).types
    wanted = tuple(types if fields is None else fields)
    check_fields(name, wanted)
    names = ", ".join(("t_ms", *wanted))
    query = f"SELECT {names} FROM {name} WHERE series = ? AND t_ms >= ? AND t_ms < ? ORDER BY t_ms"  # noqa: S608
    found = []
    with file.reading() as connection:
        for number, own_tags in _matching(connection, name, tags):
            rows = connection.execute(query, (number, *period)).fetchall()
            if rows:
                t_ms, *columns = zip(*rows, strict=True)
                values = {field: column_of(types[field], c) for field, c in zip(wanted, columns, strict=True)}
                found.append(RollupSeries(own_tags, np.array(t_ms, np.int64), values))
    return found


def stretch(file: SqliteFile, name: str) -> tuple[int, int] | None:
    """The times of the first and the last row."""
    rollup_called(name)
    with file.reading() as connection:
        first, last = connection.execute(f"SELECT min(t_ms), max(t_ms) FROM {name}").fetchone()  # noqa: S608
    return None if first is None else (first, last)


def delete(file: SqliteFile, name: str, tags: Mapping[str, str], period: tuple[int, int]) -> None:
    """Delete rows of the series whose tags include ``tags``."""
    check_tags(name, tags, every=False)
    statement = f"DELETE FROM {name} WHERE series = ? AND t_ms >= ? AND t_ms < ?"  # noqa: S608
    with file.writing() as connection:
        for number, _ in _matching(connection, name, tags):
            connection.execute(statement, (number, *period))


def _series_number(connection: sqlite3.Connection, name: str, tags: Mapping[str, str]) -> int:
    key = (name, json.dumps(dict(tags), sort_keys=True, ensure_ascii=False))
    connection.execute("INSERT INTO rollup_series (rollup, tags) VALUES (?, ?) ON CONFLICT DO NOTHING", key)
    row = connection.execute("SELECT id FROM rollup_series WHERE rollup = ? AND tags = ?", key).fetchone()
    return int(row[0])


def _matching(connection: sqlite3.Connection, name: str, tags: Mapping[str, str]) -> list[tuple[int, dict[str, str]]]:
    """Number and tags of each series whose tags include ``tags``: there are some hundreds, so all are looked at."""
    rows = connection.execute("SELECT id, tags FROM rollup_series WHERE rollup = ? ORDER BY id", (name,)).fetchall()
    known = [(number, json.loads(text)) for number, text in rows]
    return [(number, own) for number, own in known if tags.items() <= own.items()]


def _upsert(name: str, fields: tuple[str, ...]) -> str:
    names = ", ".join(("series", "t_ms", *fields))
    marks = ", ".join("?" * (2 + len(fields)))
    update = ", ".join(f"{field} = excluded.{field}" for field in fields)
    action = f"UPDATE SET {update}" if fields else "NOTHING"
    return f"INSERT INTO {name} ({names}) VALUES ({marks}) ON CONFLICT (series, t_ms) DO {action}"  # noqa: S608
