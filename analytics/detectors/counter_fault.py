"""Registers that show what no use explains: what accounting found of them, told to somebody who can look at the meter.

Nothing is judged here. What a register did is a spell of accounting (``accounting.spells``), and its use is counted by
the same spell; here it is only said of which meters that deserves a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from accounting.habit import usual_beginning
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.spells import ASKED, Outcome
from facility.model import MeterRole
from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from accounting.spells import Spell
    from analytics.scene import Scene
    from facility.model import Point
    from facility.work import Finding

LEAPT, AGAIN = "counter_fault_leapt", "counter_fault_again"
"""Second sets of texts: the register rose by what nobody can have used; it fell or leapt again and again."""

WEEK_MS = 7 * DAY_MS
"""A habit is known from the week before."""

REPEATED = frozenset({Outcome.RESET, Outcome.STEP_BACK, Outcome.FALSE})
"""What happens to a sound meter now and then, and is counted without a person: told where it happens often."""


class CounterFault:
    """A counter about whose register a person is asked, or that begins again, steps back or lies again and again.

    Silent on a swap that the ledger has, on a roll-over, on a single reset of a device whose register has no known end,
    on a single false reading, and on one that begins again at the same time each day: accounting knows all of these.
    """

    name: ClassVar[str] = "counter_fault"
    hold_h: ClassVar[int] = 2

    def __init__(self, *, doubt_h: int = 2, often: int = 3, within_days: int = 30) -> None:
        """What is in doubt is told after ``doubt_h``; what is counted all the same, once it was so ``often``."""
        self.doubt_h, self.often, self.within_days = doubt_h, often, within_days

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Counters whose register deserves a person now."""
        for point_id, spells in scene.window.spells.items():
            point = scene.catalogue.point[point_id]
            known = [one for one in spells if one.first_ms < scene.now_ms]
            ledger = scene.catalogue.ledger_of(scene.catalogue.meter[point.meter])
            found = self._worst(known, scene.now_ms, has_end=ledger[-1].span is not None)
            if found is not None:
                yield self._finding(scene, point, *found)

    def _worst(self, known: Sequence[Spell], now_ms: int, *, has_end: bool) -> tuple[Spell, str, int] | None:
        """The spell to tell of, by which texts, and how many there are of its kind."""
        asked = [one for one in known if self._is_asked(one, now_ms)]
        if has_end and not asked:  # it should pass its last digit, and begin again nowhere else
            asked = [one for one in self._counted(known, now_ms, DAY_MS) if one.outcome is Outcome.RESET]
        if asked:
            return asked[-1], LEAPT if asked[-1].level > asked[-1].before else "", len(asked)
        often = self._counted(known, now_ms, self.within_days * DAY_MS)
        return (often[0], AGAIN, len(often)) if len(often) >= self.often else None

    def _is_asked(self, spell: Spell, now_ms: int) -> bool:
        """Whether a person was to be asked about a spell as it stood then: until it was decided it was in doubt."""
        if spell.accepted is not None:
            return False
        if spell.until_ms is None or spell.until_ms > now_ms:
            return now_ms - spell.first_ms >= self.doubt_h * HOUR_MS
        return spell.outcome in ASKED

    def _counted(self, known: Sequence[Spell], now_ms: int, back_ms: int) -> list[Spell]:
        """Spells that began so lately and were counted without a person, save what is the register's habit."""
        since_ms = now_ms - back_ms
        near = [one for one in known if one.first_ms >= since_ms - WEEK_MS]
        late = [(k, one) for k, one in enumerate(near) if one.first_ms >= since_ms and _was_counted(one, now_ms)]
        return [one for k, one in late if not _is_habit(near[:k], one)]

    def _finding(self, scene: Scene, point: Point, spell: Spell, message: str, number: int) -> Finding:
        meter = scene.catalogue.meter[point.meter]
        return scene.finding(
            self.name,
            point.id,
            spell.first_ms,
            scene.evidence(point.id),
            severity=Severity.ACT if meter.role is MeterRole.HEAD else Severity.WATCH,
            confidence=0.95,
            message=message,
            number=number,
            before_qty=round(spell.before, 2),
            level_qty=round(spell.level, 2),
            unit=point.quantity.unit,
        )


def _was_counted(spell: Spell, now_ms: int) -> bool:
    is_over = spell.until_ms is not None and spell.until_ms <= now_ms
    return is_over and spell.outcome in REPEATED and spell.accepted is not True


def _is_habit(before: Sequence[Spell], spell: Spell) -> bool:
    is_reset = spell.outcome is Outcome.RESET
    return is_reset and usual_beginning(before, spell.since_ms, spell.first_ms) is not None
