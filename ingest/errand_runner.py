"""Does what people ask of ingest: takes quarantined items in again, compares the store with the journal."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from facility.errors import Rejected, StoreUnavailable
from ingest.refusals import instant
from ingest.replay import SENT_AGAIN, replayed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from ingest.entry import Entry
    from ingest.gate import Doorway
    from ingest.housekeeping import Housekeeping
    from ingest.intake import Intake
    from ingest.reconcile import Difference
    from ingest.streams import Streams
    from ingest.watermarks import Watermarks
    from stores.records.errands import Errand, Errands
    from stores.records.quarantine.quarantine import Quarantine

MOST_AT_ONCE = 100
EVERY_S = 2.0

log = structlog.get_logger()


@dataclass(slots=True)
class ErrandRunner:
    """Runs in the intake's thread. An errand is settled by whoever completes it: a replay by the store writer.

    What an earlier run had taken in is stored first (``begin_at``), so that nothing is taken in twice.
    """

    errands: Errands
    quarantine: Quarantine
    doorway: Doorway
    streams: Streams
    watermarks: Watermarks
    intake: Intake
    housekeeping: Housekeeping
    clock_ms: Callable[[], int]
    begin_at: int
    _due_s: float = 0.0
    _under_way: set[int] = field(default_factory=set)

    def turn(self, now_s: float, stop: Event) -> None:
        """Look for errands now and then. Raises ``StoreUnavailable`` where the records cannot be reached."""
        if now_s < self._due_s or self.watermarks.cursor < self.begin_at:
            return
        self._due_s = now_s + EVERY_S
        waiting = self.errands.take(self.watermarks.store_id, instant(self.clock_ms()), limit=MOST_AT_ONCE)
        self._under_way &= {errand.id for errand in waiting}
        entries: list[Entry] = []
        begun: set[int] = set()
        with suppress(StoreUnavailable):  # what could not be begun is begun the next time
            for errand in waiting:
                if errand.id not in self._under_way:
                    entries += self._run(errand)
                    begun.add(errand.id)
        if self.intake.keep(entries, stop):
            self._under_way |= begun

    def _run(self, errand: Errand) -> list[Entry]:
        """What a replay takes in, its numbers claimed at once; nothing where the errand is done with that."""
        log.info("errand", what=errand.what, item=errand.item, asked_by=errand.asked_by)
        if errand.what == "reconcile":
            self.housekeeping.asked.append(lambda found: self._settle(errand, "\n".join(_lines(found))))
            return []
        item = self.quarantine.item(errand.item or 0)
        if item is None or item.state.is_closed:
            self._settle(errand, "it does not wait any more")
            return []
        try:
            entry = replayed(item, self.doorway.gate, self.streams, self.clock_ms())
        except Rejected as error:
            if error.reason == SENT_AGAIN:
                self.quarantine.close_replayed(item.id, error.detail, instant(self.clock_ms()))
            else:
                self._settle(errand, f"refused again: {error}")
            return []
        self.streams.apply(entry)
        return [entry]

    def _settle(self, errand: Errand, outcome: str) -> None:
        self.errands.settle(errand.id, outcome, instant(self.clock_ms()))


def _lines(found: Sequence[Difference]) -> list[str]:
    """What a comparison found, a line each."""
    if not found:
        return ["the store holds everything that was taken in."]
    return [
        f"{d.agent}, {datetime.fromtimestamp(d.hour_ms / 1000, UTC):%Y-%m-%d %H:00} UTC: taken in {d.taken_in},"
        f" stored {d.stored}; written again {d.rewritten}, asked of the agent {d.asked_for}"
        for d in found
    ]
