"""The history of ``bench.stack``: written before the watch, or long before it and then what has come since.

Doors that stand open too long during the watch are opened in the history, half an hour before.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.stack.estate import HOUR_MS, write_history

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stack.estate import Plan
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore

DOORS = 10
HALF_HOUR_MS = 1_800_000
"""A door is told of once it has stood open for so long."""

POINTS_A_SECOND = {"sqlite": 20, "influx": 6}
"""Whose history is written, about; what has come since takes a tenth."""


@dataclass
class History:
    """What is written into a store, and when the watch after it begins."""

    folder: Path
    plan: Plan
    store: str
    minutes: float
    kept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self._file.exists():
            self.kept = json.loads(self._file.read_text(encoding="utf-8"))

    @property
    def _file(self) -> Path:
        return self.folder / "history.json"

    @property
    def until_ms(self) -> int:
        """Up to when it was written before; 0: it was not."""
        return int(self.kept.get("until_ms", 0))

    def begin_ms(self, *, at_once: bool) -> int:
        """When the watch can begin once all is written, so that an hour ends in its middle."""
        if at_once:
            return now_ms()
        points = self.plan.points
        write_s = 20 + points / POINTS_A_SECOND[self.store] * (0.1 if self.until_ms else 1)
        settle_s = 60 + points / 80
        earliest_ms = now_ms() + round((write_s + settle_s) * 1000)
        return begin_of(earliest_ms, self.minutes, self.plan.offset_ms % HOUR_MS)

    def open_doors(self, begin_ms: int) -> None:
        """Have doors stand open too long in the second half of a watch that begins then.

        What was written before stays: where it reaches beyond that, doors are opened later and due after the watch.
        """
        opened_ms = np.maximum(self._opened_ms(begin_ms), self.until_ms + 1)
        self.plan.raised_ms |= {f"d{n}": int(t_ms) for n, t_ms in enumerate(opened_ms)}

    def write(self, store: ReadingStore, estate: Catalogue) -> None:
        """All of it, or what has come since."""
        begun = now_ms()
        write_history(store, estate, self.plan, begun, self.until_ms)
        self.kept["until_ms"] = begun
        self._file.write_text(json.dumps(self.kept), encoding="utf-8")
        print(f"history written in {(now_ms() - begun) / 1000:.0f} s", file=sys.stderr)

    def _opened_ms(self, begin_ms: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return begin_ms + np.round(np.linspace(0.5, 0.9, DOORS) * self.minutes * 60_000).astype(np.int64) - HALF_HOUR_MS


def begin_of(earliest_ms: int, minutes: float, shift_ms: int) -> int:
    """When to begin, so that an hour of clocks that are so far ahead ends in the middle."""
    half_ms = round(minutes * 30_000)
    return -(-(earliest_ms + half_ms + shift_ms) // HOUR_MS) * HOUR_MS - shift_ms - half_ms


def now_ms() -> int:
    """The time, ms UTC."""
    return time.time_ns() // 1_000_000
