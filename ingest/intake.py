"""Keeps what came in, and only then says so: store, quarantine, watermark, acknowledgements, in this order."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog

from facility.errors import Rejected, StoreUnavailable
from ingest.refusals import refused_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from facility.model import ReadingBatch
    from ingest.accepted import Announcer
    from ingest.acknowledger import Acknowledger
    from ingest.figures import Figures
    from ingest.pipeline import Group, Pipeline
    from ingest.subscriber import Inbound, Subscriber
    from ingest.watermarks import Watermarks
    from stores.records.quarantine import QuarantineItem

GROUP_MESSAGES = 50
"""Messages kept in one transaction: as many as wait, at most this many. Nobody waits for a group to fill."""

FIRST_DELAY_S, LAST_DELAY_S = 0.2, 30.0

log = structlog.get_logger()


class WritesMany(Protocol):
    """A reading store, as far as intake needs it."""

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings in one transaction, durably; raise ``StoreUnavailable`` and store nothing."""


class KeepsRefused(Protocol):
    """Quarantine, as far as intake needs it."""

    def put(self, *items: QuarantineItem) -> None:
        """Keep refused items in one transaction; the same item again changes nothing."""


@dataclass(slots=True)
class Intake:
    """The one thread that writes and acknowledges. ``clock_ms`` is the time of day."""

    subscriber: Subscriber
    pipeline: Pipeline
    store: WritesMany
    quarantine: KeepsRefused
    watermarks: Watermarks
    acknowledger: Acknowledger
    announcer: Announcer
    figures: Figures
    clock_ms: Callable[[], int]
    _at_hand: deque[Inbound] = field(default_factory=deque)
    _doubtful: deque[Inbound] = field(default_factory=deque)

    def take_in(self, wait_s: float, stop: Event) -> None:
        """Take what waits, keep it, acknowledge it. Returns without acknowledging if ``stop`` comes first."""
        self._at_hand = self._take(wait_s)
        if not self._at_hand:
            return
        group = self.pipeline.read(self._at_hand, self.clock_ms())
        if self._keep(group, stop):
            self._tell(group)
            while self._at_hand:  # the broker last: a crash before this only makes it deliver again
                self.subscriber.acknowledge(self._at_hand.popleft())
        else:
            self.watermarks.unclaim()

    def recover(self, error: Exception) -> None:
        """After an unexpected error: take those messages again one by one, and set aside the one that fails alone.

        Its agent is told nothing and sends it again: what is set aside wrongly is not lost.
        """
        self.watermarks.unclaim()
        if len(self._at_hand) > 1:
            self._doubtful.extend(self._at_hand)
        elif self._at_hand:
            message = self._at_hand.popleft()
            reason = Rejected("unexpected_error", f"{type(error).__name__}: {error}")
            self.quarantine.put(refused_message(message, reason, self.clock_ms()))
            self.subscriber.acknowledge(message)

    def _take(self, wait_s: float) -> deque[Inbound]:
        if self._doubtful:
            return deque([self._doubtful.popleft()])
        return deque(self.subscriber.take(GROUP_MESSAGES, wait_s))

    def _keep(self, group: Group, stop: Event) -> bool:
        """Write until it is written. While the store is down nothing is acknowledged and the queue fills."""
        delay_s = 0.0
        while not stop.is_set():
            try:
                self._write(group)
            except StoreUnavailable as error:
                if not delay_s:
                    self.figures.state = "store_unavailable"
                    self.figures.write_now(self.subscriber.waiting)
                    log.warning("store_unavailable", error=str(error))
                delay_s = min(delay_s * 2 or FIRST_DELAY_S, LAST_DELAY_S)
                stop.wait(random.uniform(0, delay_s))  # noqa: S311 - jitter, no secret
                continue
            if delay_s:
                self.figures.state = "running"
                log.info("store_available")
            return True
        return False

    def _write(self, group: Group) -> None:
        if group.batches:
            self.store.write_many(group.batches)
        if group.refused:
            self.quarantine.put(*group.refused)
        self.watermarks.commit(self.clock_ms(), stored=group.stored, quarantined=group.quarantined)

    def _tell(self, group: Group) -> None:
        """The agents, the live pages and the figures."""
        for agent, epoch in sorted(group.streams):
            self.acknowledger.acknowledge((agent, epoch))
            self.figures.note_watermark(agent, epoch, self.watermarks.of((agent, epoch)).watermark)
        now_ms = self.clock_ms()
        for batch in group.live:
            self.announcer.announce(self.pipeline.gate.site, batch)
            self.figures.sample_latency(batch.t_ms, now_ms)
        for status in group.statuses:
            self.figures.note_status(status.dev, status)
        self.figures.count(self.watermarks.totals())
        self.figures.count_refused_messages(sum(item.kind == "message" for item in group.refused))
