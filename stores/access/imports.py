"""The imports that a reader may see, and what they do about them; others do not exist for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import Denied, Rejected
from facility.rights import Act

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from facility.model import ReadingBatch
    from stores.access.reader import Reader
    from stores.records.imports.book import Imports, KeptImport, ProposedImport


class VisibleImports:
    """Imports as one reader sees them, handed in and confirmed under their own name."""

    def __init__(self, imports: Imports, reader: Reader) -> None:
        self._imports, self._reader = imports, reader

    def newest(self, *, limit: int = 50) -> list[KeptImport]:
        """The newest first."""
        shown = None if self._reader.sight.is_whole else self._reader.sight.catalogue.point.keys()
        return self._imports.newest(shown, limit=limit)

    def one(self, number: int) -> KeptImport | None:
        """One import, where all of its points show."""
        kept = self._imports.one(number)
        whole, shown = self._reader.sight.is_whole, self._reader.sight.catalogue.point
        return kept if kept and (whole or all(point in shown for point in kept.points)) else None

    def readings(self, number: int) -> ReadingBatch:
        """What it brings."""
        kept = self._shown(number)
        self._reader.reads.note(f"import {number}", kept.points)
        return self._imports.readings(kept.id)

    def may(self, act: Act, points: Iterable[str]) -> bool:
        """Whether an act is theirs on each of some points."""
        try:
            self._acting(act, points)
        except Denied:
            return False
        return True

    def others(self, kept: KeptImport, at: datetime) -> set[str]:
        """Who else may confirm it."""
        return self._imports.who_may_confirm(at, kept.points) - {self._reader.name}

    def propose(self, proposed: ProposedImport, at: datetime) -> int:
        """Hand readings in."""
        return self._imports.propose(proposed, self._acting(Act.HAND_IN, proposed.readings.points), at)

    def confirm(self, number: int, at: datetime) -> None:
        """Have them stored."""
        self._imports.confirm(number, self._acting(Act.CONFIRM, self._shown(number).points), at)

    def withdraw(self, number: int, reason: str, at: datetime) -> None:
        """Give up one's own, or what one might confirm."""
        kept = self._shown(number)
        act = Act.HAND_IN if kept.proposed_by == self._reader.name else Act.CONFIRM
        self._imports.withdraw(number, self._acting(act, kept.points), reason, at)

    def undo(self, number: int, reason: str, at: datetime) -> None:
        """Have them retracted."""
        self._imports.undo(number, self._acting(Act.CONFIRM, self._shown(number).points), reason, at)

    def _shown(self, number: int) -> KeptImport:
        kept = self.one(number)
        if kept is None:
            raise Rejected("unknown_import", f"there is no import {number}")
        return kept

    def _acting(self, act: Act, points: Iterable[str]) -> str:
        """Their name, where the act is theirs on every point. Raises ``Denied``."""
        catalogue, name = self._reader.sight.catalogue, self._reader.name
        for point in points:
            meter = catalogue.meter.get(point.partition("/")[0])
            name = self._reader.acting(act, meter.building if meter else "", point)
        return name
