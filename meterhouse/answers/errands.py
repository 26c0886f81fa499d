"""Waits at the terminal for what ingest answers to what a person asked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stores.records.errands import Errand, Errands

LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class ErrandAnswer:
    """What was asked of ingest."""

    id: int
    what: Annotated[str, "`replay` or `reconcile`"]
    item: Annotated[int | None, "id of the item of the quarantine"]
    asked_by: str
    asked_at: datetime
    done_at: Annotated[datetime | None, "absent until ingest has answered"]
    outcome: Annotated[str | None, "what came of it, in ingest's words"]


def errand_answer(errand: Errand) -> ErrandAnswer:
    """An errand as an answer."""
    asked, done = (errand.asked_by, errand.asked_at), errand.done_at
    return ErrandAnswer(errand.id, errand.what, errand.item, *asked, done, errand.outcome if done else None)


def wait_for_answers(errands: Errands, ids: Sequence[int], wait_s: float) -> list[Errand]:
    """The errands as they stand when all are answered, or after ``wait_s`` seconds."""
    until = time.monotonic() + wait_s
    while True:
        asked = errands.errands(ids)
        left_s = until - time.monotonic()
        if left_s <= 0 or all(errand.done_at for errand in asked):
            return asked
        time.sleep(min(LOOK_EVERY_S, left_s))
