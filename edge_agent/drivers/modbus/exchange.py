"""One request and its answer: on a line that may be closed, noisy, late or out of step."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import structlog

from edge_agent.drivers.base import BusDownError, NoAnswerError
from edge_agent.drivers.lines.line import LineClosedError, open_patiently
from edge_agent.drivers.modbus.endings import OtherwiseError, without_answer
from edge_agent.drivers.modbus.frames import Reply, without
from edge_agent.drivers.modbus.steps import Steps
from edge_agent.drivers.modbus.waits import LONGEST_HOLD_S, Waits
from facility.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.drivers.lines.line import Line
    from edge_agent.drivers.modbus.frames import Framing, Request
    from facility.catalogue import Bus

log = structlog.get_logger()

NUMBERS = 0xFFFF
MOST_BYTES = 4096
"""So much is looked through for an answer, the newest of what came; the longest frame has 260 bytes."""

FRAME_BYTES = 13
"""Of a request and its answer together, beside two for each register."""

GATEWAY_EXCEPTIONS = {10, 11}
"""Gateway path unavailable, target did not answer: Modbus application protocol V1.1b3, section 7."""

OPENINGS = 5
"""A device that closed a connection may need a moment to take the next one."""

IDLE_S = 1.0
"""A connection on which nothing was said for so long may have been forgotten by whoever passes it on."""

PARTS_S = 0.1
"""Within an answer that has begun there are no longer pauses, or it has the whole time that it has anyway."""

LEAST_LINGER_S = 0.05
"""At the end of a poll whose answers look alike: a device that usually is quicker may have been busy."""

LEAST_WATCH_S = 0.02
"""At the end of another poll, while somebody else may ask on the line."""

ENDLESS_S = 2.0
"""A line that is not quiet for so long after an answer never will be."""


class Exchange:
    """Asks on one line, one request at a time. What does not match a request is never taken for its answer."""

    def __init__(self, bus: Bus, line: Line, framing: Framing, monotonic: Callable[[], float]) -> None:
        """Nothing is opened yet."""
        self._bus, self._line, self._framing, self._monotonic = bus, line, framing, monotonic
        self._waits = Waits(bus.id, bus.timeout_s, longest_hold_s=0.0 if line.byte_s else LONGEST_HOLD_S)
        self._steps = Steps(bus.timeout_s, monotonic())
        # The number goes on from connection to connection, so that an answer to the last one is told from ours.
        self._number = random.randrange(NUMBERS)  # noqa: S311 - only so that two agents rarely use the same ones
        self._heard_s = 0.0
        self._has_worked = False
        self._answered: Request | None = None

    def close(self) -> None:
        """Let the line go."""
        self._line.close()

    def ask(self, request: Request) -> Reply:
        """Ask, and once more where a reused connection is found closed or something else came than the answer.

        Raises ``BusDownError`` or ``NoAnswerError``.
        """
        self._listen_behind_gateway(request)
        is_reused = self._open(request)
        may_be_forgotten = is_reused and not self._line.byte_s and self._monotonic() - self._heard_s > IDLE_S
        may_be_forgotten &= not self._waits.is_silent(request.unit)
        try:
            return self._ask(request)
        except LineClosedError as error:
            self._hang_up()
            if not is_reused:
                raise without_answer(self._bus, request, error) from None
        except OtherwiseError:
            pass
        except NoAnswerError:
            if not may_be_forgotten:
                raise
            self._hang_up()
        return self._ask_again(request)

    def _ask_again(self, request: Request) -> Reply:
        self._open(request)
        try:
            return self._ask(request)
        except LineClosedError as error:
            self._hang_up()
            raise without_answer(self._bus, request, error) from None
        except OtherwiseError as error:
            if not self._line.byte_s:
                self._hang_up()
            raise NoAnswerError(str(error)) from None

    def confirm(self) -> None:
        """The poll of a device is over. Raises ``NoAnswerError`` where its answers may be those to other requests."""
        if self._framing.has_numbers:
            return
        if self._line.is_open and self._steps.last:
            self._listen_on(self._steps.last[0])
        if proof := self._steps.proof():
            self._prove(proof)
        if not self._steps.end():
            if not self._line.byte_s:
                self._hang_up()
            raise NoAnswerError("answers come twice, late or to what others ask: one could be taken for another's")

    def _listen_on(self, request: Request) -> None:
        """What still comes after the last answer and looks like it: a whole answer more would have come by then."""
        if not (self._steps.could_slip or self._steps.is_watched(self._monotonic())):
            return
        least_s = LEAST_LINGER_S if self._steps.could_slip else LEAST_WATCH_S
        wait_s = max(1.5 * self._waits.usual_s(request.unit), self._steps.linger_s, least_s)
        try:
            heard = self._drained(wait_s)
        except LineClosedError:
            self._hang_up()
            return
        self._note_strays(request, heard)
        self._steps.note_end(list(self._framing.replies(request, self._number, heard)))

    def _prove(self, proof: Request) -> None:
        """Ask what nothing that came before can answer. Silence proves nothing."""
        try:
            self._open(proof)
            self._ask(proof)
        except LineClosedError:
            self._hang_up()
        except DriverError:
            pass
        self._steps.note_proof(proof.unit)

    def _open(self, request: Request) -> bool:
        """Open the line; whether it was open before. What a unit still owes is left behind with the connection."""
        if self._line.is_open and not self._line.byte_s and self._owes_alike(request):
            self._hang_up()
        if self._line.is_open:
            return True
        openings, self._has_worked = OPENINGS if self._has_worked else 1, False
        try:
            open_patiently(self._line, openings, self._bus.timeout_s / OPENINGS)
        except OSError as error:
            raise BusDownError(f"{self._bus.url} cannot be opened: {error.strerror or error}") from None
        self._heard_s = self._monotonic()
        return False

    def _hang_up(self) -> None:
        self._line.close()
        self._waits.forget_owed()
        self._waits.silences = 0
        self._steps.forget_last()

    def _owes_alike(self, request: Request) -> bool:
        return not self._framing.has_numbers and any(one.request.shape == request.shape for one in self._waits.owed)

    def _ask(self, request: Request) -> Reply:
        self._drop_stale(request)
        self._number = self._number % NUMBERS + 1
        frame = self._framing.frame(request, self._number)
        self._line.write(frame)
        self._steps.note_sent(request)
        owed, sent_s = [one.request for one in self._waits.owed], self._monotonic()
        heard, replies = self._listen(request, sent_s)
        now_s = self._monotonic()
        before = [one for one in self._steps.unlike(request) if any(self._framing.replies(one, self._number, heard))]
        is_expected = all(any(one is late for late in owed) for one in before)
        if replies and self._takes(request, replies, is_behind=not is_expected):
            self._note_strays(request, without(heard, frame, *(reply.image for reply in replies)))
            return self._taken(request, replies[0], sent_s, now_s)
        if self._framing.has_numbers and self._framing.finds_no_numbers(request, heard):
            log.warning("bus_answers_without_numbers", bus=self._bus.id)
            self._hang_up()  # what comes on another connection is the answer to what is asked there
            raise OtherwiseError(f"unit {request.unit}: the answer has no number")
        self._steps.note_missing(is_behind=bool(before))
        if other := without(heard, frame):
            self._waits.note_owed(request, self._number, sent_s)
            what = self._note_strays(request, other) or "what came is no answer"
            raise OtherwiseError(f"unit {request.unit}: {what}")
        self._waits.note_silence(request, self._number, sent_s)
        if self._waits.silences > 1 and not self._line.byte_s:
            self._hang_up()
        raise NoAnswerError(f"unit {request.unit}: no answer in {now_s - sent_s:.1f} s")

    def _taken(self, request: Request, reply: Reply, sent_s: float, now_s: float) -> Reply:
        """An answer, unless it is a gateway's word that there is none."""
        self._has_worked = True
        if reply.exception in GATEWAY_EXCEPTIONS:
            self._waits.note_absence(request.unit)
            raise NoAnswerError(f"unit {request.unit}: exception {reply.exception}")
        self._waits.note_answer(request, sent_s, now_s)
        self._answered = request
        return reply

    def _listen_behind_gateway(self, request: Request) -> None:
        """A unit that was never heard comes after a silent one: another, which is well, shows if we are held.

        Otherwise two dead ones in a row could not be told from a gateway that still waits for the first.
        """
        known, waits = self._answered, self._waits
        if not known or waits.usual_s(request.unit) or not (self._line.is_open and waits.may_be_held(request.unit)):
            return
        try:
            self._ask(known)
        except LineClosedError:
            self._hang_up()
        except (NoAnswerError, OtherwiseError):
            self._answered = None  # it is not well any more

    def _takes(self, request: Request, replies: list[Reply], *, is_behind: bool) -> bool:
        """Whether the first of what came is the answer: two that differ tell that one of them is another's."""
        if self._framing.has_numbers:
            return True
        if any(reply.image != replies[0].image for reply in replies):
            self._steps.note_two()
            self._drained(self._steps.linger_s)
            return False
        self._steps.note_answer(request, replies[0], is_behind=is_behind)
        self._steps.note_more(replies[1:])
        return True

    def _note_strays(self, request: Request, heard: bytes) -> str:
        """What came that is no answer to the request, in words: somebody else may be asking on the line."""
        what = self._framing.stranger(request, heard)
        if what and not self._framing.has_numbers:
            self._steps.note_stray(self._monotonic())
        return what

    def _listen(self, request: Request, sent_s: float) -> tuple[bytes, list[Reply]]:
        """Everything that came until an answer was among it or time was up."""
        under_way_s = self._line.byte_s * self._framing.chars_per_byte * (FRAME_BYTES + request.size)
        end_s = self._waits.end_s(request.unit, sent_s) + under_way_s
        last_s = end_s + self._waits.patience_s(sent_s)
        heard, replies = b"", list[Reply]()
        while not replies and (left_s := end_s - self._monotonic()) > 0:
            if not (more := self._line.read(left_s)):
                continue
            now_s = self._heard_s = self._monotonic()
            heard = (heard + more)[-MOST_BYTES:]
            replies = list(self._framing.replies(request, self._number, heard))
            end_s = max(end_s, now_s + PARTS_S)
            if self._notes_late(request, heard, now_s):  # only now can a gateway turn to ours
                end_s = max(end_s, now_s + self._waits.patience_s(now_s))
            end_s = min(end_s, last_s)
        return heard, replies

    def _notes_late(self, request: Request, heard: bytes, now_s: float) -> bool:
        """Whether the answer to an earlier request is among what came."""
        for owed in self._waits.owed:
            is_alike = not self._framing.has_numbers and owed.request.shape == request.shape
            if not is_alike and any(self._framing.replies(owed.request, owed.number, heard)):
                self._waits.note_late(owed, now_s)
                return True
        return False

    def _drop_stale(self, request: Request) -> None:
        """Nothing that came before a request can be its answer."""
        linger_s, now_s = self._steps.pause_s(request), self._monotonic()
        if self._owes_alike(request):  # on a wire there is no other connection: what is late is waited for
            linger_s = max(linger_s, self._waits.owed[-1].sent_s + 2 * self._waits.patience_s(now_s) - now_s)
        heard = self._drained(linger_s)
        if not heard:
            return
        self._note_strays(request, heard)
        now_s = self._monotonic()
        for owed in list(self._waits.owed):
            if any(self._framing.replies(owed.request, owed.number, heard)):
                self._waits.note_late(owed, now_s, at_most=2 * self._waits.patience_s(now_s))
        if self._steps.last:
            last, _ = self._steps.last
            self._steps.note_more(list(self._framing.replies(last, self._number, heard)))

    def _drained(self, seconds: float) -> bytes:
        """What is there, and what comes until the line has been quiet for so long."""
        heard, end_s = b"", self._monotonic() + max(seconds, 0) + ENDLESS_S
        while more := self._line.read(seconds):
            heard = (heard + more)[-MOST_BYTES:]
            if self._monotonic() > end_s:
                raise NoAnswerError("the line is never quiet")
        return heard
