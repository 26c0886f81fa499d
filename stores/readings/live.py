"""The newest value of every point: one thread follows the store, and all who look share the same picture."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from facility.errors import StoreUnavailable
from facility.quantities import BY_WORD, GREATEST_RATES
from facility.register import RATE_FLOOR_MS, small_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stores.readings.port import Latest, ReadingStore

FOLLOW_S = 1.0
"""How often the store is asked what has changed."""

SPEED_SPAN_MS, SPEED_LEAST_MS, HOUR_MS = 600_000, 60_000, 3_600_000

log = structlog.get_logger("live")


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest value of each point, and a number that grows whenever one of them changes."""

    version: int = 0
    values: Mapping[str, Latest] = field(default_factory=lambda: MappingProxyType({}))
    per_hour: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))  # how fast counters grow
    reachable: bool = True


class CounterSpeed:
    """How fast registers grow, over the last few minutes: the flow of meters that only count.

    A register that falls, or leaps beyond all that a feeder delivers, has no speed until it grows or is back: what it
    shows meanwhile may be false, and neither 0 nor its leap is what flows.
    """

    def __init__(self) -> None:
        self._seen: dict[str, deque[Latest]] = {}
        self._before: dict[str, float] = {}  # what a register showed before that, while it is in doubt

    def add(self, values: Mapping[str, Latest]) -> None:
        """Take in newer readings of counters; other points are passed over."""
        for point, latest in values.items():
            if not is_counter(point):
                continue
            seen = self._seen.setdefault(point, deque())
            if not seen or latest.t_ms > seen[-1].t_ms:
                self._follow(point, seen, latest)
            while len(seen) > 2 and latest.t_ms - seen[1].t_ms >= SPEED_SPAN_MS:  # noqa: PLR2004 - a speed needs two
                seen.popleft()

    def per_hour(self) -> dict[str, float]:
        """Units per hour of each counter that was seen for a minute or more and is not in doubt."""
        speeds = {}
        for point, seen in self._seen.items():
            span_ms, grown = seen[-1].t_ms - seen[0].t_ms, seen[-1].x - seen[0].x
            if span_ms >= SPEED_LEAST_MS and grown >= 0 and point not in self._before:
                speeds[point] = grown * HOUR_MS / span_ms
        return speeds

    def _follow(self, point: str, seen: deque[Latest], latest: Latest) -> None:
        """Take in a newer reading of one counter; where a doubt begins or ends its speed is measured from there on."""
        if seen and point in self._before:
            level = self._before[point]
            small = small_step(level)
            is_back = level - small <= latest.x and not _leaps(point, seen[0], latest, level)
            if latest.x == seen[-1].x or (latest.x < seen[-1].x and not is_back):
                seen.append(latest)
                return
            del self._before[point]
            seen.clear()
        elif seen and (seen[-1].x - latest.x > small_step(seen[-1].x) or _leaps(point, seen[-1], latest, seen[-1].x)):
            self._before[point] = seen[-1].x
            seen.clear()
        seen.append(latest)


def _leaps(point: str, earlier: Latest, later: Latest, level: float) -> bool:
    """Whether a register is above a level by more than was ever delivered in the time between two readings."""
    greatest = GREATEST_RATES.get(BY_WORD[point.split("/")[1]], math.inf)
    return later.x - level > greatest * max(later.t_ms - earlier.t_ms, RATE_FLOOR_MS) / HOUR_MS


def is_counter(point: str) -> bool:
    """Whether a point's id names a counter."""
    quantity = BY_WORD.get(point.split("/")[1]) if point.count("/") else None
    return quantity is not None and quantity.is_counter


class LiveValues:
    """Follows a reading store. Constructing reads nothing; ``start`` begins, ``stop`` ends."""

    def __init__(self, store: ReadingStore, every_s: float = FOLLOW_S) -> None:
        self._store = store
        self._every_s = every_s
        self._cursor = 0
        self._speed = CounterSpeed()
        self._picture = Picture()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live values", daemon=True)

    @property
    def picture(self) -> Picture:
        """What is known now; never changes under the reader's hands."""
        return self._picture

    @property
    def is_ending(self) -> bool:
        """Whether streams should close because the console stops."""
        return self._ending.is_set()

    def end(self) -> None:
        """Ask everything that follows to end, without waiting."""
        self._ending.set()

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following, and wait for the thread."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)

    def refresh(self) -> None:
        """Take in what was written since the last time."""
        first_look = self._cursor == 0
        if first_look:
            cursor = self._store.cursor()
            fresh = self._store.latest() if cursor else {}
            self._speed.add(self._some_minutes_ago(fresh))
        else:
            changes = self._store.changes(self._cursor)
            cursor = changes.cursor
            fresh = self._store.latest(list(changes.ranges)) if changes.ranges else {}
        self._cursor = cursor  # only now: had asking for the values failed, the same changes must be asked for again
        if not fresh and self._picture.reachable:
            return
        self._speed.add(fresh)
        values = MappingProxyType({**self._picture.values, **fresh})
        self._picture = Picture(self._picture.version + 1, values, MappingProxyType(self._speed.per_hour()))

    def _some_minutes_ago(self, fresh: Mapping[str, Latest]) -> Mapping[str, Latest]:
        """Earlier readings of the counters, so that a fresh start knows their speed at once."""
        counters = [point for point in fresh if is_counter(point)]
        newest_ms = max((fresh[point].t_ms for point in counters), default=0)
        before = self._store.read_before(counters, newest_ms - SPEED_SPAN_MS) if counters else {}
        return {p: latest for p, latest in before.items() if newest_ms - latest.t_ms <= 2 * SPEED_SPAN_MS}

    def _follow(self) -> None:
        """Log once when the store goes away and once when it comes back."""
        while not self._ending.is_set():
            try:
                self.refresh()
            except StoreUnavailable as error:
                if self._picture.reachable:
                    log.warning("store_lost", reason=str(error))
                    self._picture = Picture(
                        self._picture.version + 1, self._picture.values, self._picture.per_hour, reachable=False
                    )
            self._ending.wait(self._every_s)
