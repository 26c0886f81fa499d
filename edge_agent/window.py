"""What is sent next: live readings first, then the oldest that the server has not acknowledged, never too much at once.

Only an application acknowledgement moves anything. When none comes for a while, all that was under way is sent again
(go-back-N), ever more rarely and by fewer batches, so that a server that is away does not find a flood in the broker.
The backlog leaves a part of the window to live readings, has one batch of it for itself, keeps to a rate, and after a
long absence begins late by chance, so that many agents that come back at once do not come at once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from edge_agent.outbox.outbox import LIVE
from facility import wire
from facility.batch_id import batch_id
from facility.errors import Rejected
from facility.ranges import RangeSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.outbox.file import Row
    from edge_agent.outbox.outbox import Outbox
    from facility.wire import Range

log = structlog.get_logger()

MOST_PENDING_RANGES = 500
PROBING_BATCHES = 2
LAST_SILENCE_S = 30.0
LONG_AWAY_S = 60.0
BURST_S = 0.25
FOREIGN_TOLD_S = 3600.0

Lane = Literal["live", "backlog"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message ready to be published, its name in the logs, and the sequence numbers that it carries."""

    batch: str
    lane: Lane
    first: int
    last: int
    payload: bytes
    is_data: bool = True


class SendWindow:
    """Batches under way. Not thread-safe: one thread sends and takes acknowledgements."""

    def __init__(
        self,
        outbox: Outbox,
        agent: str,
        *,
        batches: int = 20,
        reserve: int = 4,
        rows: int = 500,
        silence_s: float = 3.0,
        backlog_rate: float = 0.0,
        backlog_delay_s: float = 0.0,
        clock: Callable[[], wire.Clock] = wire.Clock,
    ) -> None:
        """``reserve`` of the ``batches`` are for live readings alone: the backlog gets 80 % of what the line carries.

        ``backlog_rate`` bounds it further, in rows a second (0: no bound); ``backlog_delay_s`` is the longest delay
        with which it begins after a long absence.
        """
        self._outbox, self._agent = outbox, agent
        self._batches, self._reserve, self._batch_rows = batches, reserve, rows
        self._first_silence_s = self._silence_s = silence_s
        self._done = RangeSet([(1, outbox.store_hw)])
        self._taken = RangeSet(self._done)
        self._flying: list[tuple[int, int, Lane]] = []
        self._sent_hw = outbox.newest if outbox.unconfirmed_from is None else outbox.unconfirmed_from
        self._live_from = self._live_begin = outbox.newest + 1
        self._progress_at, self._foreign_told_at = 0.0, float("-inf")
        self._backlog_rate, self._backlog_delay_s, self._backlog_at = backlog_rate, backlog_delay_s, 0.0
        self._connected_until = float("-inf")
        self._clock = clock
        self.payload_bytes = wire.MAX_PAYLOAD_BYTES
        self.resends = 0

    @property
    def under_way(self) -> int:
        """Batches sent and not acknowledged."""
        return len(self._flying)

    def connected(self, now: float) -> None:
        """A new connection: what waited until now is backlog, what comes from now on is live."""
        self._live_begin = self._outbox.newest + 1
        self._progress_at = now
        self._silence_s = self._first_silence_s
        if now - self._connected_until > LONG_AWAY_S and self.pending_rows() > self._batches * self._batch_rows:
            self._backlog_at = now + random.uniform(0, self._backlog_delay_s)  # noqa: S311 - spreads load, no secret
        self._send_again()

    @property
    def is_held(self) -> bool:
        """Whether nothing is sent before the server has said how far it knows this outbox."""
        return self._outbox.unconfirmed_from is not None

    def next(self, now: float) -> Outgoing | None:
        """The next message to publish, or None if the window is full, held, or nothing is left."""
        self._connected_until = now
        if self.is_held:
            return None
        if self._flying and now - self._progress_at >= self._silence_s:
            self.resends += 1
            self._progress_at = now
            self._silence_s = min(2 * self._silence_s, LAST_SILENCE_S)
            log.info("no_acknowledgement", batch=self._id(self._flying[0][0]), batches=len(self._flying))
            self._send_again()
        room = (PROBING_BATCHES if self._probing else self._batches) - len(self._flying)
        reserve = 0 if self._probing else self._reserve
        is_kept = room == 1 and self._is_backlog_left_out()
        message = self._next_live() if room > 0 and not is_kept else None
        if message is None and (room > reserve or is_kept):
            message = self._next_in_pace(now)
        if message is not None:
            if not self._flying:
                self._progress_at = now
            self._sent_hw = max(self._sent_hw, message.last)
            self._taken.add(message.first, message.last)
            self._flying.append((message.first, message.last, message.lane))
        return message

    def acknowledge(self, ack: wire.Ack, now: float) -> None:
        """Take an application acknowledgement; one of another epoch says nothing about these rows."""
        if ack.epoch != self._outbox.epoch:
            if now >= self._foreign_told_at:
                self._foreign_told_at = now + FOREIGN_TOLD_S
                log.info("acknowledgement_ignored", epoch=ack.epoch, ours=self._outbox.epoch)
            return
        if max([ack.journal_hw, *(last for _, last in ack.ranges)]) > self._sent_hw:
            self._begin_anew()
            return
        if self.is_held:
            self._outbox.confirm()
        self._check_store(ack.store_id)
        newest, oldest_under_way = self._outbox.newest, self._flying[:1]
        for first, last in [(1, ack.journal_hw), *ack.ranges]:
            self._done.add(max(first, 1), min(last, newest))
            self._taken.add(max(first, 1), min(last, newest))
        for first, last in ack.nack:
            self.repeat(first, last)
        self._flying = [batch for batch in self._flying if not self._done.covers(*batch[:2])]
        self._outbox.free(ack.store_hw)
        # Only when the oldest batch is done does the server get on: a later one may have overtaken a lost first one.
        if self._flying[:1] != oldest_under_way:
            self._progress_at = now
            self._silence_s = self._first_silence_s

    def repeat(self, first: int, last: int) -> None:
        """Send a range again, whatever was acknowledged; what is no longer held is answered with a tombstone."""
        first, last = max(first, 1), min(last, self._outbox.newest)
        self._done.remove(first, last)
        self._taken.remove(first, last)
        self._flying = [batch for batch in self._flying if batch[1] < first or batch[0] > last]

    def pending(self) -> list[Range]:
        """What is still to come, as ranges of sequence numbers."""
        return self._done.gaps(1, self._outbox.newest, MOST_PENDING_RANGES)

    def pending_rows(self) -> int:
        """How many sequence numbers are not acknowledged."""
        return self._outbox.newest - self._done.size()

    def _id(self, first: int) -> str:
        return batch_id(self._agent, self._outbox.epoch, first)

    @property
    def _probing(self) -> bool:
        return self._silence_s != self._first_silence_s

    def _check_store(self, store_id: str) -> None:
        """Another store may have nothing of what the last one acknowledged: begin at the oldest row still held."""
        known = self._outbox.reader.fact("store_id")
        if known == store_id:
            return
        if not known:
            self._outbox.remember("store_id", store_id)
            return
        log.warning("store_changed", was=known, now=store_id)
        self._outbox.rewind(store_id)
        self._done = RangeSet([(1, self._outbox.oldest() - 1)])
        self._send_again()

    def _begin_anew(self) -> None:
        """The server has numbers that we never sent: this file is an old copy, or its disk forgot what it had synced.

        Numbers given twice would be taken for repetitions. Under a new epoch they mean what they say.
        """
        was = self._outbox.epoch
        self._outbox.begin_epoch()
        log.error("outbox_went_back", epoch_was=was, epoch=self._outbox.epoch)
        self._done = RangeSet([(1, self._outbox.oldest() - 1)])
        self._sent_hw = 0
        self._send_again()

    def _send_again(self) -> None:
        self._flying = []
        self._taken = RangeSet(self._done)
        self._live_from = self._live_begin

    def _next_live(self) -> Outgoing | None:
        while (seq := self._outbox.reader.next_live(self._live_from)) is not None:
            gap = self._taken.gap_from(seq, self._outbox.newest)
            if gap is None:
                return None
            if gap[0] != seq:
                self._live_from = gap[0]
                continue
            rows = self._outbox.rows(*gap, self._batch_rows)
            live = rows[: next((i for i, row in enumerate(rows) if row[1] != LIVE), len(rows))]
            if not live:  # its first row was damaged on disk: a tombstone stands for it, and travels with the backlog
                self._live_from = seq + 1
                continue
            message = self._batch("live", live)
            self._live_from = message.last + 1
            return message
        return None

    def _is_backlog_left_out(self) -> bool:
        """Whether none of the backlog is under way and yet the lowest number missing is of it.

        Then one batch is kept for it, however many live ones wait: a server that remembers only so many of the lowest
        ranges acknowledges nothing else.
        """
        lowest = self._taken.gap_from(1, self._outbox.newest)
        if lowest is None or any(lane == "backlog" for *_, lane in self._flying):
            return False
        return lowest[0] < self._live_from or self._outbox.reader.next_live(lowest[0]) != lowest[0]

    def _next_in_pace(self, now: float) -> Outgoing | None:
        """The next of the backlog, when its rate allows."""
        message = self._next_backlog() if now >= self._backlog_at else None
        if message is not None and self._backlog_rate:
            rows = message.last - message.first + 1 if message.is_data else 0
            self._backlog_at = max(self._backlog_at, now - BURST_S) + rows / self._backlog_rate
        return message

    def _next_backlog(self) -> Outgoing | None:
        gap = self._taken.gap_from(1, self._outbox.newest)
        if gap is None:
            return None
        rows = self._outbox.rows(*gap, self._batch_rows)
        return self._batch("backlog", rows) if rows and rows[0][0] == gap[0] else self._tombstone(*gap)

    def _batch(self, lane: Lane, rows: Sequence[Row]) -> Outgoing:
        """The rows as a message; fewer of them if it would be too large."""
        numbers: dict[int, int] = {}
        p = [numbers.setdefault(row[2], len(numbers)) for row in rows]
        q = [row[5] for row in rows]
        batch = wire.Batch(
            v=wire.VERSION,
            dev=self._agent,
            ep=self._outbox.epoch,
            first=rows[0][0],
            lane=lane,
            clk=self._clock(),
            points=[self._outbox.name(point) for point in numbers],
            p=p,
            t=[row[3] for row in rows],
            x=[row[4] for row in rows],
            q=q if any(q) else [],
        )
        try:
            payload = wire.encode(batch)
        except Rejected:
            payload = b""
        if len(rows) > 1 and not 0 < len(payload) <= self.payload_bytes:
            return self._batch(lane, rows[: len(rows) // 2])
        return Outgoing(self._id(rows[0][0]), lane, rows[0][0], rows[-1][0], payload)

    def _tombstone(self, first: int, last: int) -> Outgoing:
        """What stands at ``first`` where no row is: a tombstone on disk, or the plain word that it is not held."""
        found = self._outbox.reader.tombstone_at(first)
        following = self._outbox.reader.next_row(first)
        end = min(found[1] if found else last, following - 1 if following else last, last)
        tomb = wire.Tombstone(first, end, found[2] if found else "not_held")
        message = wire.Tombstones(v=wire.VERSION, dev=self._agent, ep=self._outbox.epoch, tomb=[tomb])
        return Outgoing(self._id(tomb.start), "backlog", tomb.start, tomb.end, wire.encode(message), is_data=False)
