"""How many readings of each hour came from each agent, under which numbers: kept longer than the journal's segments."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from facility.ranges import RangeSet
from ingest.entry import decode_entry
from ingest.frames import Frame

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from ingest.entry import Entry
    from ingest.journal import Journal

MOST_POINTS = 2**16

CORRECTIONS = -1
"""The segment under which it is noted that several readings of an hour had one point and time."""

Key = tuple[str, str, int]
"""Agent, epoch, hour."""


@dataclass(slots=True)
class HourCount:
    """Readings of one hour by point, and their numbers."""

    points: Counter[str] = field(default_factory=Counter)
    ranges: RangeSet = field(default_factory=RangeSet)


class HourCounts:
    """Counts per segment, noted when a segment is complete and stored; the segment may then go."""

    def __init__(self, connection: sqlite3.Connection, journal: Journal) -> None:
        self._connection, self._journal = connection, journal

    def note(self, stored_up_to: int) -> int:
        """Count the segments that are complete and stored, once each; return where what is counted ends."""
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
        query = "SELECT agent, hour_ms, points FROM hour WHERE hour_ms >= ?"
        for agent, hour_ms, points in self._connection.execute(query, (since_ms,)):
            sums[agent, hour_ms].update(json.loads(points))
        return sums

    def gone(self, agent: str, hour_ms: int) -> Mapping[str, HourCount]:
        """What segments that are no longer kept held of an hour, by epoch."""
        query = "SELECT epoch, points, ranges FROM hour WHERE segment BETWEEN 0 AND ? AND agent = ? AND hour_ms = ?"
        found: dict[str, HourCount] = defaultdict(HourCount)
        for epoch, points, ranges in self._connection.execute(query, (self._journal.begin - 1, agent, hour_ms)):
            found[epoch].points.update(json.loads(points))
            for first, last in json.loads(ranges):
                found[epoch].ranges.add(first, last)
        return found

    def correct(self, agent: str, hour_ms: int, point: str, by: int) -> None:
        """Several readings of this hour have one effect: so many fewer are stored, and nothing is missing."""
        key = (CORRECTIONS, agent, "", hour_ms)
        query = "SELECT points FROM hour WHERE segment = ? AND agent = ? AND epoch = ? AND hour_ms = ?"
        known = self._connection.execute(query, key).fetchone()
        points = Counter(json.loads(known[0])) if known else Counter[str]()
        points[point] += by
        self._connection.execute("INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, '[]')", (*key, json.dumps(points)))

    def _noted(self) -> int:
        found = self._connection.execute("SELECT value FROM progress WHERE name = 'counted'").fetchone()
        return int(found[0]) if found else 0

    def _write(self, segment: int, counts: Mapping[Key, HourCount], end: int) -> None:
        rows = [
            (segment, *key, json.dumps(count.points), json.dumps(list(count.ranges))) for key, count in counts.items()
        ]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._connection.execute("INSERT OR REPLACE INTO progress VALUES ('counted', ?, NULL)", (end,))


def counted(journal: Journal, start: int, end: int) -> Mapping[Key, HourCount]:
    """Readings between two offsets by agent, epoch and hour."""
    counts: dict[Key, HourCount] = defaultdict(HourCount)
    for entry in entries_between(journal, start, end):
        for hour_ms, first, last in runs(entry):
            counts[(*entry.stream, hour_ms)].ranges.add(first, last)
        for hour_ms, point, n in by_point(entry):
            counts[(*entry.stream, hour_ms)].points[point] += n
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


def by_point(entry: Entry) -> Iterator[tuple[int, str, int]]:
    """Hour in ms, point and how many readings."""
    if entry.readings is None or not len(entry.readings):
        return
    p = np.frombuffer(entry.readings.p, np.uint16).astype(np.int64)
    keys, counts = np.unique(entry.readings.t_ms // HOUR_MS * MOST_POINTS + p, return_counts=True)
    for key, n in zip(keys.tolist(), counts.tolist(), strict=True):
        yield key // MOST_POINTS * HOUR_MS, entry.readings.points[key % MOST_POINTS], n
