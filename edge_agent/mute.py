"""Buses on which nobody answers: of single devices their server tells, of all at once only the agent knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from facility.status import SILENT_AFTER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@runtime_checkable
class KnowsWhetherMute(Protocol):
    """A bus of which is known whether nobody on it can be heard now."""

    @property
    def is_mute(self) -> bool:
        """Whether its line is down, or all that are asked on it are silent. Who is paused listens to nobody."""


class MuteBuses:
    """Counts the buses that have been mute for a minute, however often it is asked."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since_s: dict[str, float] = {}

    def count(self, buses: Mapping[str, object]) -> int:
        """How many of the buses, by name, are mute and were whenever it was asked in the last minute."""
        now = self._monotonic()
        mute = [name for name, bus in buses.items() if isinstance(bus, KnowsWhetherMute) and bus.is_mute]
        self._since_s = {name: self._since_s.get(name, now) for name in mute}
        return sum(now - since >= SILENT_AFTER_S for since in self._since_s.values())
