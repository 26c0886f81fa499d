"""The spells of every counter: found by accounting, numbered for people, decided by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from accounting.spells import ASKED, Outcome, Spell
from stores.records.accounting.tables import spell as table
from stores.records.database import writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

c = table.c
IS_ASKED = c.accepted.is_(None) & c.outcome.in_([one.value for one in ASKED])
FOUND = ("since_ms", "first_ms", "until_ms", "before", "level", "outcome")
"""What accounting finds of a spell; the rest is a person's."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class KeptSpell:
    """A spell on record: its number, for ever; whose it is; what it is; who decided about it, when and why.

    ``changes`` counts how often any of that changed: a decision says which count it is based on.
    """

    number: int
    point: str
    spell: Spell
    changes: int
    decided_at: datetime | None = None
    decided_by: str = ""
    reason: str = ""


class Spells:
    """A ``SpellBook`` in the records, with what commands and pages ask of it.

    Figures look at the spells of each counter that they touch, and nearly all counters have none. So the counters that
    have ever had one are remembered; numbers only grow, and a greater one than was seen last tells that there are more.
    Rows themselves are never remembered: what another process decides holds at once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._newest, self._points = 0, frozenset[str]()

    def of(self, point: str) -> Sequence[Spell]:
        """A counter's spells, oldest first."""
        with self._engine.connect() as connection:
            self._look(connection)
            if point not in self._points:
                return ()
            return [one.spell for one in _rows(connection, c.point == point)]

    def replace(self, point: str, start_ms: int, end_ms: int, found: Sequence[Spell]) -> None:
        """Put what was found in place of the spells whose first reading lies in ``[start_ms, end_ms)``.

        One that is found again keeps its number and what was decided about it: the one with the same first reading,
        or, where late readings moved its beginning, one that began within it. What is as it was is not written.
        """
        known = [one for one in self.of(point) if start_ms <= one.first_ms < end_ms]
        if len(known) == len(found) and all(map(_is_same, known, found)):
            return
        with writing(self._engine) as connection:
            here = (c.point == point) & (c.first_ms >= start_ms) & (c.first_ms < end_ms)
            paired = _paired(list(_rows(connection, here)), found)
            stay = {old.number for old, new in paired if old and _is_same(old.spell, new)}
            connection.execute(sa.delete(table).where(here, c.number.not_in(stay)))
            for old, new in paired:
                if old is None or old.number not in stay:
                    connection.execute(sa.insert(table).values(_row(point, old, new)))

    def spell(self, number: int) -> KeptSpell | None:
        """One spell by its number."""
        return next(iter(self._select(c.number == number)), None)

    def asked(self, points: Collection[str] | None = None) -> list[KeptSpell]:
        """Those that wait for a person, of all counters or of some; by counter, oldest first."""
        return self._select(IS_ASKED, points)

    def all_of(self, points: Collection[str] | None = None) -> list[KeptSpell]:
        """Every spell, of all counters or of some; by counter, oldest first."""
        return self._select(sa.true(), points)

    def asked_between(self, points: Collection[str], start_ms: int, end_ms: int) -> list[KeptSpell]:
        """Those of some counters that wait for a person and reach into a time, ``end_ms`` excluded.

        A spell reaches from the last reading that is believed to the one that decides it; in doubt, without end.
        """
        reaches = (c.since_ms < end_ms) & (c.until_ms.is_(None) | (c.until_ms > start_ms))
        return self._select(IS_ASKED & reaches, points)

    def counters_asked(self) -> int:
        """How many counters have a spell that waits for a person."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count(c.point.distinct())).where(IS_ASKED)).scalar_one()

    def _look(self, connection: Connection) -> None:
        """Learn which counters have got their first spell."""
        newest = connection.execute(_NEWEST).scalar_one() or 0
        if newest > self._newest:
            more = sa.select(c.point).distinct().where(c.number > self._newest)
            self._points |= set(connection.execute(more).scalars())
            self._newest = newest

    def _select(self, where: sa.ColumnElement[bool], points: Collection[str] | None = None) -> list[KeptSpell]:
        names = None if points is None else sorted(set(points))
        chunks = [None] if names is None else [names[k : k + CHUNK] for k in range(0, len(names), CHUNK)]
        with self._engine.connect() as connection:
            some = (where if names is None else where & c.point.in_(names) for names in chunks)
            return [one for each in some for one in _rows(connection, each)]


_NEWEST = sa.select(sa.func.max(c.number))


def _rows(connection: Connection, where: sa.ColumnElement[bool]) -> Iterator[KeptSpell]:
    for row in connection.execute(sa.select(table).where(where).order_by(c.point, c.first_ms)).mappings():
        yield kept_spell(row)


def kept_spell(row: sa.RowMapping) -> KeptSpell:
    """The spell that a row stands for."""
    found = {name: row[name] for name in FOUND} | {"outcome": Outcome(row["outcome"]), "accepted": row["accepted"]}
    others = {name: row[name] for name in KeptSpell.__slots__ if name != "spell"}
    return KeptSpell(spell=Spell(**found), **others)


def _row(point: str, old: KeptSpell | None, new: Spell) -> dict[str, Any]:
    found = {name: getattr(new, name) for name in FOUND}
    if old is None:
        return {**found, "point": point, "changes": 0, "decided_by": "", "reason": ""}
    kept = {name: getattr(old, name) for name in ("number", "point", "decided_at", "decided_by", "reason")}
    return {**found, **kept, "accepted": old.spell.accepted, "changes": old.changes + 1}


def _is_same(one: Spell, other: Spell) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in FOUND)


def _paired(known: Sequence[KeptSpell], found: Sequence[Spell]) -> list[tuple[KeptSpell | None, Spell]]:
    """Each spell that was found with the one on record that it is; each of those at most once."""
    left = {one.spell.first_ms: one for one in known}
    same = {new.first_ms: left.pop(new.first_ms) for new in found if new.first_ms in left}
    return [(same.get(new.first_ms) or _taken_within(left, new), new) for new in found]


def _taken_within(left: dict[int, KeptSpell], new: Spell) -> KeptSpell | None:
    """Take the first that began within the new one, rather one that somebody has decided about."""
    within = [t_ms for t_ms in left if new.since_ms < t_ms and (new.until_ms is None or t_ms <= new.until_ms)]
    return left.pop(min(within, key=lambda t_ms: (left[t_ms].spell.accepted is None, t_ms))) if within else None
