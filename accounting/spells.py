"""Spells: times in which a register showed what its own growth cannot explain, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@unique
class Outcome(StrEnum):
    """What a spell turned out to be."""

    IN_DOUBT = "in_doubt"  # neither returned nor grown: use is missing from its beginning on
    FALSE = "false"  # the register returned to where it would have been: use between its ends is estimated
    RESET = "reset"  # it began again near zero and goes on rising: counted from zero
    NEW_REGISTER = "new_register"  # it fell to another level and goes on rising: the step is no use, a person is asked
    ROLL_OVER = "roll_over"  # it passed its last digit: exact
    STEP_BACK = "step_back"  # it stayed a little below what it had shown, and is counted on from there
    LEAP = "leap"  # it rose faster than the feeder can deliver and goes on: the step is no use, a person is asked


ASKED = frozenset({Outcome.IN_DOUBT, Outcome.NEW_REGISTER, Outcome.LEAP})
"""Outcomes about which a person is asked as long as nobody has decided."""


@dataclass(frozen=True, slots=True)
class Spell:
    """One spell of a counter; values as stored (as the agent sent them), times in ms UTC.

    ``since_ms`` and ``before`` are the last reading that is believed before it, ``first_ms`` and ``level`` the first
    reading of it. ``until_ms`` is the reading by which it was decided (with which the register returned, or had grown);
    None while it is in doubt. ``accepted`` is what a person decided: true (the register is right), false (it is
    wrong), None: nobody has.
    """

    since_ms: int
    first_ms: int
    until_ms: int | None
    before: float
    level: float
    outcome: Outcome
    accepted: bool | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a person should decide."""
        return self.accepted is None and self.outcome in ASKED


class SpellBook(Protocol):
    """The spells of every counter that are known (``stores.records.accounting.spells.Spells``)."""

    def of(self, point: str) -> Sequence[Spell]:
        """A counter's spells, oldest first."""

    def of_each(self, points: Sequence[str]) -> Mapping[str, Sequence[Spell]]:
        """The same of several counters, by one question; each has its place, also one without spells."""

    def replace(self, point: str, start_ms: int, end_ms: int, found: Sequence[Spell]) -> None:
        """Put what was found in place of the spells whose first reading lies in ``[start_ms, end_ms)``."""


class NoSpells:
    """A book that remembers nothing: for figures over readings that are all at hand."""

    def of(self, point: str) -> Sequence[Spell]:  # noqa: ARG002 - as the port says
        """None."""
        return ()

    def of_each(self, points: Sequence[str]) -> Mapping[str, Sequence[Spell]]:
        """None of each."""
        return dict.fromkeys(points, ())

    def replace(self, point: str, start_ms: int, end_ms: int, found: Sequence[Spell]) -> None:
        """Forget them."""


class SpellsInMemory:
    """A book for tests and for one pass."""

    def __init__(self) -> None:
        self._spells: dict[str, list[Spell]] = {}

    def of(self, point: str) -> Sequence[Spell]:
        """A counter's spells, oldest first."""
        return self._spells.get(point, [])

    def of_each(self, points: Sequence[str]) -> Mapping[str, Sequence[Spell]]:
        """The same of several counters."""
        return {point: self.of(point) for point in points}

    def replace(self, point: str, start_ms: int, end_ms: int, found: Sequence[Spell]) -> None:
        """Put what was found in place of what is known of that time."""
        others = [one for one in self.of(point) if not start_ms <= one.first_ms < end_ms]
        self._spells[point] = sorted([*others, *found], key=lambda one: one.first_ms)


def decisions(spells: Sequence[Spell]) -> Mapping[int, bool]:
    """What people decided: the time of a spell's first reading (ms UTC) → whether the register is right."""
    return {one.first_ms: one.accepted for one in spells if one.accepted is not None}
