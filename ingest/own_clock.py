"""Whose clock is wrong, where a reading seems to come from the future: the agent's, or ours.

A server whose clock is behind would set aside every reading of every agent, and tell them that they are done. So a
reading is refused as *in future* only where something speaks for our clock; else it is neither kept nor acknowledged.
Its agent holds it, and sends it again until the clock is right or a person has mended it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.gate import AHEAD_MS

if TYPE_CHECKING:
    from collections.abc import Callable

RECENT_S = 600.0
"""What an agent said of the time speaks for so long."""

TOLD_S = 120.0
"""An agent sends what is not acknowledged again within half a minute: after this long without, all is well."""


class OwnClock:
    """Hears the times of live readings, agent by agent. Times are wall times in ms; ``monotonic`` counts seconds."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        is_synchronised: Callable[[], bool],
        noted_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        """``is_synchronised``: whether a time service keeps our clock; ``noted_ms``: the latest time it ever showed."""
        self._monotonic, self._is_synchronised, self._noted_ms = monotonic, is_synchronised, noted_ms
        self._heard: dict[str, tuple[float, float]] = {}
        self._held_s = float("-inf")
        self._held_of = ""

    def hear(self, agent: str, newest_ms: int, now_ms: int) -> None:
        """A live batch with its newest reading: the agent's clock, unless it comes late.

        Kept as what it is ahead of steady time, so that a step of our own clock afterwards shows.
        """
        if newest_ms >= now_ms - RECENT_S * 1000:
            now_s = self._monotonic()
            self._heard[agent] = (now_s, newest_ms - 1000 * now_s)

    def may_refuse(self, agent: str, now_ms: int) -> bool:
        """Whether a reading of ``agent`` that is ahead of us may be refused for that."""
        now_s = self._monotonic()
        recent = [off_ms for name, (at_s, off_ms) in self._heard.items() if name != agent and now_s - at_s <= RECENT_S]
        if recent:
            return min(recent) + 1000 * now_s <= now_ms + AHEAD_MS
        return now_ms >= self._noted_ms() - AHEAD_MS and self._is_synchronised()

    def hold(self, agent: str) -> None:
        """Readings were neither kept nor acknowledged."""
        self._held_s, self._held_of = self._monotonic(), agent

    def doubt(self) -> str:
        """A sentence while readings wait because of it, else nothing."""
        if self._monotonic() - self._held_s > TOLD_S:
            return ""
        minutes = AHEAD_MS // 60_000
        return (
            f"readings of {self._held_of} and perhaps others are over {minutes} minutes ahead of this machine's clock"
        )
