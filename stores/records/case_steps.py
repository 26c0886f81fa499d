"""Steps that cases take by themselves, within a transaction: seen, seen again, gone, settled; and their timeline."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.work import RUNNING, AlertState, Verdict, alert_id
from stores.records import tables
from stores.records.case_rows import alert_of, opened_row, seen_row
from stores.records.case_rules import (
    CALM_FOR,
    FLAPPING,
    FLAPS_WITHIN,
    is_quiet,
    is_saved,
    is_woken_by,
    may_still_show,
    returns,
)
from stores.records.planned_events import plan_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from facility.work import Alert, Finding, Money, Saving

CAME_BACK = frozenset({"reopened", "flapped"})
BEGUN = CAME_BACK | {"opened", "put_aside", "woke"}

NOBODY = {"acknowledged_by": "", "acknowledged_at": None}
UNDECIDED = {"verdict": None, "verdict_note": "", "cause": None, "closed_at": None, "saving": None}
AWAKE = {"snoozed_until": None, "snoozed_over": None, "plan": None}


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One step of a case; ``by`` is empty where Meterhouse itself took it.

    ``what``: opened, reopened, flapped, rose, put_aside, woke, resolved, passed, folded, checked, saved, not_saved; and
    of people: acknowledged, released, snoozed, closed, undone, handed_over.
    """

    at: datetime
    what: str
    by: str
    note: str


def recorded(connection: Connection, finding: Finding, money: Money | None, *, notify: bool) -> Alert:
    """The case of a finding, opened or brought up to date."""
    case = _case_of(connection, finding)
    if case is None:
        aside = _put_aside(connection, finding)
        row = {"id": str(alert_id(finding)), **opened_row(finding, money, notify=notify), **aside}
        connection.execute(sa.insert(tables.alert).values(row))
        tell_step(connection, row["id"], finding.seen_at, "put_aside" if aside else "opened")
        return case_by_id(connection, alert_id(finding))
    if finding.seen_at <= case.last_seen_at or is_quiet(case, finding):
        return case
    return _see_again(connection, case, finding, money)


def resolved(connection: Connection, key: str, at: datetime) -> Alert | None:
    """The cause went away by itself; None where no such case runs, or it was seen later."""
    case = one_case(connection, tables.alert.c.open_key == key)
    if case is None or case.state not in RUNNING or at < case.last_seen_at:
        return None
    if at - case.last_seen_at < CALM_FOR and _times_back(connection, case, at) >= FLAPPING:
        return None
    if case.state is AlertState.SNOOZED and case.plan is not None:  # it was planned, and nobody need judge it
        change = {"state": AlertState.CLOSED.value, "resolved_at": at, "closed_at": at, "open_key": None}
        return changed(connection, case.id, change, CaseEvent(at, "passed", "", ""))
    change = {"state": AlertState.RESOLVED.value, "resolved_at": at, "open_key": None}
    return changed(connection, case.id, change, CaseEvent(at, "resolved", "", ""))


def _times_back(connection: Connection, case: Alert, at: datetime) -> int:
    """How often it came back within a day: after some times its going away says little."""
    e = tables.case_event.c
    came_back = (e.alert == str(case.id)) & e.what.in_(CAME_BACK) & (e.at > at - FLAPS_WITHIN)
    return connection.execute(sa.select(sa.func.count()).where(came_back)).scalar() or 0


def awake(connection: Connection, at: datetime) -> list[Alert]:
    """Wake the cases whose sleep is over."""
    a = tables.alert.c
    due = (a.state == AlertState.SNOOZED.value) & (a.snoozed_until <= at)
    query = sa.select(tables.alert).where(due).order_by(a.snoozed_until, a.id)
    slept = [alert_of(row) for row in connection.execute(query).mappings()]
    return [woken(connection, case, at) for case in slept]


