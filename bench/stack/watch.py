"""How late alarms and rollups are, seen from outside: in the records and through the store's port."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from bench.stack.estate import HOUR_MS
from stores.records.tables import alert

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore

PROBES = 5
ROLLUPS_EVERY_S = 1.0


class AlarmWatch:
    """What should be told from which instant on, and when it was."""

    def __init__(self, records: Engine) -> None:
        self._records = records
        self.pending: dict[str, int] = {}
        self.seen: dict[str, float] = {}
        """Seconds by which it was late, by meter."""

    def expect(self, meter: str, since_ms: int) -> None:
        """An alert of this meter is due from then on."""
        self.pending[meter] = since_ms

    def look(self) -> None:
        """Note what is there by now."""
        due = [meter for meter, since_ms in self.pending.items() if since_ms <= time.time() * 1000]
        if not due:
            return
        query = sa.select(alert.c.meter).where(alert.c.meter.in_(due))
        with self._records.connect() as connection:
            for meter in connection.execute(query).scalars().all():
                if meter in self.pending:
                    self.seen[meter] = round(max(0.0, time.time() - self.pending.pop(meter) / 1000), 2)

    def latencies(self, until_ms: float) -> list[float]:
        """Seconds of each; what was due and never told counts as told at ``until_ms``."""
        late = [(until_ms - since_ms) / 1000 for since_ms in self.pending.values() if since_ms < until_ms]
        return [round(s, 2) for s in (*self.seen.values(), *late)]


class RollupWatch:
    """How far into the running hour some counters are accounted, and how old the newest accounted reading was then."""

    def __init__(self, store: ReadingStore, estate: Catalogue) -> None:
        step = max(1, len(estate.counters) // PROBES)
        self._store, self._points = store, estate.counters[::step][:PROBES]
        self._reached: dict[str, float] = {}
        self._lags: list[float] = []
        self._due_s = 0.0

    def look(self) -> None:
        """Once a second: who got further, and how late."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + ROLLUPS_EVERY_S
        now_ms = time.time() * 1000
        for point, reached_ms in self._reached_ms(now_ms).items():
            if point in self._reached and reached_ms > self._reached[point]:
                self._lags.append((now_ms - reached_ms) / 1000)
            self._reached[point] = max(reached_ms, self._reached.get(point, 0.0))

    def lags(self, until_ms: float) -> list[float]:
        """Seconds of each; a counter that stands where it stood counts as reached at ``until_ms``."""
        standing = [(until_ms - reached_ms) / 1000 for reached_ms in self._reached.values()]
        return [*self._lags, *(s for s in standing if s > 2 * 60)]

    def _reached_ms(self, now_ms: float) -> dict[str, float]:
        """How far each counter is accounted, asked of the store at once: ms UTC, 0 where nothing is."""
        hour_ms = int(now_ms // HOUR_MS * HOUR_MS)
        some = [{"meter": point.meter, "quantity": point.quantity.word} for point in self._points]
        found = {point.id: 0.0 for point in self._points}
        names = {(point.meter, point.quantity.word): point.id for point in self._points}
        for series in self._store.read_rollups(
            "usage_1h", some, hour_ms - HOUR_MS, hour_ms + HOUR_MS, ["completeness"]
        ):
            name = names[series.tags["meter"], series.tags["quantity"]]
            known = np.isfinite(series.fields["completeness"])
            ends = series.t_ms[known] + series.fields["completeness"][known] * HOUR_MS
            found[name] = max(found[name], float(ends.max(initial=0.0)))
        return found


def quantiles(name: str, seconds: list[float]) -> dict[str, float]:
    """Median and 95 % of some latencies, seconds; infinite counts as such."""
    if not seconds:
        return {f"{name}_p50_s": math.inf, f"{name}_p95_s": math.inf}
    found = np.percentile(seconds, [50, 95], method="higher")
    return {f"{name}_p{p}_s": round(float(x), 3) for p, x in zip((50, 95), found, strict=True)}
