"""Registers that begin again at the same time each day: what one did twice in a week it is taken to do again."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS, HOUR_MS
from accounting.spells import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounting.spells import Spell

_WEEK_MS, _KNOWN_MS = 7 * DAY_MS, DAY_MS // 2
"""How far apart two of a habit are, and within how much time each is known."""

_SLACK_MS = HOUR_MS
"""Clocks may change between two days."""


def usual_beginning(found: Iterable[Spell], start_ms: int, end_ms: int) -> int | None:
    """When a register that begins again each day last did so between two readings, at the earliest, in ms UTC.

    ``found`` are its spells, oldest first. None where it has no such habit, or it is not its time.
    """
    last = [
        (one.since_ms, one.first_ms)
        for one in found
        if one.outcome is Outcome.RESET and start_ms - _WEEK_MS <= one.since_ms <= one.first_ms - 1 < start_ms
        if one.first_ms - one.since_ms <= _KNOWN_MS
    ][-2:]
    for (since, first), (since_after, first_after) in pairwise(last):
        days = round((since_after - since) / DAY_MS)
        later, sooner = max(since + days * DAY_MS, since_after), min(first + days * DAY_MS, first_after)
        if days and later - sooner <= _SLACK_MS:
            days = (end_ms + _SLACK_MS - since_after) // DAY_MS
            begins, is_over = since_after + days * DAY_MS, first_after + days * DAY_MS
            return max(begins - _SLACK_MS, start_ms) if days and is_over + _SLACK_MS > start_ms else None
    return None
