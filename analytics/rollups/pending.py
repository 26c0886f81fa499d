"""What was written and is not in the rollups yet: it waits its turn, oldest first, and says how long it has waited."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from facility.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stores.readings.port import Changes

Ranges = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A stretch of one point; it was written after ``since_ms``, and changes after ``cursor`` tell of it."""

    first_ms: int
    last_ms: int
    since_ms: int
    cursor: int


class Pending:
    """One thread adds, one takes, any may ask how far they are."""

    def __init__(self, cursor: int, is_kept: Callable[[str], bool]) -> None:
        """Changes up to ``cursor`` are in the rollups; ``is_kept`` tells the points that rollups are made of."""
        self._is_kept = is_kept
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}
        self._in_hand: dict[str, _Entry] = {}
        self._apart: set[str] = set()
        self._asked_ms: int | None = None
        self.cursor = cursor

    def add(self, changes: Changes, now_ms: int) -> None:
        """Take up what changed after ``cursor``, as of now."""
        with self._lock:
            since_ms = now_ms if self._asked_ms is None else self._asked_ms
            for point, (first, last) in changes.ranges.items():
                if self._is_kept(point):
                    self._put(point, _Entry(first, last, since_ms, self.cursor))
            self.cursor, self._asked_ms = changes.cursor, now_ms

    def take(self, most: int) -> Ranges:
        """The oldest, to be computed now and then to be ``finish``ed or ``give_back``; one that failed goes alone."""
        with self._lock:
            oldest = list(islice(self._entries, most))
            if oldest[:1] and oldest[0] in self._apart:
                taken = oldest[:1]
            else:
                taken = [point for point in oldest if point not in self._apart]
            self._in_hand = {point: self._entries[point] for point in taken}
            for point in self._in_hand:
                del self._entries[point]
            return {point: (entry.first_ms, entry.last_ms) for point, entry in self._in_hand.items()}

    @contextmanager
    def in_hand(self, most: int) -> Iterator[Ranges]:
        """The oldest, while they are computed: what fails waits behind the others, where no store is at its place."""
        has_failed = True
        try:
            yield self.take(most)
            has_failed = False
        except StoreUnavailable:
            self.give_back()
            raise
        finally:
            self.finish(has_failed=has_failed)

    def finish(self, *, has_failed: bool = False) -> None:
        """What was taken is in the rollups; or it ``has_failed``, and waits behind the others."""
        with self._lock:
            taken, self._in_hand = self._in_hand, {}
            if has_failed:
                self._apart |= taken.keys()
                self._put_all(taken)
            else:
                self._apart -= taken.keys()

    def give_back(self) -> None:
        """What was taken could not be computed now: it is again the oldest."""
        with self._lock:
            newer, self._entries, self._in_hand = self._entries, self._in_hand, {}
            self._put_all(newer)

    @property
    def done_cursor(self) -> int:
        """Changes up to here are in the rollups, whatever still waits."""
        with self._lock:
            return min((entry.cursor for entry in self._waiting()), default=self.cursor)

    @property
    def done_ms(self) -> int | None:
        """What had been written by then is in the rollups; None before the first look."""
        with self._lock:
            return min((entry.since_ms for entry in self._waiting()), default=self._asked_ms)

    @property
    def count(self) -> int:
        """How many points wait."""
        with self._lock:
            return len(self._entries) + len(self._in_hand)

    def _waiting(self) -> list[_Entry]:
        return [*self._in_hand.values(), *self._entries.values()]

    def _put_all(self, entries: dict[str, _Entry]) -> None:
        for point, entry in entries.items():
            self._put(point, entry)

    def _put(self, point: str, entry: _Entry) -> None:
        """A point that waits already keeps its place, with a wider stretch."""
        old = self._entries.get(point, entry)
        first, last = min(old.first_ms, entry.first_ms), max(old.last_ms, entry.last_ms)
        since, cursor = min(old.since_ms, entry.since_ms), min(old.cursor, entry.cursor)
        self._entries[point] = _Entry(first, last, since, cursor)
