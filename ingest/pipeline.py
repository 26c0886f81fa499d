"""Reads a group of messages: decode, look up, check; what goes into the journal and what is answered comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from facility import wire
from facility.batch_id import batch_id
from facility.errors import Rejected, visible
from facility.ranges import RangeSet
from ingest.decode import decode, numbers_of, sender
from ingest.entry import Entry, readings_of
from ingest.gate import IN_FUTURE
from ingest.refusals import name_by, printable, refused_message, refused_readings
from ingest.status import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from facility.model import ReadingBatch
    from ingest.entry import Stream
    from ingest.gate import Checked, Doorway
    from ingest.own_clock import OwnClock
    from ingest.streams import Streams
    from ingest.subscriber import Inbound

UNREADABLE = frozenset({"malformed", "not_finite", "unexpected_error", "crashed_worker"})
"""Reasons that lie in the batch itself: sending it again cannot help. Others may pass once the server is mended."""

NOT_ADMITTED = frozenset({UNKNOWN, "wrong_sender"})
"""Reasons that lie in who sends: nothing of it is taken in until a person does something."""

MOST_OF_A_GROUP, MOST_NAME_CHARS = 10, 80
WARNED_EVERY_MS = 60_000

log = structlog.get_logger()


@dataclass(slots=True)
class Group:
    """What a few messages come to. ``streams`` are owed an acknowledgement once the entries are in the journal."""

    entries: list[Entry] = field(default_factory=list)
    live: list[ReadingBatch] = field(default_factory=list)
    streams: set[Stream] = field(default_factory=set)
    hellos: list[wire.Hello] = field(default_factory=list)
    statuses: list[wire.Status] = field(default_factory=list)
    refused_messages: int = 0
    turned_away: dict[str, str] = field(default_factory=dict)
    """Agents of whom nothing is taken in, and why."""


class Pipeline:
    """From messages to a ``Group``. Numbers are claimed for the group: whoever keeps it settles them."""

    def __init__(self, doorway: Doorway, streams: Streams, own_clock: OwnClock) -> None:
        self.doorway, self.streams, self.own_clock = doorway, streams, own_clock
        self._warned_ms: dict[tuple[str, str], int] = {}

    def read(self, messages: Iterable[Inbound], now_ms: int) -> Group:
        """Read messages in their order."""
        group = Group()
        for message in messages:
            agent, what = sender(message.topic)
            try:
                self.doorway.gate.admit(agent)
                self._read(message, group, now_ms)
            except Rejected as error:
                if error.reason in NOT_ADMITTED and len(group.turned_away) < MOST_OF_A_GROUP:
                    group.turned_away[visible(agent, MOST_NAME_CHARS)] = error.reason
                if error.reason == UNKNOWN and what in {"status", "hello"}:
                    group.refused_messages += 1  # no readings, and a new one every few seconds: counted, not kept
                else:
                    self._set_aside(message, error, group, now_ms)
        return group

    def refuse(self, message: Inbound, error: Rejected, now_ms: int) -> Group:
        """Set a message aside without looking into it further."""
        group = Group()
        self._set_aside(message, error, group, now_ms)
        return group

    def _read(self, message: Inbound, group: Group, now_ms: int) -> None:
        said = decode(message)
        if isinstance(said, wire.Status):
            group.statuses.append(said)
            return
        stream = (said.dev, said.ep)
        if isinstance(said, wire.Batch):
            self._read_batch(message, said, group, now_ms)
        elif isinstance(said, wire.Tombstones):
            self._bury(
                stream, [(stone.start, stone.end, printable(stone.reason)) for stone in said.tomb], group, now_ms
            )
        else:  # what is older than the oldest row never comes again
            self._bury(stream, [(1, said.oldest - 1, "not_held")], group, now_ms)
            group.hellos.append(said)
        group.streams.add(stream)

    def _read_batch(self, message: Inbound, batch: wire.Batch, group: Group, now_ms: int) -> None:
        stream, last = (batch.dev, batch.ep), batch.first + len(batch.x) - 1
        fresh = self.streams.missing(stream, batch.first, last)
        if not fresh:  # sent again: the acknowledgement was late or lost
            return
        checked = self.doorway.gate.check(batch, fresh, now_ms)
        if self._is_held(batch, checked, now_ms):
            return
        refused = [refused_readings(stream, message.topic, part, now_ms) for part in checked.refused]
        readings = readings_of(checked.accepted, checked.seq if refused else ()) if checked.accepted else None
        name = batch_id(*stream, batch.first)
        log.debug("read", batch=name, readings=len(readings) if readings else 0)
        for item in refused:
            self._warn("readings_refused", item.reason, now_ms, batch=name, readings=item.count)
        self._keep(Entry(*stream, now_ms, batch.lane, fresh, readings, refused, batch=name), group)
        if checked.accepted and batch.lane == "live":
            group.live.append(checked.accepted)

    def _is_held(self, batch: wire.Batch, checked: Checked, now_ms: int) -> bool:
        """Whether readings that seem to be of the future are left to their agent: it may be our clock that is wrong."""
        if batch.lane == "live":
            self.own_clock.hear(batch.dev, max(batch.t), now_ms)
        is_ahead = any(part.reason == IN_FUTURE for part in checked.refused)
        if not is_ahead or self.own_clock.may_refuse(batch.dev, now_ms):
            return False
        self.own_clock.hold(batch.dev)
        self._warn("readings_held", "server_clock", now_ms, batch=batch_id(batch.dev, batch.ep, batch.first))
        return True

    def _bury(self, stream: Stream, stones: list[tuple[int, int, str]], group: Group, now_ms: int) -> None:
        """What an agent dropped on purpose, and why: a hole that is explained is no loss."""
        parts = [
            (*part, reason)
            for first, last, reason in _apart(stones)
            for part in self.streams.missing(stream, first, last)
        ]
        if parts:
            claimed = [(first, last) for first, last, _ in parts]
            name = batch_id(*stream, stones[0][0])
            self._keep(Entry(*stream, now_ms, claimed=claimed, tombs=parts, batch=name), group)

    def _set_aside(self, message: Inbound, error: Rejected, group: Group, now_ms: int) -> None:
        """Keep a message that is refused whole. Where its numbers are sure and it cannot be mended, they are done."""
        told_numbers = numbers_of(message)
        numbers = told_numbers if error.reason in UNREADABLE else None
        claimed = []
        if numbers is not None:
            stream = (sender(message.topic)[0], numbers[0])
            claimed = self.streams.missing(stream, *numbers[1:])
            group.streams.add(stream)
            if not claimed:
                return
        item, name = refused_message(message, error, now_ms, numbers), name_by(message, told_numbers)
        self._warn("message_refused", error.reason, now_ms, batch=name)
        self._keep(Entry(item.agent, item.epoch, now_ms, claimed=claimed, refused=[item], batch=name), group)
        group.refused_messages += 1

    def _warn(self, event: str, reason: str, now_ms: int, **more: object) -> None:
        """Once a minute for each reason: a flood must not fill the disk with log lines, and quarantine has them all."""
        is_due = abs(now_ms - self._warned_ms.get((event, reason), 0)) >= WARNED_EVERY_MS
        if is_due:
            self._warned_ms[event, reason] = now_ms
        (log.warning if is_due else log.debug)(event, reason=reason, **more)

    def _keep(self, entry: Entry, group: Group) -> None:
        group.entries.append(entry)
        self.streams.apply(entry)


def _apart(stones: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """The same numbers, each once, with the reason that was given first.

    Thousands of stones across thousands of holes would otherwise come to millions of parts.
    """
    said = RangeSet()
    for first, last, reason in stones:
        for part in said.missing(first, last):
            yield (*part, reason)
        said.add(first, last)
