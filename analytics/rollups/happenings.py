"""Once a minute: the events and the days of cases, as records have them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from accounting.local_time import HOUR_MS
from analytics.rollups.case_days import CaseDays, CaseSpan
from analytics.rollups.events import EventRows, of_alert, of_estate, of_revisions
from analytics.scene import instant
from facility.work import WATCHED
from stores.records.case_list import CaseFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from accounting.calendars import SiteCalendar
    from analytics.rollups.case_days import Kind
    from analytics.rollups.events import Event
    from facility.catalogue import Catalogue
    from facility.work import Alert, AlertState
    from stores.readings.port import ReadingStore

KEPT = timedelta(days=400)
"""Cases that were raised so long ago are looked at once more at the start, and after that no more."""

RECENT = timedelta(days=2)


class CaseList(Protocol):
    """Where cases are kept (``stores.records.casebook.Casebook``)."""

    def alerts(self, *, states: Collection[AlertState] | None = None, among: CaseFilter = ...) -> list[Alert]:
        """Cases of these states, among these."""

    def alert(self, alert: UUID) -> Alert | None:
        """One case."""

    def counts(self, *, among: CaseFilter = ...) -> Mapping[AlertState, int]:
        """How many cases of each state there are among these."""


class Happenings:
    """The events of one estate. What was read is kept: later only cases that may have changed are read."""

    def __init__(
        self,
        store: ReadingStore,
        catalogue: Catalogue,
        calendar: SiteCalendar,
        cases: CaseList,
        revisions: Callable[[datetime], Iterable[tuple[int, datetime]]],
    ) -> None:
        """``revisions`` are the versions of the estate since an instant, and when each began."""
        self._catalogue, self._calendar, self._cases, self._revisions = catalogue, calendar, cases, revisions
        self._rows = EventRows(store, catalogue.site.id)
        self._days = CaseDays(store, calendar, catalogue.site.id)
        self._alerts: dict[UUID, Alert] = {}
        self._events: dict[UUID, Event] = {}
        self._day_ms, self._hour, self._count = 0, -1, 0

    def step(self, now_ms: int) -> None:
        """Bring the store to what records say now."""
        is_first = not self._day_ms
        day_ms = int(self._calendar.day_edges(now_ms, now_ms)[0])
        is_new_day, self._day_ms = day_ms != self._day_ms, day_ms
        changed = self._changed(instant(now_ms), now_ms, is_first=is_first)
        for alert in changed:
            self._alerts[alert.id], self._events[alert.id] = alert, of_alert(alert, self._catalogue)
        self._rows.keep(self._events[alert.id] for alert in changed)
        if is_new_day:
            self._keep_fixed(now_ms, is_first=is_first)
        self._write_days({_kind(alert) for alert in (self._alerts.values() if is_new_day else changed)}, now_ms)

    def _changed(self, now: datetime, now_ms: int, *, is_first: bool) -> list[Alert]:
        """Cases that are not as they were known; those that run are told anew once an hour, for their figures grow."""
        kept = CaseFilter(raised_since=now - KEPT)
        before, self._count = self._count, sum(self._cases.counts(among=kept).values())
        if is_first:
            return self._cases.alerts(among=kept)
        found = {one.id: one for one in self._cases.alerts(states=WATCHED)}
        found |= {one.id: one for one in self._cases.alerts(among=CaseFilter(raised_since=now - RECENT))}
        if self._count > before + len(found.keys() - self._alerts.keys()):  # hours long past were looked through
            found |= {one.id: one for one in self._cases.alerts(among=kept)}
        gone = [one.id for one in self._alerts.values() if one.state in WATCHED and one.id not in found]
        found |= {one.id: one for name in gone if (one := self._cases.alert(name)) is not None}
        is_new_hour, self._hour = now_ms // HOUR_MS != self._hour, now_ms // HOUR_MS
        return [one for one in found.values() if is_new_hour or _standing(one) != _standing(self._alerts.get(one.id))]

    def _keep_fixed(self, now_ms: int, *, is_first: bool) -> None:
        since = instant(now_ms) - KEPT
        fixed = [*of_estate(self._catalogue, self._calendar, now_ms), *of_revisions(self._revisions(since))]
        self._rows.keep(fixed)
        if is_first:
            self._rows.drop_others([*fixed, *self._events.values()], round(since.timestamp() * 1000))

    def _write_days(self, kinds: set[Kind], now_ms: int) -> None:
        if not kinds:
            return
        spans: dict[Kind, list[CaseSpan]] = {kind: [] for kind in kinds}
        for alert in self._alerts.values():
            if (kind := _kind(alert)) in spans:
                spans[kind].append(CaseSpan.of(alert))
        for kind, cases in spans.items():
            self._days.write(kind, cases, now_ms)


def _kind(alert: Alert) -> Kind:
    return alert.building, alert.detector


def _standing(alert: Alert | None) -> tuple[object, ...] | None:
    return None if alert is None else (alert.state, alert.severity, alert.resolved_at, alert.closed_at, alert.since)
