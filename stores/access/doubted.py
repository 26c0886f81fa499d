"""The spells and proposed entries that a reader may see, and what they decide; any other does not exist for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import Rejected
from stores.access.scope import Act

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from stores.access.reader import Reader
    from stores.records.accounting.proposals import Proposal, Proposals
    from stores.records.accounting.spells import KeptSpell, Spells, Standing


class VisibleSpells:
    """The spells of registers as one reader sees them, decided under their own name."""

    def __init__(self, spells: Spells, reader: Reader) -> None:
        self._spells, self._reader = spells, reader

    def newest(self, standing: Standing, *, before: int | None = None, limit: int = 50) -> list[KeptSpell]:
        """Those that wait for a person, or were decided; the newest number first."""
        return self._spells.newest(standing, self._points, before=before, limit=limit)

    def number_asked(self) -> int:
        """How many wait for a person."""
        return self._spells.number_asked(self._points)

    def spell(self, number: int) -> KeptSpell | None:
        """One spell."""
        found = self._spells.spell(number)
        shown = self._points
        return found if found and (shown is None or found.point in shown) else None

    def decide(self, number: int, *, accepted: bool, reason: str, at: datetime, based_on: int) -> None:
        """Say that the register is right, or wrong. ``based_on`` is its ``changes`` as the reader saw it.

        Raises ``Stale`` where it was changed since.
        """
        by = self._reader.acting(Act.DECIDE)
        self._spells.decide(self._known(number), accepted=accepted, by=by, at=at, reason=reason, based_on=based_on)

    def ask_again(self, number: int, *, reason: str, at: datetime, based_on: int) -> None:
        """Take a decision back."""
        by = self._reader.acting(Act.DECIDE)
        self._spells.ask_again(self._known(number), by=by, at=at, reason=reason, based_on=based_on)

    @property
    def _points(self) -> Collection[str] | None:
        """The points that show, None for all."""
        return None if self._reader.sight.is_whole else self._reader.sight.catalogue.point.keys()

    def _known(self, number: int) -> int:
        """The number, where the spell shows. Raises ``Rejected`` as ``Spells`` does for one that is not there."""
        if self.spell(number) is None:
            raise Rejected("unknown_spell", f"there is no spell {number}")
        return number


class VisibleProposals:
    """The adjusting entries that wait for a person, as one reader sees them."""

    def __init__(self, proposals: Proposals, reader: Reader) -> None:
        self._proposals, self._reader = proposals, reader

    def open_ones(self) -> list[Proposal]:
        """Those of buildings and meters that show, oldest first."""
        sight, waiting = self._reader.sight, self._proposals.open_ones()
        if sight.is_whole:
            return waiting
        shown = sight.catalogue
        return [one for one in waiting if one.building in shown.building and one.meter in shown.meter]
