"""From findings to cases: one alert a cause, priced, and resolved when its detector has been quiet long enough."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS
from accounting.tariffs import Tariffs
from analytics.detectors import DETECTORS
from analytics.folding import DOOR, folded
from analytics.meter_tree import by_tree
from analytics.savings import saving_of
from analytics.silent_agents import HOLD, SILENT_AGENT, by_agent, silent_agents
from facility.currency import minor_digits
from facility.work import RUNNING, AlertState, Money

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from analytics.scene import Floats, Scene, Times
    from facility.catalogue import Catalogue
    from facility.work import Alert, Finding, Saving

SILENT_METER = "silent_meter"
JUST_CLOSED = timedelta(hours=2)
SEEN_AGAIN_AFTER = timedelta(minutes=1)
"""A case that stands as it was seen is not written again before."""

RECORDED_AT_ONCE = 50

SETTLED_EVERY = timedelta(minutes=30)
WOKEN_EVERY = timedelta(minutes=1)


class Cases(Protocol):
    """Where cases are kept (``stores.records.casebook.Casebook``)."""

    def record_all(self, findings: Sequence[tuple[Finding, Money | None]], *, notify: bool) -> list[Alert]:
        """Open a case of each finding, or bring the one of the same key up to date: all of them in one step."""

    def resolve_all(self, keys: Sequence[str], at: datetime) -> list[Alert]:
        """The causes of these cases went away by themselves; those that were open."""

    def settle(
        self, at: datetime, holds: Mapping[str, timedelta], saving_of: Callable[[Alert], Saving | None] = ...
    ) -> list[Alert]:
        """Close what was put right and has stayed so; ``holds`` says how long detectors may be silent meanwhile.

        ``saving_of`` measures what was saved: a case of which too little ended is open again.
        """

    def fold(self, keys: Sequence[str], parent: UUID, at: datetime) -> list[Alert]:
        """Tell open cases with another from now on; those that nobody had in hand."""

    def wake_all(self, at: datetime) -> list[Alert]:
        """Wake the cases whose sleep is over."""

    def alerts(self, *, states: Collection[AlertState]) -> list[Alert]:
        """The cases that are in one of these states."""

    def counts(self) -> dict[AlertState, int]:
        """How many cases there are of each state."""


class Alerting:
    """Runs every detector on a scene and keeps the cases up to date. Threads may share it."""

    def __init__(self, catalogue: Catalogue, cases: Cases) -> None:
        self.catalogue = catalogue
        self.cases = cases
        self.detectors = [make() for make in DETECTORS.values()]
        self._calendar = SiteCalendar(catalogue.site)
        self._tariffs = Tariffs(catalogue.site, self._calendar)
        self._hold = {detector.name: timedelta(hours=detector.hold_h) for detector in self.detectors}
        self._hold[SILENT_AGENT] = HOLD
        self._lock = Lock()
        self._settled_at: datetime | None = None
        self._learned_at: datetime | None = None
        self._woken_at: datetime | None = None
        self._running = {alert.key: alert for alert in cases.alerts(states=RUNNING)}
        self._doors = {key: alert for key, alert in self._running.items() if alert.detector == DOOR}

    def look(self, scene: Scene, *, notify: bool, only: Collection[str] | None = None) -> list[Finding]:
        """Detect (all, or only the named detectors), record each finding as a case, resolve what went quiet."""
        chosen = [d for d in self.detectors if only is None or d.name in only]
        names = {detector.name for detector in chosen}
        seen = [finding for detector in chosen for finding in detector.detect(scene)]
        if SILENT_METER in names:
            seen += silent_agents(scene)
            names.add(SILENT_AGENT)
        with self._lock:
            just_closed = [door for door in self._doors.values() if scene.now - door.last_seen_at <= JUST_CLOSED]
            whole, told_with = by_tree(folded(seen, just_closed), self.catalogue, self._is_in_hand)
            findings, of_agents = by_agent(whole, scene)
            news = [finding for finding in findings if not self._stands(finding)]
        for k in range(0, len(news), RECORDED_AT_ONCE):
            self._record(news[k : k + RECORDED_AT_ONCE], notify=notify)
        with self._lock:
            self._fold({**told_with, **of_agents}, scene.now)
            self._resolve_quiet(scene.now, names)
            self._wake(scene.now)
            if only is None:
                self._settle(scene)
            if notify:
                self._learn_what_runs(scene.now)
        return findings

    def _is_in_hand(self, key: str) -> bool:
        """Whether somebody has taken the case of this key, as it stands now."""
        if key not in self._running:
            return False
        return any(one.key == key for one in self.cases.alerts(states=[AlertState.ACKNOWLEDGED]))

    def _stands(self, finding: Finding) -> bool:
        """Whether the case of a finding was seen just so, just now."""
        alert = self._running.get(finding.key)
        return (
            alert is not None
            and timedelta(0) <= finding.seen_at - alert.last_seen_at < SEEN_AGAIN_AFTER
            and (alert.severity, alert.message_id) == (finding.severity, finding.message_id)
        )

    def _record(self, findings: Sequence[Finding], *, notify: bool) -> None:
        """A bounded number at once, so that whoever else has found something need not wait for long."""
        priced = [(finding, self.price(finding)) for finding in findings]
        with self._lock:
            for alert in self.cases.record_all(priced, notify=notify):
                if alert.state in RUNNING:
                    self._running[alert.key] = alert
                if alert.detector == DOOR:
                    self._doors[alert.key] = alert

    def price(self, finding: Finding) -> Money | None:
        """What the excess cost so far, at the mean price since it began, and a day of it at the last day's mean."""
        if finding.excess is None or finding.utility is None:
            return None
        since, seen = (round(at.timestamp() * 1000) for at in (finding.since, finding.seen_at))
        first = min(since, seen - DAY_MS)
        edges = self._calendar.hour_edges(first, seen)
        prices = self._tariffs.price(finding.utility, finding.building, edges).unit_prices
        to_date = finding.excess.quantity * _mean_since(min(since, seen - 1), prices, edges)
        per_day = finding.excess.per_day * _mean_since(int(edges[-1]) - DAY_MS, prices, edges)
        if not np.isfinite(to_date):
            return None
        currency = self.catalogue.site.currency
        digits = minor_digits(currency)
        return Money(round(to_date, digits), round(per_day, digits), currency)

    def _fold(self, folded_keys: Mapping[str, Sequence[str]], now: datetime) -> None:
        """Cases that were open before it was known what they have in common are told with that from now on."""
        for key, mine in folded_keys.items():
            known = [one for one in mine if one in self._running]
            if known and key in self._running:
                for one in self.cases.fold(known, self._running[key].id, now):
                    del self._running[one.key]

    def _resolve_quiet(self, now: datetime, names: Collection[str]) -> None:
        quiet = [
            key
            for key, alert in self._running.items()
            if alert.detector in names and now - alert.last_seen_at >= self._hold[alert.detector]
        ]
        if quiet:
            self.cases.resolve_all(quiet, now)
        for key in quiet:  # one that is held open, since it comes and goes, is known to run again when cases settle
            del self._running[key]

    def _wake(self, now: datetime) -> None:
        if self._woken_at is None or now - self._woken_at >= WOKEN_EVERY:
            self._woken_at = now
            self.cases.wake_all(now)

    def _settle(self, scene: Scene) -> None:
        """Now and then what stayed put right is closed; by a look at all, since others see no meter's hours."""
        if self._settled_at is None or scene.now - self._settled_at >= SETTLED_EVERY:
            self._settled_at = scene.now
            self.cases.settle(scene.now, self._hold, lambda case: saving_of(case, scene))

    def _learn_what_runs(self, now: datetime) -> None:
        """Now and then: what people opened again, and what was open again since too little was saved, runs."""
        if self._learned_at is None or now - self._learned_at >= SETTLED_EVERY:
            self._learned_at = now
            self._running |= {alert.key: alert for alert in self.cases.alerts(states=RUNNING)}


def _mean_since(t_ms: int, prices: Floats, edges_ms: Times) -> float:
    """Mean over time of the prices (n,) of the hours between edges (n + 1,), from an instant on."""
    long = np.diff(np.maximum(edges_ms, t_ms))
    return float(np.average(prices[long > 0], weights=long[long > 0]))
