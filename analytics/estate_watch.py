"""The loops of analytics: they wait for an estate, keep watch over it, and begin anew when the estate changes.

Four threads share a watch. The first looks at doors and leaks, and waits for nothing but the records; the others follow
what is written, compute rollups, and look at hours that have ended, each however long it takes.
"""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from accounting.calendars import SiteCalendar
from analytics.accepted import JustAccepted, listen
from analytics.fits import LEAST_LEAK_M3H, FitPool
from analytics.live import Watch
from analytics.loop import Loop
from analytics.model_file import KeptModels
from analytics.rollups.each_minute import EachMinute
from analytics.rollups.happenings import Happenings
from analytics.rollups.health import HealthRows
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from analytics.state import DOUBT_MS, in_doubt, take_over
from analytics.suspicion.budget import ALLOWED, WEEKS_A_MONTH
from analytics.uses import accounted
from analytics.window import watched_points
from facility.broker_address import broker_address
from facility.quantities import Utility
from facility.status import LONGEST_STILL_S, MODELS_DUE, MODELS_LEARNED, ProcessStatus, ServerProcess
from facility.system_alarm import SystemAlarm
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.judging import judge_anew
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.casebook import Casebook
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.watched import Watches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from threading import Event

    from sqlalchemy import Engine

    from analytics.fits import Fitted, Lesson, Training
    from analytics.metrics import Rounds
    from analytics.settings import AnalyticsSettings
    from facility.catalogue import Catalogue
    from process.line import BrokerLine
    from process.pulse import Pulse
    from stores.readings.port import ReadingStore

WAIT_S = 1.0
PAUSE_S = 0.25
"""Between two looks at doors and leaks, however much is heard."""

AT_LEAST_EVERY_S = 1.0
"""What was written is heard, and rolled up, so often: what waits here is how late figures are."""

STILL_S = 0.9 * LONGEST_STILL_S[ServerProcess.ANALYTICS]
TWICE_THE_LEAST_LEAK_M3H = 2 * LEAST_LEAK_M3H

ALARMING_FAILURES = 3
"""So many rounds in a row that fail are no accident."""

log = structlog.get_logger()


