"""Brings the journal into the store, by offset, and says so to the agents: only then may they free what they keep."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import structlog
from structlog.contextvars import bound_contextvars

from facility.batch_id import log_context
from facility.errors import Rejected, StoreDamaged, StoreUnavailable
from facility.system_alarm import SystemAlarm
from ingest.entry import Entry, decode_entry
from ingest.frames import Damage
from ingest.gate import Refused
from ingest.refusals import instant, refused_readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from threading import Event

    from facility.model import ReadingBatch
    from ingest.acknowledger import Acknowledger
    from ingest.journal import Journal
    from ingest.motion import Motion
    from ingest.status import IngestStatus
    from ingest.streams import Streams
    from ingest.watermarks import Watermarks
    from stores.records.quarantine.quarantine import QuarantineItem

GROUP_ENTRIES = 50
IDLE_S, BUSY_S = 0.25, 60.0
FIRST_DELAY_S, LAST_DELAY_S = 0.2, 30.0
AWAY_S, LEAST_PAUSE_S = 0.8, 1.0
LONGEST_ASKED_S = 120.0
PROBE_EVERY_S = 15.0

log = structlog.get_logger()


class WritesMany(Protocol):
    """A reading store, as far as the store writer needs it."""

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings in one durable step; ``StoreUnavailable`` or ``Rejected``: nothing that counts was stored."""

    def probe(self) -> None:
        """See in one cheap question whether readings could be stored; ``StoreUnavailable`` if not."""


class KeepsRefused(Protocol):
    """Quarantine, as far as the store writer needs it."""

    def put(self, *items: QuarantineItem) -> None:
        """Keep refused items in one transaction; the same item again changes nothing."""

    def close_replayed(self, item_id: int, outcome: str, at: datetime, again: Iterable[QuarantineItem] = ()) -> None:
        """An item was taken in again, but for the ones in ``again``; the same call again changes nothing."""


class KeepsImports(Protocol):
    """Imports, as far as the store writer needs them."""

    def done(self, number: int, outcome: str, at: datetime) -> None:
        """All of an import is stored, or retracted; the same call again changes nothing."""


