"""The demo's recorded history in a store, and all that the product makes of it, by the clock of a day that is fixed.

What the demo's agent would play is sent as its messages and taken in by ingest's own parts, then polled for three
hours, while analytics takes its turns as it does anywhere. Only what agents and processes tell of themselves is said by
this rig: none of them runs.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import HOUR_MS, MINUTE_MS
from analytics.live import Watch
from analytics.rollups.each_minute import EachMinute
from analytics.rollups.happenings import Happenings
from analytics.rollups.health import HealthRows
from analytics.rollups.writer import RollupWriter
from demo.estate import AGENT, Addresses, write_site
from demo.history import write_history
from demo.shift import choose_shift
from demo.world import World
from device_profiles import load_profiles
from facility import wire
from facility.model import ReadingBatch
from facility.status import AgentStatus, Instance, ProcessStatus
from rigs.intake_in_memory import Trial, inbound
from stores.readings import open_readings
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.spells import Spells
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.watched import Watches
from stores.site_file import read_site

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

AS_OF = date(2026, 11, 9)
"""Shown as today: clocks changed on 25 October, a meter was swapped on 23 September, two were silent meanwhile."""

NOW = datetime(2026, 11, 10, 9, 40, tzinfo=UTC)
SEEN = datetime(2026, 11, 10, 9, 42, tzinfo=UTC)
"""When somebody looks: the minute of the last turn has ended."""

LIVED_MS, POLLED_MS = 3 * HOUR_MS, 5 * MINUTE_MS
TURNS_MS = (2 * HOUR_MS, HOUR_MS, *range(50 * MINUTE_MS, -1, -10 * MINUTE_MS))
"""Analytics' turns while gauges are polled, so long before now."""

BUSES = {"gateway": "ok", "rs485": "ok", "radio": "ok"}


class DemoPast:
    """The estate with fourteen months of use in a store that is ready; ``close`` it."""

    def __init__(self, folder: Path, url: str, now: datetime = NOW, as_of: date = AS_OF) -> None:
        self.shift, profiles = choose_shift(as_of), load_profiles()
        addresses = Addresses.on_this_machine(folder, gateway_port=1, line_port=2, broker="mqtt://127.0.0.1:3")
        self.catalogue = read_site(write_site(folder, self.shift, addresses), profiles)
        self.world = World(self.shift, self.catalogue, profiles)
        self.records = open_records(f"sqlite:///{folder / 'records.db'}")
        self._at_ms = 0
        self._registry, self._board = Registry(self.records), StatusBoard(self.records, lambda _: self._at_ms)
        self._registry.apply(self.catalogue, by="demo", at=now, accept=True)
        self.store = open_readings(url, self._registry)
        self.now_ms = round(now.timestamp() * 1000)
        self._intake, self.sent = Trial(self.store, catalogue=self.catalogue), 0
        self._watch = self._make_watch()
        self._live(folder)

    def close(self) -> None:
        """Let go of ingest and of both stores."""
        self._intake.close()
        self.store.close()
        self.records.dispose()

    def _make_watch(self) -> Watch:
        """As ``analytics.estate_watch`` makes one."""
        store, catalogue, cases = self.store, self.catalogue, Casebook(self.records)
        calendar = SiteCalendar(catalogue.site)
        happenings = Happenings(store, catalogue, calendar, cases, self._registry.revisions)
        health = HealthRows(store, catalogue)
        minutely = EachMinute([happenings.step, lambda at_ms: health.write(self._board.overview(), at_ms)])
        writer = RollupWriter(store, catalogue, ClosedMonths(self.records), Spells(self.records))
        return Watch(
            store, writer, cases, catalogue, Watches(self.records), step_days=30, each_minute=minutely,
            named_ms=self._registry.named_ms(),
        )  # fmt: skip

    def _live(self, folder: Path) -> None:
        """History first; then gauges are polled, and analytics looks every few minutes."""
        begun_ms = self.now_ms - LIVED_MS
        for batch in _played(write_history(folder / "history", self.world, begun_ms).file):
            self._send(batch, "backlog")
        self._turn(begun_ms)
        before_ms = begun_ms
        for at_ms in (self.now_ms - earlier for earlier in TURNS_MS):
            self._send(self._polled(before_ms, at_ms), "live")
            self._turn(at_ms)
            before_ms = at_ms
        self._turn(self.now_ms + MINUTE_MS)

    def _polled(self, after_ms: int, until_ms: int) -> ReadingBatch:
        t_ms = np.arange(after_ms + POLLED_MS, until_ms + 1, POLLED_MS, dtype=np.int64)
        points = [point for point in self.catalogue.points if self.world.answers(point.meter, t_ms).all()]
        x = np.stack([self.world.values(point, t_ms) for point in points], axis=1)
        p, each = np.tile(np.arange(len(points)), len(t_ms)), np.repeat(t_ms, len(points))
        return ReadingBatch([point.id for point in points], p.tolist(), each.tolist(), x.ravel().tolist())

    def _send(self, some: ReadingBatch, lane: str) -> None:
        """A message of the agent, through gate, journal and writer into the store; all of it, and nothing put aside."""
        message = wire.Batch(
            wire.VERSION, AGENT, "demo", self.sent + 1, lane, wire.Clock(), some.points, some.p, some.t_ms, some.x
        )
        self._intake.take(inbound(message))
        self._intake.store_all()
        self.sent += len(some.t_ms)
        assert not self._intake.quarantine.kept

    def _turn(self, at_ms: int) -> None:
        """Analytics' turn, after processes and the agent have told what they are at."""
        self._at_ms = at_ms
        seen = ProcessStatus(figures={
            "received": self.sent, "stored": self.sent, "quarantined": 0, "queue": 0, "live_latency_p95_s": 0.4,
            "series": 120, "series_budget": 10_000,
        })  # fmt: skip
        figures = {"unstored": 3.0, "lost_unwritten": 0.0, "unread": 0.0}
        agent = AgentStatus(AGENT, "online", 1.0, figures, BUSES)
        self._board.tell(Instance("ingest", "here", "demo", 1), seen, 60.0, [agent])
        self._board.tell(Instance("analytics", "here", "demo", 2), self._watch.status({}, at_ms), 60.0)
        self._board.tell(Instance("console", "here", "demo", 3), ProcessStatus(), 60.0)
        self._watch.tick(at_ms)

    def rise(self, meter: str, start_ms: int, end_ms: int) -> float:
        """By how much a counter rose between two instants at which it was read: the swap is none."""
        [point] = [one for one in self.catalogue.points_of(meter) if one.quantity.is_counter]
        ends = self.world.values(point, np.array([start_ms, end_ms]))
        swaps = [one for one in self.catalogue.installations if one.meter == meter and one.opening is not None]
        between = [one for one in swaps if start_ms < one.since.timestamp() * 1000 <= end_ms]
        return float(ends[1] - ends[0]) + sum(one.closing - one.opening for one in between)

    def heads(self, building: str, utility: str) -> list[str]:
        """Meters whose use is the building's."""
        some = self.catalogue.meters_of(building)
        return [meter.id for meter in some if meter.role == "head" and meter.utility == utility]


def _played(file: Path) -> Iterable[ReadingBatch]:
    """What an agent reads in a file of history."""
    with file.open(encoding="utf-8") as lines:
        points = json.loads(next(lines))["points"]
        for line in lines:
            part = json.loads(line)
            yield ReadingBatch(points, part["p"], part["t"], part["x"])
