"""Rollups in an InfluxDB: a row is one point, ``row=true`` in each, so that one without a figure is still a row.

InfluxDB unites the fields that are written for one series and time, as the port asks, but no write takes a field
away. Where a figure that is stored must go, the other figures of its stretch are put by in a measurement of their own,
the stretch is deleted and they are written back. A crash in between is made good before the next rollup is written or
deleted. One process writes rollups; its threads take turns.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from stores.readings.influx.conditions import about, is_one_of
from stores.readings.influx.layout import policy_of, source
from stores.readings.influx.line_protocol import line_head, quoted_text
from stores.readings.influx.points import AT_ONCE, END_MS, FIRST_MS, within
from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import FieldType, absent, column_of
from stores.readings.rollups import ROLLUPS, check_fields, check_series, check_tags, rollup_called

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stores.readings.influx.wire import InfluxWire

Period = tuple[int, int]
Erased = dict[str, np.typing.NDArray[np.bool_]]
"""By field the rows (n,) in which nothing is given."""

_MS = 1_000_000
_CASTS = {FieldType.FLOAT: "", FieldType.INTEGER: "::integer", FieldType.TEXT: "::string"}
"""A field that was a float once is asked for as what it is now: it may be either in an older file of the server."""


class InfluxRollups:
    """The rollups of one database."""

    def __init__(self, wire: InfluxWire) -> None:
        self._wire = wire
        self._lock = Lock()
        self._is_whole = False  # what an earlier run left behind is not known

    def write(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """Store rows; fields that are not given stay as they are."""
        given = [(name, one) for name, series in rollups for one in series]
        for name, one in given:
            check_series(name, one)
        parts: dict[str, list[bytes]] = {}
        for name, one in given:
            parts.setdefault(policy_of(name), []).extend(_lines(name, name, one))
        with self._lock:
            self._make_whole()
            for name, series in rollups:
                self._take_away(name, series)
            for policy, lines in parts.items():
                self._wire.write_parts(policy, lines)

    def read(
        self, name: str, some: Sequence[Mapping[str, str]], period: Period, fields: Sequence[str] | None
    ) -> list[RollupSeries]:
        """Series whose tags include one of ``some``, cut to the period."""
        for tags in some:
            check_tags(name, tags, every=False)
        wanted = tuple(rollup_called(name).types if fields is None else fields)
        check_fields(name, wanted)
        found = {}
        for k in range(0, len(some), AT_ONCE):
            for one in self._read(name, name, some[k : k + AT_ONCE], period, wanted):
                found[frozenset(one.tags.items())] = one
        return list(found.values())

    def stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row."""
        rollup_called(name)
        where = f'SELECT "row" FROM {source(self._wire, policy_of(name), name)} ORDER BY time'
        ends = [one for order in ("ASC", "DESC") for one in self._wire.ask_json(f"{where} {order} LIMIT 1")]
        return (ends[0].values[0][0] // _MS, ends[-1].values[0][0] // _MS) if ends else None

    def delete(self, name: str, tags: Mapping[str, str], period: Period) -> None:
        """Delete rows of the series whose tags include ``tags``."""
        check_tags(name, tags, every=False)
        with self._lock:
            self._make_whole()
            worded = _worded(tags)
            touched = self._read(name, name, [worded], period, ROLLUPS[name].fields) if worded != tags else ()
            self._replace(name, tags, period, [one for one in touched if not tags.items() <= one.tags.items()])

    def _read(
        self, name: str, measurement: str, some: Sequence[Mapping[str, str]], period: Period, fields: Sequence[str]
    ) -> Iterator[RollupSeries]:
        known, types = ROLLUPS[name].tags, {field: ROLLUPS[name].types[field] for field in fields}
        columns = ", ".join(['"row"', *(f'"{field}"{_CASTS[kind]}' for field, kind in types.items())])
        where = " AND ".join(filter(None, (about(some), within(*period))))
        query = (
            f"SELECT {columns} FROM {source(self._wire, policy_of(name), measurement)}"
            f" WHERE {where} GROUP BY {', '.join(known)}"
        )
        is_wanted = is_one_of(some)
        answer = self._figures if set(types.values()) <= {FieldType.FLOAT} else self._mixed
        for one in answer(query, types):
            tags = {tag: one.tags.get(tag, "") for tag in known}
            if is_wanted(tags):
                yield RollupSeries(tags, one.t_ms, one.fields)

    def _figures(self, query: str, types: Mapping[str, FieldType]) -> Iterator[RollupSeries]:
        """An answer of figures alone, which is read as columns at once."""
        for table in self._wire.ask(query):
            fields = {field: table.columns[field] for field in types}
            yield RollupSeries(table.tags, table.columns["time"].astype(np.int64), fields)

    def _mixed(self, query: str, types: Mapping[str, FieldType]) -> Iterator[RollupSeries]:
        """An answer with whole numbers, which no float could hold, or with texts, which may break lines."""
        for series in self._wire.ask_json(query):
            t_ns, _, *columns = zip(*series.values, strict=True)
            fields = {field: column_of(types[field], one) for field, one in zip(types, columns, strict=True)}
            yield RollupSeries(series.tags, np.array(t_ns, np.int64) // _MS, fields)

    def _take_away(self, name: str, series: Sequence[RollupSeries]) -> None:
        """Remove what is stored where nothing is given; what is there is asked of many series at once."""
        gone = [(one, erased) for one in series if (erased := _erased(one))]
        for k in range(0, len(gone), AT_ONCE):
            some = gone[k : k + AT_ONCE]
            t_ms = np.concatenate([one.t_ms[np.logical_or.reduce(list(erased.values()))] for one, erased in some])
            whole = (int(t_ms.min()), int(t_ms.max()) + 1)
            fields = tuple(dict.fromkeys(field for _, erased in some for field in erased))
            stored = {
                frozenset(rows.tags.items()): rows
                for rows in self._read(name, name, [one.tags for one, _ in some], whole, fields)
            }
            for one, erased in some:
                rows = stored.get(frozenset(one.tags.items()))
                if rows is not None and (stale := _stale(rows, one, erased)):
                    self._rewrite(name, one, erased, (min(stale), max(stale) + 1))

    def _rewrite(self, name: str, one: RollupSeries, gone: Erased, at: Period) -> None:
        """The stretch without the figures that must go."""
        touched = list(self._read(name, name, [_worded(one.tags)], at, ROLLUPS[name].fields))
        for stored in touched:
            for field, erased in gone.items() if stored.tags == one.tags else ():
                column = stored.fields[field]
                column[np.isin(stored.t_ms, one.t_ms[erased])] = None if column.dtype == object else np.nan
        self._replace(name, one.tags, at, touched)

    def _replace(self, name: str, tags: Mapping[str, str], at: Period, kept: Sequence[RollupSeries]) -> None:
        """Put by what stays, delete, write back, forget."""
        self._is_whole = False
        self._write(name, _put_by(name), kept)
        self._delete(name, name, _worded(tags), at)
        self._write(name, name, kept)
        if kept:
            self._delete(name, _put_by(name), {}, at)
        self._is_whole = True

    def _make_whole(self) -> None:
        """Write back what was put by when an earlier rewriting was cut short."""
        if self._is_whole:
            return
        everywhen = (FIRST_MS, END_MS)
        for name, rollup in ROLLUPS.items():
            stored = list(self._read(name, _put_by(name), [{}], everywhen, rollup.fields))
            if stored:
                self._write(name, name, stored)
                self._delete(name, _put_by(name), {}, everywhen)
        self._is_whole = True

    def _write(self, name: str, measurement: str, series: Sequence[RollupSeries]) -> None:
        self._wire.write_parts(policy_of(name), (line for one in series for line in _lines(name, measurement, one)))

    def _delete(self, name: str, measurement: str, tags: Mapping[str, str], period: Period) -> None:
        self._wire.delete(policy_of(name), measurement, tags, period)


def _erased(one: RollupSeries) -> Erased:
    return {field: there for field, column in one.fields.items() if (there := absent(column)).any()}


def _stale(stored: RollupSeries, one: RollupSeries, gone: Erased) -> list[int]:
    """The times at which something is stored where nothing is given."""
    found: list[int] = []
    for field, erased in gone.items():
        found += np.intersect1d(stored.t_ms[~absent(stored.fields[field])], one.t_ms[erased]).tolist()
    return found


def _worded(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that stand in a line: InfluxDB 2 deletes nothing where one is asked for that does not."""
    return {tag: value for tag, value in tags.items() if value}


def _put_by(name: str) -> str:
    return f"{name}_put_by"


def _lines(name: str, measurement: str, one: RollupSeries) -> Iterator[bytes]:
    """A line a row; what is absent is left out."""
    head = line_head(measurement, one.tags)
    types = ROLLUPS[name].types
    columns = [_texts(field, types[field], column.tolist()) for field, column in one.fields.items()]
    for t_ms, *texts in zip(one.t_ms.tolist(), *columns, strict=True):
        yield f"{head} {''.join(texts)}row=true {t_ms}".encode()


def _texts(field: str, kind: FieldType, values: list[Any]) -> list[str]:
    """What the lines say of a field: nothing where it is absent."""
    if kind is FieldType.FLOAT:
        return [f"{field}={value!r}," if value == value else "" for value in values]  # noqa: PLR0124 - NaN is not itself
    written = "{}i".format if kind is FieldType.INTEGER else quoted_text
    return ["" if value is None else f"{field}={written(value)}," for value in values]
