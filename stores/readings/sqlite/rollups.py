"""Rollups in the SQLite file: a table per measurement, a column per field, NULL where it is absent."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import FieldType, column_of, values_of
from stores.readings.rollups import ROLLUPS, check_fields, check_series, check_tags, rollup_called
from stores.readings.sqlite.rollup_index import RollupIndex
from stores.readings.sqlite.schema import is_by_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from stores.readings.port import Times
    from stores.readings.rollup_columns import Column
    from stores.readings.sqlite.file import SqliteFile

_MOMENTS = (
    "WITH RECURSIVE moments (t_ms) AS (SELECT min(t_ms) FROM {0} WHERE t_ms >= ?2 AND t_ms < ?3"
    " UNION ALL SELECT (SELECT min(t_ms) FROM {0} WHERE t_ms > moments.t_ms AND t_ms < ?3) FROM moments"
    " WHERE moments.t_ms IS NOT NULL)"
)

# Table and column names come from ROLLUPS alone: every name is checked against it before it enters a statement.


MOST_JUDGED = 5_000
"""So many rows at once are held to their seals when they are read; those of more are when the check comes by."""


class SqliteRollups:
    """The rollups of one file. Threads may share it."""

    def __init__(self, file: SqliteFile) -> None:
        self._file, self._index_of_file = file, (0, RollupIndex())

    @property
    def _index(self) -> RollupIndex:
        """The index of the file that lies there now."""
        if self._index_of_file[0] != self._file.generation:
            self._index_of_file = self._file.generation, RollupIndex()
        return self._index_of_file[1]

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
        found = []
        with self._file.reading() as connection:
            series = self._index.matching(connection, name, some)
            few = len(series) * (period[1] - period[0]) <= MOST_JUDGED * rollup_called(name).step_ms
            sound = f" AND (seal IS NULL OR seal = {_seal_of(name)})" if few else ""
            query = f"{_of_series(name, f'SELECT {names}')}{sound} ORDER BY t_ms"
            for number, own_tags in series:
                t_ms, columns = _columns(wanted, connection.execute(query, (number, *period)))
                if len(t_ms):
                    found.append(RollupSeries(own_tags, t_ms, columns))
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
        statement = _of_series(name, "DELETE")
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
        (number,) = connection.execute("SELECT id FROM rollup_series WHERE rollup = ? AND tags = ?", key).fetchone()
        connection.execute("UPDATE rollup_series SET seal = name_seal(id, rollup, tags) WHERE id = ?", (number,))
        return int(number)


def _of_series(name: str, begin: str) -> str:
    """A statement over the rows of series ?1 from ?2 to before ?3.

    Where rows stand by time, the instants that have any are looked up one after the other, and the series in each.
    """
    if is_by_time(ROLLUPS[name]):
        return f"{_MOMENTS.format(name)} {begin} FROM {name} WHERE series = ?1 AND t_ms IN moments"
    return f"{begin} FROM {name} WHERE series = ?1 AND t_ms >= ?2 AND t_ms < ?3"


def _checked(name: str, fields: Sequence[str]) -> Sequence[str]:
    check_fields(name, fields)
    return fields


def _columns(wanted: Mapping[str, FieldType], rows: Iterable[Sequence[Any]]) -> tuple[Times, dict[str, Column]]:
    """Rows of a time and of each wanted field as times (n,) and columns (n,)."""
    if set(wanted.values()) <= {FieldType.FLOAT}:
        flat = np.fromiter(chain.from_iterable(rows), np.float64)  # exact: times in ms stay below 2 ** 53; NULL is NaN
        table = flat.reshape(-1, 1 + len(wanted)).T
        return table[0].astype(np.int64), {
            field: column.copy() for field, column in zip(wanted, table[1:], strict=True)
        }
    t_ms, *columns = list(zip(*rows, strict=True)) or [()] * (1 + len(wanted))
    fields = {field: column_of(kind, column) for (field, kind), column in zip(wanted.items(), columns, strict=True)}
    return np.array(t_ms, np.int64), fields


def _seal_of(name: str) -> str:
    """The seal that a row should have as it stands, in SQL."""
    return f"{name}_seal({', '.join(('series', 't_ms', *rollup_called(name).types))})"


def _upsert(name: str, fields: tuple[str, ...]) -> str:
    """A row as it will stand is sealed; one that the disk has changed keeps the seal that does not fit."""
    every = rollup_called(name).types
    place = {field: f"?{number}" for number, field in enumerate(("series", "t_ms", *fields), 1)}
    given = ", ".join(place.get(field, "NULL") for field in ("series", "t_ms", *every))
    left = ", ".join(("series", "t_ms", *(f"excluded.{field}" if field in place else field for field in every)))
    seal = f"{name}_seal({left})"
    if len(fields) < len(every):
        seal = f"CASE WHEN seal IS NULL OR seal = {_seal_of(name)} THEN {seal} ELSE seal END"
    update = ", ".join((*(f"{field} = excluded.{field}" for field in fields), f"seal = {seal}"))
    names, marks = ", ".join((*place, "seal")), ", ".join((*place.values(), f"{name}_seal({given})"))
    action = f"UPDATE SET {update}" if fields else "NOTHING"
    return f"INSERT INTO {name} ({names}) VALUES ({marks}) ON CONFLICT (series, t_ms) DO {action}"  # noqa: S608
