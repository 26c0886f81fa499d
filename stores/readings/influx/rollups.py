"""Rollups in an InfluxDB: a row is one point, ``row=true`` in each, so that one without a figure is still a row.

InfluxDB unites the fields that are written for one series and time, as the port asks, but no write takes a field
away. Where a figure that is stored must go, the other figures of its stretch are put by in a measurement of their own,
the stretch is deleted and they are written back. A crash in between is made good before the next rollup is written or
deleted. One process writes rollups; its threads take turns.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from facility.errors import Rejected
from stores.readings.influx.csv_answers import tables
from stores.readings.influx.layout import policy_of, source
from stores.readings.influx.line_protocol import line_head
from stores.readings.influx.points import END_MS, FIRST_MS, within
from stores.readings.influx.wire import quoted
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS, check_fields, check_series, check_tags, rollup_called

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stores.readings.influx.wire import InfluxWire

Period = tuple[int, int]

_MS = 1_000_000


class InfluxRollups:
    """The rollups of one database."""

    def __init__(self, wire: InfluxWire) -> None:
        self._wire = wire
        self._lock = Lock()
        self._is_whole = False  # what an earlier run left behind is not known

    def write(self, name: str, series: Sequence[RollupSeries]) -> None:
        """Store rows; fields that are not given stay as they are."""
        for one in series:
            check_series(name, one)
        parts = [line for one in series for line in _lines(name, one)]
        with self._lock:
            self._make_whole()
            for one in series:
                self._take_away(name, one)
            self._wire.write_parts(policy_of(name), parts)

    def read(
        self, name: str, tags: Mapping[str, str], period: Period, fields: Sequence[str] | None
    ) -> list[RollupSeries]:
        """Series whose tags include ``tags``, cut to the period."""
        check_tags(name, tags, every=False)
        wanted = tuple(rollup_called(name).fields if fields is None else fields)
        check_fields(name, wanted)
        return list(self._read(name, name, tags, period, wanted))

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
            touched = self._read(name, name, worded, period, ROLLUPS[name].fields) if worded != tags else ()
            self._replace(name, tags, period, [one for one in touched if not tags.items() <= one.tags.items()])

    def _read(
        self, name: str, measurement: str, tags: Mapping[str, str], period: Period, fields: Sequence[str]
    ) -> Iterator[RollupSeries]:
        known = ROLLUPS[name].tags
        columns = ", ".join(f'"{field}"' for field in ("row", *fields))
        query = (
            f"SELECT {columns} FROM {source(self._wire, policy_of(name), measurement)}"
            f" WHERE {_where(tags, period)} GROUP BY {', '.join(known)}"
        )
        for table in tables(self._wire.ask(query)):
            own = {tag: table.tags.get(tag, "") for tag in known}
            t_ms = table.columns["time"].astype(np.int64)
            yield RollupSeries(own, t_ms, {field: table.columns[field] for field in fields})

    def _take_away(self, name: str, one: RollupSeries) -> None:
        """Remove stored figures for which NaN is given."""
        gone = {field: np.isnan(column) for field, column in one.fields.items() if np.isnan(column).any()}
        if not gone:
            return
        t_ms = one.t_ms[np.logical_or.reduce(list(gone.values()))]
        whole = (int(t_ms.min()), int(t_ms.max()) + 1)
        stale = [
            t
            for stored in self._read(name, name, one.tags, whole, tuple(gone))
            for field, column in stored.fields.items()
            for t in np.intersect1d(stored.t_ms[~np.isnan(column)], one.t_ms[gone[field]]).tolist()
        ]
        if stale:
            self._rewrite(name, one, gone, (min(stale), max(stale) + 1))

    def _rewrite(
        self, name: str, one: RollupSeries, gone: Mapping[str, np.typing.NDArray[np.bool_]], at: Period
    ) -> None:
        """The stretch without the figures that must go."""
        touched = list(self._read(name, name, _worded(one.tags), at, ROLLUPS[name].fields))
        for stored in touched:
            for field, erased in gone.items() if stored.tags == one.tags else ():
                stored.fields[field][np.isin(stored.t_ms, one.t_ms[erased])] = np.nan
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
            stored = list(self._read(name, _put_by(name), {}, everywhen, rollup.fields))
            if stored:
                self._write(name, name, stored)
                self._delete(name, _put_by(name), {}, everywhen)
        self._is_whole = True

    def _write(self, name: str, measurement: str, series: Sequence[RollupSeries]) -> None:
        self._wire.write_parts(policy_of(name), (line for one in series for line in _lines(measurement, one)))

    def _delete(self, name: str, measurement: str, tags: Mapping[str, str], period: Period) -> None:
        self._wire.delete(policy_of(name), measurement, tags, period)


def _worded(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that stand in a line: InfluxDB 2 deletes nothing where one is asked for that does not."""
    return {tag: value for tag, value in tags.items() if value}


def _put_by(name: str) -> str:
    return f"{name}_put_by"


def _where(tags: Mapping[str, str], period: Period) -> str:
    chosen = (f'"{tag}" = {quoted(value)}' for tag, value in tags.items())
    return " AND ".join([*chosen, within(*period)])


def _lines(measurement: str, one: RollupSeries) -> Iterator[bytes]:
    """A line a row; figures that are absent are left out."""
    head = line_head(measurement, one.tags)
    columns = [(field, column.tolist()) for field, column in one.fields.items()]
    for field, column in one.fields.items():
        if np.isinf(column).any():
            raise Rejected("not_finite", f"{measurement}: {field} holds a number that is not finite")
    for i, t_ms in enumerate(one.t_ms.tolist()):
        figures = "".join(f"{field}={column[i]!r}," for field, column in columns if column[i] == column[i])
        yield f"{head} {figures}row=true {t_ms}".encode()
