"""Imports of readings from being handed in to being undone; each step is in the audit trail, none is done by halves.

An import is proposed, confirmed (by somebody else, where others may), taken in by ingest, and at will taken back again:
ingest then retracts exactly what it had taken in. What is asked of ingest is an errand like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.model import Quality
from facility.rights import PERMISSIONS, Act
from facility.so_many import so_many
from stores.records import tables
from stores.records.accounts.tables import role_grant
from stores.records.audit import append_entry, check_reason
from stores.records.database import writing
from stores.records.errands import ask_of_import, open_of_import, settle_of_import
from stores.records.imports.packed import packed, unpacked
from stores.records.imports.tables import reading_import

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.engine import Connection, Engine

    from facility.model import ReadingBatch

i = reading_import.c

_TOLD = [column for column in reading_import.columns if column.name != "readings"]


@unique
class ImportState(StrEnum):
    """How far an import has come."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    STORED = "stored"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    TAKEN_BACK = "taken_back"
    UNDONE = "undone"


_DONE = {ImportState.CONFIRMED: ImportState.STORED, ImportState.TAKEN_BACK: ImportState.UNDONE}

_COUNTS = (ImportState.PROPOSED, ImportState.CONFIRMED, ImportState.STORED, ImportState.TAKEN_BACK)
"""States in which an import stands, or may still stand, in the figures."""


@dataclass(frozen=True, slots=True)
class ProposedImport:
    """What somebody hands in: a file's name and SHA-256, what it tells (``register`` or ``use``), and its readings."""

    file: str
    digest: str
    kind: str
    readings: ReadingBatch


@dataclass(frozen=True, slots=True)
class KeptImport:
    """An import on record, without its readings."""

    id: int
    file: str
    digest: str
    state: ImportState
    kind: str
    count: int
    points: tuple[str, ...]
    first_ms: int
    last_ms: int
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None
    undone_by: str
    undone_at: datetime | None
    reason: str
    outcome: str


