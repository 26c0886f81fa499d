"""Keeps what came in, and only then says so: journal, agents, live pages, broker, in this order."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from facility.batch_id import log_context
from facility.errors import Rejected, StoreUnavailable
from facility.system_alarm import SystemAlarm
from ingest.entry import Entry, encode_entry
from ingest.refusals import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from queue import SimpleQueue
    from threading import Event

    from ingest.accepted import Announcer
    from ingest.acknowledger import Acknowledger
    from ingest.attempts import Attempts
    from ingest.gaps import Gaps
    from ingest.journal import Journal
    from ingest.pipeline import Group, Pipeline
    from ingest.status import IngestStatus
    from ingest.subscriber import Inbound, Subscriber

GROUP_MESSAGES = 50
"""Messages flushed together: as many as wait, at most this many. Nobody waits for a group to fill."""

GROUPS_PUT_FIRST = 20
"""Groups, a full queue of them, that go before a message which may kill us: it must not hold the good ones up."""

FIRST_DELAY_S, LAST_DELAY_S = 0.2, 5.0
DISK_EVERY_S = 30.0

log = structlog.get_logger()


@dataclass(slots=True)
class Intake:
    """The one thread that appends to the journal and acknowledges to the broker.

    ``clock_ms`` is the time of day; ``appended`` wakes the store writer; ``beat`` tells that there is progress;
    ``to_reopen`` are entries of the storing side that take numbers back.
    """

    subscriber: Subscriber
    pipeline: Pipeline
    journal: Journal
    attempts: Attempts
    gaps: Gaps
    acknowledger: Acknowledger
    announcer: Announcer
    status: IngestStatus
    clock_ms: Callable[[], int]
    monotonic: Callable[[], float]
    appended: Event
    beat: Callable[[], None]
    to_reopen: SimpleQueue[Entry]
    _at_hand: deque[Inbound] = field(default_factory=deque)
    _doubtful: deque[Inbound] = field(default_factory=deque)
    _put_first: int = 0
    _is_quiet: bool = False
    _disk_due_s: float = float("-inf")

    def take_in(self, wait_s: float, stop: Event) -> None:
        """Take what waits, keep it, acknowledge it. Returns without acknowledging if ``stop`` comes first."""
        self._at_hand = self._take(wait_s)
        if self._at_hand:
            self.attempts.begin(self._at_hand)
            group = self._read()
            self.attempts.end()  # a crash while it waits for the disk is no fault of the messages
            if not self.keep(group.entries, stop):
                return
            self._tell(group)
            self._release()
        self._reopen(stop)
        self._look_around()
        self.beat()

    def in_hand(self) -> list[str]:
        """Names, as the logs have them, of the messages that were taken and are not kept yet."""
        return [name_of(message) for message in self._at_hand]

    def recover(self, error: Exception, stop: Event) -> None:
        """After an unexpected error: take those messages again one by one, and set aside the one that fails alone."""
        self.pipeline.streams.forget()
        self.attempts.end()
        if len(self._at_hand) > 1:
            self._doubtful.extend(self._at_hand)
        elif self._at_hand:
            reason = Rejected("unexpected_error", f"{type(error).__name__}: {error}")
            group = self.pipeline.refuse(self._at_hand[0], reason, self.clock_ms())
            if self.keep(group.entries, stop):
                self._tell(group)
                self._release()
                self.beat()

    def _take(self, wait_s: float) -> deque[Inbound]:
        """A group of messages; one that an earlier run died over, or failed over, comes alone and after the others.

        After a start the broker brings again what was in hand, and what waits behind it a moment later.
        """
        taken: list[Inbound] = []
        if self._put_first < GROUPS_PUT_FIRST:
            taken = self.subscriber.take(GROUP_MESSAGES, 0.0 if self._is_quiet else wait_s)
            self._is_quiet = self._is_quiet or not taken
        suspects = [message for message in taken if self.attempts.deaths(message)]
        if suspects:  # those that were there at the fewest deaths first: they are likely innocent
            self._doubtful = deque(sorted([*self._doubtful, *suspects], key=self.attempts.deaths))
        good = [message for message in taken if message not in suspects] if suspects else taken
        if good or not self._doubtful:
            self._put_first = self._put_first + 1 if self._doubtful else 0
            self._is_quiet = self._is_quiet and bool(self._doubtful)
            return deque(good)
        if taken:  # only suspects came: see first whether others wait behind them
            return deque()
        self._put_first = 0
        return deque([self._doubtful.popleft()])

    def _read(self) -> Group:
        first, now_ms = self._at_hand[0], self.clock_ms()
        if self.attempts.is_hopeless(first):
            return self.pipeline.refuse(first, Rejected("crashed_worker", "ingest died over it three times"), now_ms)
        return self.pipeline.read(self._at_hand, now_ms)

    def keep(self, entries: Sequence[Entry], stop: Event) -> bool:
        """Have entries on disk, and their numbers done; False if ``stop`` came first."""
        with bound_contextvars(**log_context([entry.batch for entry in entries if entry.batch])):
            if entries and not self._append([encode_entry(entry) for entry in entries], stop):
                self.pipeline.streams.forget()
                return False
        self.pipeline.streams.settle()
        self.appended.set()
        return True

    def _append(self, bodies: Sequence[bytes], stop: Event) -> bool:
        """Append until it is on disk. While the disk is full nothing is acknowledged and the queue fills."""
        delay_s = 0.0
        while not stop.is_set():
            try:
                self.journal.append(bodies, self.pipeline.streams.state)
            except StoreUnavailable as error:
                if not delay_s:
                    self.status.alarm(SystemAlarm.JOURNAL_UNAVAILABLE, str(error))
                delay_s = min(delay_s * 2 or FIRST_DELAY_S, LAST_DELAY_S)
                stop.wait(random.uniform(0, delay_s))  # noqa: S311 - jitter, no secret
                self.beat()
                continue
            if delay_s:
                self.status.all_clear(SystemAlarm.JOURNAL_UNAVAILABLE)
            return True
        return False

    def _tell(self, group: Group) -> None:
        """The agents, the live pages and our own status."""
        now_s = self.monotonic()
        for hello in group.hellos:
            self.gaps.note(hello, now_s)
        for stream in sorted(group.streams):
            self.acknowledger.acknowledge(stream)
        for batch in group.live:
            self.announcer.announce(self.pipeline.doorway.gate.site, batch)
        for said in group.statuses:
            self.status.note_agent(said.dev, said)
        self.status.count_refused_messages(group.refused_messages)
        for agent, why in group.turned_away.items():
            self.status.note_turned_away(agent, why)

    def _release(self) -> None:
        """The broker last: a crash before this only makes it deliver again."""
        if len(self._at_hand) == 1:
            self.attempts.clear(self._at_hand[0])
        while self._at_hand:
            self.subscriber.acknowledge(self._at_hand.popleft())

    def _look_around(self) -> None:
        """Ask for what is missing; tell what a person should know."""
        now_s = self.monotonic()
        for stream, nack in self.gaps.due(now_s).items():
            self.acknowledger.acknowledge(stream, nack)
        words = ""
        if open_gaps := self.gaps.open_for_long(now_s):
            (agent, _), (first, last) = open_gaps[0]
            words = f"{len(open_gaps)}, first of agent {agent}: {first} to {last}"
        self.status.set(SystemAlarm.GAP_OPEN, words)
        self.status.note_broker(self.subscriber.dropped_by_broker, self.subscriber.retained_ignored)
        doubts = {SystemAlarm.SERVER_CLOCK: self.pipeline.own_clock.doubt()}
        for alarm, words in (self.subscriber.troubles() | doubts).items():
            self.status.set(alarm, words)
        self._look_at_disk(now_s)

    def _look_at_disk(self, now_s: float) -> None:
        if now_s >= self._disk_due_s:
            self._disk_due_s = now_s + DISK_EVERY_S
            self.status.set(SystemAlarm.SERVER_DISK, self.journal.scarcity())

    def _reopen(self, stop: Event) -> None:
        """Take numbers back that are done and lost, and ask for them at once."""
        entries = [self.to_reopen.get() for _ in range(self.to_reopen.qsize())]
        for entry in entries:
            self.pipeline.streams.apply(entry)
        if entries and self.keep(entries, stop):
            for entry in entries:
                if entry.reopened:
                    self.acknowledger.acknowledge(entry.stream, entry.reopened)