def woken(connection: Connection, case: Alert, at: datetime, note: str = "") -> Alert:
    """The case as it was before somebody put it to sleep: in their hands, or open."""
    state = AlertState.ACKNOWLEDGED if case.acknowledged_by else AlertState.OPEN
    change = {"state": state.value, "snoozed_over": None, "plan": None}
    return changed(connection, case.id, change, CaseEvent(at, "woke", "", note))


def folded(connection: Connection, key: str, parent: Alert, at: datetime) -> Alert | None:
    """Tell an open case with another one from now on; None where none is open, or it was seen later."""
    case = one_case(connection, tables.alert.c.open_key == key)
    if case is None or case.id == parent.id or case.state is not AlertState.OPEN or at < case.last_seen_at:
        return None
    change = {
        "state": AlertState.CLOSED.value,
        "open_key": None,
        "closed_at": at,
        "verdict": Verdict.DUPLICATE.value,
        "parent": str(parent.id),
    }
    return changed(connection, case.id, change, CaseEvent(at, "folded", "", ""))


def settled(connection: Connection, seen: Alert, at: datetime, saving: Saving | None = None) -> Alert | None:
    """Closed for good, or open again where a ``saving`` was measured and is too small.

    Nothing where it has shown, or somebody has acted, since it was ``seen``.
    """
    case = case_by_id(connection, seen.id)
    if (case.state, case.last_seen_at, case.acts) != (seen.state, seen.last_seen_at, seen.acts):
        return None
    change: dict[str, Any] = {"state": AlertState.CLOSED.value, "open_key": None}
    if saving is None:
        return changed(connection, case.id, change, CaseEvent(at, "checked", "", ""))
    note = f"{saving.per_day:g} {saving.unit}"
    if is_saved(case, saving):
        change["saving"] = asdict(saving)
        return changed(connection, case.id, change, CaseEvent(at, "saved", "", note))
    change = {"state": AlertState.OPEN.value, "last_seen_at": at, **NOBODY, **UNDECIDED, "resolved_at": None}
    return changed(connection, case.id, change, CaseEvent(at, "not_saved", "", note))


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
    if may_still_show(case, finding):  # what it cost while it went on stays: by that its saving is measured
        change = {"last_seen_at": finding.seen_at, "count": case.count + 1}
    elif case.state not in RUNNING:
        change |= _opened_again(connection, case, finding)
    elif is_woken_by(case, finding):
        woken(connection, case, finding.seen_at, finding.severity.word if finding.severity > case.severity else "")
    elif case.state in RUNNING and finding.severity > case.severity:
        _tell_rise(connection, case, finding)
    connection.execute(sa.update(tables.alert).where(tables.alert.c.id == str(case.id)).values(change))
    return case_by_id(connection, case.id)


def _opened_again(connection: Connection, case: Alert, finding: Finding) -> dict[str, Any]:
    """The change of a case that came back; the step says where it does so again and again."""
    aside = _put_aside(connection, finding)
    change = {"state": AlertState.OPEN.value, "open_key": case.key, "resolved_at": None, "parent": None}
    often = _times_back(connection, case, finding.seen_at) + 1 >= FLAPPING
    tell_step(connection, str(case.id), finding.seen_at, "put_aside" if aside else "flapped" if often else "reopened")
    return {**change, **NOBODY, **UNDECIDED, **AWAKE, **aside}


def _put_aside(connection: Connection, finding: Finding) -> dict[str, Any]:
    """What makes a case sleep through the planned event that it is found in; nothing where there is none."""
    plan = plan_of(connection, finding)
    if plan is None:
        return {}
    return {"state": AlertState.SNOOZED.value, "plan": plan[0], "snoozed_until": plan[1]}


def _tell_rise(connection: Connection, case: Alert, finding: Finding) -> None:
    """It has become worse: once for each severity until it is opened anew, however it goes up and down."""
    e = tables.case_event.c
    here = e.alert == str(case.id)
    begun = sa.select(sa.func.max(e.id)).where(here, e.what.in_(BEGUN)).scalar_subquery()
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
