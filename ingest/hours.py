"""How many readings of each hour came from each agent, what they said and under which numbers.

Kept longer than the journal's segments: what a store holds is compared with it when the journal has let them go.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from accounting.local_time import HOUR_MS
from facility.ranges import RangeSet
from ingest.entry import decode_entry
from ingest.frames import Frame
from stores.readings.sqlite.seal import reading_seals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from ingest.entry import Entry
    from ingest.journal import Journal
    from stores.readings.port import Series

MOST_POINTS = 2**16

CORRECTIONS = -1
"""The segment under which it is noted that several readings of an hour had one point and time."""

_COLUMNS = "segment, agent, epoch, hour_ms, points, ranges, seals"
_PUT = f"INSERT OR REPLACE INTO hour ({_COLUMNS}, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own words
_GET = f"SELECT {_COLUMNS}, crc FROM hour"  # noqa: S608

Key = tuple[str, str, int]
"""Agent, epoch, hour."""

log = structlog.get_logger()


@dataclass(slots=True)
class HourCount:
    """Readings of one hour by point, and their numbers.

    ``seals`` is by point the sum of what seals each reading, in whichever order they came; None where some were
    counted before there were seals.
    """

    points: Counter[str] = field(default_factory=Counter)
    seals: Counter[str] | None = field(default_factory=Counter)
    ranges: RangeSet = field(default_factory=RangeSet)


class HourCounts:
    """Counts per segment, noted when a segment is complete and stored; the segment may then go."""

    def __init__(self, connection: sqlite3.Connection, journal: Journal) -> None:
        self._connection, self._journal = connection, journal
        self._counted_up_to = 0
        self.lost = 0
        """Hours whose note the disk has changed and that cannot be counted again: nobody can hold a store to them."""

    def note(self, stored_up_to: int) -> int:
        """Count the segments that are complete and stored, once each; return where what is counted ends."""
        self._counted_up_to = max(self._counted_up_to, stored_up_to)
        noted = self._noted()
        starts = self._journal.segments
        for start, end in pairwise(starts):
            if noted <= start and end <= stored_up_to:
                self._write(start, counted(self._journal, start, end), end)
                noted = end
        return max(noted, self._journal.begin)

    def since(self, since_ms: int, stored_up_to: int) -> Mapping[tuple[str, int], Counter[str]]:
        """Readings taken in by agent and hour, and by point; the segment that is still being written included."""
        sums: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        for (agent, _, hour_ms), count in counted(self._journal, self.note(stored_up_to), stored_up_to).items():
            if hour_ms >= since_ms:
                sums[agent, hour_ms] += count.points
        for row in self._rows("hour_ms >= ?", since_ms):
            sums[row[1], row[3]].update(json.loads(row[4]))
        return sums

    def open(self, stored_up_to: int) -> Mapping[Key, HourCount]:
        """What the segment that is still being written holds up to there."""
        return counted(self._journal, self.note(stored_up_to), stored_up_to)

    def known(self, since_ms: int, still_open: Mapping[Key, HourCount]) -> list[tuple[str, int]]:
        """Every agent and hour of which anything was taken in."""
        noted = {(row[1], row[3]) for row in self._rows("hour_ms >= ?", since_ms)}
        return sorted(noted | {(agent, hour_ms) for agent, _, hour_ms in still_open if hour_ms >= since_ms})

    def contents(self, agent: str, hour_ms: int, still_open: Mapping[Key, HourCount]) -> HourCount:
        """What all segments hold of an agent's hour."""
        whole = HourCount()
        noted = self._rows("agent = ? AND hour_ms = ?", agent, hour_ms)
        parts = [_count_of(row) for row in noted]
        parts += [count for (of, _, at), count in still_open.items() if (of, at) == (agent, hour_ms)]
        for part in parts:
            whole.points += part.points
            if whole.seals is not None and part.seals is not None:
                whole.seals.update(part.seals)
            else:
                whole.seals = None
        return whole

    def gone(self, agent: str, hour_ms: int) -> Mapping[str, HourCount]:
        """What segments that are no longer kept held of an hour, by epoch."""
        found: dict[str, HourCount] = defaultdict(HourCount)
        where = "segment BETWEEN 0 AND ? AND agent = ? AND hour_ms = ?"
        for row in self._rows(where, self._journal.begin - 1, agent, hour_ms):
            found[row[2]].points.update(json.loads(row[4]))
            for first, last in json.loads(row[5]):
                found[row[2]].ranges.add(first, last)
        return found

    def correct(self, agent: str, hour_ms: int, point: str, by: int, seal: int = 0) -> None:
        """Several readings of this hour have one effect: so many fewer are stored, and nothing is missing.

        ``seal`` is how much more the seals of what is stored come to, where that is known to be right.
        """
        key = (CORRECTIONS, agent, "", hour_ms)
        known = self._rows("segment = ? AND agent = ? AND epoch = ? AND hour_ms = ?", *key)
        count = _count_of(known[0]) if known else HourCount()
        count.points[point] += by
        if count.seals is not None:
            count.seals[point] += seal
        self._connection.execute(_PUT, _sealed_row(*key, count))

    def _rows(self, where: str, *given: object) -> list[tuple[Any, ...]]:
        """Notes as they were written. One that the disk has changed is forgotten, and counted again where it can be."""
        found = self._connection.execute(f"{_GET} WHERE {where}", given).fetchall()
        spoilt = [row for row in found if row[-1] is not None and row[-1] != _crc(row[:-1])]
        if not spoilt:
            return found
        log.error("hours_spoilt", hours=len(spoilt), agent=str(spoilt[0][1]))
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for row in spoilt:
                key = "segment = ? AND agent = ? AND epoch = ? AND hour_ms = ?"
                self._connection.execute(f"DELETE FROM hour WHERE {key} AND crc = ?", (*row[:4], row[-1]))  # noqa: S608 - our own words
            self._connection.execute("DELETE FROM progress WHERE name = 'counted'")
        held = range(self._journal.begin, self._journal.end)
        self.lost += sum(row[0] not in held and row[0] != CORRECTIONS for row in spoilt)
        self.note(self._counted_up_to)
        return self._connection.execute(f"{_GET} WHERE {where}", given).fetchall()

    def _noted(self) -> int:
        found = self._connection.execute("SELECT value FROM progress WHERE name = 'counted'").fetchone()
        return int(found[0]) if found else 0

    def _write(self, segment: int, counts: Mapping[Key, HourCount], end: int) -> None:
        rows = [_sealed_row(segment, *key, count) for key, count in counts.items()]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_PUT, rows)
            self._connection.execute("INSERT OR REPLACE INTO progress VALUES ('counted', ?, NULL)", (end,))


