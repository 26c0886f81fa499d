"""The parts of ingest, put together in one place: the journal between those that take in and those that store."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from ingest.accepted import Announcer
from ingest.acknowledger import Acknowledger
from ingest.attempts import Attempts
from ingest.errand_runner import ErrandRunner
from ingest.gaps import PATIENCE_S, Gaps
from ingest.hours import HourCounts
from ingest.housekeeping import Housekeeping
from ingest.intake import Intake
from ingest.journal import DEFAULT_ROOM, Journal, JournalRoom
from ingest.pipeline import Pipeline
from ingest.reconcile import HourlyStore, Reconciler
from ingest.store_writer import StoreWriter
from ingest.streams import state_of, streams_of
from ingest.watermarks import Watermarks
from process.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest.entry import Entry
    from ingest.gate import Gate
    from ingest.status import IngestStatus
    from ingest.subscriber import Subscriber
    from process.pulse import Pulse
    from stores.records.errands import Errands
    from stores.records.quarantine.quarantine import Quarantine


LONGEST_STEP_S = 300.0
"""Reconciling a year, or one transaction into a slow store, may take this long."""


class Parts:
    """Everything that one ingest process holds open. Constructing connects to no broker."""

    def __init__(
        self,
        folder: Path,
        gate: Gate,
        store: HourlyStore,
        quarantine: Quarantine,
        errands: Errands,
        subscriber: Subscriber,
        monotonic: Callable[[], float],
        clock_ms: Callable[[], int],
        status: IngestStatus,
        pulse: Pulse,
        *,
        room: JournalRoom = DEFAULT_ROOM,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Open the files in ``folder``. Raises ``ConfigError`` where they cannot be used."""
        self._lock = FileLock(folder / "ingest.lock", f"another ingest process already uses the data folder {folder}")
        self.status, self._pulse = status, pulse
        self.watermarks = Watermarks(folder / "ingest.db")
        known = self.watermarks.streams()  # where a journal that was lost begins anew
        self.journal = Journal(folder / "journal", begin=self.watermarks.cursor, state=state_of(known), room=room)
        if self.journal.end < self.watermarks.cursor:  # the disk has lost what it had flushed, and we have stored
            self.journal.skip_to(self.watermarks.cursor, state_of(known))
        self.streams = streams_of(self.journal, known)
        self.attempts = Attempts(folder)
        self.status.count(self.watermarks.totals())
        self.gaps = Gaps(self.streams, patience_s)
        self.acknowledger = Acknowledger(self.streams, self.watermarks, subscriber.publish)
        self._subscriber, self._clock_ms, self._monotonic = subscriber, clock_ms, monotonic
        self._quarantine, self._wishes = quarantine, errands
        self._appended = Event()
        self._errands: SimpleQueue[Entry] = SimpleQueue()
        self.gate = gate
        hours = HourCounts(self.watermarks.connection, self.journal)
        reconciler = Reconciler(
            journal=self.journal,
            hours=hours,
            watermarks=self.watermarks,
            store=store,
            gate=lambda: self.gate,
            reopen=self._errands.put,
            clock_ms=clock_ms,
            alive=self._move,
        )
        self.housekeeping = Housekeeping(reconciler, quarantine, self.status, monotonic)
        self.store_writer = StoreWriter(
            journal=self.journal,
            streams=self.streams,
            store=store,
            quarantine=quarantine,
            watermarks=self.watermarks,
            acknowledger=self.acknowledger,
            status=self.status,
            clock_ms=clock_ms,
            reopen=self._errands.put,
            appended=self._appended,
            between=self.housekeeping.turn,
            monotonic=monotonic,
            moved_s=monotonic(),
        )

    def intake(self) -> Intake:
        """The taking side; ``errand_runner`` works through it, in its thread."""
        intake = Intake(
            subscriber=self._subscriber,
            pipeline=Pipeline(self.gate, self.streams),
            journal=self.journal,
            attempts=self.attempts,
            gaps=self.gaps,
            acknowledger=self.acknowledger,
            announcer=Announcer(self._subscriber.publish),
            status=self.status,
            clock_ms=self._clock_ms,
            monotonic=self._monotonic,
            appended=self._appended,
            beat=self.beat,
            errands=self._errands,
        )
        self.errand_runner = ErrandRunner(
            errands=self._wishes,
            quarantine=self._quarantine,
            gate=lambda: self.gate,
            streams=self.streams,
            watermarks=self.watermarks,
            keep=intake.keep,
            reconcile=self.housekeeping.asked.append,
            clock_ms=self._clock_ms,
            begin_at=self.journal.entries_end,
        )
        return intake

    def _move(self) -> None:
        self.store_writer.move()

    def beat(self) -> None:
        """There is progress, unless the store writer has not come round for minutes."""
        if self._monotonic() - self.store_writer.moved_s < LONGEST_STEP_S:
            self._pulse.beat()

    def close(self) -> None:
        """Close the files."""
        self.attempts.close()
        self.journal.close()
        self.watermarks.close()
        self._lock.release()
