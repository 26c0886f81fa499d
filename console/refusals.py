"""What the quarantine pages say of an item beside its words: how it stands, whom it waits for, what happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from stores.access import ItemState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from stores.access import Errand, QuarantineItem, Tally

REFUSALS = (
    "beyond_retention",
    "bad_epoch",
    "bad_sequence",
    "before_2000",
    "crashed_worker",
    "crc_mismatch",
    "empty_batch",
    "foreign_point",
    "in_future",
    "index_out_of_range",
    "malformed",
    "no_crc",
    "no_level",
    "not_finite",
    "out_of_range",
    "too_large",
    "unequal_columns",
    "unexpected_error",
    "unknown_agent",
    "unknown_point",
    "unknown_quality",
    "unknown_version",
    "wrong_sender",
)
"""Reasons that have words in every language; of another one the slug is shown."""

STEPS = ("received", "asked", "answered", "discarded")

PATIENCE = timedelta(seconds=60)
"""How long a page looks for ingest's answer by itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an item."""

    at: datetime
    what: str  # one of STEPS
    by: str = ""
    note: str = ""


def steps(item: QuarantineItem, errands: Iterable[Errand]) -> list[Step]:
    """What happened to an item, oldest first."""
    found = [Step(item.received_at, "received")]
    for errand in errands:
        found.append(Step(errand.asked_at, "asked", errand.asked_by))
        if errand.done_at and errand.done_at != item.discarded_at:
            found.append(Step(errand.done_at, "answered", note=errand.outcome))
    if item.discarded_at:
        found.append(Step(item.discarded_at, "discarded", item.discarded_by, item.discard_reason))
    return sorted(found, key=lambda step: step.at)


def is_looked_for(items: Sequence[QuarantineItem], newest: Errand | None, now: datetime) -> bool:
    """Whether an answer to what was just asked may come any second: the page then looks for it."""
    is_asked = any(item.state is ItemState.ASKED for item in items)
    return is_asked and newest is not None and now - newest.asked_at < PATIENCE


def number_waiting(tallies: Iterable[Tally]) -> int:
    """Readings that wait; a message that nobody could read counts as one."""
    return sum(tally.readings + tally.unread for tally in tallies)
