"""Holds the store to what the journal took in, per agent and hour: what a store has lost again is brought back.

A store can lose what it acknowledged (a damaged log, a restored backup). What the journal still holds is written
again; what it no longer holds is asked for from the agent, whose outbox keeps stored rows for its replay window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from accounting.local_time import HOUR_MS
from facility.errors import Rejected
from facility.model import ReadingBatch
from ingest.entry import Entry
from ingest.hours import entries_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from ingest.gate import Gate
    from ingest.hours import Hours
    from ingest.journal import Journal
    from ingest.watermarks import Watermarks
    from stores.readings.port import Series

log = structlog.get_logger()


class HourlyStore(Protocol):
    """A reading store, as far as reconciling needs it."""

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings in one durable step."""

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point."""

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many readings of these points each hour holds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One agent's hour in which the store had fewer readings than the journal."""

    agent: str
    hour_ms: int
    taken_in: int
    stored: int
    rewritten: int
    asked_for: int


@dataclass(slots=True)
class Reconciler:
    """Runs in the store writer's thread, between its groups."""

    journal: Journal
    hours: Hours
    watermarks: Watermarks
    store: HourlyStore
    gate: Callable[[], Gate]
    reopen: Callable[[Entry], None]
    clock_ms: Callable[[], int]

    def run(self, since_ms: int) -> list[Difference]:
        """Compare every hour from ``since_ms`` on, mend what differs, and say what did."""
        taken_in = self.hours.since(since_ms, self.watermarks.cursor)
        found: list[Difference] = []
        for agent in sorted({agent for agent, _ in taken_in}):
            expected = {hour_ms: n for (of, hour_ms), n in taken_in.items() if of == agent and n}
            if expected:
                found += self._compare(agent, expected)
        for difference in found:
            log.warning("store_differs", **{name: getattr(difference, name) for name in Difference.__slots__})
        return found

    def make_room(self) -> None:
        """Let old segments go once they are stored and counted."""
        counted = self.hours.note(self.watermarks.cursor)
        if gone := self.journal.trim(min(counted, self.watermarks.cursor)):
            log.info("journal_trimmed", segments=len(gone), begin=self.journal.begin)

    def _compare(self, agent: str, expected: Mapping[int, int]) -> Iterator[Difference]:
        points = self.gate().points_of(agent)
        stored = self.store.hour_counts(points, min(expected), max(expected) + HOUR_MS)
        for hour_ms, taken_in in sorted(expected.items()):
            has = stored.get(hour_ms, 0)
            if has < taken_in:
                yield from self._mend(agent, points, hour_ms, taken_in, has)

    def _mend(
        self, agent: str, points: Sequence[str], hour_ms: int, taken_in: int, stored: int
    ) -> Iterator[Difference]:
        rewritten = self._rewrite(agent, set(points), hour_ms)
        now_stored = self.store.hour_counts(points, hour_ms, hour_ms + HOUR_MS).get(hour_ms, 0)
        asked_for = self._ask_for_gone(agent, hour_ms) if now_stored < taken_in else 0
        if rewritten or asked_for:
            yield Difference(agent, hour_ms, taken_in, stored, rewritten, asked_for)
        elif now_stored < taken_in:
            self.hours.correct(agent, hour_ms, now_stored - taken_in)

    def _rewrite(self, agent: str, points: set[str], hour_ms: int) -> int:
        """Write again what the journal holds of an hour and the store does not, and say how many that were."""
        held: dict[str, dict[int, tuple[float, int]]] = {}
        for entry in entries_between(self.journal, self.journal.begin, self.watermarks.cursor):
            if entry.agent == agent and entry.readings is not None and _touches(entry.readings.t_ms, hour_ms):
                _collect(entry.readings.batch(), hour_ms, held)
        there = self.store.read(sorted(held), hour_ms, hour_ms + HOUR_MS)
        missing = ReadingBatch([], [], [], [], [])
        for point in sorted(points & held.keys()):
            missing.points.append(point)
            for t_ms in sorted(held[point].keys() - set(there[point].t_ms.tolist())):
                x, q = held[point][t_ms]
                missing.p.append(len(missing.points) - 1)
                missing.t_ms.append(t_ms)
                missing.x.append(x)
                missing.q.append(q)
        if not len(missing):
            return 0
        try:
            self.store.write_many([missing])
        except Rejected as error:  # the store writer has set these aside before
            log.warning("store_refuses_again", agent=agent, hour_ms=hour_ms, reason=error.reason)
            return 0
        return len(missing)

    def _ask_for_gone(self, agent: str, hour_ms: int) -> int:
        """Open numbers again whose readings only the agent may still hold."""
        asked = 0
        for epoch, count in self.hours.gone(agent, hour_ms).items():
            self.reopen(Entry(agent, epoch, self.clock_ms(), reopened=list(count.ranges)))
            self.hours.forget_gone(agent, epoch, hour_ms)
            asked += count.readings
        return asked


def _touches(t_ms: npt.NDArray[np.int64], hour_ms: int) -> bool:
    return bool(((t_ms >= hour_ms) & (t_ms < hour_ms + HOUR_MS)).any())


def _collect(batch: ReadingBatch, hour_ms: int, held: dict[str, dict[int, tuple[float, int]]]) -> None:
    """Take up the rows of one hour; a later row of the same point and time counts."""
    for i, t in enumerate(batch.t_ms):
        if hour_ms <= t < hour_ms + HOUR_MS:
            held.setdefault(batch.points[batch.p[i]], {})[t] = (batch.x[i], batch.q[i] if batch.q else 0)