class EstateWatch:
    """Watches whichever estate the registry has. One thread calls ``run``, which starts the others."""

    def __init__(self, settings: AnalyticsSettings, store: ReadingStore, records: Engine, pulse: Pulse) -> None:
        """Connects nowhere. Raises ``ConfigError`` for a URL that names no broker."""
        self._settings, self._store, self._records, self._pulse = settings, store, records, pulse
        self._broker = broker_address(settings.broker) if settings.broker else None
        self._registry, self._spells = Registry(records), Spells(records)
        self._version = 0
        self._watch: Watch | None = None
        self._loops: list[Loop] = []
        self._hours: Loop | None = None
        self._pool = FitPool(store, settings.store)
        self._in_doubt: dict[str, str] = {}
        self._learning: dict[str, float] = {}
        self._line: BrokerLine | None = None

    def run(self, rounds: Rounds, stop: Event) -> None:
        """Round after round until told to stop; one that fails is counted and logged.

        Raises ``ConfigError`` where a person must change something.
        """
        first, pause_s = Loop("states", self._look, rounds), min(self._settings.tick_s, AT_LEAST_EVERY_S)
        self._hours = Loop("hours", self._look_through, rounds, self._settings.tick_s)
        others = [
            Loop("changes", self._follow, rounds, pause_s),
            Loop("rollups", self._roll_up, rounds, pause_s),
            self._hours,
        ]
        self._loops = [first, *others]
        for loop in others:
            loop.start(stop)
        while not stop.is_set():
            first.go_round()
            self._take_pulse(rounds, first)
            self._wait(stop)
        for loop in others:
            loop.join()

    def _take_pulse(self, rounds: Rounds, first: Loop) -> None:
        """It beats while every loop comes round."""
        for loop in self._loops:
            if loop.mistake is not None:
                raise loop.mistake
        if not first.failures:
            rounds.end_well()
        if self._watch and all(loop.still_s < STILL_S for loop in self._loops):
            self._pulse.beat()

    def _wait(self, stop: Event) -> None:
        """Until something is heard, or it is time."""
        stop.wait(min(PAUSE_S, self._settings.tick_s))
        if self._watch is None:
            stop.wait(WAIT_S)
        elif not stop.is_set():
            self._watch.accepted.wait(self._settings.tick_s)

    def status(self) -> ProcessStatus:
        """What it is at; any thread may ask."""
        troubles = self._line.state.troubles() if self._line else {}
        alarms: dict[str, str] = self._in_doubt | {alarm: words for alarm, words in troubles.items() if words}
        if failing := [loop.failure_words for loop in self._loops if loop.failures >= ALARMING_FAILURES]:
            alarms[SystemAlarm.ANALYTICS_FAILS] = failing[0]
        if self._watch is None:
            return ProcessStatus("waiting_for_estate", alarms)
        status = self._watch.status(alarms, now_ms())
        facts = {**status.facts, "budget": self._budget_words(self._watch.catalogue)}
        facts |= _leak_words(self._watch.models.unseen_leaks())
        return dataclasses.replace(status, figures={**status.figures, **self._learning}, facts=facts)

    def _look(self) -> bool:
        """Doors and leaks; before that, whether the estate is another one."""
        newest = self._registry.version()
        if newest and newest != self._version:
            self._begin(newest)
        if self._watch:
            self._watch.look(now_ms())
        return False

    def _follow(self) -> bool:
        if self._watch:
            self._watch.follow(now_ms())
            self._in_doubt = in_doubt(self._spells.counters_asked(now_ms() - DOUBT_MS))
        return False

    def _roll_up(self) -> bool:
        return self._watch is not None and self._watch.roll_up(now_ms())

    def _look_through(self) -> bool:
        if self._watch:
            self._watch.look_through(now_ms())
        return False

    def _begin(self, version: int) -> None:
        """Watch the estate as it is now; where that fails, the next look begins again."""
        catalogue = self._registry.load()
        accepted = JustAccepted(watched_points(catalogue))
        watch = self._make_watch(catalogue, version, accepted)
        self._hear(catalogue.site.id, accepted)
        self._version, self._watch = version, watch
        log.info("watching", site=catalogue.site.id, version=version)

    def _hear(self, site: str, accepted: JustAccepted) -> None:
        """Listen to ingest where a broker is named, in place of an earlier listener."""
        if self._line is not None:
            self._line.stop()
        self._line = listen(self._broker, site, accepted) if self._broker else None

    def _make_watch(self, catalogue: Catalogue, version: int, accepted: JustAccepted) -> Watch:
        rollups = RollupWriter(self._store, catalogue, ClosedMonths(self._records), Spells(self._records))
        again = Recompute(self._store, rollups, catalogue, Recomputations(self._records), self._is_current)
        watches = Watches(self._records)
        take_over(self._settings.data, watches, catalogue.site.id)
        judge_anew(self._records, catalogue, datetime.now(UTC))
        return Watch(
            self._store,
            rollups,
            Casebook(self._records),
            catalogue,
            watches,
            step_days=self._settings.step_days,
            agents=lambda: StatusBoard(self._records).overview().agents,
            accepted=accepted,
            again=again,
            models=self._models(f"{catalogue.site.id} {version}"),
            learning=self._learn,
            moved=self._hours_moved,
            named_ms=self._registry.named_ms(),
            each_minute=self._each_minute(catalogue),
            spells=Spells(self._records),
        )

    def _models(self, estate: str) -> KeptModels:
        settings = self._settings
        return KeptModels(settings.data, estate, settings.budget, are_on=settings.models)

    def _budget_words(self, catalogue: Catalogue) -> str:
        """How many alerts the staff may expect of what only looks like waste."""
        if not self._settings.models:
            return "models are off: rules alone tell"
        watched = sum(meter.utility is Utility.ELECTRICITY for meter, _ in accounted(catalogue))
        a_week = ALLOWED[self._settings.budget].measured_a_month * watched / WEEKS_A_MONTH
        return f"{self._settings.budget}: about {a_week:.2g} alerts a week on this estate"

    def _each_minute(self, catalogue: Catalogue) -> EachMinute:
        """Events and the health of everything, for whoever draws them."""
        cases, calendar = Casebook(self._records), SiteCalendar(catalogue.site)
        happenings = Happenings(self._store, catalogue, calendar, cases, self._registry.revisions)
        board, health = StatusBoard(self._records), HealthRows(self._store, catalogue)
        return EachMinute([happenings.step, lambda at_ms: health.write(board.overview(), at_ms)])

    def _learn(self, training: Training, lessons: Sequence[Lesson]) -> Iterator[list[Fitted]]:
        """Fit models; each part that is fitted is progress."""
        learned, due = 0, sum(len(lesson.fit_at) for lesson in lessons)
        try:
            for some in self._pool(training, lessons):
                learned += len(some)
                self._learning = {MODELS_LEARNED: learned, MODELS_DUE: due}
                self._hours_moved()
                yield some
        finally:
            self._learning = {}

    def _hours_moved(self) -> None:
        if self._hours is not None:
            self._hours.moved()

    def _is_current(self) -> bool:
        return self._registry.version() == self._version


def _leak_words(unseen: Mapping[str, float]) -> dict[str, str]:
    """What leaks cannot be seen: their counters count in large steps, or their night flow wanders by itself."""
    blind = {name: flow for name, flow in unseen.items() if flow >= TWICE_THE_LEAST_LEAK_M3H}
    if not blind:
        return {}
    worst = max(blind, key=lambda name: blind[name])
    return {
        "leaks": f"{len(blind)} of {len(unseen)} water counters show no leak as small as"
        f" {LEAST_LEAK_M3H} m3/h; {worst} none below {blind[worst]:.2g} m3/h"
    }


def now_ms() -> int:
    """The time, ms UTC."""
    return time.time_ns() // 1_000_000
