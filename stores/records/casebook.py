"""The casebook: one alert per case, from the first finding to a person's verdict, and back where they err."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import Rejected
from facility.work import CHECKED_FOR, RUNNING, Alert, AlertState, Verdict
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
from stores.records.case_rows import alert_of
from stores.records.case_rules import check_snooze, has_stayed_away
from stores.records.case_steps import (
    AWAKE,
    NOBODY,
    UNDECIDED,
    CaseEvent,
    another_case,
    awake,
    case_by_id,
    changed,
    folded,
    one_case,
    recorded,
    resolved,
    settled,
)
from stores.records.database import writing
from stores.records.planned_events import PlannedEvents
from stores.records.stale import Deed, Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy.engine import Connection, Engine

    from facility.work import Cause, Finding, Money, Saving
    from stores.records.case_list import CasePlace, Unsettled

EVERY_CASE = CaseFilter()
LEAST_NAMED = 4


class Casebook:
    """Cases and what people did about them. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """Where they are kept."""
        return self._engine

    def named(self, text: str) -> Alert:
        """The case whose id begins so. Raises ``Rejected`` where none or several do, or it says too little."""
        a = tables.alert.c
        query = sa.select(tables.alert).where(a.id.startswith(text, autoescape=True)).limit(2)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all() if len(text) >= LEAST_NAMED else []
        if len(rows) != 1:
            raise Rejected("unknown_alert", f"{'several cases begin' if rows else 'no case begins'} with '{text}'")
        return alert_of(rows[0])

    @property
    def plans(self) -> PlannedEvents:
        """What is planned, and puts aside what is found meanwhile."""
        return PlannedEvents(self._engine)

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
            return [recorded(connection, finding, money, notify=notify) for finding, money in findings]

    def resolve(self, key: str, at: datetime) -> Alert | None:
        """The cause went away by itself; None where no such case is open, or it was seen later than ``at``."""
        return next(iter(self.resolve_all([key], at)), None)

    def resolve_all(self, keys: Sequence[str], at: datetime) -> list[Alert]:
        """The same of several cases, in one transaction; those that were resolved."""
        with writing(self._engine) as connection:
            found = [resolved(connection, key, at) for key in keys]
        return [alert for alert in found if alert is not None]

    def fold(self, keys: Sequence[str], parent: UUID, at: datetime) -> list[Alert]:
        """Tell open cases with another from now on, in one transaction; those that nobody had in hand."""
        with writing(self._engine) as connection:
            into = case_by_id(connection, parent)
            found = [folded(connection, key, into, at) for key in keys]
        return [alert for alert in found if alert is not None]

    def folded_into(self, parent: UUID, limit: int = 20) -> list[Alert]:
        """The cases that are told with one, the newest first."""
        a = tables.alert.c
        query = sa.select(tables.alert).where(a.parent == str(parent)).order_by(a.raised_at.desc(), a.id).limit(limit)
        with self._engine.connect() as connection:
            return [alert_of(row) for row in connection.execute(query).mappings()]

    def wake_all(self, at: datetime) -> list[Alert]:
        """Wake the cases whose sleep is over."""
        with self._engine.connect() as connection:  # most of the time there is none, and nobody need wait for that
            a = tables.alert.c
            due = (a.state == AlertState.SNOOZED.value) & (a.snoozed_until <= at)
            if connection.execute(sa.select(a.id).where(due).limit(1)).one_or_none() is None:
                return []
        with writing(self._engine) as connection:
            return awake(connection, at)

    def settle(
        self,
        at: datetime,
        holds: Mapping[str, timedelta],
        saving_of: Callable[[Alert], Saving | None] = lambda _case: None,
    ) -> list[Alert]:
        """Close what has been put right: its cause was not seen for ``CHECKED_FOR``, or for its detector's hold.

        ``holds`` says by detector how long it may be silent though the cause goes on; ``saving_of`` measures what a
        repair saved, where it can: a case of which too little ended is open again.
        """
        checked = self.alerts(states=[AlertState.BEING_CHECKED])
        due = [one for one in checked if has_stayed_away(one, at, holds.get(one.detector, CHECKED_FOR))]
        if not due:
            return []
        savings = [saving_of(one) for one in due]
        with writing(self._engine) as connection:
            found = [settled(connection, one, at, saving) for one, saving in zip(due, savings, strict=True)]
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
            return one_case(connection, tables.alert.c.id == str(alert))

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
        change = {"state": AlertState.ACKNOWLEDGED.value, "acknowledged_by": by, "acknowledged_at": at, **AWAKE}
        return self._act(alert, based_on, {AlertState.OPEN}, change, CaseEvent(at, "acknowledged", by, ""))

    def release(self, alert: UUID, by: str, at: datetime, *, based_on: int) -> Alert:
        """Undo an acknowledgement. Raises ``Rejected`` where there is none."""
        change = {"state": AlertState.OPEN.value, **NOBODY, **AWAKE}
        return self._act(alert, based_on, {AlertState.ACKNOWLEDGED}, change, CaseEvent(at, "released", by, ""))

    def snooze(self, alert: UUID, until: datetime, reason: str, by: str, at: datetime, *, based_on: int) -> Alert:
        """Let a case rest until an instant, or until it becomes worse or twice as large.

        Raises ``Rejected`` where it does not run, without a reason, and for more than two weeks.
        """
        check_snooze(until, reason, at)
        with writing(self._engine) as connection:
            case = _case_to_act_on(connection, alert, based_on, RUNNING)
            over = case.excess.per_day if case.excess else None
            change = {"state": AlertState.SNOOZED.value, **AWAKE, "snoozed_until": until, "snoozed_over": over}
            return _acted(connection, case, change, CaseEvent(at, "snoozed", by, reason.strip()))

    def wake(self, alert: UUID, by: str, at: datetime, *, based_on: int) -> Alert:
        """End the sleep of a case. Raises ``Rejected`` where it does not sleep."""
        with writing(self._engine) as connection:
            case = _case_to_act_on(connection, alert, based_on, {AlertState.SNOOZED})
            state = AlertState.ACKNOWLEDGED if case.acknowledged_by else AlertState.OPEN
            return _acted(connection, case, {"state": state.value, **AWAKE}, CaseEvent(at, "woken", by, ""))

    def close(
        self, alert: UUID, verdict: Verdict, cause: Cause, note: str, by: str, at: datetime, *, based_on: int
    ) -> Alert:
        """Close a case with a verdict and what it came of. Raises ``Rejected`` where it is closed.

        What is put right is being checked until its cause has stayed away, and is open again where it has not.
        """
        note_kept = f"{verdict}: {note}" if note else verdict.value
        with writing(self._engine) as connection:
            case = _case_to_act_on(connection, alert, based_on, RUNNING | {AlertState.RESOLVED})
            said = {"verdict": verdict.value, "verdict_note": note, "cause": cause.value, **AWAKE}
            change = {**_closed_as(connection, case, verdict, at), **said}
            return _acted(connection, case, change, CaseEvent(at, "closed", by, note_kept))

    def reopen(self, alert: UUID, by: str, at: datetime, *, based_on: int) -> Alert:
        """Undo a close: the case is again what it was before. Raises ``Rejected`` while a newer case is open."""
        with writing(self._engine) as connection:
            case = _case_to_act_on(connection, alert, based_on, {AlertState.CLOSED, AlertState.BEING_CHECKED})
            standing = _standing(case)
            if standing["open_key"] and another_case(connection, case):
                raise Rejected("superseded", f"a newer case of {case.key} is open")
            change = {**standing, **UNDECIDED, "parent": None}
            return _acted(connection, case, change, CaseEvent(at, "undone", by, ""))

    def _act(
        self, alert: UUID, based_on: int, allowed: Collection[AlertState], change: dict[str, Any], step: CaseEvent
    ) -> Alert:
        with writing(self._engine) as connection:
            return _acted(connection, _case_to_act_on(connection, alert, based_on, allowed), change, step)


