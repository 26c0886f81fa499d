"""What was written since when, in an InfluxDB: it keeps no log of its writes, so every write adds to one of ours.

A write is one line that says of each point its first and last time, whose stamp is the cursor; of a write of many
points the rest is stored before that line, which makes it count. A writer that finds a newer stamp beside its own,
another writer's, enters its write again with a newer one: so no reader's cursor ever passes an entry that it has not
seen. The log lasts a week. A reader that was away for longer is told every point with its whole stretch.

Entries stand in few series whatever the estate: with one a point, each look at the log would go through them all. So
it was kept before; what such a log still tells is read until it has expired.
"""

from __future__ import annotations

import json
from random import randrange
from threading import Lock
from typing import TYPE_CHECKING

from facility.errors import Rejected, StoreUnavailable
from stores.readings.influx.layout import LOG, source
from stores.readings.influx.line_protocol import quoted_text
from stores.readings.influx.points import END_MS, FIRST_MS, all_points, all_series, stretch_ends
from stores.readings.port import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stores.readings.influx.wire import InfluxWire

NOTHING_LOGGED = 1
"""The cursor of a store whose log is empty although it holds readings: everything was told."""

MOST_IN_A_LINE = 250
"""Points that one text names: InfluxDB keeps texts of 64 kB."""

MOST_PARTS = 100
"""Texts that one request carries."""

APART_NS = 1_000_000
"""Two writers that find the same newer stamp choose among so many: with the same one, one would hide the other."""


class ChangeLog:
    """Threads may share it."""

    def __init__(self, wire: InfluxWire, clock_ns: Callable[[], int]) -> None:
        self._wire, self._clock_ns = wire, clock_ns
        self._lock = Lock()
        self._newest = 0
        self._lines, self._parts = source(wire, LOG, "change"), source(wire, LOG, "change_part")
        self._stamps_before, self._entries_before = source(wire, LOG, "write"), source(wire, LOG, "written")

    def add(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        """Enter what has been stored. Raises ``StoreUnavailable``: then the write is repeated, and entered."""
        with self._lock:
            ahead: int | None = self._newest
            while ahead is not None:
                stamp = max(ahead + randrange(1, APART_NS), self._clock_ns())  # noqa: S311 - chance, no secret
                self._enter(ranges, stamp)
                self._newest, ahead = stamp, self._edge(self._lines, "DESC", f" WHERE time > {stamp}")

    def cursor(self) -> int:
        """The newest stamp; where the log is empty, whether anything was ever stored."""
        newest = self._newest_stamp()
        if newest is None:
            return NOTHING_LOGGED if any(all_series(self._wire)) else 0
        return newest

    def since(self, cursor: int) -> Changes:
        """What was entered after ``cursor``."""
        newest = self._newest_stamp()
        if newest is None:
            everything = {} if cursor == NOTHING_LOGGED else self._everything()
            return Changes(NOTHING_LOGGED if everything or cursor == NOTHING_LOGGED else 0, everything)
        if cursor == newest:
            return Changes(newest, {})
        found = None if cursor > newest else self._told_before(cursor)
        if found is None:
            return Changes(newest, self._everything())
        for part in self._entered(cursor, newest):
            for point, (first, last) in part.items():
                known = found.get(point, (first, last))
                found[point] = min(first, known[0]), max(last, known[1])
        return Changes(newest, found)

    def _entered(self, cursor: int, newest: int) -> Iterator[dict[str, tuple[int, int]]]:
        """What the lines after a cursor say, and the parts that they make count."""
        when, has_parts = f"WHERE time > {cursor} AND time <= {newest}", False
        for series in self._wire.ask_json(f"SELECT points, ranges FROM {self._lines} {when}"):
            for _, points, ranges in series.values:
                has_parts |= int(points) > MOST_IN_A_LINE
                yield json.loads(ranges)
        if has_parts:
            for series in self._wire.ask_json(f"SELECT ranges FROM {self._parts} {when} GROUP BY part"):
                yield from (json.loads(ranges) for _, ranges in series.values)

    def _told_before(self, cursor: int) -> dict[str, tuple[int, int]] | None:
        """What a log as it was kept before says after a cursor; None where no log reaches back so far."""
        oldest = self._edge(self._lines, "ASC")
        if oldest is not None and cursor >= oldest:
            return {}
        begun = self._edge(self._stamps_before, "ASC")
        if begun is None or cursor < begun:
            return None
        query = f'SELECT min("first"), max("last") FROM {self._entries_before} WHERE time > {cursor} GROUP BY point'
        found = {series.tags["point"]: series.values[0] for series in self._wire.ask_json(query)}
        return {point: (int(first), int(last)) for point, (_, first, last) in found.items()}

    def _enter(self, ranges: Mapping[str, tuple[int, int]], stamp: int) -> None:
        entries = [(point, list(ends)) for point, ends in ranges.items()]
        texts = [json.dumps(dict(entries[k : k + MOST_IN_A_LINE])) for k in range(0, len(entries), MOST_IN_A_LINE)]
        parts = [f"change_part,part={k} ranges={quoted_text(text)} {stamp}" for k, text in enumerate(texts[1:], 1)]
        line = f"change points={len(entries)}i,ranges={quoted_text(texts[0])} {stamp}"
        try:
            for k in range(0, len(parts), MOST_PARTS):
                self._wire.write(LOG, "\n".join(parts[k : k + MOST_PARTS]).encode(), "ns")
            self._wire.write(LOG, line.encode(), "ns")
        except Rejected as error:  # our own lines are at fault; the readings are stored
            raise StoreUnavailable(f"{self._wire.address.place} refuses the log of changes: {error}") from None

    def _newest_stamp(self) -> int | None:
        newest = self._edge(self._lines, "DESC")
        return self._edge(self._stamps_before, "DESC") if newest is None else newest

    def _edge(self, lines: str, order: str, where: str = "") -> int | None:
        """The newest (``DESC``) or oldest stamp."""
        found = self._wire.ask_json(f"SELECT points FROM {lines}{where} ORDER BY time {order} LIMIT 1")
        return int(found[0].values[0][0]) if found else None

    def _everything(self) -> dict[str, tuple[int, int]]:
        return stretch_ends(self._wire, "value", all_points(self._wire), FIRST_MS, END_MS)
