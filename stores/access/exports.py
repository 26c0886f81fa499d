"""What is taken along: each export is in the audit trail, and says itself which one it is and which level it has."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.levels import Level
from stores.access.important import READ

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from facility.catalogue import Catalogue
    from stores.records.audit import Audit

EXPORT = "export"
"""How the audit trail calls it: the subject is the buildings, the detail its id, what it is, its level, and why."""

FREE = Level.INTERNAL
"""Up to here nobody asks for a reason."""


@dataclass(frozen=True, slots=True)
class ExportWish:
    """Who takes something along, what for, and which custodian has let them, as far as its level asks for that."""

    person: str
    reason: str = ""
    custodian: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """An export: by its id it is found in the audit trail, wherever it turns up."""

    id: str
    level: Level


def level_of(estate: Catalogue, points: Iterable[str]) -> Level:
    """The highest of their levels. Of a point without one nothing is stored that could be taken along."""
    levels = (estate.point[point].level for point in points)
    return max((level for level in levels if level is not None), default=Level.PUBLIC)


def points_in(estate: Catalogue, buildings: Collection[str]) -> list[str]:
    """All that figures of these buildings may rest on."""
    return [one.id for one in estate.points if estate.meter[one.meter].building in buildings]


def take_along(
    audit: Audit,
    estate: Catalogue,
    what: str,
    points: Collection[str],
    wish: ExportWish,
    at: datetime,
    *,
    least: Level = Level.PUBLIC,
    holds_figures: bool = True,
) -> Taken:
    """Put an export on record before it is handed out; ``points`` are what it rests on, ``least`` its level without.

    What only names points (``holds_figures`` False) is on record with their level, and asks for nothing.
    Raises ``ConfigError`` where its level asks for a reason or the custodian, ``StoreUnavailable`` where it cannot be
    put on record: then nothing may be handed out.
    """
    taken = Taken(token_hex(6), max(least, level_of(estate, points)))
    if holds_figures:
        _check(taken.level, wish, estate.site.custodian)
    said = [f"{taken.id}: {what}", f"level {taken.level.word}"]
    said += [f"because {wish.reason.strip()}"] if wish.reason.strip() else []
    said += [f"let by {wish.custodian.strip()}"] if taken.level is Level.IMPORTANT and holds_figures else []
    audit.append(at, wish.person, EXPORT, ", ".join(_buildings(estate, points)), ", ".join(said))
    return taken


def note_look(audit: Audit, estate: Catalogue, what: str, points: Collection[str], person: str, at: datetime) -> None:
    """Put on record that somebody looks at what rests on these points, as far as it is important (重要数据)."""
    important = [one for one in points if estate.point[one].level is Level.IMPORTANT]
    for building in _buildings(estate, important):
        theirs = sorted(one for one in important if estate.meter[estate.point[one].meter].building == building)
        audit.append(at, person, READ, building, f"{what}: {', '.join(theirs)}")


def _check(level: Level, wish: ExportWish, custodian: str) -> None:
    if level > FREE and not wish.reason.strip():
        what = f"is missing: what is taken along is {level.word}"
        raise ConfigError(Problem("reason", what, "what it is for, in a few words"))
    if level is Level.IMPORTANT and (not custodian or wish.custodian.strip() != custodian):
        who = custodian or "nobody: name one in the site file, site.custodian"
        raise ConfigError(Problem("custodian", "has not let it go: what is taken along is important", who))


def _buildings(estate: Catalogue, points: Iterable[str]) -> list[str]:
    return sorted({estate.meter[estate.point[point].meter].building for point in points})
