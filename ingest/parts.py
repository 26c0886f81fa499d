"""The parts of ingest, put together in one place: the journal between those that take in and those that store."""

from __future__ import annotations

from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from facility.system_alarm import SystemAlarm
from ingest.accepted import Announcer
from ingest.acknowledger import Acknowledger
from ingest.attempts import Attempts
from ingest.contents import Contents
from ingest.errand_runner import ErrandRunner
from ingest.gaps import PATIENCE_S, Gaps
from ingest.gate import Doorway
from ingest.hours import HourCounts
from ingest.housekeeping import Housekeeping
from ingest.intake import Intake
from ingest.journal import DEFAULT_ROOM, Journal, JournalRoom
from ingest.motion import Motion
from ingest.own_clock import OwnClock
from ingest.pipeline import Pipeline
from ingest.reconcile import HourlyStore, Reconciler
from ingest.soundness import Soundness
from ingest.store_writer import StoreWriter
from ingest.streams import state_of, streams_of
from ingest.watermarks import Watermarks
from process.kernel_clock import is_kernel_synchronised
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
    from stores.records.imports.book import Imports
    from stores.records.quarantine.quarantine import Quarantine


LONGEST_STEP_S = 300.0
"""Reconciling a year, or one transaction into a slow store, may take this long."""


@dataclass(frozen=True, slots=True)
class Around:
    """What ingest works with and does not own: stores, records, its line to the agents, what it tells, its clocks."""

    store: HourlyStore
    quarantine: Quarantine
    errands: Errands
    imports: Imports
    subscriber: Subscriber
    status: IngestStatus
    pulse: Pulse
    monotonic: Callable[[], float]
    clock_ms: Callable[[], int]
    is_synchronised: Callable[[], bool] = is_kernel_synchronised


class Files:
    """What ingest keeps in its folder, which one process at a time may have."""

    def __init__(self, folder: Path, room: JournalRoom = DEFAULT_ROOM) -> None:
        """Raises ``ConfigError`` where the files cannot be used."""
        self._lock = FileLock(folder / "ingest.lock", f"another ingest process already uses the data folder {folder}")
        self.watermarks = Watermarks(folder / "ingest.db")
        known = self.watermarks.streams()  # where a journal that was lost begins anew
        self.journal = Journal(folder / "journal", begin=self.watermarks.cursor, state=state_of(known), room=room)
        if self.journal.end < self.watermarks.cursor:  # the disk has lost what it had flushed, and we have stored
            self.journal.skip_to(self.watermarks.cursor, state_of(known))
        self.streams = streams_of(self.journal, known)
        self.attempts = Attempts(folder)

    def close(self) -> None:
        """Close them, and let another process have the folder."""
        self.attempts.close()
        self.journal.close()
        self.watermarks.close()
        self._lock.release()


@dataclass(frozen=True, slots=True)
class Between:
    """What the two sides have in common.

    ``appended`` wakes the store writer. ``to_reopen`` holds what the storing side found to be lost: the taking side
    alone appends to the journal, and so takes those numbers back.
    """

    doorway: Doorway
    motion: Motion
    acknowledger: Acknowledger
    appended: Event = field(default_factory=Event)
    to_reopen: SimpleQueue[Entry] = field(default_factory=SimpleQueue)


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs in one ingest process: ``store_writer`` in one thread, ``intake`` and ``errand_runner`` in another."""

    files: Files
    status: IngestStatus
    doorway: Doorway
    motion: Motion
    housekeeping: Housekeeping
    store_writer: StoreWriter
    intake: Intake
    errand_runner: ErrandRunner


def put_together(files: Files, gate: Gate, around: Around, *, patience_s: float = PATIENCE_S) -> Parts:
    """All parts, each made of those before it. Nothing is connected or started by that."""
    doorway, motion = Doorway(gate), Motion(around.monotonic)
    acknowledger = Acknowledger(files.streams, files.watermarks, around.subscriber.publish)
    between = Between(doorway, motion, acknowledger)
    around.status.count(files.watermarks.totals())
    if kept_as := files.watermarks.kept_as:
        around.status.alarm(SystemAlarm.JOURNAL_DAMAGED, f"ingest.db was damaged and is kept as {kept_as}")
    housekeeping = _housekeeping(files, around, between)
    store_writer = _store_writer(files, around, between, housekeeping)
    intake = _intake(files, around, between, Gaps(files.streams, patience_s))
    errand_runner = _errand_runner(files, around, doorway, intake, housekeeping)
    return Parts(files, around.status, doorway, motion, housekeeping, store_writer, intake, errand_runner)


def _housekeeping(files: Files, around: Around, between: Between) -> Housekeeping:
    reconciler = Reconciler(
        journal=files.journal,
        hours=HourCounts(files.watermarks.connection, files.journal),
        watermarks=files.watermarks,
        store=around.store,
        doorway=between.doorway,
        reopen=between.to_reopen.put,
        take_again=around.imports.take_again,
        clock_ms=around.clock_ms,
        motion=between.motion,
    )
    soundness = Soundness(around.store, around.status, between.motion, around.monotonic, around.clock_ms)
    contents = Contents(reconciler)
    return Housekeeping(reconciler, soundness, contents, around.quarantine, around.status, around.monotonic)


def _store_writer(files: Files, around: Around, between: Between, housekeeping: Housekeeping) -> StoreWriter:
    return StoreWriter(
        journal=files.journal,
        streams=files.streams,
        store=around.store,
        quarantine=around.quarantine,
        imports=around.imports,
        watermarks=files.watermarks,
        acknowledger=between.acknowledger,
        status=around.status,
        clock_ms=around.clock_ms,
        reopen=between.to_reopen.put,
        appended=between.appended,
        between=housekeeping.turn,
        mend=housekeeping.mend,
        reached=housekeeping.soundness.reached,
        motion=between.motion,
    )


def _intake(files: Files, around: Around, between: Between, gaps: Gaps) -> Intake:
    return Intake(
        subscriber=around.subscriber,
        pipeline=Pipeline(between.doorway, files.streams, _own_clock(files, around)),
        journal=files.journal,
        attempts=files.attempts,
        gaps=gaps,
        acknowledger=between.acknowledger,
        announcer=Announcer(around.subscriber.publish),
        status=around.status,
        clock_ms=around.clock_ms,
        monotonic=around.monotonic,
        appended=between.appended,
        beat=_beat(around.pulse, between.motion),
        to_reopen=between.to_reopen,
    )


def _own_clock(files: Files, around: Around) -> OwnClock:
    return OwnClock(around.monotonic, around.is_synchronised, lambda: files.watermarks.noted_ms)


def _errand_runner(
    files: Files, around: Around, doorway: Doorway, intake: Intake, housekeeping: Housekeeping
) -> ErrandRunner:
    return ErrandRunner(
        errands=around.errands,
        imports=around.imports,
        quarantine=around.quarantine,
        doorway=doorway,
        streams=files.streams,
        watermarks=files.watermarks,
        intake=intake,
        housekeeping=housekeeping,
        clock_ms=around.clock_ms,
        begin_at=files.journal.entries_end,
    )


def _beat(pulse: Pulse, motion: Motion) -> Callable[[], None]:
    """What the intake says of its own progress counts unless the storing side has stood still for minutes."""

    def beat() -> None:
        if motion.still_s() < LONGEST_STEP_S:
            pulse.beat()

    return beat
