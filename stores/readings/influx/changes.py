"""What was written since when, in an InfluxDB: it keeps no log of its writes, so every write adds to one of ours.

A write's entries, one per point with its first and last time, are stored before the line that makes them count; a
cursor is that line's stamp. A writer that finds a newer stamp beside its own, another writer's, enters its write
again with a newer one: so no reader's cursor ever passes an entry that it has not seen. The log lasts a week. A
reader that was away for longer is told every point with its whole stretch.
"""

from __future__ import annotations

from random import randrange
from threading import Lock
from typing import TYPE_CHECKING

from facility.errors import Rejected, StoreUnavailable
from stores.readings.influx.layout import LOG, source
from stores.readings.influx.line_protocol import line_head
from stores.readings.influx.points import END_MS, FIRST_MS, all_points, all_series, stretch_ends
from stores.readings.port import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stores.readings.influx.wire import InfluxWire

NOTHING_LOGGED = 1
"""The cursor of a store whose log is empty although it holds readings: everything was told."""

APART_NS = 1_000_000
"""Two writers that find the same newer stamp choose among so many: with the same one, one would hide the other."""


class ChangeLog:
    """Threads may share it."""

    def __init__(self, wire: InfluxWire, clock_ns: Callable[[], int]) -> None:
        self._wire, self._clock_ns = wire, clock_ns
        self._lock = Lock()
        self._newest = 0
        self._entries, self._stamps = source(wire, LOG, "written"), source(wire, LOG, "write")

    def add(self, ranges: Mapping[str, tuple[int, int]]) -> None:
        """Enter what has been stored. Raises ``StoreUnavailable``: then the write is repeated, and entered."""
        with self._lock:
            ahead: int | None = self._newest
            while ahead is not None:
                stamp = max(ahead + randrange(1, APART_NS), self._clock_ns())  # noqa: S311 - chance, no secret
                self._enter(ranges, stamp)
                self._newest, ahead = stamp, self._edge("DESC", f" WHERE time > {stamp}")

    def cursor(self) -> int:
        """The newest stamp; where the log is empty, whether anything was ever stored."""
        newest = self._edge("DESC")
        if newest is None:
            return NOTHING_LOGGED if any(all_series(self._wire)) else 0
        return newest

    def since(self, cursor: int) -> Changes:
        """What was entered after ``cursor``."""
        newest = self._edge("DESC")
        if newest is None:
            everything = {} if cursor == NOTHING_LOGGED else self._everything()
            return Changes(NOTHING_LOGGED if everything or cursor == NOTHING_LOGGED else 0, everything)
        if cursor == newest:
            return Changes(newest, {})
        if cursor > newest or cursor < (self._edge("ASC") or 0):
            return Changes(newest, self._everything())
        query = (
            f'SELECT min("first"), max("last") FROM {self._entries}'
            f" WHERE time > {cursor} AND time <= {newest} GROUP BY point"
        )
        found = {series.tags["point"]: series.values[0] for series in self._wire.ask_json(query)}
        return Changes(newest, {point: (int(first), int(last)) for point, (_, first, last) in found.items()})

    def _enter(self, ranges: Mapping[str, tuple[int, int]], stamp: int) -> None:
        entries = (
            f"{line_head('written', {'point': point})} first={first}i,last={last}i {stamp}"
            for point, (first, last) in ranges.items()
        )
        try:
            self._wire.write(LOG, "\n".join(entries).encode(), "ns")
            self._wire.write(LOG, b"write points=%di %d" % (len(ranges), stamp), "ns")
        except Rejected as error:  # our own lines are at fault; the readings are stored
            raise StoreUnavailable(f"{self._wire.address.place} refuses the log of changes: {error}") from None

    def _edge(self, order: str, where: str = "") -> int | None:
        """The newest (``DESC``) or oldest stamp."""
        found = self._wire.ask_json(f"SELECT points FROM {self._stamps}{where} ORDER BY time {order} LIMIT 1")
        return int(found[0].values[0][0]) if found else None

    def _everything(self) -> dict[str, tuple[int, int]]:
        return stretch_ends(self._wire, "value", all_points(self._wire), FIRST_MS, END_MS)