class Imports:
    """All imports. Steps that do not follow on how an import stands raise ``Rejected`` and change nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def propose(self, handed_in: ProposedImport, by: str, at: datetime) -> int:
        """Keep what somebody hands in, and return its number. Raises ``Rejected`` for a file that stands already."""
        batch = handed_in.readings
        if not len(batch):
            raise Rejected("nothing_new", f"{handed_in.file} holds no reading that is not stored already")
        row = {"file": handed_in.file, "digest": handed_in.digest, "kind": handed_in.kind, "count": len(batch)}
        row |= {"points": batch.points, "first_ms": min(batch.t_ms), "last_ms": max(batch.t_ms)}
        row |= {"readings": packed(batch), "state": ImportState.PROPOSED, "proposed_by": by, "proposed_at": at}
        row |= dict.fromkeys(("confirmed_by", "undone_by", "reason", "outcome"), "")
        with writing(self._engine) as connection:
            same = sa.select(i.id).where(i.digest == handed_in.digest, i.state.in_(_COUNTS)).limit(1)
            if (known := connection.execute(same).scalar_one_or_none()) is not None:
                raise Rejected("same_file", f"import {known} holds the same file: undo or withdraw it first")
            number = connection.execute(sa.insert(reading_import).returning(i.id), [row]).scalar_one()
            detail = f"{handed_in.file}: {so_many(len(batch), 'reading')}"
            append_entry(connection, at, by, "import.propose", str(number), detail)
        return int(number)

    def confirm(self, number: int, by: str, at: datetime) -> int:
        """Have ingest take an import in; the errand's id.

        Raises ``Rejected`` where somebody else must confirm it, or others of the same points came between.
        """
        with writing(self._engine) as connection:
            known = _in_state(connection, number, ImportState.PROPOSED)
            if known.proposed_by == by and (others := _who_may_confirm(connection, at, known.points) - {by}):
                who = ", ".join(sorted(others)[:5])
                raise Rejected("second_person", f"import {number} is {by}'s own: somebody else confirms it ({who})")
            between = _others(connection, known, i.confirmed_at >= known.proposed_at)
            if between is not None:
                what = (
                    f"import {between} of the same meters was confirmed since: withdraw {number} and hand it in again"
                )
                raise Rejected("overtaken", what)
            _set(connection, number, state=ImportState.CONFIRMED, confirmed_by=by, confirmed_at=at)
            append_entry(connection, at, by, "import.confirm", str(number), known.file)
            return ask_of_import(connection, "import", number, by, at)

    def withdraw(self, number: int, by: str, reason: str, at: datetime) -> None:
        """Give up what was not confirmed."""
        check_reason(reason)
        with writing(self._engine) as connection:
            known = _in_state(connection, number, ImportState.PROPOSED)
            _set(connection, number, state=ImportState.WITHDRAWN, undone_by=by, undone_at=at, reason=reason.strip())
            append_entry(connection, at, by, "import.withdraw", str(number), f"{known.file}: {reason.strip()}")

    def undo(self, number: int, by: str, reason: str, at: datetime) -> int:
        """Have ingest retract all that an import brought; the errand's id.

        Raises ``Rejected`` where a later import of the same meters rests on it: that one is undone first.
        """
        check_reason(reason)
        with writing(self._engine) as connection:
            known = _in_state(connection, number, ImportState.STORED)
            later = _others(connection, known, i.id > number, i.state.in_([ImportState.CONFIRMED, ImportState.STORED]))
            if later is not None:
                raise Rejected("rests_on_it", f"import {later} of the same meters came after it: undo that first")
            _set(connection, number, state=ImportState.TAKEN_BACK, undone_by=by, undone_at=at, reason=reason.strip())
            append_entry(connection, at, by, "import.undo", str(number), f"{known.file}: {reason.strip()}")
            return ask_of_import(connection, "undo", number, by, at)

    def done(self, number: int, outcome: str, at: datetime) -> None:
        """Ingest has stored all of an import, or retracted it; the same call again changes nothing."""
        self._settle(number, _DONE, outcome, at)

    def refuse(self, number: int, outcome: str, at: datetime) -> None:
        """Ingest has taken nothing of an import in, and says why."""
        self._settle(number, {ImportState.CONFIRMED: ImportState.REFUSED}, outcome, at)

    def take_again(self, number: int, now_ms: int) -> None:
        """Have ingest bring in once more what a store has lost of an import; nothing where it was undone."""
        at = datetime.fromtimestamp(now_ms / 1000, UTC)
        with writing(self._engine) as connection:
            known = _one(connection, number)
            if known is not None and known.state is ImportState.STORED and not open_of_import(connection, number):
                ask_of_import(connection, "import", number, "", at)

    def _settle(self, number: int, then: Mapping[ImportState, ImportState], outcome: str, at: datetime) -> None:
        with writing(self._engine) as connection:
            known = _one(connection, number)
            if known is not None and known.state in then:
                _set(connection, number, state=then[known.state], outcome=outcome)
            settle_of_import(connection, number, outcome, at)

    def one(self, number: int) -> KeptImport | None:
        """One import."""
        with self._engine.connect() as connection:
            return _one(connection, number)

    def newest(self, points: Collection[str] | None = None, *, limit: int = 50) -> list[KeptImport]:
        """The newest first; with ``points`` only those all of whose points are among them."""
        query = sa.select(*_TOLD).order_by(i.id.desc())
        found = []
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                if points is None or set(row["points"]) <= set(points):
                    found.append(_kept(row))
                if len(found) >= limit:
                    break
        return found

    def readings(self, number: int, quality: Quality = Quality.MANUAL) -> ReadingBatch:
        """What an import brought, or brings."""
        with self._engine.connect() as connection:
            return unpacked(connection.execute(sa.select(i.readings).where(i.id == number)).scalar_one(), quality)

    def who_may_confirm(self, at: datetime, points: Collection[str]) -> set[str]:
        """Everybody whose role lets them confirm an import of these points."""
        with self._engine.connect() as connection:
            return _who_may_confirm(connection, at, points)


def _who_may_confirm(connection: Connection, at: datetime, points: Collection[str]) -> set[str]:
    """Whose role holds in the whole site, or in every building of the points, or its department."""
    g, p = role_grant.c, tables.person.c
    roles = [role.value for role in PERMISSIONS[Act.CONFIRM]]
    query = sa.select(g.name, g.until, g.part, g.target).join(tables.person, p.name == g.name)
    rows = connection.execute(query.where(g.role.in_(roles), p.closed_at.is_(None))).all()
    places = _places(connection, points)
    held: dict[str, set[tuple[str, str]]] = {}
    for name, until, part, target in rows:
        if until is None or at < until:
            held.setdefault(name, set()).add((part, target))
    return {name for name, parts in held.items() if ("site", "") in parts or all(parts & some for some in places)}


def _places(connection: Connection, points: Collection[str]) -> list[set[tuple[str, str]]]:
    """The building of each meter, and its department, as roles name them."""
    a = tables.assignment.c
    query = sa.select(a.what, a.subject, a.target).where(a.valid_to.is_(None))
    now = {(what, subject): target for what, subject, target in connection.execute(query)}
    buildings = {now.get(("meter", point.partition("/")[0]), "") for point in points}
    return [{("building", one), ("department", now.get(("building", one), ""))} for one in sorted(buildings)]


def _one(connection: Connection, number: int) -> KeptImport | None:
    row = connection.execute(sa.select(*_TOLD).where(i.id == number)).mappings().one_or_none()
    return None if row is None else _kept(row)


def _kept(row: sa.RowMapping) -> KeptImport:
    said: dict[str, Any] = dict(row)
    return KeptImport(**said | {"state": ImportState(said["state"]), "points": tuple(said["points"])})


def _in_state(connection: Connection, number: int, state: ImportState) -> KeptImport:
    known = _one(connection, number)
    if known is None:
        raise Rejected("unknown_import", f"there is no import {number}")
    if known.state is not state:
        raise Rejected("not_so", f"import {number} is {known.state}: only one that is {state} can be")
    return known


def _others(connection: Connection, known: KeptImport, *where: sa.ColumnElement[bool]) -> int | None:
    """The newest other import that counts of any of the same points."""
    query = sa.select(i.id, i.points).where(i.id != known.id, i.state.in_(_COUNTS), *where).order_by(i.id.desc())
    mine = set(known.points)
    return next((number for number, points in connection.execute(query) if mine & set(points)), None)


def _set(connection: Connection, number: int, **values: object) -> None:
    connection.execute(sa.update(reading_import).where(i.id == number).values(values))
