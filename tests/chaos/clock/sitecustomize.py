"""Loaded by Python at start: the wall clock of this process is off by the seconds that a file says.

The monotonic clock stays true, as it does when a real clock is set. It reaches what asks Python for the time, and
the agent asks nobody else.
"""

import os
import time
from pathlib import Path

_true_ns = time.time_ns
_file = os.environ.get("CHAOS_CLOCK")


def _shift_s() -> int:
    try:
        return int(Path(_file).read_text(encoding="ascii") or 0)
    except (OSError, ValueError):
        return 0


if _file:
    time.time_ns = lambda: _true_ns() + _shift_s() * 1_000_000_000
    time.time = lambda: time.time_ns() / 1e9
