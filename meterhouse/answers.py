"""Waits at the terminal for what ingest answers to what a person asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stores.records.errands import Errand, Errands

LOOK_EVERY_S = 0.2


def wait_for_answers(errands: Errands, ids: Sequence[int], wait_s: float) -> list[Errand]:
    """The errands as they stand when all are answered, or after ``wait_s`` seconds."""
    until = time.monotonic() + wait_s
    while True:
        asked = errands.errands(ids)
        left_s = until - time.monotonic()
        if left_s <= 0 or all(errand.done_at for errand in asked):
            return asked
        time.sleep(min(LOOK_EVERY_S, left_s))


def unanswered_sentence(wait_s: float) -> str:
    """What is said of a wish that nobody has carried out yet."""
    return f"asked; ingest has not answered within {wait_s:g} s, it will when it runs"
