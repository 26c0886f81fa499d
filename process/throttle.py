"""So many lines of one kind in a minute, and then a count: no sender and no device can fill a disk with log lines."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, MutableMapping

MOST_LINES, EACH_S = 30, 60.0
MOST_KINDS = 1_000
"""Our own events are few. What libraries say may have any words: beyond so many kinds all others are one."""

LONGEST_VALUE = 2_000
"""Characters of one value; a traceback has its last ones, which say what failed."""


class Throttle:
    """Counts lines by kind. The next line of a kind that is let through tells how many were ``left_out``."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kinds: dict[str, tuple[float, int, int]] = {}

    def step(self, _logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """As a step of structlog, for our own lines: the line, or ``structlog.DropEvent``."""
        left_out = self._count(f"{method} {line.get('event', '')}")
        if left_out is None:
            raise structlog.DropEvent
        if left_out:
            line["left_out"] = left_out
        for name, value in line.items():
            if isinstance(value, str) and len(value) > LONGEST_VALUE:
                line[name] = "…" + value[-LONGEST_VALUE:]
        return line

    def filter(self, record: logging.LogRecord) -> bool:
        """As a filter of ``logging``, for what libraries say: their words before anything is put into them."""
        return self._count(f"{record.name} {record.msg}") is not None

    def _count(self, kind: str) -> int | None:
        """How many were left out before this one; None where it is left out itself."""
        kind, now_s = kind[:200], self._monotonic()
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
                kind = "others"
            begun_s, lines, left_out = self._kinds.get(kind, (now_s, 0, 0))
            if now_s - begun_s >= EACH_S:
                begun_s, lines = now_s, 0
            is_let_through = lines < MOST_LINES
            self._kinds[kind] = (begun_s, lines + 1, 0) if is_let_through else (begun_s, lines, left_out + 1)
            return left_out if is_let_through else None
