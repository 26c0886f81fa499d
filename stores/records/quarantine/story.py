"""What happened to an item of the quarantine, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from stores.records.errands import Errand
    from stores.records.quarantine.item import QuarantineItem

STEPS = ("received", "asked", "answered", "discarded")


@dataclass(frozen=True, slots=True)
class ItemStep:
    """Something that happened to an item."""

    at: datetime
    what: str  # one of STEPS
    by: str = ""
    note: str = ""


def steps(item: QuarantineItem, errands: Iterable[Errand]) -> list[ItemStep]:
    """What happened to an item, oldest first."""
    found = [ItemStep(item.received_at, "received")]
    for errand in errands:
        found.append(ItemStep(errand.asked_at, "asked", errand.asked_by))
        if errand.done_at and errand.done_at != item.discarded_at:
            found.append(ItemStep(errand.done_at, "answered", note=errand.outcome))
    if item.discarded_at:
        found.append(ItemStep(item.discarded_at, "discarded", item.discarded_by, item.discard_reason))
    return sorted(found, key=lambda step: step.at)
