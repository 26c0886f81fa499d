"""Steps that cases take by themselves, within a transaction: seen, seen again, gone, settled; and their timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.work import RUNNING, AlertState, alert_id
from stores.records import tables
from stores.records.case_rows import alert_of, opened_row, seen_row
from stores.records.case_rules import is_quiet, may_still_show, returns

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from facility.work import Alert, Finding, Money

NOBODY = {"acknowledged_by": "", "acknowledged_at": None}
UNDECIDED = {"verdict": None, "verdict_note": "", "closed_at": None}


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One step of a case; ``by`` is empty where Meterhouse itself took it."""

    at: datetime
    what: str  # opened | reopened | rose | resolved | acknowledged | released | closed | checked | undone
    by: str
    note: str


def recorded(connection: Connection, finding: Finding, money: Money | None, *, notify: bool) -> Alert:
    """The case of a finding, opened or brought up to date."""
    case = _case_of(connection, finding)
    if case is None:
        row = {"id": str(alert_id(finding)), **opened_row(finding, money, notify=notify)}
        connection.execute(sa.insert(tables.alert).values(row))
        tell_step(connection, row["id"], finding.seen_at, "opened")
        return case_by_id(connection, alert_id(finding))
    if finding.seen_at <= case.last_seen_at or is_quiet(case, finding):
        return case
    return _see_again(connection, case, finding, money)


def resolved(connection: Connection, key: str, at: datetime) -> Alert | None:
    """The cause went away by itself; None where no such case runs, or it was seen later."""
    case = one_case(connection, tables.alert.c.open_key == key)
    if case is None or case.state not in RUNNING or at < case.last_seen_at:
        return None
    change = {"state": AlertState.RESOLVED.value, "resolved_at": at, "open_key": None}
    return changed(connection, case.id, change, CaseEvent(at, "resolved", "", ""))


def settled(connection: Connection, seen: Alert, at: datetime) -> Alert | None:
    """Nothing where it has shown, or somebody has acted, since it was ``seen``."""
    case = case_by_id(connection, seen.id)
    if (case.state, case.last_seen_at, case.acts) != (seen.state, seen.last_seen_at, seen.acts):
        return None
    change = {"state": AlertState.CLOSED.value, "open_key": None}
    return changed(connection, case.id, change, CaseEvent(at, "checked", "", ""))


def another_case(connection: Connection, case: Alert) -> Alert | None:
    """Another case of the same key that is open or being checked."""
    return one_case(connection, (tables.alert.c.open_key == case.key) & (tables.alert.c.id != str(case.id)))


def _case_of(connection: Connection, finding: Finding) -> Alert | None:
    """The case that a finding belongs to: the one it opened, the open one, or one that it may reopen."""
    a = tables.alert.c
    own = one_case(connection, a.id == str(alert_id(finding)))
    if own and (own.state in RUNNING or finding.seen_at <= own.last_seen_at):
        return own
    if active := one_case(connection, a.open_key == finding.key):
        return active
    query = sa.select(tables.alert).where(a.key == finding.key).order_by(a.last_seen_at.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    newest = alert_of(row) if row else None
    if newest and (is_quiet(newest, finding) or returns(newest, finding)):
        return newest
    return own


def _see_again(connection: Connection, case: Alert, finding: Finding, money: Money | None) -> Alert:
    change: dict[str, Any] = {**seen_row(finding, money), "count": case.count + 1}
    if case.state not in RUNNING and not may_still_show(case, finding):
        change |= {"state": AlertState.OPEN.value, "open_key": case.key, **NOBODY, **UNDECIDED, "resolved_at": None}
        tell_step(connection, str(case.id), finding.seen_at, "reopened")
    elif case.state in RUNNING and finding.severity > case.severity:
        _tell_rise(connection, case, finding)
    connection.execute(sa.update(tables.alert).where(tables.alert.c.id == str(case.id)).values(change))
    return case_by_id(connection, case.id)


def _tell_rise(connection: Connection, case: Alert, finding: Finding) -> None:
    """It has become worse: once for each severity until it is opened anew, however it goes up and down."""
    e = tables.case_event.c
    here = e.alert == str(case.id)
    begun = sa.select(sa.func.max(e.id)).where(here, e.what.in_(["opened", "reopened"])).scalar_subquery()
    rose = sa.select(e.id).where(here, e.what == "rose", e.note == finding.severity.word, e.id > begun).limit(1)
    if connection.execute(rose).one_or_none() is None:
        tell_step(connection, str(case.id), finding.seen_at, "rose", note=finding.severity.word)


def changed(connection: Connection, alert: UUID, change: dict[str, Any], step: CaseEvent) -> Alert:
    """The case after a change that is a step of its timeline."""
    connection.execute(sa.update(tables.alert).where(tables.alert.c.id == str(alert)).values(change))
    tell_step(connection, str(alert), step.at, step.what, step.by, step.note)
    return case_by_id(connection, alert)


def tell_step(connection: Connection, alert: str, at: datetime, what: str, by: str = "", note: str = "") -> None:
    """Put a step on the timeline, from which letters are written as well: its numbers rise in the order of commits."""
    row = {"alert": alert, "at": at, "what": what, "by": by, "note": note}
    connection.execute(sa.insert(tables.case_event).values(row))


def one_case(connection: Connection, condition: sa.ColumnElement[bool]) -> Alert | None:
    """The one case of which something holds, if there is one."""
    row = connection.execute(sa.select(tables.alert).where(condition)).mappings().one_or_none()
    return alert_of(row) if row else None


def case_by_id(connection: Connection, alert: UUID) -> Alert:
    """A case. Raises ``Rejected`` where there is none."""
    found = one_case(connection, tables.alert.c.id == str(alert))
    if found is None:
        raise Rejected("unknown_alert", f"there is no alert {alert}")
    return found
