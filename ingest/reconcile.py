"""Holds the store to what the journal took in, per agent and hour: what a store has lost again is brought back.

A store can lose what it acknowledged (a damaged log, a restored backup). What the journal still holds is written
again; what it no longer holds is asked for from the agent, whose outbox keeps stored rows for its replay window.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from accounting.local_time import HOUR_MS
from facility.errors import Rejected
from facility.model import ReadingBatch
from ingest.entry import Entry
from ingest.hours import entries_between
from ingest.imports import import_of
from ingest.store_writer import WritesMany

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ingest.gate import Doorway
    from ingest.hours import HourCounts
    from ingest.journal import Journal
    from ingest.motion import Motion
    from ingest.watermarks import Watermarks
    from stores.readings.port import Series

HOURS_AT_ONCE = 24
"""Differing hours that are looked up in one pass over the journal."""

Held = dict[str, dict[int, tuple[float, int]]]
"""What the journal holds of an agent's hour: point → time → value and quality."""

log = structlog.get_logger()


class HourlyStore(WritesMany, Protocol):
    """A reading store, as far as reconciling needs it."""

    def read_rows(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point, retracted ones too."""

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many readings of these points each hour holds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One agent's hour in which the store had fewer readings than the journal."""

    agent: str
    hour_ms: int
    taken_in: int
    stored: int
    rewritten: int = 0
    asked_for: int = 0


@dataclass(slots=True)
class Reconciler:
    """Runs in the store writer's thread, between its groups. ``motion`` is told as it goes: it may take minutes.

    Only points that the estate has now are compared: what was taken from it is not missed.
    """

    journal: Journal
    hours: HourCounts
    watermarks: Watermarks
    store: HourlyStore
    doorway: Doorway
    reopen: Callable[[Entry], None]
    take_again: Callable[[int, int], None]
    clock_ms: Callable[[], int]
    motion: Motion

    def run(self, since_ms: int) -> list[Difference]:
        """Compare every hour from ``since_ms`` on, mend what differs, and say what did."""
        taken_in = self.hours.since(since_ms, self.watermarks.cursor)
        self.motion.move()
        lacking = [one for agent in sorted({agent for agent, _ in taken_in}) for one in self._lacking(agent, taken_in)]
        found: list[Difference] = []
        for first in range(0, len(lacking), HOURS_AT_ONCE):
            found += self._mend(lacking[first : first + HOURS_AT_ONCE])
        for difference in found:
            log.warning("store_differs", **{name: getattr(difference, name) for name in Difference.__slots__})
        return found

    def make_room(self) -> None:
        """Let old segments go once they are stored and counted."""
        counted = self.hours.note(self.watermarks.cursor)
        if gone := self.journal.trim(min(counted, self.watermarks.cursor)):
            log.info("journal_trimmed", segments=len(gone), begin=self.journal.begin)

    def _lacking(self, agent: str, taken_in: Mapping[tuple[str, int], Counter[str]]) -> Iterator[Difference]:
        known = self.doorway.gate.points_of(agent)
        expected = {
            hour_ms: sum(counts[point] for point in known) for (of, hour_ms), counts in taken_in.items() if of == agent
        }
        stored = self.store.hour_counts(known, min(expected), max(expected) + HOUR_MS)
        for hour_ms, n in sorted(expected.items()):
            if stored.get(hour_ms, 0) < n:
                yield Difference(agent, hour_ms, n, stored.get(hour_ms, 0))

    def _mend(self, lacking: Sequence[Difference]) -> Iterator[Difference]:
        held = self.held({(one.agent, one.hour_ms) for one in lacking})
        for one in lacking:
            self.motion.move()
            points = self.doorway.gate.points_of(one.agent)
            rewritten = self._rewrite({p: held[one.agent, one.hour_ms].get(p, {}) for p in points}, one.hour_ms)
            now_stored = self.store.hour_counts(points, one.hour_ms, one.hour_ms + HOUR_MS).get(one.hour_ms, 0)
            asked_for = self.ask_for_gone(one.agent, one.hour_ms) if now_stored < one.taken_in else 0
            if rewritten or asked_for:
                yield Difference(one.agent, one.hour_ms, one.taken_in, one.stored, rewritten, asked_for)
            elif now_stored < one.taken_in and points:
                self.hours.correct(one.agent, one.hour_ms, points[0], now_stored - one.taken_in)

    def held(self, wanted: set[tuple[str, int]]) -> Mapping[tuple[str, int], Held]:
        """What the journal holds of some agents' hours, found in one pass."""
        held: dict[tuple[str, int], Held] = defaultdict(dict)
        agents = {agent for agent, _ in wanted}
        for number, entry in enumerate(entries_between(self.journal, self.journal.begin, self.watermarks.cursor)):
            if number % 1000 == 0:
                self.motion.move()
            if entry.agent in agents and entry.readings is not None:
                hours = {(entry.agent, hour_ms) for hour_ms in set((entry.readings.t_ms // HOUR_MS * HOUR_MS).tolist())}
                if hours & wanted:
                    _collect(entry.agent, entry.readings.batch(), wanted, held)
        return held

    def _rewrite(self, held: Held, hour_ms: int) -> int:
        """Write again what the store does not have of an hour, point by point, and say how many readings that were."""
        there = self.store.read_rows([point for point, rows in held.items() if rows], hour_ms, hour_ms + HOUR_MS)
        rewritten = 0
        for point, series in there.items():
            there_ms = set(series.t_ms.tolist())
            lacking = {t_ms: row for t_ms, row in held[point].items() if t_ms not in there_ms}
            rewritten += self.write_again(point, lacking, hour_ms)
        return rewritten

    def write_again(self, point: str, rows: Mapping[int, tuple[float, int]], hour_ms: int) -> int:
        """Write rows of a point, time → value and quality, and say how many; none where the store refuses them."""
        if not rows:
            return 0
        times = sorted(rows)
        x, q = zip(*(rows[t_ms] for t_ms in times), strict=True)
        try:
            self.store.write_many([ReadingBatch([point], [0] * len(times), times, list(x), list(q))])
        except Rejected as error:  # the store writer has set these aside before
            log.warning("store_refuses_again", point=point, hour_ms=hour_ms, reason=error.reason)
            return 0
        return len(times)

    def ask_for_gone(self, agent: str, hour_ms: int) -> int:
        """Ask for readings again that only the agent, or an import, may still hold; their count is forgotten."""
        asked = 0
        for epoch, count in self.hours.gone(agent, hour_ms).items():
            again, ranges = [(hour_ms, self.journal.begin)], list(count.ranges)
            if number := import_of(epoch):  # the records have it, and no agent
                self.take_again(number, self.clock_ms())
                ranges = []
            self.reopen(Entry(agent, epoch, self.clock_ms(), reopened=ranges, recounted=again))
            asked += count.points.total()
        return asked


def _collect(agent: str, batch: ReadingBatch, wanted: set[tuple[str, int]], held: dict[tuple[str, int], Held]) -> None:
    """Take up the rows of wanted hours; a later row of the same point and time counts."""
    for i, t_ms in enumerate(batch.t_ms):
        key = (agent, t_ms // HOUR_MS * HOUR_MS)
        if key in wanted:
            held[key].setdefault(batch.points[batch.p[i]], {})[t_ms] = (batch.x[i], batch.q[i] if batch.q else 0)
