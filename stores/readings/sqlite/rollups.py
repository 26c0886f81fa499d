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
from stores.readings.sqlite.seal import row_seals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
            for name, some in _alike(given):
                self._write(connection, name, some)

    def _write(self, connection: sqlite3.Connection, name: str, some: Sequence[RollupSeries]) -> None:
        """Store rows of series that have the same fields."""
        types = ROLLUPS[name].types
        numbers = np.repeat([self._number(connection, name, one.tags) for one in some], [len(one) for one in some])
        t_ms = np.concatenate([one.t_ms for one in some])
        fields = {field: _joined(types[field], [one.fields[field] for one in some]) for field in some[0].fields}
        columns = (numbers, t_ms, *fields.values(), row_seals(types, numbers, t_ms, fields))
        connection.executemany(_upsert(name, tuple(fields)), zip(*map(values_of, columns), strict=True))

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


def _alike(given: Iterable[tuple[str, RollupSeries]]) -> Iterator[tuple[str, list[RollupSeries]]]:
    """Series of a rollup that have the same fields, together; of one series what comes later is written later."""
    alike: dict[tuple[str, ...], list[RollupSeries]] = {}
    place: dict[tuple[str, frozenset[tuple[str, str]]], tuple[str, ...]] = {}
    for name, one in given:
        key, fields = (name, frozenset(one.tags.items())), (name, *one.fields)
        if place.setdefault(key, fields) != fields:
            yield from ((begun[0], some) for begun, some in alike.items())
            alike, place = {}, {key: fields}
        alike.setdefault(fields, []).append(one)
    yield from ((begun[0], some) for begun, some in alike.items())


def _joined(kind: FieldType, columns: Sequence[Column]) -> Column:
    """Columns one after the other; whole numbers and texts stay what they are."""
    return np.concatenate(columns if kind is FieldType.FLOAT else [column.astype(object) for column in columns])


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
    """A row with its seal; one that is there already is sealed as it will stand.

    A seal is a sum: of a row that stays in part, what its given fields added is taken away, and what they add now is
    added. So one that the disk has changed keeps a seal that does not fit.
    """
    every = rollup_called(name).types
    if not fields:
        action = "NOTHING"
    else:
        whole = ", ".join(("series", "t_ms", *(f"excluded.{field}" if field in fields else field for field in every)))
        given = ", ".join(("series", "t_ms", *(field if field in fields else "NULL" for field in every)))
        added = f"((seal - {name}_seal({given}) + excluded.seal + {2**31}) & {2**32 - 1}) - {2**31}"
        some = f"CASE WHEN seal IS NULL THEN {name}_seal({whole}) ELSE {added} END"
        seal = some if len(fields) < len(every) else "excluded.seal"
        action = "UPDATE SET " + ", ".join((*(f"{field} = excluded.{field}" for field in fields), f"seal = {seal}"))
    names = ("series", "t_ms", *fields, "seal")
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT (series, t_ms) DO {action}"  # noqa: S608
