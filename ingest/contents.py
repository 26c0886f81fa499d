"""Holds what a store's readings say to what they said when they were taken in, point by point and hour by hour.

A server of time series has checksums of its own and does not look at them when it reads: a bit that its disk has
changed is read as another value. What differs is written again from the journal, or asked for from the agent; where
nobody has it any more, that is said. Our own file needs none of this: its rows have seals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from accounting.local_time import HOUR_MS
from facility.so_many import so_many
from ingest.hours import HourCount, seal_of
from ingest.reconcile import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ingest.hours import Key
    from ingest.reconcile import Held, Reconciler
    from stores.readings.port import Series

POINTS_AT_ONCE = 500

Part = tuple[int, Difference | None]
"""How many readings were looked at, and what of them was not right."""

log = structlog.get_logger()


@dataclass(slots=True)
class Contents:
    """Called in the store writer's thread. ``lost`` readings differ, and nobody has them as they were."""

    reconciler: Reconciler
    lost: int = 0
    _round: Iterator[Part] | None = None

    @property
    def is_round_over(self) -> bool:
        """Whether all was looked at: the next round begins by reading a whole segment, and can wait."""
        return self._round is None

    def check(self, since_ms: int) -> list[Difference]:
        """Compare every hour from ``since_ms`` on, now; say what differed."""
        return [found for _, found in self._parts(since_ms) if found is not None]

    def step(self, most_rows: int) -> list[Difference]:
        """Go on for about so many readings, from where the last step ended, round after round."""
        self._round = self._round or self._parts(0)
        found, rows = [], 0
        for part_rows, difference in self._round:
            rows += part_rows
            found += [] if difference is None else [difference]
            if rows >= most_rows:
                return found
        self._round = None
        return found

    @property
    def words(self) -> str:
        """What stands after everything has been compared: nothing, or what could not be brought back."""
        return f"{so_many(self.lost, 'reading')} not as taken in, which nobody has any more" if self.lost else ""

    def _parts(self, since_ms: int) -> Iterator[Part]:
        """An hour of an agent and some of its points at a time. What comes while a round lasts is for the next one."""
        hours, upto = self.reconciler.hours, self.reconciler.watermarks.cursor
        still_open = hours.open(upto)
        for agent, hour_ms in hours.known(since_ms, still_open):
            expected = self._expected(agent, hour_ms, still_open)
            for first in range(0, len(expected), POINTS_AT_ONCE):
                self.reconciler.motion.move()
                yield self._compared(agent, hour_ms, dict(list(expected.items())[first : first + POINTS_AT_ONCE]))

    def _expected(self, agent: str, hour_ms: int, still_open: Mapping[Key, HourCount]) -> dict[str, int]:
        """Point → what its readings of an hour come to; nothing where some were taken in before there were seals."""
        seals = self.reconciler.hours.contents(agent, hour_ms, still_open).seals
        known = set(self.reconciler.doorway.gate.points_of(agent))
        return {} if seals is None else {point: seal for point, seal in sorted(seals.items()) if point in known}

    def _compared(self, agent: str, hour_ms: int, expected: Mapping[str, int]) -> Part:
        stored = self._read(list(expected), hour_ms)
        rows = sum(map(len, stored.values()))
        if all(seal_of(stored[point]) == seal for point, seal in expected.items()):
            return rows + 1, None
        now = self._expected(agent, hour_ms, self.reconciler.hours.open(self.reconciler.watermarks.cursor))
        again = self._read(list(expected), hour_ms)  # more may have come since the round began
        differing = {point: now[point] for point in expected if point in now and seal_of(again[point]) != now[point]}
        if not differing:
            return rows + 1, None
        return rows + 1, self._mend(agent, hour_ms, differing, again)

    def _mend(
        self, agent: str, hour_ms: int, expected: Mapping[str, int], stored: Mapping[str, Series]
    ) -> Difference | None:
        """Write again what is not as the journal has it; what the journal has no more the agent may have."""
        held = self.reconciler.held({(agent, hour_ms)})[agent, hour_ms]
        wrong: Held = {point: _wrong(held.get(point, {}), stored[point]) for point in expected}
        rewritten = sum(self.reconciler.write_again(point, rows, hour_ms) for point, rows in wrong.items() if rows)
        after = self._read(list(expected), hour_ms)
        differing = {point: seal for point, seal in expected.items() if seal_of(after[point]) != seal}
        gone = self.reconciler.hours.gone(agent, hour_ms)
        asked_for = 0
        if any(count.points.keys() & differing.keys() for count in gone.values()):
            asked_for = self.reconciler.ask_for_gone(agent, hour_ms)
        else:
            self._accept(agent, hour_ms, differing, after, held, rewritten)
        if not (rewritten or asked_for):
            return None
        before, now = sum(map(len, stored.values())), sum(map(len, after.values()))
        found = Difference(agent, hour_ms, now, before, rewritten, asked_for)
        log.error("store_says_otherwise", **{name: getattr(found, name) for name in Difference.__slots__})
        return found

    def _accept(
        self,
        agent: str,
        hour_ms: int,
        differing: Mapping[str, int],
        stored: Mapping[str, Series],
        held: Held,
        rewritten: int,
    ) -> None:
        """The store has all that the journal has: of several readings of one time only the last counts.

        What it has beside that, where something else was missing, is what the disk has made of it.
        """
        for point, seal in differing.items():
            self.reconciler.hours.correct(agent, hour_ms, point, 0, seal_of(stored[point]) - seal)
        beside = sum(len(set(stored[point].t_ms.tolist()) - held.get(point, {}).keys()) for point in differing)
        if rewritten and beside:
            self.lost += beside
            log.error("readings_of_nobody", agent=agent, hour_ms=hour_ms, readings=beside, first=min(differing))

    def _read(self, points: Sequence[str], hour_ms: int) -> dict[str, Series]:
        return self.reconciler.store.read_rows(points, hour_ms, hour_ms + HOUR_MS)


def _wrong(held: Mapping[int, tuple[float, int]], stored: Series) -> dict[int, tuple[float, int]]:
    """What the journal holds of a point and the store has not, or has otherwise."""
    there = dict(zip(stored.t_ms.tolist(), zip(stored.x.tolist(), stored.q.tolist(), strict=True), strict=True))
    return {t_ms: row for t_ms, row in held.items() if there.get(t_ms) != row}
