"""So many lines of one kind in a minute, and then a count: no sender and no device can fill a disk with log lines."""

from __future__ import annotations

import re
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

MOST_OF_LIBRARIES = 300
"""Lines that libraries may write in a minute, whatever their words."""

VARIES = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")
"""Addresses and numbers make no kind of their own; nor do lines after the first."""

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What ends a line or turns its words around, save the newline, which the form of the line escapes by itself."""

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
        left_out = self._count(f"{method} {line.get('event', '')} {line.get('alarm', '')}", MOST_LINES)
        if left_out is None:
            raise structlog.DropEvent
        if left_out:
            line["left_out"] = left_out
        return line

    def filter(self, record: logging.LogRecord) -> bool:
        """As a filter of ``logging``, for what libraries say: their words before anything is put into them."""
        words = VARIES.sub("#", str(record.msg)[:LONGEST_VALUE].partition("\n")[0])
        left_out = self._count(f"{record.name} {words}", MOST_LINES)
        if left_out is None or self._count("libraries", MOST_OF_LIBRARIES) is None:
            return False
        if left_out:
            record.left_out = left_out
        return True

    def _count(self, kind: str, most: int) -> int | None:
        """How many were left out before this one; None where it is left out itself."""
        kind, now_s = kind[:200], self._monotonic()
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
                kind = "others"
            begun_s, lines, left_out = self._kinds.get(kind, (now_s, 0, 0))
            if now_s - begun_s >= EACH_S:
                begun_s, lines = now_s, 0
            is_let_through = lines < most
            self._kinds[kind] = (begun_s, lines + 1, 0) if is_let_through else (begun_s, lines, left_out + 1)
            return left_out if is_let_through else None


def shorten(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """As a step of structlog: no value is longer than ``LONGEST_VALUE``, and none steers a terminal."""
    for name, value in line.items():
        if value is None or isinstance(value, int | float):
            continue
        words = str(value)
        if len(words) > LONGEST_VALUE:
            words = "…" + words[-LONGEST_VALUE:]
        line[name] = words if words.isprintable() else CONTROLS.sub(_escaped, words)
    return line


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode("ascii")
