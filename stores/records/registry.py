"""The registry: the estate as it stands, who changed it, and which meter stood where and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from accounting.dirty import dirty_between
from facility.errors import ConfigError
from stores.records import tables
from stores.records.accounting.recomputations import ask
from stores.records.audit import append_entry
from stores.records.columns import METADATA
from stores.records.database import writing
from stores.records.estate import TABLES, Change, Row, Rows, catalogue_of, compare, rows_of
from stores.records.level_decisions import regrade
from stores.records.stale import Deed, Stale

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from facility.catalogue import Catalogue
    from stores.records.level_decisions import LevelDecision

_ASSIGNED = {"meter": "building", "building": "department"}
"""What is assigned, dated, to what: a moved meter does not rewrite last year."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A meter in a building, or a building of a department, from an instant on; ``valid_to`` None: still."""

    subject: str
    target: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Revision:
    """The estate as of one version of the registry: what a person looks at before they change it."""

    version: int
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class EstateDifference:
    """What a document would change in the registry at a version, and what was edited there since the last apply."""

    version: int
    changes: list[Change]
    edits: list[Change]


class Registry:
    """The estate in the records. It is the truth after the first apply."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> Catalogue:
        """The estate as it stands. Raises ``ConfigError`` where none has been applied."""
        return self.revision().catalogue

    def revision(self) -> Revision:
        """The estate with its version, read as one. Raises ``ConfigError`` where none has been applied."""
        with self._engine.connect() as connection:
            version, rows = _version(connection), _stored(connection)
        if not rows["site"]:
            raise ConfigError("no estate has been applied; run meterhouse site apply FILE")
        return Revision(version, catalogue_of(rows))

    def version(self) -> int:
        """A number that grows with every change; 0 before the first."""
        with self._engine.connect() as connection:
            return _version(connection)

    def difference(self, catalogue: Catalogue) -> EstateDifference:
        """What applying ``catalogue`` would change, and what was edited elsewhere since the last apply.

        Raises ``ConfigError`` where ``catalogue`` names a thing twice.
        """
        new = rows_of(catalogue)
        with self._engine.connect() as connection:
            version, stored, applied = _version(connection), _stored(connection), _last_applied(connection)
        return EstateDifference(version, compare(stored, new), compare(applied, stored) if applied else [])

    def apply(
        self,
        catalogue: Catalogue,
        *,
        by: str,
        at: datetime,
        accept: bool = False,
        shown: EstateDifference | None = None,
        decision: LevelDecision | None = None,
    ) -> list[Change]:
        """Make the registry equal to a document, in one transaction; applying it again changes nothing.

        ``decision`` is what the custodian of data levels decided, where it changes any.
        ``shown`` is the difference that a person agreed to: raises ``Stale`` where it is another one by now. Raises
        ``ConfigError`` where the document would undo what was edited elsewhere since the last apply, unless ``accept``
        says that this is meant.
        """
        new = rows_of(catalogue)
        with writing(self._engine) as connection:
            stored, applied = _stored(connection), _last_applied(connection)
            changes = compare(stored, new)
            if shown is not None and shown.changes != changes:
                raise _stale(connection, shown.version, "apply it again and look at the difference")
            if applied and not accept:
                _refuse_undoing(compare(applied, stored), changes)
            if stored != new or applied != new:
                regrade(connection, stored, new, decision, by, at)
                _replace(connection, stored, new, at)
                _keep_revision(connection, at, by, "site.apply", catalogue.site.id, _listed(changes), new)
                _ask_again(connection, stored, catalogue, by, at, "site.apply")
        return changes

    def edit(
        self,
        catalogue: Catalogue,
        *,
        based_on: int,
        by: str,
        at: datetime,
        what: str = "site.edit",
        reason: str = "",
    ) -> list[Change]:
        """Change the registry otherwise than by a document; the next apply will not silently undo it.

        ``based_on`` is the version that ``catalogue`` was made from (``Revision.version``): raises ``Stale`` where
        the registry has another one by now, since all that was changed meanwhile would be undone. What the change
        makes wrong in stored figures is put on the list of recomputations.
        """
        new = rows_of(catalogue)
        with writing(self._engine) as connection:
            check_version(connection, based_on, "do it again on the estate as it is now")
            stored = _stored(connection)
            changes = compare(stored, new)
            if stored != new:
                regrade(connection, stored, new, None, by, at)
                _replace(connection, stored, new, at)
                summary = f"{reason}: {_listed(changes)}" if reason else _listed(changes)
                _keep_revision(connection, at, by, what, catalogue.site.id, summary, None)
                _ask_again(connection, stored, catalogue, by, at, reason or what)
        return changes

    def revisions(self, since: datetime) -> list[tuple[int, datetime]]:
        """The versions that began at an instant or later, and when each did, oldest first."""
        r = tables.revision.c
        query = sa.select(r.version, r.at).where(r.at >= since).order_by(r.version)
        with self._engine.connect() as connection:
            return [(version, at) for version, at in connection.execute(query)]

    def named_ms(self) -> dict[str, int]:
        """Since when the estate has each meter that it ever had, ms UTC: when it was first said to stand anywhere."""
        a = tables.assignment.c
        query = sa.select(a.subject, sa.func.min(a.valid_from)).where(a.what == "meter").group_by(a.subject)
        with self._engine.connect() as connection:
            return {meter: round(since.timestamp() * 1000) for meter, since in connection.execute(query)}

    def assignments(self, what: str, subject: str) -> list[Assignment]:
        """Where a ``meter`` stood, or to which department a ``building`` belonged, oldest first."""
        a = tables.assignment.c
        query = sa.select(a.subject, a.target, a.valid_from, a.valid_to)
        query = query.where(a.what == what, a.subject == subject).order_by(a.valid_from, a.id)
        with self._engine.connect() as connection:
            return [Assignment(*row) for row in connection.execute(query)]


def check_version(connection: Connection, version: int, again: str) -> None:
    """Raise ``Stale`` where the estate has another version by now; ``again`` says what to do then."""
    if _version(connection) != version:
        raise _stale(connection, version, again)


def _stale(connection: Connection, version: int, again: str) -> Stale:
    """Who changed the registry after a version, and what."""
    r = tables.revision.c
    query = sa.select(r.at, r.by, r.summary).where(r.version > version).order_by(r.version)
    return Stale("estate", [Deed(*row) for row in connection.execute(query)], again)


def _ask_again(connection: Connection, stored: Rows, catalogue: Catalogue, by: str, at: datetime, reason: str) -> None:
    """Put what a change of dated facts touches on the list of recomputations."""
    if stored["site"]:
        ask(connection, dirty_between(catalogue_of(stored), catalogue), by=by, at=at, reason=reason)


def _refuse_undoing(edited: Sequence[Change], changes: Sequence[Change]) -> None:
    """Raise ``ConfigError`` naming each edit that the changes would overwrite."""
    lost = [edit for edit in edited if any(map(edit.touches, changes))]
    if lost:
        listed = "\n".join(f"  {edit}" for edit in lost)
        raise ConfigError(
            f"the registry was edited since the last apply, and this document would undo it:\n{listed}\n"
            "bring these into the document, or apply with --accept to overwrite them"
        )


def _listed(changes: Sequence[Change]) -> str:
    shown = "; ".join(map(str, changes[:20]))
    return f"{shown}; and {len(changes) - 20} more" if len(changes) > 20 else shown  # noqa: PLR2004 - the same 20


def _stored(connection: Connection) -> Rows:
    rows: Rows = {name: _table_rows(connection, name) for name in TABLES}
    for what, target in _ASSIGNED.items():
        for row in rows[what].values():
            row[target] = ""
    a = tables.assignment.c
    for what, subject, target in connection.execute(sa.select(a.what, a.subject, a.target).where(a.valid_to.is_(None))):
        rows[what][subject][_ASSIGNED[what]] = target
    return rows


def _table_rows(connection: Connection, name: str) -> dict[str, Row]:
    table = METADATA.tables[name]
    rows = connection.execute(sa.select(table).order_by(table.c.position)).mappings()
    return {row["id"]: {str(key): value for key, value in row.items() if key != "id"} for row in rows}


def _replace(connection: Connection, stored: Rows, new: Rows, at: datetime) -> None:
    """Write the rows that differ and date what moved."""
    for name in TABLES:
        table = METADATA.tables[name]
        changed = {one: row for one, row in new[name].items() if stored[name].get(one) != row}
        gone = [one for one in stored[name] if one in changed or one not in new[name]]
        if gone:
            connection.execute(sa.delete(table).where(table.c.id == sa.bindparam("gone")), [{"gone": g} for g in gone])
        if changed:
            connection.execute(sa.insert(table), [_columns(name, one, row) for one, row in changed.items()])
    for what, target in _ASSIGNED.items():
        before = {one: row[target] for one, row in stored[what].items()}
        _move(connection, what, before, {one: row[target] for one, row in new[what].items()}, at)


def _columns(name: str, one: str, row: Row) -> dict[str, Any]:
    """A row without what is kept as a dated assignment."""
    return {"id": one, **{key: value for key, value in row.items() if key != _ASSIGNED.get(name)}}


def _move(connection: Connection, what: str, before: dict[str, str], after: dict[str, str], at: datetime) -> None:
    """End the assignments that no longer hold and begin the new ones."""
    a = tables.assignment.c
    ended = [one for one, target in before.items() if after.get(one) != target]
    if ended:
        current = (a.what == what) & (a.subject == sa.bindparam("ended")) & a.valid_to.is_(None)
        stop = sa.update(tables.assignment).where(current).values(valid_to=at)
        connection.execute(stop, [{"ended": subject} for subject in ended])
    begun = [(subject, target) for subject, target in after.items() if target and before.get(subject) != target]
    if begun:
        row = {"what": what, "valid_from": at, "valid_to": None}
        rows = [{"subject": subject, "target": target, **row} for subject, target in begun]
        connection.execute(sa.insert(tables.assignment), rows)


def _version(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.max(tables.revision.c.version))).scalar_one() or 0


def _last_applied(connection: Connection) -> Rows | None:
    r = tables.revision.c
    query = sa.select(r.document).where(r.document.is_not(None)).order_by(r.version.desc()).limit(1)
    rows: Rows | None = connection.execute(query).scalar_one_or_none()
    return rows


def _keep_revision(
    connection: Connection, at: datetime, by: str, what: str, site: str, summary: str, document: Rows | None
) -> None:
    """Number the change, and put it on record with who made it."""
    row = {"version": _version(connection) + 1, "at": at, "by": by, "summary": summary, "document": document}
    connection.execute(sa.insert(tables.revision).values(row))
    append_entry(connection, at, by, what, site, summary)