def _closed_as(connection: Connection, case: Alert, verdict: Verdict, at: datetime) -> dict[str, Any]:
    """State and open key after a verdict. Beside a newer case of the same key nothing is left to check."""
    if verdict is Verdict.FIXED and not has_stayed_away(case, at) and not another_case(connection, case):
        return {"state": AlertState.BEING_CHECKED.value, "open_key": case.key, "closed_at": at}
    return {"state": AlertState.CLOSED.value, "open_key": None, "closed_at": at}


def _standing(case: Alert) -> dict[str, Any]:
    """State and open key of a case by what is known of it, as if it had no verdict."""
    if case.resolved_at:
        return {"state": AlertState.RESOLVED.value, "open_key": None}
    state = AlertState.ACKNOWLEDGED if case.acknowledged_by else AlertState.OPEN
    return {"state": state.value, "open_key": case.key}


def _case_to_act_on(connection: Connection, alert: UUID, based_on: int, states: Collection[AlertState]) -> Alert:
    """The case, where it is as the person saw it who acts now, and in a state that allows the act.

    Steps that Meterhouse takes by itself are no acts: where one makes an act senseless, the state says so.
    """
    case = case_by_id(connection, alert)
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
    return changed(connection, case.id, {**change, "acts": case.acts + 1}, step)
