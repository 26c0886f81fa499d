"""The spells of every counter: found by accounting, numbered for people, decided by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa

from accounting.dirty import Dirty
from accounting.spells import ASKED, Outcome, Spell
from facility.errors import Rejected
from stores.records.accounting.recomputations import ask
from stores.records.accounting.tables import spell as table
from stores.records.audit import append_entry, check_reason
from stores.records.database import writing
from stores.records.shown_points import ShownPoints, among_points
from stores.records.stale import Deed, Stale

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection, Engine

c = table.c
IS_ASKED = c.accepted.is_(None) & c.outcome.in_([one.value for one in ASKED])
FOUND = ("since_ms", "first_ms", "until_ms", "before", "level", "outcome")
"""What accounting finds of a spell; the rest is a person's."""
CHUNK = 500

ACCEPT, REJECT, ASK_AGAIN = "accept", "reject", "ask-again"
"""What a person does about a spell, as commands and the audit trail name it."""

DECISIONS = ("rejected", "accepted")
"""What a decision is called, by whether the register is right."""

Standing: TypeAlias = Literal["waiting", "decided"]


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

    @property
    def decision(self) -> Deed | None:
        """Who decided about it; None: nobody has."""
        if self.decided_at is None:
            return None
        return Deed(self.decided_at, self.decided_by, DECISIONS[self.spell.accepted is True], self.reason)


class Spells:
    """A ``SpellBook`` in the records, with what commands and pages ask of it.

    Figures look at the spells of each counter that they touch, and nearly all counters have none. So the counters that
    have ever had one are remembered; numbers only grow, and a greater one than was seen last tells that there are more.
    A counter's rows are remembered as long as their number, their changes and the greatest number among them are the
    same: what another process finds or decides holds at once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._newest, self._points = 0, frozenset[str]()
        self._read: dict[str, tuple[object, tuple[Spell, ...]]] = {}  # by counter: what tells a change, and its spells

    def of(self, point: str) -> Sequence[Spell]:
        """A counter's spells, oldest first."""
        return self.of_each([point])[point]

    def of_each(self, points: Sequence[str]) -> Mapping[str, Sequence[Spell]]:
        """The same of several counters, over one connection."""
        with self._engine.connect() as connection:
            self._look(connection)
            return {point: self._of(connection, point) if point in self._points else () for point in points}

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

    def decide(self, number: int, *, accepted: bool, by: str, at: datetime, reason: str, based_on: int) -> KeptSpell:
        """Keep what a person decided: the register is right, or wrong. Its use is computed again from there on.

        ``based_on`` is its ``changes`` as that person saw it: raises ``Stale`` where somebody has decided since, or it
        turned out to be something. Raises ``Rejected`` for an unknown one and for one that asks nobody, ``ConfigError``
        without a reason.
        """
        check_reason(reason)
        decision = {"accepted": accepted, "decided_at": at, "decided_by": by, "reason": reason.strip()}
        with writing(self._engine) as connection:
            known = _unchanged(connection, number, based_on)
            if not known.spell.is_asked:
                raise _asks_nobody(known)
            return _keep(connection, known, decision, ACCEPT if accepted else REJECT, by, at, reason)

    def ask_again(self, number: int, *, by: str, at: datetime, reason: str, based_on: int) -> KeptSpell:
        """Take a decision back. Raises as ``decide`` does; ``Rejected`` where nobody has decided."""
        check_reason(reason)
        undecided = {"accepted": None, "decided_at": None, "decided_by": "", "reason": ""}
        with writing(self._engine) as connection:
            known = _unchanged(connection, number, based_on)
            if known.decision is None:
                raise Rejected("not_decided", f"nobody has decided about spell {number}")
            return _keep(connection, known, undecided, ASK_AGAIN, by, at, reason)

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

    def counters_asked(self, doubtful_before_ms: int) -> list[str]:
        """The counters that have a spell which waits for a person: in doubt, where it began before that time."""
        is_old = (c.outcome != Outcome.IN_DOUBT) | (c.first_ms < doubtful_before_ms)
        with self._engine.connect() as connection:
            query = sa.select(c.point).distinct().where(IS_ASKED, is_old).order_by(c.point)
            return list(connection.execute(query).scalars())

    def number_asked(self, points: Collection[str] | None = None) -> int:
        """How many wait for a person, of all counters or of some."""
        with self._engine.connect() as connection:
            some = (sa.select(sa.func.count()).where(where) for where in _parts(IS_ASKED, points))
            return sum(connection.execute(query).scalar_one() for query in some)

    def newest(
        self, standing: Standing, points: Collection[str] | None = None, *, before: int | None = None, limit: int = 50
    ) -> list[KeptSpell]:
        """Those that wait, or were decided by people, the newest number first; ``before`` one gives the next page."""
        where = (IS_ASKED if standing == "waiting" else c.accepted.is_not(None)) & _is_before(before)
        with self._engine.connect() as connection:
            found = [one for part in _parts(where, points) for one in _newest(connection, part, limit)]
        return sorted(found, key=lambda one: -one.number)[:limit]

    def _of(self, connection: Connection, point: str) -> Sequence[Spell]:
        mark = tuple(connection.execute(_MARK, {"point": point}).one())
        if point not in self._read or self._read[point][0] != mark:
            found = tuple(one.spell for one in _rows(connection, c.point == point))
            self._read[point] = (mark, found)
        return self._read[point][1]

    def _look(self, connection: Connection) -> None:
        """Learn which counters have got their first spell."""
        newest = connection.execute(_HIGHEST).scalar_one() or 0
        if newest > self._newest:
            more = sa.select(c.point).distinct().where(c.number > self._newest)
            self._points |= set(connection.execute(more).scalars())
            self._newest = newest

    def _select(self, where: sa.ColumnElement[bool], points: Collection[str] | None = None) -> list[KeptSpell]:
        with self._engine.connect() as connection:
            return [one for part in _parts(where, points) for one in _rows(connection, part)]


