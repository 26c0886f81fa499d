"""From which hour on the rows of counters were written, for whoever has read them before."""

from __future__ import annotations

from threading import Lock


class ChangedHours:
    """One thread writes, another takes. What is not published yet may not be stored yet either."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._writing: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def note(self, point: str, t_ms: int) -> None:
        """Hours of a counter from an instant (ms UTC) on are being written."""
        self._writing[point] = min(t_ms, self._writing.get(point, t_ms))

    def publish(self) -> None:
        """What was noted is stored."""
        with self._lock:
            for point, t_ms in self._writing.items():
                self._written[point] = min(t_ms, self._written.get(point, t_ms))
        self._writing = {}

    def take(self) -> dict[str, int]:
        """What was published since the last time: point id → the earliest hour, ms UTC."""
        with self._lock:
            written, self._written = self._written, {}
        return written
