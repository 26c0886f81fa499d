"""Rollups in the SQLite file: a table per measurement, a column per field, NULL where it is absent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import FieldType, column_of, values_of
from stores.readings.rollups import check_fields, check_series, check_tags, rollup_called
from stores.readings.sqlite.rollup_index import RollupIndex

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from stores.readings.sqlite.file import SqliteFile

# Table and column names come from ROLLUPS alone: every name is checked against it before it enters a statement.


class SqliteRollups:
    """The rollups of one file. Threads may share it."""

    def __init__(self, file: SqliteFile) -> None:
        self._file, self._index = file, RollupIndex()

    def write(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """Store rows; fields that are not given stay as they are."""
        given = [(name, one) for name, series in rollups for one in series]
        for name, one in given:
            check_series(name, one)
        with self._file.writing() as connection:
            for name, one in given:
                number = self._number(connection, name, one.tags)
                columns = [values_of(column) for column in one.fields.values()]
                rows = zip([number] * len(one), one.t_ms.tolist(), *columns, strict=True)
                connection.executemany(_upsert(name, tuple(one.fields)), rows)

    def read(
        self, name: str, some: Sequence[Mapping[str, str]], period: tuple[int, int], fields: Sequence[str] | None
    ) -> list[RollupSeries]:
        """Series whose tags include one of ``some``, cut to the period."""
        for tags in some:
            check_tags(name, tags, every=False)
        types = rollup_called(name).types
        wanted = {field: types[field] for field in (types if fields is None else _checked(name, fields))}
        names = ", ".join(("t_ms", *wanted))
        query = f"SELECT {names} FROM {name} WHERE series = ? AND t_ms >= ? AND t_ms < ? ORDER BY t_ms"  # noqa: S608
        found = []
        with self._file.reading() as connection:
            for number, own_tags in self._index.matching(connection, name, some):
                if rows := connection.execute(query, (number, *period)).fetchall():
                    found.append(RollupSeries(own_tags, *_columns(wanted, rows)))
        return found

    def stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row."""
        rollup_called(name)
        with self._file.reading() as connection:
            first, last = connection.execute(f"SELECT min(t_ms), max(t_ms) FROM {name}").fetchone()  # noqa: S608
        return None if first is None else (first, last)

    def delete(self, name: str, tags: Mapping[str, str], period: tuple[int, int]) -> None:
        """Delete rows of the series whose tags include ``tags``."""
        check_tags(name, tags, every=False)
        statement = f"DELETE FROM {name} WHERE series = ? AND t_ms >= ? AND t_ms < ?"  # noqa: S608
        with self._file.reading() as connection:
            numbers = [number for number, _ in self._index.matching(connection, name, [tags])]
        with self._file.writing() as connection:
            connection.executemany(statement, [(number, *period) for number in numbers])

    def _number(self, connection: sqlite3.Connection, name: str, tags: Mapping[str, str]) -> int:
        """The number of a series; a new one gets one, which is known to the index once it is committed."""
        if (known := self._index.number(name, tags)) is not None:
            return known
        key = (name, json.dumps(dict(tags), sort_keys=True, ensure_ascii=False))
        connection.execute("INSERT INTO rollup_series (rollup, tags) VALUES (?, ?) ON CONFLICT DO NOTHING", key)
        row = connection.execute("SELECT id FROM rollup_series WHERE rollup = ? AND tags = ?", key).fetchone()
        return int(row[0])


def _checked(name: str, fields: Sequence[str]) -> Sequence[str]:
    check_fields(name, fields)
    return fields


def _columns(wanted: Mapping[str, FieldType], rows: Sequence[Sequence[Any]]) -> tuple[Any, dict[str, Any]]:
    """Rows of a time and of each wanted field as times (n,) and columns (n,)."""
    if set(wanted.values()) <= {FieldType.FLOAT}:
        table = np.array(rows, np.float64).T  # exact: times in ms stay below 2 ** 53, and NULL becomes NaN
        return table[0].astype(np.int64), {
            field: column.copy() for field, column in zip(wanted, table[1:], strict=True)
        }
    t_ms, *columns = zip(*rows, strict=True)
    fields = {field: column_of(kind, column) for (field, kind), column in zip(wanted.items(), columns, strict=True)}
    return np.array(t_ms, np.int64), fields


def _upsert(name: str, fields: tuple[str, ...]) -> str:
    names = ", ".join(("series", "t_ms", *fields))
    marks = ", ".join("?" * (2 + len(fields)))
    update = ", ".join(f"{field} = excluded.{field}" for field in fields)
    action = f"UPDATE SET {update}" if fields else "NOTHING"
    return f"INSERT INTO {name} ({names}) VALUES ({marks}) ON CONFLICT (series, t_ms) DO {action}"  # noqa: S608
