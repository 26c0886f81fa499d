"""Reads of important data (重要数据): each is in the audit trail before the value is handed out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from stores.access.scope import Sight
    from stores.records.audit import Audit

READ = "important.read"
"""How the audit trail calls it: the subject is the building, the detail what was read, of which points."""

LIVE = "live values"
AGAIN = timedelta(hours=1)
"""Who goes on following live values is in the trail once more after so long."""

Value = TypeVar("Value")


class ReadTrail:
    """Where reads of important data are put on record, for all readers."""

    def __init__(self, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._audit, self._clock = audit, clock
        self._followed: dict[tuple[str, frozenset[str]], datetime] = {}

    def note(self, person: str, building: str, what: str, points: Iterable[str]) -> None:
        """Put one read on record. Raises ``StoreUnavailable`` where that cannot be done: then nothing is shown."""
        self._audit.append(self._clock(), person, READ, building, f"{what}: {', '.join(sorted(points))}")

    def note_following(self, person: str, building: str, points: Iterable[str]) -> None:
        """Put on record that somebody follows these points, where they only begin to, or have for an hour."""
        now, key = self._clock(), (person, frozenset(points))
        if timedelta() <= now - self._followed.get(key, now - AGAIN) < AGAIN:
            return
        self.note(person, building, f"{LIVE}, followed", key[1])
        kept = {one: at for one, at in self._followed.items() if timedelta() <= now - at < AGAIN}
        self._followed = kept | {key: now}


class ImportantReads:
    """What one view has handed out: what was noted for it is not noted again."""

    def __init__(self, trail: ReadTrail, person: str, sight: Sight) -> None:
        self._trail, self._person, self._sight = trail, person, sight
        self._noted: set[tuple[str, str]] = set()

    @property
    def is_needed(self) -> bool:
        """Whether anything that shows is important: else nothing is asked for at all."""
        return bool(self._sight.important)

    def note(self, what: str, points: Iterable[str]) -> None:
        """``what`` of these points is handed out now; those that are not important are passed over."""
        fresh = {(what, point) for point in self._sight.important.intersection(points)} - self._noted
        for building, theirs in self._sight.important_in(point for _, point in fresh).items():
            self._trail.note(self._person, building, what, theirs)
        self._noted |= fresh

    def note_following(self, building: str | None) -> None:
        """The live values of a building, or of the whole estate, are shown from now on as they change."""
        for one, points in self._sight.important_in(self._sight.important).items():
            if building in {None, one}:
                self._trail.note_following(self._person, one, points)

    def noted_as_read(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """The same values; a look at an important one notes all of its building that are among them."""
        return NotedValues(values, self, self._sight) if self.is_needed else values


class FollowedReads(ImportantReads):
    """Of a view that is shown again and again to people who are on record as following it."""

    @property
    def is_needed(self) -> bool:
        """Nothing is noted once more."""
        return False

    def note(self, what: str, points: Iterable[str]) -> None:
        """They are on record."""


class NotedValues(Mapping[str, Value]):
    """Newest values by point, which know when one of them is looked at that is important."""

    def __init__(self, values: Mapping[str, Value], reads: ImportantReads, sight: Sight) -> None:
        self._values, self._reads, self._sight = values, reads, sight

    def __getitem__(self, point: str) -> Value:
        """The value, on record first where it is important."""
        found = self._values[point]
        if point in self._sight.important:
            self._reads.note(LIVE, self._sight.important_beside(point) & self._values.keys())
        return found

    def __contains__(self, point: object) -> bool:
        """That a value is there is not the value."""
        return point in self._values

    def __iter__(self) -> Iterator[str]:
        """The points."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many."""
        return len(self._values)
