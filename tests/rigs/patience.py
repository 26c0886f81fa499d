"""How long tests wait: for what must come, as long as a busy machine needs; figures of time, in full trials alone."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rigs.trials import FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

PATIENCE_S = 1800.0 if FULL else 120.0
"""Longer than what tests wait for takes, also where others want the processors: only what never comes fails."""


def until(
    condition: Callable[[], T], *, says: Callable[[], object] = str, limit_s: float = PATIENCE_S, pause_s: float = 0.02
) -> T:
    """Wait until it holds and return what it said; ``says`` is asked what went on when it never did."""
    end = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {limit_s} s: {says()}"
        time.sleep(pause_s)
    return found


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Hold a figure of time where it can be held: in full trials, which have the machine to themselves.

    Elsewhere what stands inside must only come to an end, and the test asserts what follows from it without a clock.
    """
    begun = time.monotonic()
    yield
    took_s = time.monotonic() - begun
    assert took_s <= limit_s or not FULL, f"took {took_s:.2f} s, at most {limit_s} s are allowed"