@dataclass(slots=True)
class StoreWriter:
    """One thread. Everything it does may be repeated: a crash before ``advance`` only means that it is."""

    journal: Journal
    streams: Streams
    store: WritesMany
    quarantine: KeepsRefused
    imports: KeepsImports
    watermarks: Watermarks
    acknowledger: Acknowledger
    status: IngestStatus
    clock_ms: Callable[[], int]
    reopen: Callable[[Entry], None]
    appended: Event
    between: Callable[[], None]
    mend: Callable[[StoreDamaged], None]
    reached: Callable[[], int]
    motion: Motion
    _between_s: float = float("-inf")
    _rest_s: float = 0.0
    _heard_s: float = float("-inf")
    _has_damage: bool = True  # what an earlier run saw is not known

    def run(self, stop: Event) -> None:
        """Store what comes until told to stop."""
        while not stop.is_set():
            self.motion.move()
            self.appended.clear()
            has_more = self.write_some(stop)
            if stop.is_set():  # nothing new is known of the store: an alarm stands as it stood
                return
            if not has_more:
                self._look_for_losses()
            if self.motion.moved_s - self._between_s >= (self._rest_s or (BUSY_S if has_more else 0.0)):
                self._between()
            if not has_more:
                self.appended.wait(IDLE_S)

    def _between(self) -> None:
        """What can wait until there is nothing to store, for a minute; a store that is away makes it wait longer."""
        self._between_s = self.motion.moved_s
        try:
            self.between()
            self._probe()
        except StoreDamaged as error:
            self._is_mended(error)
        except StoreUnavailable as error:
            self.status.alarm(SystemAlarm.STORE_UNAVAILABLE, str(error))
            self._rest_s = max(LEAST_PAUSE_S, min(error.retry_after_s, LONGEST_ASKED_S))
        else:
            self.status.all_clear(SystemAlarm.STORE_UNAVAILABLE)
            self._rest_s = 0.0

    def _probe(self) -> None:
        """Tell a store that would take nothing before there is anything. One that has just taken some is not asked."""
        if self.motion.moved_s - self._heard_s >= PROBE_EVERY_S:
            self.store.probe()
            self._heard_s = self.motion.moved_s

    def write_some(self, stop: Event) -> bool:
        """Store the next group; False if there is none."""
        found = list(islice(self.journal.frames(self.watermarks.cursor), GROUP_ENTRIES))
        if not found:
            return False
        for damage in (f for f in found if isinstance(f, Damage)):
            log.error("journal_damaged", start=damage.start, end=damage.end)
            self.status.alarm(SystemAlarm.JOURNAL_DAMAGED, f"{damage.end - damage.start} bytes at {damage.start}")
            self._has_damage = True
        entries = [decode_entry(frame.body) for frame in found if not isinstance(frame, Damage)]
        with bound_contextvars(**log_context([entry.batch for entry in entries if entry.batch])):
            refused = self._write(found[-1].end, entries, stop)
        if refused is not None:
            _log_ends(entries, refused)
            self._tell(entries)
        return True

    def _write(self, end: int, entries: Sequence[Entry], stop: Event) -> list[tuple[Rows, Rejected]] | None:
        """Write until it is written, and say what was refused; None if ``stop`` came first.

        The journal goes on growing meanwhile.
        """
        delay_s = 0.0
        while not stop.is_set():
            self.motion.move()
            try:
                refused = self._write_once(end, entries)
            except StoreUnavailable as error:
                self.status.alarm(SystemAlarm.STORE_UNAVAILABLE, str(error))
                if isinstance(error, StoreDamaged) and self._is_mended(error):
                    continue
                delay_s = min(delay_s * 2 or FIRST_DELAY_S, LAST_DELAY_S)
                stop.wait(_pause_s(delay_s, error))
                continue
            if delay_s:
                self.status.all_clear(SystemAlarm.STORE_UNAVAILABLE)
            return refused
        return None

    def _is_mended(self, damage: StoreDamaged) -> bool:
        try:
            self.mend(damage)
        except StoreUnavailable:
            return False
        self.status.all_clear(SystemAlarm.STORE_UNAVAILABLE)
        return True

    def _write_once(self, end: int, entries: Sequence[Entry]) -> list[tuple[Rows, Rejected]]:
        """Store, set aside, note; returns what the store refused."""
        rows = [Rows(entry, entry.readings.batch(), entry.seqs().tolist()) for entry in entries if entry.readings]
        refused = list(self._stored_or_refused(rows))
        items = [item for entry in entries for item in entry.refused if not entry.replayed]
        items += [part.refused(error, self.clock_ms()) for part, error in refused]
        if items:
            self.quarantine.put(*items)
        for entry in entries:
            if entry.replayed and entry.readings:
                at = instant(self.clock_ms())
                self.quarantine.close_replayed(entry.replayed, _outcome(entry), at, entry.refused)
            if entry.of_import:
                self.imports.done(entry.of_import, "", instant(self.clock_ms()))
        by_store = sum(len(part.seq) for part, _ in refused)
        self.watermarks.advance(end, entries, self.clock_ms(), refused_by_store=by_store, reached=self.reached())
        return refused

    def _stored_or_refused(self, rows: Sequence[Rows]) -> Iterator[tuple[Rows, Rejected]]:
        """Store rows; where the store refuses them, halve until the refused ones are alone: those are told."""
        if not rows:
            return
        self.motion.move()  # where all are refused this takes two writes for each
        try:
            self.store.write_many([part.readings for part in rows])
            self._heard_s = self.motion.moved_s
        except Rejected as error:
            if len(rows) > 1:
                halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
            elif len(rows[0].seq) > 1:
                halves = rows[0].halves()
            else:
                yield rows[0], error
                return
            for half in halves:
                yield from self._stored_or_refused(half)

    def _tell(self, entries: Sequence[Entry]) -> None:
        """The agents and our own status."""
        for stream in sorted({entry.stream for entry in entries if entry.claimed}):
            self.acknowledger.acknowledge(stream)
            self.status.note_watermark(*stream, self.watermarks.stored(stream).watermark)
        now_ms = self.clock_ms()
        for entry in entries:
            if entry.readings and entry.lane == "live":
                self.status.sample_latency(entry.readings.t_ms, now_ms)
        self.status.count(self.watermarks.totals())

    def _look_for_losses(self) -> None:
        """Once all is stored: what the journal took in and could not be read back must come again from its agent."""
        if not self._has_damage:
            return
        taken_in = {stream: self.streams.of(stream) for stream in self.streams.all()}
        if self.watermarks.cursor < self.journal.entries_end:  # read after the streams: all they claim lies before it
            return
        for stream, done in taken_in.items():
            lost = done.copy()
            for first, last in self.watermarks.stored(stream):
                lost.remove(first, last)
            if len(lost):
                log.error("journal_lost", agent=stream[0], epoch=stream[1], readings=lost.size())
                self.reopen(Entry(*stream, self.clock_ms(), reopened=list(lost)))
        self._has_damage = False


def _pause_s(delay_s: float, error: StoreUnavailable) -> float:
    """Full jitter; as long as the store itself asks for; and a store that stays away is asked once a second at most."""
    least_s = LEAST_PAUSE_S if delay_s >= AWAY_S else 0.0
    jittered_s = random.uniform(0, delay_s)  # noqa: S311 - jitter, no secret
    return max(jittered_s, least_s, min(error.retry_after_s, LONGEST_ASKED_S))


def _log_ends(entries: Iterable[Entry], refused: Iterable[tuple[Rows, Rejected]]) -> None:
    """Say how each batch ended; many readings of one may have been refused one by one."""
    for batch in filter(None, (entry.batch for entry in entries)):
        log.debug("settled", batch=batch)
    counts: Counter[tuple[str, str]] = Counter()
    for part, error in refused:
        counts[part.entry.batch, error.reason] += len(part.seq)
    for (batch, reason), n in counts.items():
        log.warning("readings_refused", reason=reason, readings=n, **log_context([batch] if batch else []))


def _outcome(entry: Entry) -> str:
    stored = len(entry.readings) if entry.readings else 0
    again = sum(item.count for item in entry.refused)
    return f"stored {stored}" + (f", refused again {again}" if again else "")


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings of one entry on their way into the store, with their numbers."""

    entry: Entry
    readings: ReadingBatch
    seq: list[int] = field(default_factory=list)

    def halves(self) -> tuple[list[Rows], list[Rows]]:
        """The rows in two parts."""
        middle = len(self.seq) // 2
        return [self._part(range(middle))], [self._part(range(middle, len(self.seq)))]

    def refused(self, error: Rejected, now_ms: int) -> QuarantineItem:
        """These rows as quarantine keeps them."""
        part = Refused(error.reason, self.seq, self.readings)
        return refused_readings(self.entry.stream, "", part, now_ms, stage="store")

    def _part(self, rows: range) -> Rows:
        return Rows(self.entry, self.readings.chosen(rows), self.seq[rows.start : rows.stop])
