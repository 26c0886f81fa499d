"""Analytics' figures for Prometheus: rounds of the watch, and for how long none has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric


class Rounds:
    """Counts rounds by how they ended."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """``clock_s`` is a monotonic clock."""
        self._clock_s = clock_s
        self._ended_s = clock_s()
        self._rounds = Counter(
            "meterhouse_analytics_rounds", "Rounds of the watch over the estate.", ["ended"], registry=None
        )
        self._still = Gauge("meterhouse_analytics_still_seconds", "Since the last round ended well.", registry=None)
        self._still.set_function(lambda: self._clock_s() - self._ended_s)

    def end_well(self) -> None:
        """A round has done its work, or has found that there is none yet."""
        self._ended_s = self._clock_s()
        self._rounds.labels("well").inc()

    def fail(self) -> None:
        """A round was broken off by a fault."""
        self._rounds.labels("failed").inc()

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        yield from self._rounds.collect()
        yield from self._still.collect()
