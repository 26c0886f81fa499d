"""What a watch works with, as far as it needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.rollups.derived_days import DerivedDays
    from stores.readings.port import ReadingStore


class Rollups(Protocol):
    """What keeps hours and days up to date (``analytics.rollups.writer.RollupWriter``)."""

    derived: DerivedDays

    def update(
        self, ranges: Mapping[str, tuple[int, int]], *, now_ms: int, beside: Callable[[ReadingStore], None]
    ) -> None:
        """Recompute what these stretches touch, and ``beside`` it; entries for closed months are dated ``now_ms``."""

    def is_kept(self, point: str) -> bool:
        """Whether rollups are made of a point."""

    def take_changed(self) -> dict[str, int]:
        """Counters whose hours were written since this was asked last: point id → the earliest of them, ms UTC."""


class Again(Protocol):
    """What works through the list of recomputations (``analytics.rollups.recompute.Recompute``)."""

    def step(self, now_ms: int) -> bool:
        """Do the next piece; False when there is none."""