def _parts(where: sa.ColumnElement[bool], points: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    """A condition for some counters (None: all), in parts that a database takes at once."""
    if points is None:
        return [where]
    if isinstance(points, ShownPoints) and len(points.hidden) < CHUNK:
        return [where & among_points(c.point, points)]
    names = sorted(set(points))
    return [where & c.point.in_(names[k : k + CHUNK]) for k in range(0, len(names), CHUNK)]


def _is_before(number: int | None) -> sa.ColumnElement[bool]:
    return sa.true() if number is None else c.number < number


def _newest(connection: Connection, where: sa.ColumnElement[bool], limit: int) -> list[KeptSpell]:
    query = sa.select(table).where(where).order_by(c.number.desc()).limit(limit)
    return [_kept(row) for row in connection.execute(query).mappings()]


_HIGHEST = sa.select(sa.func.max(c.number))
_MARK = sa.select(sa.func.count(), sa.func.sum(c.changes), sa.func.max(c.number)).where(
    c.point == sa.bindparam("point")
)


def _rows(connection: Connection, where: sa.ColumnElement[bool]) -> Iterator[KeptSpell]:
    for row in connection.execute(sa.select(table).where(where).order_by(c.point, c.first_ms)).mappings():
        yield _kept(row)


def _unchanged(connection: Connection, number: int, based_on: int) -> KeptSpell:
    """The spell, as the one saw it who now wants to decide."""
    known = next(_rows(connection, c.number == number), None)
    if known is None:
        raise Rejected("unknown_spell", f"there is no spell {number}")
    if known.changes != based_on:
        raise Stale("spell", [known.decision] if known.decision else [])
    return known


def _asks_nobody(known: KeptSpell) -> Rejected:
    if known.decision:
        return Rejected("decided_already", f"spell {known.number} is decided already: {known.decision}")
    return Rejected("needs_no_decision", f"spell {known.number} needs no decision: {_PLAIN[known.spell.outcome]}")


_PLAIN = {
    Outcome.FALSE: "the register returned to where it would have been, and what it showed meanwhile is left out",
    Outcome.RESET: "the register began again near zero and went on, and is counted from zero",
    Outcome.ROLL_OVER: "the register passed its last digit",
    Outcome.STEP_BACK: "the register went on a little lower and is counted on from there",
}
"""What became of a spell about which nobody is asked."""


def _keep(
    connection: Connection, known: KeptSpell, decision: dict[str, Any], act: str, by: str, at: datetime, reason: str
) -> KeptSpell:
    """Write a decision, and what follows from it, in the same transaction."""
    number, meter = known.number, known.point.partition("/")[0]
    connection.execute(sa.update(table).where(c.number == number).values(**decision, changes=known.changes + 1))
    append_entry(connection, at, by, f"meter.{act}", known.point, f"spell {number}: {reason.strip()}")
    since = datetime.fromtimestamp(known.spell.since_ms / 1000, UTC)
    dirty = Dirty((known.point,), since, None, f"{act} spell {number}")
    ask(connection, [dirty], by=by, at=at, reason=f"{meter}: {reason.strip()}")
    return next(_rows(connection, c.number == number))


def _kept(row: sa.RowMapping) -> KeptSpell:
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
