"""Brings the outbox to the server over the link: live readings first, and nothing goes from disk before it is stored.

One thread of ours sends, takes acknowledgements and greets. A PUBACK says that the broker saw a message. It frees
nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from edge_agent.link import Arrival, Link
from edge_agent.reasons import NOT_AUTHORIZED, SUCCESS, TOO_LARGE, Reasons
from edge_agent.server_watch import ServerWatch
from facility import wire
from facility.batch_id import batch_id
from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.link import What
    from edge_agent.outbox.outbox import Outbox
    from edge_agent.window import SendWindow

Said = TypeVar("Said", wire.Ack, wire.Command)

log = structlog.get_logger()

STATUS_S = 5.0
TIDY_S, AGE_S = 1.0, 60.0
BATCHES_PER_HELLO, HELLO_S = 10, 25.0
"""Greetings come with every tenth batch, and on a quiet line while anything is not stored: ingest answers with its
marks, and asks for a hole that is half a minute old, so that no hole stays open for a minute.
"""
HELD_HELLO_S = 3.0
"""Until it has answered for the first time nothing else is sent."""
WAIT_S = 0.2
LEAST_PAYLOAD_BYTES = 512


class Publisher:
    """Sends for one agent; ``status`` says what its status tells, ``command`` obeys what is not about readings."""

    def __init__(
        self,
        url: str,
        agent: str,
        outbox: Outbox,
        window: SendWindow,
        *,
        monotonic: Callable[[], float],
        status: Callable[[], wire.Status],
        command: Callable[[str], None],
        points: int = 0,
        version: str = "",
        server: ServerWatch | None = None,
    ) -> None:
        """Constructing is not connecting. Raises ``ConfigError`` for a URL of a broker that cannot be used."""
        self._agent, self._outbox, self._window = agent, outbox, window
        self._monotonic, self._status, self._command = monotonic, status, command
        self._points, self._version = points, version
        self.server = server or ServerWatch(monotonic)
        self._work = threading.Event()
        self.link = Link(url, agent, self._work.set, monotonic)
        self.reasons = Reasons(self.link.state.kicks)
        self._stopping, self._outbox_failing = False, False
        self._batches = self.malformed = self.rounds = 0
        self._mids: dict[int, str] = {}
        self._longest_sent = 0
        self._status_at = self._hello_at = self._tidy_at = self._age_at = self._begin = monotonic()
        self._thread = threading.Thread(target=self._run, name="publisher")

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end."""
        self._stopping = True
        self._work.set()
        self._thread.join()
        self.link.close(wire.encode(wire.Status(v=wire.VERSION, dev=self._agent, state="offline")))

    def wake(self) -> None:
        """There is something new to send."""
        self._work.set()

    def tell_soon(self) -> None:
        """There is something new to say of ourselves."""
        self._status_at = float("-inf")
        self.wake()

    @property
    def is_alive(self) -> bool:
        """Whether our thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            self.rounds += 1
            self._with_the_outbox(self._turn)
            self._work.wait(WAIT_S)
            self._work.clear()
        self._with_the_outbox(self._tidy)

    def _with_the_outbox(self, step: Callable[[float], None]) -> None:
        """Wait for a full disk; a broken file (any other ``sqlite3.Error``) ends the agent: its next start heals it."""
        try:
            step(self._monotonic())
        except sqlite3.OperationalError as error:
            if not self._outbox_failing:
                log.warning("outbox_fails", error=str(error))
            self._outbox_failing = True
        else:
            if self._outbox_failing:
                log.info("outbox_works_again")
            self._outbox_failing = False

    def _turn(self, now: float) -> None:
        if now >= self._tidy_at:  # first of all: on a full disk it is what makes the rest possible
            self._tidy(now)
        while not self.link.arrived.empty():
            self._take(self.link.arrived.get(), now)
        self.link.mind(now)
        if self.link.is_up:
            self._send(now)
            if now >= self._hello_at and (self._is_something_open() or self.server.wants_a_word()):
                self._hello(now)
            if now >= self._status_at:
                self.tell_status(now)

    def _take(self, arrival: Arrival, now: float) -> None:
        try:
            if arrival.word == "connected":
                self._begin_connection(arrival, now)
            elif arrival.word == "refused":
                self.reasons.note_greeting(arrival.code)
            elif arrival.word == "lost":
                self._end_connection(arrival, now)
            elif arrival.word == "published":
                batch = self._mids.pop(arrival.mid, "")
                if batch or arrival.code == NOT_AUTHORIZED:  # a greeting is refused like a batch, and comes first
                    with bound_contextvars(batch=batch):
                        self.reasons.note_batch(arrival.code, now)
            elif arrival.word == "ack":
                self._window.acknowledge(self._said(wire.Ack, arrival), now)
            else:
                self._obey(self._said(wire.Command, arrival), now)
        except Rejected as error:
            self.malformed += 1
            log.warning("message_refused", what=arrival.word, error=str(error))

    def _said(self, kind: type[Said], arrival: Arrival) -> Said:
        said = wire.decode_checked(kind, arrival.payload, arrival.crc)
        self.server.heard()
        return said

    def _begin_connection(self, arrival: Arrival, now: float) -> None:
        self.link.welcomed()
        self.reasons.note_greeting(SUCCESS)
        self._mids.clear()
        stated = self.link.payload_bytes(arrival.max_packet_bytes)
        self._window.payload_bytes = stated if arrival.max_packet_bytes else min(stated, self._window.payload_bytes)
        self._longest_sent = 0
        self._window.connected(now)
        self._hello(now)
        self.tell_status(now)

    def _end_connection(self, arrival: Arrival, now: float) -> None:
        was_up = self.link.is_up
        self.link.lost(arrival)
        if was_up:
            self.reasons.note_loss(arrival.code, now)
        if arrival.code == TOO_LARGE:  # a broker that did not say how much it takes
            self._window.payload_bytes = max(self._longest_sent // 2, LEAST_PAYLOAD_BYTES)
            log.warning("batches_split", payload_bytes=self._window.payload_bytes)

    def _obey(self, command: wire.Command, now: float) -> None:
        log.info("command", do=command.do, ranges=len(command.ranges))
        if command.do == "replay":
            for first, last in command.ranges or [(self._outbox.oldest(), self._outbox.newest)]:
                self._window.repeat(first, last)
        else:
            self._command(command.do)
        self.tell_status(now)

    def _send(self, now: float) -> None:
        self.reasons.look(now)
        while now >= self.reasons.quiet_until and self.link.arrived.empty():
            message = self._window.next(now)
            if message is None:
                return
            with bound_contextvars(batch=message.batch):
                is_small = len(message.payload) <= self._window.payload_bytes
                self.reasons.note_too_large(lasts=not is_small)
                if not is_small:
                    return
                self._mids[self._publish(message.lane, message.payload)] = message.batch
                log.debug("sent", lane=message.lane, last=message.last)
            self._batches += 1
            if self._batches % BATCHES_PER_HELLO == 0:
                self._hello(now)

    def _is_something_open(self) -> bool:
        return self._window.is_held or self._outbox.store_hw < self._outbox.newest or self._window.pending_rows() > 0

    def _hello(self, now: float) -> None:
        """Tell what is held and what is still to come; roughly, if all ranges would be too long for the broker."""
        self._hello_at = now + (HELD_HELLO_S if self._window.is_held else HELLO_S)
        pending = self._window.pending()
        while True:
            hello = wire.Hello(
                v=wire.VERSION,
                dev=self._agent,
                ep=self._outbox.epoch,
                oldest=self._outbox.oldest(),
                newest=self._outbox.newest,
                pending=pending,
                version=self._version,
                points=self._points,
            )
            payload = wire.encode(hello)
            if len(payload) <= self._window.payload_bytes or len(pending) <= 1:
                break
            kept = len(pending) // 2 - 1
            pending = [*pending[:kept], (pending[kept][0], pending[-1][1])]
        mid = self._publish("hello", payload)
        if self._window.is_held:  # no batch tells whether anybody listens
            self._mids[mid] = batch_id(self._agent, hello.ep, hello.newest)

    def tell_status(self, now: float) -> None:
        """Publish the health figures now; the next time is 5 s later."""
        self._status_at = now + STATUS_S
        status = self._status()
        payload = wire.encode(status)
        if len(payload) > self._window.payload_bytes:
            payload = wire.encode(wire.Status(v=status.v, dev=status.dev, state=status.state, at_ms=status.at_ms))
        self._publish("status", payload)

    def _tidy(self, now: float) -> None:
        self._tidy_at = now + TIDY_S
        if self._outbox.is_tidy and now < self._age_at:
            return
        self._outbox.tidy(now - self._begin)
        self._age_at = now + AGE_S

    def _publish(self, what: What, payload: bytes) -> int:
        self._longest_sent = max(self._longest_sent, len(payload))
        return self.link.publish(what, payload)
