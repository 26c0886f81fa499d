"""What a person is told whose change rests on something that others have changed in the meantime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to a record, and when; ``by`` is empty where Meterhouse itself did it."""

    at: datetime
    by: str
    what: str

    def __str__(self) -> str:
        """``bob, 2026-11-23 09:30 UTC: changed meter total: serial 'A1' → 'B2'``."""
        return f"{self.by or 'meterhouse'}, {self.at:%Y-%m-%d %H:%M} UTC: {self.what}"


class Stale(Rejected):
    """Somebody changed a record after the person looked at it who now wants to change it. Nothing was written.

    ``acts`` are what happened since, oldest first; empty where that is not on record.
    """

    def __init__(self, subject: str, acts: Sequence[Act], again: str = "look at it again, then decide") -> None:
        """``subject`` names the record as a sentence begins; ``again`` says what to do now."""
        self.acts = tuple(acts)
        happened = "".join(f"\n  {act}" for act in acts)
        super().__init__(
            "stale", f"{subject} was changed since you looked at it, so nothing was written: {again}{happened}"
        )

    def __str__(self) -> str:
        """The sentence alone."""
        return self.detail
