"""The casebook: one alert per case, from the first finding to a person's verdict, and back where they err."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.work import CHECKED_FOR, RUNNING, Alert, AlertState, Verdict, alert_id
from stores.records import tables
from stores.records.audit import append_entry
from stores.records.case_list import (
    CaseFilter,
    count_being_checked,
    count_cases,
    count_unsettled,
    count_verdicts,
    find_cases,
)
from stores.records.case_rows import alert_of, opened_row, seen_row
from stores.records.case_rules import has_stayed_away, is_quiet, may_still_show, returns
from stores.records.database import writing
from stores.records.stale import Deed, Stale

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy.engine import Connection, Engine

    from facility.work import Finding, Money
    from stores.records.case_list import CasePlace, Unsettled

EVERY_CASE = CaseFilter()

_NOBODY = {"acknowledged_by": "", "acknowledged_at": None}
_UNDECIDED = {"verdict": None, "verdict_note": "", "closed_at": None}


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One step of a case; ``by`` is empty where Meterhouse itself took it."""

    at: datetime
    what: str  # opened | reopened | resolved | acknowledged | released | closed | checked | undone
    by: str
    note: str


class Casebook:
    """Cases and what people did about them. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, finding: Finding, *, money: Money | None, notify: bool) -> Alert:
        """Open a case, or bring the one that this finding belongs to up to date.

        A finding that the case has seen before (``seen_at`` not later) changes nothing, so stepping through the
        same hours again is harmless. Neither does one within the quiet time after a verdict.
        """
        return self.record_all([(finding, money)], notify=notify)[0]

    def record_all(self, findings: Sequence[tuple[Finding, Money | None]], *, notify: bool) -> list[Alert]:
        """The same of several findings, with what each has cost, in one transaction; their cases in the same order."""
        if not findings:
            return []
        with writing(self._engine) as connection:
            return [_recorded(connection, finding, money, notify=notify) for finding, money in findings]

    def resolve(self, key: str, at: datetime) -> Alert | None:
        """The cause went away by itself; None where no such case is open, or it was seen later than ``at``."""
        return next(iter(self.resolve_all([key], at)), None)

    def resolve_all(self, keys: Sequence[str], at: datetime) -> list[Alert]:
        """The same of several cases, in one transaction; those that were resolved."""
        with writing(self._engine) as connection:
            found = [_resolved(connection, key, at) for key in keys]
        return [alert for alert in found if alert is not None]

    def settle(self, at: datetime, holds: Mapping[str, timedelta]) -> list[Alert]:
        """Close what has been put right: its cause was not seen for ``CHECKED_FOR``, or for its detector's hold.

        ``holds`` says by detector how long it may be silent though the cause goes on.
        """
        checked = self.alerts(states=[AlertState.BEING_CHECKED])
        due = [one for one in checked if has_stayed_away(one, at, holds.get(one.detector, CHECKED_FOR))]
        if not due:
            return []
        with writing(self._engine) as connection:
            found = [_settled(connection, one, at) for one in due]
        return [alert for alert in found if alert is not None]

    def alerts(
        self,
        *,
        states: Collection[AlertState] | None = None,
        among: CaseFilter = EVERY_CASE,
        after: CasePlace | None = None,
        limit: int | None = None,
    ) -> list[Alert]:
        """Cases: open ones first, then those that somebody took, then the rest; within each the one raised last first.

        ``after`` is where the page before ended.
        """
        with self._engine.connect() as connection:
            return find_cases(connection, AlertState if states is None else states, among, after=after, limit=limit)

    def counts(self, *, among: CaseFilter = EVERY_CASE, most: int | None = None) -> dict[AlertState, int]:
        """How many cases there are of each state, counted up to ``most``: to count all takes longer year by year."""
        with self._engine.connect() as connection:
            return count_cases(connection, among, most)

    def unsettled(self, *, among: CaseFilter = EVERY_CASE) -> dict[str, Unsettled]:
        """The buildings that have running cases: how many, and how bad the worst is."""
        with self._engine.connect() as connection:
            return count_unsettled(connection, among)

    def being_checked(self, *, among: CaseFilter = EVERY_CASE) -> dict[str, int]:
        """The buildings that have cases which were put right, and are looked at whether they stay so."""
        with self._engine.connect() as connection:
            return count_being_checked(connection, among)

    def verdicts(self, key: str, *, but: UUID, among: CaseFilter = EVERY_CASE) -> dict[Verdict, int]:
        """What people found in the cases of a key, one case left out."""
        with self._engine.connect() as connection:
            return count_verdicts(connection, key, but, among)

    def alert(self, alert: UUID) -> Alert | None:
        """One alert."""
        with self._engine.connect() as connection:
            return _one(connection, tables.alert.c.id == str(alert))

    def timeline(self, alert: UUID) -> list[CaseEvent]:
        """What happened to a case, oldest first."""
        e = tables.case_event.c
        query = sa.select(e.at, e.what, e.by, e.note).where(e.alert == str(alert)).order_by(e.id)
        with self._engine.connect() as connection:
            return [CaseEvent(*row) for row in connection.execute(query)]

    def acknowledge(self, alert: UUID, by: str, at: datetime, *, based_on: int) -> Alert:
        """Somebody takes the case. Raises ``Rejected`` where it is not open.

        ``based_on`` is the case's ``acts`` as that person saw them: here and below, raises ``Stale`` where somebody
        has acted since.
        """
        change = {"state": AlertState.ACKNOWLEDGED.value, "acknowledged_by": by, "acknowledged_at": at}
        return self._act(alert, based_on, {AlertState.OPEN}, change, CaseEvent(at, "acknowledged", by, ""))

    def release(self, alert: UUID, by: str, at: datetime, *, based_on: int) -> Alert:
        """Undo an acknowledgement. Raises ``Rejected`` where there is none."""
        change = {"state": AlertState.OPEN.value, **_NOBODY}
        return self._act(alert, based_on, {AlertState.ACKNOWLEDGED}, change, CaseEvent(at, "released", by, ""))

    def close(self, alert: UUID, verdict: Verdict, note: str, by: str, at: datetime, *, based_on: int) -> Alert:
        """Close a case with a verdict. Raises ``Rejected`` where it is closed.

        What is put right is being checked until its cause has stayed away, and is open again where it has not.
        """
        note_kept = f"{verdict}: {note}" if note else verdict.value
        with writing(self._engine) as connection:
            case = _case_to_act_on(connection, alert, based_on, RUNNING | {AlertState.RESOLVED})
            change = {**_closed_as(connection, case, verdict, at), "verdict": verdict.value, "verdict_note": note}
            return _acted(connection, case, change, CaseEvent(at, "closed", by, note_kept))

    def reopen(self, alert: UUID, by: str, at: datetime, *, based_on: int) -> Alert:
        """Undo a close: the case is again what it was before. Raises ``Rejected`` while a newer case is open."""
        with writing(self._engine) as connection:
            case = _case_to_act_on(connection, alert, based_on, {AlertState.CLOSED, AlertState.BEING_CHECKED})
            standing = _standing(case)
            if standing["open_key"] and _another(connection, case):
                raise Rejected("superseded", f"a newer case of {case.key} is open")
            return _acted(connection, case, {**standing, **_UNDECIDED}, CaseEvent(at, "undone", by, ""))

    def _act(
        self, alert: UUID, based_on: int, allowed: Collection[AlertState], change: dict[str, Any], step: CaseEvent
    ) -> Alert:
        with writing(self._engine) as connection:
            return _acted(connection, _case_to_act_on(connection, alert, based_on, allowed), change, step)


def _recorded(connection: Connection, finding: Finding, money: Money | None, *, notify: bool) -> Alert:
    case = _case_of(connection, finding)
    if case is None:
        row = {"id": str(alert_id(finding)), **opened_row(finding, money, notify=notify)}
        connection.execute(sa.insert(tables.alert).values(row))
        _tell(connection, row["id"], finding.seen_at, "opened")
        return _alert(connection, alert_id(finding))
    if finding.seen_at <= case.last_seen_at or is_quiet(case, finding):
        return case
    return _see_again(connection, case, finding, money)


def _resolved(connection: Connection, key: str, at: datetime) -> Alert | None:
    case = _one(connection, tables.alert.c.open_key == key)
    if case is None or case.state not in RUNNING or at < case.last_seen_at:
        return None
    change = {"state": AlertState.RESOLVED.value, "resolved_at": at, "open_key": None}
    return _change(connection, case.id, change, CaseEvent(at, "resolved", "", ""))


def _settled(connection: Connection, seen: Alert, at: datetime) -> Alert | None:
    """Nothing where it has shown, or somebody has acted, since it was ``seen``."""
    case = _alert(connection, seen.id)
    if (case.state, case.last_seen_at, case.acts) != (seen.state, seen.last_seen_at, seen.acts):
        return None
    change = {"state": AlertState.CLOSED.value, "open_key": None}
    return _change(connection, case.id, change, CaseEvent(at, "checked", "", ""))


def _closed_as(connection: Connection, case: Alert, verdict: Verdict, at: datetime) -> dict[str, Any]:
    """State and open key after a verdict. Beside a newer case of the same key nothing is left to check."""
    if verdict is Verdict.FIXED and not has_stayed_away(case, at) and not _another(connection, case):
        return {"state": AlertState.BEING_CHECKED.value, "open_key": case.key, "closed_at": at}
    return {"state": AlertState.CLOSED.value, "open_key": None, "closed_at": at}


def _another(connection: Connection, case: Alert) -> Alert | None:
    """Another case of the same key that is open or being checked."""
    return _one(connection, (tables.alert.c.open_key == case.key) & (tables.alert.c.id != str(case.id)))


def _case_of(connection: Connection, finding: Finding) -> Alert | None:
    """The case that a finding belongs to: the one it opened, the open one, or one that it may reopen."""
    a = tables.alert.c
    own = _one(connection, a.id == str(alert_id(finding)))
    if own and (own.state in RUNNING or finding.seen_at <= own.last_seen_at):
        return own
    if active := _one(connection, a.open_key == finding.key):
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
        change |= {"state": AlertState.OPEN.value, "open_key": case.key, **_NOBODY, **_UNDECIDED, "resolved_at": None}
        _tell(connection, str(case.id), finding.seen_at, "reopened")
    connection.execute(sa.update(tables.alert).where(tables.alert.c.id == str(case.id)).values(change))
    return _alert(connection, case.id)


def _standing(case: Alert) -> dict[str, Any]:
    """State and open key of a case by what is known of it, as if it had no verdict."""
    if case.resolved_at:
        return {"state": AlertState.RESOLVED.value, "open_key": None}
    state = AlertState.ACKNOWLEDGED if case.acknowledged_by else AlertState.OPEN
    return {"state": state.value, "open_key": case.key}


def _change(connection: Connection, alert: UUID, change: dict[str, Any], step: CaseEvent) -> Alert:
    connection.execute(sa.update(tables.alert).where(tables.alert.c.id == str(alert)).values(change))
    _tell(connection, str(alert), step.at, step.what, step.by, step.note)
    return _alert(connection, alert)


def _tell(connection: Connection, alert: str, at: datetime, what: str, by: str = "", note: str = "") -> None:
    row = {"alert": alert, "at": at, "what": what, "by": by, "note": note}
    connection.execute(sa.insert(tables.case_event).values(row))


def _one(connection: Connection, condition: sa.ColumnElement[bool]) -> Alert | None:
    row = connection.execute(sa.select(tables.alert).where(condition)).mappings().one_or_none()
    return alert_of(row) if row else None


def _alert(connection: Connection, alert: UUID) -> Alert:
    found = _one(connection, tables.alert.c.id == str(alert))
    if found is None:
        raise Rejected("unknown_alert", f"there is no alert {alert}")
    return found


def _case_to_act_on(connection: Connection, alert: UUID, based_on: int, states: Collection[AlertState]) -> Alert:
    """The case, where it is as the person saw it who acts now, and in a state that allows the act.

    Steps that Meterhouse takes by itself are no acts: where one makes an act senseless, the state says so.
    """
    case = _alert(connection, alert)
    if case.acts != based_on:
        e = tables.case_event.c
        acts = sa.select(e.at, e.by, e.what, e.note).where(e.alert == str(alert), e.by != "").order_by(e.id)
        raise Stale("case", [Deed(*row) for row in connection.execute(acts.offset(based_on))])
    if case.state not in states:
        raise Rejected("wrong_state", f"the alert is {case.state}, not {' or '.join(sorted(states))}")
    return case


def _acted(connection: Connection, case: Alert, change: dict[str, Any], step: CaseEvent) -> Alert:
    """A person's act: the change, its place in the timeline and the audit entry, or nothing."""
    append_entry(connection, step.at, step.by, f"alert.{step.what}", str(case.id), step.note)
    return _change(connection, case.id, {**change, "acts": case.acts + 1}, step)
