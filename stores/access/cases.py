"""The cases that a reader may see, and what they do about them; any other case does not exist for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.rights import Act
from stores.records.case_figures import case_figures
from stores.records.case_list import CaseFilter
from stores.records.planned_events import as_weekly

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta
    from uuid import UUID

    from facility.work import Alert, AlertState, Cause, Verdict
    from stores.access.reader import Reader
    from stores.records.case_figures import CaseFigures
    from stores.records.case_list import CasePlace, Unsettled
    from stores.records.case_steps import CaseEvent
    from stores.records.casebook import Casebook
    from stores.records.planned_events import PlannedEvent


class VisibleCases:
    """The casebook as one reader sees it, and writes in it under their own name."""

    def __init__(self, casebook: Casebook, reader: Reader) -> None:
        self._casebook, self._reader = casebook, reader

    def alerts(
        self,
        *,
        states: Collection[AlertState] | None = None,
        building: str | None = None,
        after: CasePlace | None = None,
        limit: int | None = None,
    ) -> list[Alert]:
        """Cases in the order of ``Casebook.alerts``; ``after`` is where the page before ended."""
        found = self._casebook.alerts(states=states, among=self._among(building), after=after, limit=limit)
        self._reader.reads.note("cases", [one.point for one in found])
        return found

    def counts(self, *, building: str | None = None, most: int | None = None) -> dict[AlertState, int]:
        """How many cases there are of each state, counted up to ``most``."""
        return self._casebook.counts(among=self._among(building), most=most)

    def unsettled(self) -> dict[str, Unsettled]:
        """The buildings that have running cases: how many, and how bad the worst is."""
        return self._casebook.unsettled(among=self._among())

    def being_checked(self) -> dict[str, int]:
        """The buildings that have cases which were put right, and are looked at whether they stay so."""
        return self._casebook.being_checked(among=self._among())

    def earlier_verdicts(self, alert: Alert) -> dict[Verdict, int]:
        """What people found in other cases of the same cause at the same meter."""
        return self._casebook.verdicts(alert.key, but=alert.id, among=self._among())

    def alert(self, alert: UUID) -> Alert | None:
        """One alert."""
        found = self._casebook.alert(alert)
        if found is None or not self._shows(found):
            return None
        self._reader.reads.note(f"case {found.id}", [found.point])
        return found

    def timeline(self, alert: UUID) -> list[CaseEvent]:
        """What happened to a case, oldest first."""
        return self._casebook.timeline(alert) if self.alert(alert) else []

    def acknowledge(self, alert: UUID, at: datetime, *, based_on: int) -> Alert:
        """Take a case. ``based_on`` is its ``acts`` as the reader saw them, here and below; raises ``Stale``."""
        return self._casebook.acknowledge(alert, self._acting(Act.TAKE, alert), at, based_on=based_on)

    def release(self, alert: UUID, at: datetime, *, based_on: int) -> Alert:
        """Give back a case that was taken."""
        return self._casebook.release(alert, self._acting(Act.TAKE, alert), at, based_on=based_on)

    def snooze(self, alert: UUID, until: datetime, reason: str, at: datetime, *, based_on: int) -> Alert:
        """Let a case rest until an instant, or until it becomes worse or twice as large."""
        return self._casebook.snooze(alert, until, reason, self._acting(Act.TAKE, alert), at, based_on=based_on)

    def wake(self, alert: UUID, at: datetime, *, based_on: int) -> Alert:
        """End the sleep of a case."""
        return self._casebook.wake(alert, self._acting(Act.TAKE, alert), at, based_on=based_on)

    def close(self, alert: UUID, verdict: Verdict, cause: Cause, note: str, at: datetime, *, based_on: int) -> Alert:
        """Close a case with a verdict and what it came of."""
        by = self._acting(Act.JUDGE, alert)
        return self._casebook.close(alert, verdict, cause, note, by, at, based_on=based_on)

    def expect_weekly(self, alert: UUID, reason: str, at: datetime) -> PlannedEvent:
        """Expect the same as in a case each week from now on."""
        by, case = self._acting(Act.JUDGE, alert), self.alert(alert)
        assert case is not None
        zone = self._reader.sight.catalogue.site.timezone
        return self._casebook.plans.add(as_weekly(case, reason, zone), by, at)

    def figures(self, now: datetime, within: timedelta) -> CaseFigures:
        """How the work goes on the cases that show, of those raised within a time."""
        return case_figures(self._casebook.engine, now, replace(self._among(), raised_since=now - within))

    def plans(self, at: datetime) -> list[PlannedEvent]:
        """What is planned in the buildings that show, and at meters that do, from an instant on."""
        sight = self._reader.sight
        found = self._casebook.plans.all_of(sight.buildings, from_at=at)
        return [one for one in found if sight.is_whole or one.meter is None or one.meter in sight.catalogue.meter]

    def plan(self, event: PlannedEvent, at: datetime) -> PlannedEvent:
        """Note maintenance or an event. Raises ``Rejected`` for a building or a meter that does not show."""
        catalogue = self._reader.sight.catalogue
        if event.building not in catalogue.building:
            raise Rejected("unknown_building", f"there is no building '{event.building}'")
        if event.meter and event.meter not in {one.id for one in catalogue.meters_of(event.building)}:
            raise Rejected("unknown_meter", f"there is no meter '{event.meter}' in {event.building}")
        return self._casebook.plans.add(event, self._reader.acting(Act.JUDGE, event.building), at)

    def withdraw_plan(self, number: int, at: datetime) -> None:
        """What was planned does not take place, or is over. Raises ``Rejected`` for one that does not show."""
        event = self._casebook.plans.event(number)
        if event is None or event.building not in self._reader.sight.catalogue.building:
            raise Rejected("unknown_event", f"there is no planned event {number}")
        self._casebook.plans.withdraw(number, self._reader.acting(Act.JUDGE, event.building), at)

    def folded_into(self, alert: Alert) -> list[Alert]:
        """The cases that are told with one, the newest first."""
        found = [one for one in self._casebook.folded_into(alert.id) if self._shows(one)]
        self._reader.reads.note("cases", [one.point for one in found])
        return found

    def reopen(self, alert: UUID, at: datetime, *, based_on: int) -> Alert:
        """Take a verdict back."""
        return self._casebook.reopen(alert, self._acting(Act.JUDGE, alert), at, based_on=based_on)

    def _among(self, building: str | None = None) -> CaseFilter:
        """The cases that show (in a building)."""
        sight = self._reader.sight
        buildings = sight.buildings
        if building is not None:
            buildings = frozenset([building]) if buildings is None or building in buildings else frozenset()
        return CaseFilter(buildings, sight.points, above=sight.above)

    def _shows(self, alert: Alert) -> bool:
        return self._reader.sight.shows(alert)

    def _acting(self, act: Act, alert: UUID) -> str:
        """Their name, where the case shows and the act is theirs.

        Raises ``Rejected`` as the casebook does for an alert that is not there.
        """
        found = self.alert(alert)
        if found is None:
            raise Rejected("unknown_alert", f"there is no alert {alert}")
        return self._reader.acting(act, found.building, found.point)
