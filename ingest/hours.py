"""How many readings of each hour came from each agent, and under which numbers: known beyond the journal itself."""

from __future__ import annotations

import json
from collections import defaultdict
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

CORRECTIONS = -1
"""The segment under which it is noted that several readings of an hour had one point and time."""

Key = tuple[str, str, int]
"""Agent, epoch, hour."""


@dataclass(slots=True)
class HourCount:
    """Readings of one hour and their numbers."""

    readings: int = 0
    ranges: RangeSet = field(default_factory=RangeSet)


class Hours:
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

    def since(self, since_ms: int, stored_up_to: int) -> Mapping[tuple[str, int], int]:
        """Readings taken in by agent and hour, those of the segment that is still being written included."""
        query = "SELECT agent, hour_ms, SUM(readings) FROM hour WHERE hour_ms >= ? GROUP BY agent, hour_ms"
        found = {(agent, hour_ms): n for agent, hour_ms, n in self._connection.execute(query, (since_ms,))}
        sums = defaultdict(int, found)
        for (agent, _, hour_ms), count in counted(self._journal, self.note(stored_up_to), stored_up_to).items():
            if hour_ms >= since_ms:
                sums[agent, hour_ms] += count.readings
        return sums

    def gone(self, agent: str, hour_ms: int) -> Mapping[str, HourCount]:
        """What segments that are no longer kept held of an hour, by epoch."""
        query = "SELECT epoch, readings, ranges FROM hour WHERE segment BETWEEN 0 AND ? AND agent = ? AND hour_ms = ?"
        found: dict[str, HourCount] = defaultdict(HourCount)
        for epoch, n, ranges in self._connection.execute(query, (self._journal.begin - 1, agent, hour_ms)):
            found[epoch].readings += n
            for first, last in json.loads(ranges):
                found[epoch].ranges.add(first, last)
        return found

    def forget_gone(self, agent: str, epoch: str, hour_ms: int) -> None:
        """These readings come again and are counted then."""
        query = "DELETE FROM hour WHERE segment BETWEEN 0 AND ? AND agent = ? AND epoch = ? AND hour_ms = ?"
        self._connection.execute(query, (self._journal.begin - 1, agent, epoch, hour_ms))

    def correct(self, agent: str, hour_ms: int, by: int) -> None:
        """Several readings of this hour have one effect: so many fewer are stored, and nothing is missing."""
        self._connection.execute(
            "INSERT INTO hour VALUES (?, ?, '', ?, ?, '[]')"
            " ON CONFLICT DO UPDATE SET readings = readings + excluded.readings",
            (CORRECTIONS, agent, hour_ms, by),
        )

    def _noted(self) -> int:
        found = self._connection.execute("SELECT value FROM progress WHERE name = 'counted'").fetchone()
        return int(found[0]) if found else 0

    def _write(self, segment: int, counts: Mapping[Key, HourCount], end: int) -> None:
        rows = [(segment, *key, count.readings, json.dumps(list(count.ranges))) for key, count in counts.items()]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._connection.execute("INSERT OR REPLACE INTO progress VALUES ('counted', ?)", (end,))


def counted(journal: Journal, start: int, end: int) -> Mapping[Key, HourCount]:
    """Readings between two offsets by agent, epoch and hour."""
    counts: dict[Key, HourCount] = defaultdict(HourCount)
    for entry in entries_between(journal, start, end):
        for hour_ms, first, last in runs(entry):
            count = counts[(*entry.stream, hour_ms)]
            count.readings += last - first + 1
            count.ranges.add(first, last)
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
