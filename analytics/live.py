"""The watch over an estate: rollups as readings come, cases stepped through history, then hour by hour as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import structlog

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS
from analytics.accepted import JustAccepted
from analytics.alerts import Alerting
from analytics.bands import write_bands
from analytics.models import Models
from analytics.scene import instant
from analytics.state import Awaited, WatchState
from analytics.stepper import NOTIFY_WITHIN_MS, step_through
from analytics.window import blind_window, read_states, read_window, watched_points
from facility.errors import StoreUnavailable
from facility.system_alarm import SystemAlarm
from stores.records.status.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from analytics.alerts import Cases
    from analytics.scene import Window
    from facility.catalogue import Catalogue
    from facility.status import AgentStatus, ProcessStatus
    from stores.readings.port import ReadingStore, Series
    from stores.records.status.watched import Watches

AHEAD_MS = 2 * DAY_MS
GRACE_MS = 60_000
"""How long after the hour its last readings may still be on their way."""

ROLLUPS_EVERY_MS = 5_000
STATES_EVERY_MS = 60_000
LOGGED_EVERY = 24
AT_ONCE = frozenset({"door_left_open", "water_on_floor"})
"""Detectors that look at states alone and need not wait for the hour."""

log = structlog.get_logger()


class Rollups(Protocol):
    """What keeps hours and days up to date (``analytics.rollups.writer.RollupWriter``)."""

    def update(self, ranges: Mapping[str, tuple[int, int]], *, now_ms: int) -> None:
        """Recompute what these stretches of points touch; entries for closed months are dated ``now_ms``."""


class Again(Protocol):
    """What works through the list of recomputations (``analytics.rollups.recompute.Recompute``)."""

    def step(self, now_ms: int) -> bool:
        """Do the next piece; False when there is none."""


class Watch:
    """One estate under watch. ``tick`` is called every few seconds with the time."""

    def __init__(
        self,
        store: ReadingStore,
        rollups: Rollups,
        cases: Cases,
        catalogue: Catalogue,
        watches: Watches,
        *,
        step_days: int,
        agents: Callable[[], Iterable[AgentStatus]] = tuple,
        accepted: JustAccepted | None = None,
        again: Again | None = None,
        named_ms: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """``named_ms`` is since when the estate has each meter."""
        self.named_ms = named_ms
        self.store = store
        self.rollups = rollups
        self.catalogue = catalogue
        self.watches = watches
        self.agents = agents
        self.step_days = step_days
        self.again = again
        self.alerting = Alerting(catalogue, cases)
        self.models = Models()
        self._calendar = SiteCalendar(catalogue.site)
        self.window: Window | None = None
        self._noted = watches.watched(catalogue.site.id) or Watched()
        self.state = WatchState(watched=self._noted)
        self.accepted = accepted or JustAccepted(watched_points(catalogue))
        self._states: Mapping[str, Series] = {}
        self._rolled_ms = self._states_ms = 0
        self._blind_words = ""
        self._awaited = Awaited()

    def status(self, alarms: Mapping[str, str]) -> ProcessStatus:
        """What the watch is at, for whoever reads; ``alarms`` are those of its process. Any thread may ask."""
        blind = {str(SystemAlarm.STORE_UNAVAILABLE): words} if (words := self._blind_words) else {}
        return self.state.as_status({**alarms, **blind})

    def tick(self, now_ms: int) -> None:
        """Look at what the store has now; at doors and leaks also while the store is away."""
        try:
            self._follow(now_ms)
        except StoreUnavailable as error:
            if not self._blind_words:
                log.warning("store_unavailable", error=str(error))
            self._blind_words = str(error) or "it does not say why"
        else:
            self._blind_words = ""
        is_due = now_ms - self._states_ms >= STATES_EVERY_MS or self.accepted.is_fresh
        if is_due and (self._blind_words or self.window is not None):
            self._states_ms = now_ms
            self._look_at_states(self.window or blind_window(self.catalogue, now_ms), now_ms)

    def _follow(self, now_ms: int) -> None:
        """Bring rollups up to date; when history is in, look at every hour that has ended since the last time."""
        share = self._awaited.share(self.agents(), now_ms)
        if now_ms - self._rolled_ms >= ROLLUPS_EVERY_MS or share == 1.0:
            self._roll_up(now_ms)
            self._rolled_ms = now_ms
        if share < 1.0:
            # History that is still coming in changes hours that the window has read: read them again at its end.
            self.window = None
            self._tell("rollups", share, None)
            return
        if self.again:
            self.again.step(now_ms)
        hour_ms = int(self._calendar.hour_edges(now_ms - GRACE_MS, now_ms - GRACE_MS)[0])
        through = self.state.watched.through
        if self.window is None or through is None or _ms(through) < hour_ms:
            self._look_through(hour_ms)

    def _roll_up(self, now_ms: int) -> None:
        """Take up changes until there are none."""
        while (changes := self.store.changes(self.state.watched.cursor)).ranges:
            self.rollups.update(changes.ranges, now_ms=now_ms)
            self.state = replace(self.state, watched=replace(self.state.watched, cursor=changes.cursor))

    def _look_through(self, hour_ms: int) -> None:
        """Look at every hour up to ``hour_ms`` that has not been looked at, 30 days back at most."""
        horizon = hour_ms - self.step_days * DAY_MS
        through = self.state.watched.through
        start = max(horizon, _ms(through)) if through else horizon
        end_ms = hour_ms + AHEAD_MS
        window = read_window(
            self.store, self.catalogue, self.models, horizon, end_ms, before=self.window, named_ms=self.named_ms
        )
        write_bands(self.store, window, horizon, end_ms)
        notify_from = hour_ms - NOTIFY_WITHIN_MS if through else hour_ms + 1
        phase = "history" if self.window is None else "live"
        for now_ms in step_through(window, self.alerting, start, hour_ms, notify_from_ms=notify_from):
            if (now_ms - start) // HOUR_MS % LOGGED_EVERY == 0:
                done = (now_ms - start) / (hour_ms - start)
                self._tell(phase, done, instant(now_ms))
        self.models.forget_before(horizon - 2 * 7 * DAY_MS)
        self.window = window
        self._tell("live", 1.0, instant(hour_ms))
        log.info("looked_through", start=instant(start).isoformat(), end=instant(hour_ms).isoformat())

    def _look_at_states(self, window: Window, now_ms: int) -> None:
        """Doors and leak sensors as they are this minute."""
        if not self._blind_words:
            self._states = read_states(self.store, self.catalogue, now_ms - 30 * DAY_MS, now_ms + 1)
            self.accepted.forget(self._states)
        states = self.accepted.over(self._states)
        scene = replace(window, states=states).scene(datetime.fromtimestamp(now_ms / 1000, UTC))
        self.alerting.look(scene, notify=True, only=AT_ONCE)

    def _tell(self, phase: str, done: float, through: datetime | None) -> None:
        """The state as of now; how far it has got is noted before it is told."""
        watched = replace(self.state.watched, through=through)
        if watched != self._noted:
            self.watches.note(self.catalogue.site.id, watched)
            self._noted = watched
        self.state = WatchState(phase, done, watched, sum(self.alerting.cases.counts().values()))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
