"""The spells and proposed entries that a reader may see, and what they decide; any other does not exist for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.rights import Act

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
        found = self._spells.newest(standing, self._points, before=before, limit=limit)
        self._reader.reads.note("registers in doubt", [one.point for one in found])
        return found

    def number_asked(self) -> int:
        """How many wait for a person."""
        return self._spells.number_asked(self._points)

    def spell(self, number: int) -> KeptSpell | None:
        """One spell."""
        found = self._spells.spell(number)
        shown = self._points
        if found is None or (shown is not None and found.point not in shown):
            return None
        self._reader.reads.note(f"register in doubt {number}", [found.point])
        return found

    def decide(self, number: int, *, accepted: bool, reason: str, at: datetime, based_on: int) -> None:
        """Say that the register is right, or wrong. ``based_on`` is its ``changes`` as the reader saw it.

        Raises ``Stale`` where it was changed since.
        """
        by = self._acting(number)
        self._spells.decide(number, accepted=accepted, by=by, at=at, reason=reason, based_on=based_on)

    def ask_again(self, number: int, *, reason: str, at: datetime, based_on: int) -> None:
        """Take a decision back."""
        by = self._acting(number)
        self._spells.ask_again(number, by=by, at=at, reason=reason, based_on=based_on)

    @property
    def _points(self) -> Collection[str] | None:
        """The points that show, None for all."""
        sight = self._reader.sight
        return sight.points if sight.is_whole or sight.points is not None else sight.catalogue.point.keys()

    def _acting(self, number: int) -> str:
        """Their name, where the spell shows and is theirs to decide about.

        Raises ``Rejected`` as ``Spells`` does for one that is not there.
        """
        found = self.spell(number)
        if found is None:
            raise Rejected("unknown_spell", f"there is no spell {number}")
        meter = self._reader.sight.catalogue.meter.get(found.point.partition("/")[0])
        return self._reader.acting(Act.DECIDE, meter.building if meter else "", found.point)


class VisibleProposals:
    """The adjusting entries that were proposed, as one reader sees them, decided under their own name."""

    def __init__(self, proposals: Proposals, reader: Reader) -> None:
        self._proposals, self._reader = proposals, reader

    def open_ones(self) -> list[Proposal]:
        """Those of buildings and meters that show and wait for a person, oldest first."""
        return self._noted([one for one in self._proposals.open_ones() if self._shows(one)])

    def decided_ones(self, limit: int) -> list[Proposal]:
        """So many of those that were decided, the newest decision first."""
        found = [(one.decided.at, one) for one in self._proposals.all_of() if one.decided and self._shows(one)]
        newest = sorted(found, key=lambda both: (both[0], both[1].number), reverse=True)[:limit]
        return self._noted([one for _, one in newest])

    def entry(self, number: int) -> Proposal | None:
        """One that waits or was decided."""
        found = self._proposals.entry(number)
        return self._noted([found])[0] if found and self._shows(found) else None

    def decide(self, number: int, *, enter: bool, reason: str, at: datetime) -> None:
        """Enter what is proposed, so that it stands on this month's bill, or dismiss it."""
        self._proposals.decide(number, enter=enter, by=self._acting(number), at=at, reason=reason)

    def ask_again(self, number: int, *, reason: str, at: datetime) -> None:
        """Take a decision back."""
        self._proposals.ask_again(number, by=self._acting(number), at=at, reason=reason)

    def _noted(self, found: list[Proposal]) -> list[Proposal]:
        catalogue = self._reader.sight.catalogue
        self._reader.reads.note("adjusting entries", [p.id for one in found for p in catalogue.points_of(one.meter)])
        return found

    def _shows(self, one: Proposal) -> bool:
        sight = self._reader.sight
        if sight.points is None:
            return sight.is_whole or (one.building in sight.catalogue.building and one.meter in sight.catalogue.meter)
        return any(point.quantity.word == one.quantity for point in sight.catalogue.points_of(one.meter))

    def _acting(self, number: int) -> str:
        """Their name, where the entry shows and is theirs to decide about.

        Raises ``Rejected`` as ``Proposals`` does for one that is not there.
        """
        found = self.entry(number)
        if found is None:
            raise Rejected("unknown_proposal", f"there is no proposed entry {number}")
        return self._reader.acting(Act.DECIDE, found.building)
