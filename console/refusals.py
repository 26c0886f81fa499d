"""What the quarantine pages say beside the items: how many wait, and whether an answer may come any second."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from stores.access import ItemState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from stores.access import Errand, QuarantineItem, Tally

PATIENCE = timedelta(seconds=60)
"""How long a page looks for ingest's answer by itself."""


def is_looked_for(items: Sequence[QuarantineItem], newest: Errand | None, now: datetime) -> bool:
    """Whether an answer to what was just asked may come any second: the page then looks for it."""
    is_asked = any(item.state is ItemState.ASKED for item in items)
    return is_asked and newest is not None and now - newest.asked_at < PATIENCE


def number_waiting(tallies: Iterable[Tally]) -> int:
    """Readings that wait; a message that nobody could read counts as one."""
    return sum(tally.readings + tally.unread for tally in tallies)
