"""Does what people ask of ingest: takes in quarantined items and imports, compares the store with the journal."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from facility.errors import Rejected, StoreUnavailable
from ingest.imports import import_entries, undo_entries
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
    from stores.records.imports.book import Imports
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
    imports: Imports
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
        """What is taken in, a replay's numbers claimed at once; nothing where the errand is done with that."""
        log.info("errand", what=errand.what, item=errand.item or errand.of_import, asked_by=errand.asked_by)
        if errand.of_import is not None:
            return self._import(errand.what == "undo", errand.of_import)
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

    def _import(self, is_undone: bool, number: int) -> list[Entry]:
        """All of an import, or nothing of it; the store writer settles it."""
        gate, now_ms = self.doorway.gate, self.clock_ms()
        batch = self.imports.readings(number)
        try:
            entries = (undo_entries if is_undone else import_entries)(number, batch, gate, now_ms)
        except Rejected as error:
            self.imports.refuse(number, str(error), instant(now_ms))
            return []
        if not entries:
            self.imports.done(number, "the estate has none of its meters any more", instant(now_ms))
        return entries

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