def counted(journal: Journal, start: int, end: int) -> Mapping[Key, HourCount]:
    """Readings between two offsets by agent, epoch and hour."""
    counts: dict[Key, HourCount] = defaultdict(HourCount)
    for entry in entries_between(journal, start, end):
        for hour_ms, first, last in runs(entry):
            counts[(*entry.stream, hour_ms)].ranges.add(first, last)
        for hour_ms, point, n, seal in by_point(entry):
            count = counts[(*entry.stream, hour_ms)]
            count.points[point] += n
            if count.seals is not None:
                count.seals[point] += seal
    return counts


def entries_between(journal: Journal, start: int, end: int) -> Iterator[Entry]:
    """Entries that hold readings."""
    for frame in journal.frames(start, end):
        if isinstance(frame, Frame) and (entry := decode_entry(frame.body)).readings is not None:
            yield entry


def runs(entry: Entry) -> Iterator[tuple[int, int, int]]:
    """Stretches of consecutive numbers within one hour: hour in ms, first and last number."""
    if entry.readings is None or not len(entry.readings):
        return
    hours, seqs = entry.readings.t_ms // HOUR_MS * HOUR_MS, entry.seqs()
    starts = np.flatnonzero(np.append(True, (np.diff(hours) != 0) | (np.diff(seqs) != 1)))
    ends = np.append(starts[1:], len(seqs)) - 1
    yield from zip(hours[starts].tolist(), seqs[starts].tolist(), seqs[ends].tolist(), strict=True)


def by_point(entry: Entry) -> Iterator[tuple[int, str, int, int]]:
    """Hour in ms, point, how many readings, and the sum of their seals."""
    if entry.readings is None or not len(entry.readings):
        return
    rows = entry.readings
    p = np.frombuffer(rows.p, np.uint16).astype(np.int64)
    q = np.frombuffer(rows.q, np.uint8) if rows.q else np.zeros(len(rows), np.uint8)
    keys, places, counts = np.unique(rows.t_ms // HOUR_MS * MOST_POINTS + p, return_inverse=True, return_counts=True)
    sums = np.zeros(len(keys), np.int64)
    np.add.at(sums, places, reading_seals("", rows.t_ms, np.frombuffer(rows.x, np.float64), q))
    for key, n, seal in zip(keys.tolist(), counts.tolist(), sums.tolist(), strict=True):
        yield key // MOST_POINTS * HOUR_MS, rows.points[key % MOST_POINTS], n, seal


def seal_of(series: Series) -> int:
    """The sum of the seals of what a store holds."""
    return int(reading_seals("", series.t_ms, series.x, series.q).sum())


def _sealed_row(segment: int, agent: str, epoch: str, hour_ms: int, count: HourCount) -> tuple[object, ...]:
    seals = "" if count.seals is None else json.dumps([count.seals[point] for point in count.points])
    row = (segment, agent, epoch, hour_ms, json.dumps(count.points), json.dumps(list(count.ranges)), seals)
    return *row, _crc(row)


def _count_of(row: Sequence[Any]) -> HourCount:
    points = Counter(json.loads(row[4]))
    seals = Counter(dict(zip(points, json.loads(row[6]), strict=True))) if row[6] else None
    if seals is None and row[0] == CORRECTIONS:
        seals = Counter()
    return HourCount(points, seals)


def _crc(row: Sequence[object]) -> int:
    return zlib.crc32("\0".join(map(str, row)).encode("utf-8", "replace"))
