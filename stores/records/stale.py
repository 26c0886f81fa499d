"""What a person is told whose change rests on something that others have changed in the meantime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Record: TypeAlias = Literal["estate", "case", "item", "books", "recomputation", "spell", "account", "order"]

_NAMED: dict[Record, str] = {
    "estate": "the estate",
    "case": "the case",
    "item": "the item",
    "books": "the list of adjusting entries",
    "recomputation": "the recomputation",
    "spell": "the spell",
    "account": "the account",
    "order": "the work order",
}


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to a record, and when; ``by`` is empty where Meterhouse itself did it.

    ``what`` is a step of a case or an item as their story names it (``closed``), or the changes of an estate.
    """

    at: datetime
    by: str
    what: str
    note: str = ""

    def __str__(self) -> str:
        """``bob, 2026-11-23 09:30 UTC: closed: fixed: valve shut``."""
        done = f"{self.what}: {self.note}" if self.note else self.what
        return f"{self.by or 'meterhouse'}, {self.at:%Y-%m-%d %H:%M} UTC: {done}"


class Stale(Rejected):
    """Somebody changed a record after the one looked at it who now wants to change it. Nothing was written.

    ``deeds`` are what happened since, oldest first; empty where that is not on record.
    """

    def __init__(self, record: Record, deeds: Sequence[Deed], again: str = "look at it again, then decide") -> None:
        """``again`` says what to do now."""
        self.record, self.deeds = record, tuple(deeds)
        happened = "".join(f"\n  {deed}" for deed in deeds)
        what = f"{_NAMED[record]} was changed since you looked at it, so nothing was written"
        super().__init__("stale", f"{what}: {again}{happened}")

    def __str__(self) -> str:
        """The sentence alone."""
        return self.detail
