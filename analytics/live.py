"""The watch over an estate: doors and leaks first, rollups as readings come, and every hour once it has ended.

Each of these is a turn of its own, and each may be taken by a thread of its own (``analytics.estate_watch``), so that
an alarm never waits for arithmetic. ``tick`` takes them all, one after the other.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS
from analytics.accepted import JustAccepted
from analytics.alerts import Alerting
from analytics.bands import write_bands
from analytics.fits import FEW
from analytics.heard import LISTEN_EVERY_MS, ON_HEARING, Heard
from analytics.models import Models
from analytics.rollups.beside import Beside
from analytics.rollups.pending import Pending
from analytics.scene import instant
from analytics.scores import scored
from analytics.state import GRACE_MS, Awaited, WatchState
from analytics.states import States
from analytics.stepper import NOTIFY_WITHIN_MS, step_through
from analytics.uses import accounted
from analytics.window import blind_window, read_window, watched_points
from facility.errors import StoreUnavailable
from facility.system_alarm import SystemAlarm
from facility.work import SENSOR_ALARMS
from stores.records.status.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from accounting.spells import SpellBook
    from analytics.alerts import Cases
    from analytics.parts import Again, Rollups
    from analytics.rollups.each_minute import EachMinute
    from analytics.scene import Window
    from analytics.uses import Learning
    from facility.catalogue import Catalogue
    from facility.status import AgentStatus, ProcessStatus
    from stores.readings.port import ReadingStore
    from stores.records.status.watched import Watches

AHEAD_MS = 2 * DAY_MS
AT_ONCE = SENSOR_ALARMS | {"door_left_open"}
"""Detectors that look at states alone and need not wait for the hour."""

COUNTERS_AT_ONCE = 250
NOTED_EVERY_MS = 60_000
LOGGED_EVERY = 24

log = structlog.get_logger()


class Watch:
    """One estate under watch: ``follow``, ``look``, ``roll_up`` and ``look_through`` are its turns."""

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
        models: Models | None = None,
        learning: Learning | None = None,
        moved: Callable[[], None] = lambda: None,
        each_minute: EachMinute | None = None,
        spells: SpellBook | None = None,
    ) -> None:
        """``named_ms`` is since when the estate has each meter; ``learning`` fits models, else they are fitted here.

        ``moved`` is told that looking through hours gets on; ``spells`` is what accounting finds of registers.
        """
        self._learning, self._moved, self._spells = learning, moved, spells
        self._changed: dict[str, int] = {}
        self.store, self.rollups, self.again = store, rollups, again
        self.catalogue, self.watches, self.agents = catalogue, watches, agents
        self.named_ms, self.step_days = named_ms, step_days
        self.alerting = Alerting(catalogue, cases)
        self.window: Window | None = None
        self._by_rules: Window | None = None
        self.models, self._calendar = models or Models(), SiteCalendar(catalogue.site)
        self._noted = watches.watched(catalogue.site.id) or Watched()
        self._noted_ms, self._note_lock = 0, Lock()
        self._phase, self._done, self._through, self._alerts = "rollups", 0.0, self._noted.through, 0
        points = watched_points(catalogue)
        self.accepted = accepted or JustAccepted(points)
        self._agent_of = {point: catalogue.meter[catalogue.point[point].meter].agent for point in points}
        self._states, self._states_are_read = States(store, points), False
        self._pending = Pending(self._noted.cursor, rollups.is_kept)
        self._beside = Beside(store, catalogue, self._calendar, self._noted.cursor, each_minute)
        self._blind: dict[str, str] = {}
        self._blind_window: Window | None = None
        self._awaited, self._caught_ms = Awaited(), 0
        self._heard, self._listened_ms = Heard(catalogue), 0

    @property
    def state(self) -> WatchState:
        """What the watch is at."""
        watched = Watched(self._pending.done_cursor, self._through)
        return WatchState(self._phase, self._done, watched, self._alerts, self._pending.done_ms)

    def status(self, alarms: Mapping[str, str], now_ms: int | None = None) -> ProcessStatus:
        """What the watch is at, for whoever reads; ``alarms`` are those of its process. Any thread may ask."""
        blind = {str(SystemAlarm.STORE_UNAVAILABLE): words for words in list(self._blind.values())[:1]}
        return replace(self.state, watched=self._noted).as_status({**alarms, **blind}, now_ms)

    def tick(self, now_ms: int) -> None:
        """Every turn, one after the other, until nothing is left to do: for whoever has no threads."""
        self.follow(now_ms)
        self.look(now_ms)
        while self.roll_up(now_ms):
            pass
        self.look_through(now_ms)

    def follow(self, now_ms: int) -> None:
        """Hear what was written, and who is silent: doors and leaks are read, the rest waits for its rollups."""
        with self._seeing("changes"):
            self._awaited.look(self.agents(), now_ms)
            self._caught_ms = self._caught_ms or now_ms
            if not self._states_are_read:
                self._states.read(now_ms)
                self._states_are_read = True
            changes = self.store.changes(self._pending.cursor)
            self._states.take(changes.ranges, now_ms)
            self._pending.add(changes, now_ms)
            self._beside.add(changes, now_ms)
            self._heard.take(changes.ranges, now_ms)
            self._awaited.take_up()
            self.accepted.forget(self._states.known)
            self._listen(now_ms)

    def _listen(self, now_ms: int) -> None:
        """Look once a minute who has fallen silent, from the first hour on that was looked through."""
        window = self.window or self._by_rules
        if window is None or self._awaited.share < 1.0 or now_ms - self._listened_ms < LISTEN_EVERY_MS:
            return
        self._listened_ms = now_ms
        window = replace(window, heard_ms=self._heard.newest_ms)
        self.alerting.look(window.scene(instant(now_ms)), notify=True, only=ON_HEARING)

    def look(self, now_ms: int) -> None:
        """Look at doors and leak sensors as they are now; the store is not asked."""
        states = self.accepted.over(self._states.known)
        replaying = self._awaited.agents
        here = {point: series for point, series in states.items() if self._agent_of[point] not in replaying}
        window = replace(self.window or self._blind_at(now_ms), states=here)
        self.alerting.look(window.scene(instant(now_ms)), notify=True, only=AT_ONCE)

    def roll_up(self, now_ms: int) -> bool:
        """Compute the rollups that have waited longest, a bounded number; whether there is more to do at once."""
        with self._seeing("rollups"):
            has_more = self._beside.step(now_ms, counters_wait=self._pending.count > 0)
            with self._pending.in_hand(COUNTERS_AT_ONCE) as ranges:
                if ranges:
                    self.rollups.update(ranges, now_ms=now_ms, beside=partial(self._beside.take_late, ranges, now_ms))
            if ranges and now_ms - self._noted_ms >= NOTED_EVERY_MS:
                self._note(now_ms)
            if ranges or has_more:
                return has_more or self._pending.count > 0
            return self._awaited.share == 1.0 and self.again is not None and self.again.step(now_ms)
        return False

    def look_through(self, now_ms: int) -> None:
        """Look at every hour that has ended since the last time, once history and its rollups are in."""
        with self._seeing("hours"):
            if self._awaited.share < 1.0:
                # History that is still coming in changes hours that the window has read: read them again at its end.
                self.window = self._by_rules = None
                self._caught_ms = now_ms
                self._tell("rollups", self._awaited.share, None, now_ms)
                return
            hour_ms = int(self._calendar.hour_edges(now_ms - GRACE_MS, now_ms - GRACE_MS)[0])
            done_ms = self._pending.done_ms
            if done_ms is None or done_ms < hour_ms + GRACE_MS:
                return
            if self._pending.count and done_ms <= self._caught_ms:
                return  # what was written before, or was history until now, is of hours long past
            if self._through is not None and _ms(self._through) >= hour_ms:
                if self.window is None:  # nothing waits for it, but the next hour goes on from it
                    self._tell("live", 1.0, self._through, now_ms)
                    self.window = self._read_window(hour_ms - self.step_days * DAY_MS, hour_ms, hour_ms)
                return
            self._look_through(hour_ms, now_ms)

    def _look_through(self, hour_ms: int, at_ms: int) -> None:
        """Look at every hour up to ``hour_ms`` that has not been looked at, 30 days back at most."""
        horizon, through = hour_ms - self.step_days * DAY_MS, self._through
        start = max(horizon, _ms(through)) if through else horizon
        if self.window is None and self._by_rules is None and not through:
            self._look_by_rules(horizon, hour_ms, at_ms)
        window = self._read_window(horizon, hour_ms, start)
        begin_ms = start if through else horizon
        earlier = {point: max(t_ms, horizon) for point, t_ms in self._changed.items() if t_ms < begin_ms}
        write_bands(self.store, window, begin_ms, hour_ms + AHEAD_MS, earlier)
        self._changed = {}
        notify_from = hour_ms - NOTIFY_WITHIN_MS if through else hour_ms + 1
        phase = "live" if self.window or self._by_rules else "history"
        for now_ms in scored(self.store, window, self.alerting, start, hour_ms, notify_from_ms=notify_from):
            if (now_ms - start) // HOUR_MS % LOGGED_EVERY == 0:
                done = (now_ms - start) / (hour_ms - start)
                self._tell(phase, done, instant(now_ms), at_ms)
        self.models.forget_before(horizon)
        self.window, self._by_rules = window, None
        self.rollups.derived.end_hours(begin_ms, hour_ms, earlier)
        self._beside.end_hours(begin_ms, hour_ms)
        self._tell("live", 1.0, instant(hour_ms), at_ms)
        log.info("looked_through", start=instant(start).isoformat(), end=instant(hour_ms).isoformat())

    def _look_by_rules(self, horizon: int, hour_ms: int, at_ms: int) -> None:
        """See what needs no model, where there are so many to learn that it takes a while; then it is live.

        Nothing is noted as looked through: once models are learned every hour is looked at again.
        """
        if len(accounted(self.catalogue)) < FEW or any(self.models.kept()):
            return
        span = horizon, hour_ms + AHEAD_MS
        window = read_window(
            self.store, self.catalogue, Models(are_on=False), *span, named_ms=self.named_ms, learning=lambda *_: ()
        )
        for _ in step_through(window, self.alerting, horizon, hour_ms):
            self._moved()
        self._by_rules = window
        self._tell("live", 1.0, None, at_ms)

    def _read_window(self, horizon: int, hour_ms: int, start: int) -> Window:
        """The window of an hour: what it shares with the one before is taken over from that."""
        for point, t_ms in self.rollups.take_changed().items():
            self._changed[point] = min(t_ms, self._changed.get(point, t_ms))
        return read_window(
            self.store,
            self.catalogue,
            self.models,
            horizon,
            hour_ms + AHEAD_MS,
            before=self.window,
            named_ms=self.named_ms,
            changed_ms=self._changed,
            states=self._states.known if hour_ms - start <= HOUR_MS else None,
            known_ms=hour_ms,
            learning=self._learning,
            spells=self._spells,
        )

    def _blind_at(self, now_ms: int) -> Window:
        """When buildings are open, known without any store; kept for as long as it reaches."""
        if self._blind_window is None or now_ms >= self._blind_window.edges_ms[-1]:
            self._blind_window = blind_window(self.catalogue, now_ms)
        return self._blind_window

    @contextmanager
    def _seeing(self, what: str) -> Iterator[None]:
        """A turn that needs the store: where it is away, that is told once, and the others go on."""
        try:
            yield
        except StoreUnavailable as error:
            if not self._blind:
                log.warning("store_unavailable", error=str(error))
            self._blind = {**self._blind, what: str(error) or "it does not say why"}
        else:
            self._blind = {other: words for other, words in self._blind.items() if other != what}

    def _tell(self, phase: str, done: float, through: datetime | None, now_ms: int) -> None:
        """What it is at as of now; how far it has got is noted before it is told."""
        self._moved()
        has_moved, self._through = through != self._through, through
        if has_moved or phase != self._phase:
            self._note(now_ms)
        self._phase, self._done = phase, done
        self._alerts = sum(self.alerting.cases.counts().values())

    def _note(self, now_ms: int) -> None:
        """Keep how far it has got, for the next start."""
        with self._note_lock:
            watched = Watched(self._beside.done_cursor(self._pending.done_cursor), self._through)
            if watched != self._noted:
                self.watches.note(self.catalogue.site.id, watched)
            self._noted, self._noted_ms = watched, now_ms


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
