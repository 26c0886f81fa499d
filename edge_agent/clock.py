"""When a reading was taken: a time scale that neither a wrong clock at boot nor a step of the clock can spoil."""

from __future__ import annotations

import threading
from enum import StrEnum, unique
from typing import TYPE_CHECKING

import structlog

from facility.model import Quality
from facility.wire import Clock as ClockState
from process.kernel_clock import is_kernel_synchronised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger()

EARLIEST_MS = 1_767_225_600_000
"""2026-01-01T00:00Z, moved on with each release. A clock before it is wrong, and no time before it leaves the box."""

STEP_MS = 1000
"""A wall clock that drifts or is slewed by less is followed; more at once is a step."""

SETTLE_MS = 60_000
"""How long a stepped clock must stay where it is before it is believed."""

BOOT_MS = 120_000
"""How long after a boot a clock that no time service keeps is not believed yet: without a battery it may be hours
behind until the network is up. Much later none may ever come, and an isolated machine must work too.
"""


@unique
class Trust(StrEnum):
    """When the wall clock is right. Before ``EARLIEST_MS`` it never is."""

    AUTO = "auto"
    """Right once the kernel says so, or after two minutes of uptime; a step is believed after a minute."""

    KERNEL = "kernel"
    """Right while the kernel calls it synchronised: for devices without a battery-backed clock."""

    TRUSTED = "trusted"
    """Always right, steps too."""


class ReadingClock:
    """Wall time as ``steady time + offset``. Steady time counts since boot; only the offset is ever corrected.

    Safe to use from several threads.
    """

    def __init__(
        self,
        wall_ms: Callable[[], int],
        steady_ms: Callable[[], int],
        trust: Trust = Trust.AUTO,
        is_synchronised: Callable[[], bool] = is_kernel_synchronised,
    ) -> None:
        self._wall_ms, self._steady_ms = wall_ms, steady_ms
        self._trust, self._is_synchronised = trust, is_synchronised
        self._lock = threading.Lock()
        self._offset_ms: int | None = None
        self._stepped_to_ms, self._stepped_at_ms = 0, -1
        self._off_ms = 0

    def stamp(self) -> tuple[int, Quality]:
        """Time and quality for a reading of this instant.

        Before the clock has ever been right, a time since boot: less than ``EARLIEST_MS``, as no other time is.
        """
        with self._lock:
            steady_ms, wall_ms = self._steady_ms(), self._wall_ms()
            self._follow(steady_ms, wall_ms)
            if self._offset_ms is None:
                return steady_ms, Quality.GOOD
            self._off_ms = wall_ms - steady_ms - self._offset_ms
            is_followed = abs(self._off_ms) <= STEP_MS
            return steady_ms + self._offset_ms, Quality.GOOD if is_followed else Quality.TIME_ESTIMATED

    def offset_ms(self) -> int | None:
        """What turns time since boot into wall time; None while nobody knows."""
        self.stamp()
        return self._offset_ms

    def now_ms(self) -> int:
        """Wall time as well as it is known."""
        return self.stamp()[0]

    def state(self) -> ClockState:
        """What a batch says of it: whether the time is known, by what, and how far the wall clock is from it now."""
        self.stamp()
        return ClockState(synced=self._offset_ms is not None, src=self._trust.value, off_ms=float(self._off_ms))

    def _follow(self, steady_ms: int, wall_ms: int) -> None:
        """Take up the wall clock's offset if it is right."""
        if wall_ms < EARLIEST_MS or not self._is_believed(steady_ms):
            self._stepped_at_ms = -1
            return
        offset_ms = wall_ms - steady_ms
        if self._offset_ms is None:
            log.info("clock_right", offset_ms=offset_ms)
        elif abs(offset_ms - self._offset_ms) > STEP_MS:
            if self._stepped_at_ms < 0 or abs(offset_ms - self._stepped_to_ms) > STEP_MS:
                log.warning("clock_stepped", by_ms=offset_ms - self._offset_ms)
                self._stepped_to_ms, self._stepped_at_ms = offset_ms, steady_ms
            if self._trust is Trust.AUTO and steady_ms - self._stepped_at_ms < SETTLE_MS:
                return
            log.warning("clock_followed", by_ms=offset_ms - self._offset_ms)
        self._offset_ms, self._stepped_at_ms = offset_ms, -1

    def _is_believed(self, steady_ms: int) -> bool:
        is_young = self._offset_ms is None and steady_ms < BOOT_MS
        asks_kernel = self._trust is Trust.KERNEL or (self._trust is Trust.AUTO and is_young)
        return not asks_kernel or self._is_synchronised()


def placed(boots: Sequence[tuple[int, int]], after_ms: int, before_ms: int) -> list[tuple[float, float]]:
    """``(a, b)`` for each boot, oldest first, such that ``a + b x uptime`` lies between its neighbours in time.

    A boot is the uptimes ``(first, last)`` of its readings. Each is put as late as the next allows; if there is not
    enough room between ``after_ms`` and ``before_ms``, all are squeezed evenly.
    """
    needed = sum(last - first + 1 for first, last in boots)
    squeeze = min(1.0, max(before_ms - after_ms - 1, 0) / needed) if needed else 1.0
    places: list[tuple[float, float]] = []
    end_ms = float(before_ms - 1)
    for first, last in reversed(boots):
        places.append((end_ms - squeeze * last, squeeze))
        end_ms -= squeeze * (last - first + 1)
    return places[::-1]
