"""What ingest says of itself: readings taken in, how late they were, how each agent fares."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import structlog

from facility.status import AgentStatus, ProcessStatus
from facility.system_alarm import SystemAlarm
from stores.readings.series import SERIES_BUDGET, SeriesUse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from facility.wire import Status

LATENCY_SAMPLES = 5_000
DROPS_TOLD_S = 3600.0
"""A broker that has dropped nothing more for so long is well."""

UNKNOWN = "unknown_agent"
"""Why an agent is turned away that the estate does not have, or not yet."""

TURNED_AWAY_TOLD_S = 600.0
"""An agent says how it fares every few seconds: who has not been turned away for so long is not there any more."""

MOST_TURNED_AWAY = 100
"""Names that the estate does not have are without end."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Agent:
    """What an agent said last, when we heard it (by our monotonic clock), and how far its stream is stored."""

    said: Status | None = None
    heard_s: float = 0.0
    epoch: str = ""
    store_hw: int = 0


class IngestStatus:
    """Kept in memory; every thread may note, and the status may be asked at any time."""

    def __init__(self, clock_s: Callable[[], float], series_budget: int = SERIES_BUDGET) -> None:
        """``clock_s`` is a monotonic clock."""
        self._clock_s = clock_s
        self._latencies_ms: deque[int] = deque(maxlen=LATENCY_SAMPLES)
        self._agents: dict[str, _Agent] = {}
        self._totals: Mapping[str, int] = {"stored": 0, "quarantined": 0}
        self._store, self._stored_elsewhere = "", 0
        self._series = SeriesUse(0, series_budget)
        self._refused_messages = 0
        self._retained_ignored = self._dropped = 0
        self._dropped_at_s = float("-inf")
        self._turned_away: dict[str, tuple[float, str]] = {}
        self._alarms: dict[str, str] = {}
        self._state = "waiting_for_estate"
        self._lock = Lock()

    def begin(self, store: str, stored_elsewhere: int, series: int) -> None:
        """There is an estate: readings go to ``store`` from now on; so many went elsewhere (``ingest.confirmed``)."""
        self._store, self._stored_elsewhere = store, stored_elsewhere
        self.note_series(series)
        self._state = "running"

    def alarm(self, name: SystemAlarm, words: str) -> None:
        """Something is wrong that a person should see; logged once, when it begins."""
        with self._lock:
            is_new = name not in self._alarms
            self._alarms[name] = words
        if is_new:
            log.warning("alarm", alarm=name, error=words)

    def all_clear(self, name: SystemAlarm) -> None:
        """It is well again; logged once."""
        with self._lock:
            was = self._alarms.pop(name, None)
        if was is not None:
            log.info("over", alarm=name)

    def set(self, name: SystemAlarm, words: str) -> None:
        """The alarm stands while there are words for it."""
        if words:
            self.alarm(name, words)
        else:
            self.all_clear(name)

    def note_turned_away(self, agent: str, why: str) -> None:
        """Nothing that this agent sends is taken in."""
        with self._lock:
            if agent in self._turned_away or len(self._turned_away) < MOST_TURNED_AWAY:
                self._turned_away[agent] = self._clock_s(), why
        self._tell_turned_away()

    def count(self, totals: Mapping[str, int]) -> None:
        """Readings ever stored and quarantined, each once however often it was sent."""
        self._totals = totals

    def count_refused_messages(self, n: int) -> None:
        """Messages refused whole since start: how many readings they held is not always known."""
        self._refused_messages += n

    def note_series(self, series: int) -> None:
        """How many series the estate makes in the store, whenever it changes."""
        use = self._series = SeriesUse(series, self._series.budget)
        if use.is_near:
            log.warning("series_near_budget", series=use.series, budget=use.budget)
        if use.is_over:
            words = f"{use}: watch fewer points, or raise METERHOUSE_SERIES_BUDGET if the store has the memory"
            self.alarm(SystemAlarm.TOO_MANY_SERIES, words)
        else:
            self.all_clear(SystemAlarm.TOO_MANY_SERIES)

    def note_broker(self, dropped: int, retained: int) -> None:
        """What the broker says it has dropped, and retained messages that were ignored. Asked again and again."""
        with self._lock:
            self._retained_ignored = retained
        now_s = self._clock_s()
        self._tell_turned_away()
        if dropped > self._dropped:
            self._dropped_at_s = now_s
            self.alarm(SystemAlarm.BROKER_DROPS_MESSAGES, f"{dropped} in all; agents send them again")
        elif now_s - self._dropped_at_s >= DROPS_TOLD_S:
            self.all_clear(SystemAlarm.BROKER_DROPS_MESSAGES)
        self._dropped = dropped  # a broker that was started again counts from 0

    def sample_latency(self, times_ms: npt.NDArray[np.int64], stored_at_ms: int) -> None:
        """Live readings: from the moment of reading to the moment of storing."""
        latencies_ms = (stored_at_ms - times_ms).tolist()
        with self._lock:
            self._latencies_ms.extend(latencies_ms)

    def note_agent(self, agent: str, said: Status) -> None:
        """What an agent says of itself now. The estate has it, so it is not unknown any more."""
        with self._lock:
            known = self._agents.setdefault(agent, _Agent())
            known.said, known.heard_s = said, self._clock_s()
            was = self._turned_away.get(agent)
            if was_unknown := was is not None and was[1] == UNKNOWN:
                del self._turned_away[agent]
        if was_unknown:
            self._tell_turned_away()

    def note_watermark(self, agent: str, epoch: str, store_hw: int) -> None:
        """How far an agent's stream is stored."""
        with self._lock:
            known = self._agents.setdefault(agent, _Agent())
            known.epoch, known.store_hw = epoch, store_hw

    def as_status(self, queue: int) -> ProcessStatus:
        """All of it as of now. ``state`` is the first alarm, else ``running``, or that it waits for an estate."""
        with self._lock:
            alarms = dict(self._alarms)
            latency = self._latency()
        stored, quarantined = self._totals["stored"], self._totals["quarantined"]
        figures = {
            "stored": stored,
            "quarantined": quarantined,
            "received": stored + quarantined,
            "confirmed": stored - self._stored_elsewhere,
            "refused_messages": self._refused_messages,
            "retained_ignored": self._retained_ignored,
            "series": self._series.series,
            "series_budget": self._series.budget,
            "queue": queue,
            **latency,
        }
        return ProcessStatus(next(iter(alarms), self._state), alarms, figures, {"store": self._store})

    def agents(self) -> list[AgentStatus]:
        """Every agent that was heard since our start, as of now."""
        now_s = self._clock_s()
        with self._lock:
            return [_as_status(name, agent, now_s) for name, agent in self._agents.items()]

    def _tell_turned_away(self) -> None:
        """The alarm names whoever was turned away last, and ends with the last of them."""
        heard_after_s = self._clock_s() - TURNED_AWAY_TOLD_S
        with self._lock:
            self._turned_away = {who: one for who, one in self._turned_away.items() if one[0] > heard_after_s}
            newest = max(self._turned_away.items(), key=lambda one: one[1][0], default=None)
        self.set(SystemAlarm.AGENTS_REFUSED, f"{newest[0]}: {newest[1][1]}" if newest else "")

    def _latency(self) -> dict[str, float]:
        """Seconds of the newest live readings; without one there is nothing to say but that."""
        n = len(self._latencies_ms)
        if not n:
            return {"live_samples": 0}
        p50, p95 = np.percentile(np.fromiter(self._latencies_ms, np.float64, n), [50, 95]) / 1000
        return {
            "live_samples": n,
            "live_latency_p50_s": round(float(p50), 3),
            "live_latency_p95_s": round(float(p95), 3),
        }


def _as_status(name: str, agent: _Agent, now_s: float) -> AgentStatus:
    if (said := agent.said) is None:
        return AgentStatus(name, epoch=agent.epoch, store_hw=agent.store_hw)
    heard = now_s - agent.heard_s
    return AgentStatus(name, said.state, heard, said.figures, said.buses, agent.epoch, agent.store_hw)
