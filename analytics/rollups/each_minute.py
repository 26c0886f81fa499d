"""What is done once a minute beside rollups: one that fails keeps no other from being done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.local_time import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class EachMinute:
    """Things to do, by the time (ms UTC) at which they are done."""

    def __init__(self, things: Sequence[Callable[[int], None]] = ()) -> None:
        self._things = [(thing, [-1]) for thing in things]

    def step(self, now_ms: int) -> None:
        """Do what has not been tried in this minute. What fails raises; the next step goes on after it."""
        for thing, tried in self._things:
            if tried[0] != now_ms // MINUTE_MS:
                tried[0] = now_ms // MINUTE_MS
                thing(now_ms)
