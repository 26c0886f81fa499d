"""What ingest says of itself: readings taken in, how late they were, how each agent fares."""

from __future__ import annotations

import json
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import structlog

from facility.system_alarm import SystemAlarm
from stores.readings.series import SERIES_BUDGET, SeriesUse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from facility.wire import Status

LATENCY_SAMPLES = 5_000
WRITE_EVERY_S = 1.0
DROPS_TOLD_S = 3600.0
"""A broker that has dropped nothing more for so long is well."""

log = structlog.get_logger()


class Figures:
    """Kept in memory and written to ``ingest.json`` while they change, at most once a second."""

    def __init__(self, path: Path, clock_s: Callable[[], float], series_budget: int = SERIES_BUDGET) -> None:
        """``clock_s`` is a monotonic clock."""
        self._path = path
        self._clock_s = clock_s
        self._latencies_ms: deque[int] = deque(maxlen=LATENCY_SAMPLES)
        self._agents: dict[str, dict[str, Any]] = {}
        self._totals: Mapping[str, int] = {"stored": 0, "quarantined": 0}
        self._store, self._stored_elsewhere = "", 0
        self._series = SeriesUse(0, series_budget)
        self._refused_messages = 0
        self._retained_ignored = self._dropped = 0
        self._dropped_at_s = float("-inf")
        self._written_text = ""
        self._written_at_s = float("-inf")
        self._is_failing = False
        self._alarms: dict[str, str] = {}
        self._lock = Lock()

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

    def count(self, totals: Mapping[str, int]) -> None:
        """Readings ever stored and quarantined, each once however often it was sent."""
        self._totals = totals

    def note_store(self, store: str) -> None:
        """Where readings go from now on: what was stored in another place before, this one has not confirmed."""
        told = _told(self._path)
        confirmed, stored = told.get("confirmed", {}), self._totals["stored"]
        elsewhere = told["stored"] - confirmed["readings"] if confirmed.get("store") == store else stored
        self._store, self._stored_elsewhere = store, min(elsewhere, stored)

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
        """What the broker says it has dropped, and retained messages that were ignored."""
        with self._lock:
            self._retained_ignored = retained
        now_s = self._clock_s()
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

    def note_status(self, agent: str, status: Status, heard_ms: int) -> None:
        """What an agent last said of itself, and when that was by our own clock."""
        with self._lock:
            self._agents.setdefault(agent, {}).update(
                state=status.state,
                at_ms=status.at_ms,
                heard_ms=heard_ms,
                figures=status.figures,
                buses=status.buses,
            )

    def note_watermark(self, agent: str, epoch: str, store_hw: int) -> None:
        """How far an agent's stream is stored."""
        with self._lock:
            self._agents.setdefault(agent, {}).update(epoch=epoch, store_hw=store_hw)

    def as_tree(self, queue: int) -> dict[str, Any]:
        """All figures, ready for JSON. ``state`` is ``running``, or the first alarm."""
        with self._lock:
            return {
                "state": next(iter(self._alarms), "running"),
                "alarms": dict(self._alarms),
                "received": self._totals.get("stored", 0) + self._totals.get("quarantined", 0),
                **self._totals,
                "confirmed": {"store": self._store, "readings": self._totals["stored"] - self._stored_elsewhere},
                "refused_messages": self._refused_messages,
                "retained_ignored": self._retained_ignored,
                "series": self._series.series,
                "series_budget": self._series.budget,
                "live_latency_s": self._latency(),
                "agents": {name: dict(agent) for name, agent in self._agents.items()},
                "queue": queue,
            }

    def write(self, queue: int) -> None:
        """Write the file if a second has passed and something changed."""
        if self._clock_s() - self._written_at_s >= WRITE_EVERY_S:
            self.write_now(queue)

    def write_now(self, queue: int) -> None:
        """Write the file if something changed."""
        self._written_at_s = self._clock_s()
        text = json.dumps(self.as_tree(queue))
        if text == self._written_text:
            return
        part = self._path.with_suffix(".part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(self._path)
        except OSError as error:  # a full disk: figures wait, readings do not
            if not self._is_failing:
                log.warning("figures_cannot_be_written", error=str(error))
            self._is_failing = True
            return
        self._written_text, self._is_failing = text, False

    def _latency(self) -> dict[str, float | int | None]:
        n = len(self._latencies_ms)
        if not n:
            return {"p50": None, "p95": None, "n": 0}
        p50, p95 = np.percentile(np.fromiter(self._latencies_ms, np.float64, n), [50, 95]) / 1000
        return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "n": n}


def _told(path: Path) -> dict[str, Any]:
    """What an earlier run wrote; nothing where there was none."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
